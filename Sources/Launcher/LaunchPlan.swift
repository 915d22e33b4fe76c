// The launch plan: what a command line comes to, before anything is done.

internal import ArgumentParser
internal import Shared
internal import SystemPackage

/// What replserve is going to do. Making the plan changes nothing, so every command line can be tested.
enum LaunchPlan: Equatable, Sendable {
  /// Becomes this program.
  case run(FilePath, arguments: [Word])
  /// Writes this to standard output.
  case print(String)

  /// - Parameters:
  ///   - words: the command line without the name of the tool.
  ///   - installation: where `_launch.py` is.
  ///   - search: where an interpreter may be.
  /// - Throws: `LaunchError`, whose message is for the user.
  init(
    _ words: [Word], installation: Installation, search: InterpreterSearch
  ) throws(LaunchError) {
    let parts = try CommandLineParts(words)
    let options: LaunchOptions
    do {
      options = try LaunchOptions.parse(parts.options.map(\.text))
    } catch {
      guard LaunchOptions.exitCode(for: error) == .success else {
        throw LaunchError(.usage, LaunchOptions.message(for: error) + " (see replserve --help)")
      }
      self = .print(LaunchOptions.fullMessage(for: error))
      return
    }
    guard !options.printPythonPath else {
      self = .print(installation.pythonPath.string)
      return
    }
    let configuration = try options.configuration(for: parts.program)
    let interpreter = try search.find(options.python)
    let script = installation.launchScript
    guard search.look(script) != .nothing else {
      throw LaunchError(
        .noServer,
        "the Python package of repltools is not in \(installation.pythonPath); install repltools again")
    }
    var arguments = [Word(interpreter)]
    arguments += options.pythonArg.map { Word($0) }
    arguments += [Word(script), Word(bytes: configuration.json.serialized())]
    if let target = parts.program.target { arguments.append(target) }
    self = .run(interpreter, arguments: arguments + parts.program.arguments)
  }
}

extension Word {
  /// The path, byte for byte.
  init(_ path: FilePath) {
    self = unsafe path.withPlatformString { start in
      unsafe Word(bytes: UnsafeRawBufferPointer(start: start, count: path.length))
    }
  }
}
