// The terminal client: from a command line to an exit status.

internal import ArgumentParser
internal import ClientOptions
internal import Glibc
internal import ReplClient
internal import Shared
internal import SystemPackage

/// The whole of `replconnect`.
public enum TerminalClient {
  /// Does what this process's command line says.
  public static func main() -> Never {
    exit(run(Array(CommandLine.arguments.dropFirst()), .ofProcess()))
  }

  /// How long connecting may take when nobody says otherwise, in seconds.
  private static let defaultTimeout = 10.0

  /// - Parameter words: the command line without the name of the tool.
  /// - Returns: the exit status.
  static func run(_ words: [String], _ surroundings: Surroundings) -> Int32 {
    do throws(ClientError) {
      return try connect(words, surroundings)
    } catch {
      Talk(surroundings.errors).say(error)
      return error.code.rawValue
    }
  }

  private static func connect(_ words: [String], _ surroundings: Surroundings) throws(ClientError) -> Int32 {
    let options: ConnectOptions
    do {
      options = try ConnectOptions.parse(words)
    } catch {
      guard ConnectOptions.exitCode(for: error) == .success else {
        throw ClientError(.usage, "\(ConnectOptions.message(for: error)) (see replconnect --help)")
      }
      return try printText(ConnectOptions.fullMessage(for: error), surroundings)
    }
    let isInteractive =
      options.code.isEmpty && isatty(surroundings.input) == 1 && isatty(surroundings.output) == 1
    guard isInteractive || options.attach == nil else {
      throw ClientError(.usage, "--attach needs a terminal; to run code in a session, use replctl eval -s")
    }
    guard let wire = try open(surroundings, options, isInteractive: isInteractive) else {
      return ExitCode.done.rawValue
    }
    guard options.loop.loop == nil || !(wire is AncestorConnection) else {
      throw ClientError(.usage, "--loop needs a server of repltools; that one is unpythonic's")
    }
    guard isInteractive else {
      var script = try ScriptRun(wire, surroundings, keepsGoing: options.keepGoing, loop: options.loop)
      return try script.run(options.code.isEmpty ? .input(surroundings.input) : .code(options.code))
    }
    return try Dialogue(wire, options, surroundings).run()
  }

  /// Connects, finds out what the server can do, and says who calls.
  ///
  /// - Returns: nil when somebody was asked why they connect, and left.
  private static func open(
    _ surroundings: Surroundings, _ options: ConnectOptions, isInteractive: Bool
  ) throws(ClientError) -> (any Wire)? {
    let limit = options.connection.timeout?.seconds
    let caller = try options.connection.caller(surroundings, until: .after(limit ?? defaultTimeout))
    let destination = try surroundings.resolver.resolve(options.endpoint)
    let seconds = destination.patience(limit, usual: defaultTimeout)
    // Introduce comes once, and what it has to say may have to be asked for.
    let connection = try Connection(to: destination, as: Caller(trust: caller.trust), greetingWithin: seconds)
    let server: ServerDescription
    do throws(ClientError) {
      server = try connection.describe(until: .after(seconds))
    } catch {
      guard let description = connection.foreignDescription, description["prompts"]?.objectValue != nil,
        let endpoint = options.endpoint ?? surroundings.endpoint,
        case .tcp(let host, let port, let control) = try? Endpoint(parsing: endpoint)
      else { throw error }
      return try AncestorConnection(
        host: host, port: port, controlPort: control, description: description, trusting: caller.trust,
        within: seconds)
    }
    var introduction = caller.introduction ?? [:]
    if isInteractive, server.requiresReason, introduction["reason"] == nil {
      guard let reason = try ReasonQuestion.ask(connection, surroundings) else { return nil }
      introduction["reason"] = .string(reason)
    }
    if !introduction.isEmpty { try connection.introduce(introduction) }
    return connection
  }

  private static func printText(_ text: String, _ surroundings: Surroundings) throws(ClientError) -> Int32 {
    do {
      _ = try FileDescriptor(rawValue: surroundings.output).writeAll((text + "\n").utf8)
    } catch {
      throw ClientError(.failed, "cannot write the output: \(error)")
    }
    return ExitCode.done.rawValue
  }
}

/// What the tool says about itself, on standard error.
struct Talk {
  private let errors: FileDescriptor

  init(_ descriptor: Int32) { errors = FileDescriptor(rawValue: descriptor) }

  /// There is nobody to tell when that fails.
  func say(_ line: String) { _ = try? errors.writeAll("replconnect: \(line.printableLine)\n".utf8) }

  func say(_ error: ClientError) {
    let lines = ["replconnect: \(error.message)"] + error.details.map { "  \($0)" }
    _ = try? errors.writeAll(lines.map { $0 + "\n" }.joined().utf8)
  }
}
