// The launch: makes the plan for this process's own command line and carries it out.

public import ArgumentParser
internal import Glibc
internal import Shared
internal import SystemPackage

/// The whole of `replserve`.
public enum Launch {
  /// All options, for those who complete them; but not `-m` and `-c`, at which the command line is cut before.
  public static var declaration: any ParsableCommand.Type { LaunchOptions.self }

  /// Becomes the interpreter, or says in one line why not.
  public static func main() -> Never {
    do throws(LaunchError) {
      let plan = try LaunchPlan(
        commandLine().dropFirst().map(\.self), installation: .current(), search: .inHost())
      switch plan {
      case .run(let interpreter, let arguments): throw become(interpreter, arguments)
      case .print(let text): try say(text, on: .standardOutput)
      }
      exit(ExitCode.done.rawValue)
    } catch {
      try? say("replserve: \(error.message)", on: .standardError)
      exit(error.code.rawValue)
    }
  }

  /// Writes a line.
  private static func say(_ text: String, on output: FileDescriptor) throws(LaunchError) {
    do {
      _ = try output.writeAll((text + "\n").utf8)
    } catch {
      throw LaunchError(.failed, "cannot write the answer: \(error)")
    }
  }

  /// The words of this process's command line. `CommandLine.arguments` would repair what is not UTF-8.
  private static func commandLine() -> [Word] {
    (0..<Int(CommandLine.argc)).compactMap { index in
      guard let word = unsafe CommandLine.unsafeArgv[index] else { return nil }
      return unsafe Word(bytes: UnsafeRawBufferPointer(start: word, count: strlen(word)))
    }
  }

  /// Replaces this process by a program.
  ///
  /// - Returns: why it could not; on success it does not return.
  private static func become(_ program: FilePath, _ arguments: [Word]) -> LaunchError {
    // Never freed: the process image that holds them goes away, by execv or by exit.
    var words = unsafe arguments.map { word in
      unsafe strdup(word.bytes.map { CChar(bitPattern: $0) } + [0])
    }
    unsafe words.append(nil)
    _ = unsafe program.withPlatformString { path in unsafe execv(path, words) }
    let reason = Errno(rawValue: errno)
    return LaunchError(.noServer, "cannot run \(program): \(reason); choose an interpreter with --python")
  }
}
