// The completion tool: from a command line to an exit status.

internal import ArgumentParser
internal import ClientOptions
internal import Glibc
internal import ReplClient
internal import Shared
internal import ShellCompletion

/// The whole of `replcomplete`.
public enum CompletionTool {
  /// Does what this process's command line says.
  public static func main() -> Never {
    exit(run(Array(CommandLine.arguments.dropFirst()), .ofProcess()))
  }

  /// How long all of it may take when nobody says otherwise, in seconds: an editor waits for it.
  private static let defaultTimeout = 2.0

  /// - Parameter words: the command line without the name of the tool.
  /// - Returns: the exit status.
  static func run(_ words: [String], _ surroundings: Surroundings) -> Int32 {
    do throws(ClientError) {
      return try answer(words, surroundings).rawValue
    } catch {
      let lines = ["replcomplete: \(error.message)"] + error.details.map { "  \($0)" }
      // There is nobody to tell when that fails.
      try? StandardStream(surroundings.errors).write(Array(lines.map { $0 + "\n" }.joined().utf8))
      return error.code.rawValue
    }
  }

  private static func answer(_ words: [String], _ surroundings: Surroundings) throws(ClientError) -> Shared.ExitCode {
    if words.first == Shell.request { return try answer(shellWords: words.dropFirst(), surroundings) }
    let options: CompletionOptions
    do {
      options = try CompletionOptions.parse(words)
    } catch {
      guard CompletionOptions.exitCode(for: error) == .success else {
        throw ClientError(.usage, CompletionOptions.message(for: error) + " (see replcomplete --help)")
      }
      try write([CompletionOptions.fullMessage(for: error)], surroundings)
      return .done
    }
    if let shell = options.shell {
      try write([shell.script(for: ToolTable.all().map(\.name))], surroundings, ending: "")
      return .done
    }
    let limit = options.connection.timeout?.seconds
    let caller = try options.connection.caller(surroundings, until: .after(limit ?? defaultTimeout))
    let destination = try surroundings.resolver.resolve(options.connection.to)
    let seconds = destination.patience(limit, usual: defaultTimeout)
    let deadline = Deadline.after(seconds)
    let connection = try Connection(
      to: destination, as: caller, greetingWithin: seconds)
    let completion = try Completion.ask(
      connection, line: options.line ?? options.prefix ?? "", cursor: options.cursor, withDocs: options.doc,
      until: deadline)
    let head = String(String.UnicodeScalarView((options.prefix ?? "").unicodeScalars.prefix(completion.start)))
    let lines =
      options.json
      ? completion.documents(head: head).map { String(decoding: JSON.object($0).serialized(), as: UTF8.self) }
      : completion.lines(head: head, withKinds: options.kind, withDocs: options.doc)
    guard !lines.isEmpty else { return .failed }
    try write(lines, surroundings)
    return .done
  }

  /// Answers the script of a shell. Whatever goes wrong is nothing that a person at the Tab key wants to read.
  private static func answer(
    shellWords words: ArraySlice<String>, _ surroundings: Surroundings
  ) throws(ClientError) -> Shared.ExitCode {
    guard let shell = words.first.flatMap(Shell.init(rawValue:)) else {
      throw ClientError(.usage, "\(Shell.request) is for the scripts of --shell")
    }
    let completer = Completer(tools: ToolTable.all(), surroundings: surroundings)
    try write(completer.reply(to: shell, Array(words.dropFirst())), surroundings)
    return .done
  }

  private static func write(
    _ lines: [String], _ surroundings: Surroundings, ending: String = "\n"
  ) throws(ClientError) {
    try StandardStream(surroundings.output).write(Array(lines.map { $0 + ending }.joined().utf8))
  }
}
