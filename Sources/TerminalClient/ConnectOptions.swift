// The connect options: what replconnect can be told, as its help has it.

internal import ArgumentParser
internal import ClientOptions
internal import ReplClient
internal import Shared

struct ConnectOptions: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replconnect",
    abstract: "A prompt inside a running program.",
    usage: """
      replconnect [OPTIONS] [ENDPOINT | HOST [PORT [CONTROL]]]
      replconnect [OPTIONS] -c CODE [ENDPOINT | HOST [PORT [CONTROL]]]
      """,
    discussion: """
      Without -c, and when standard input is not a terminal, it is a script: its blocks are run one after the other, \
      until one raises.
      """,
    version: "replconnect (repltools) \(Release.version)")

  /// What `--timeout` means here.
  enum TimeoutText: TimeoutMeaning {
    static var timeoutHelp: String { "How long connecting may take; 10 without it." }
  }

  @OptionGroup var connection: ConnectionOptions<TimeoutText>

  @Option(
    name: [.customShort("c"), .long], parsing: .unconditionalSingleValue,
    help: ArgumentHelp("Run this instead of reading from standard input; repeatable.", valueName: "code"))
  var code: [String] = []

  @Flag(help: "Go on with the next block when one raises.")
  var keepGoing = false

  @Option(help: ArgumentHelp("Take up a session that was left.", valueName: "session"))
  var attach: Int?

  @OptionGroup var loop: LoopOption

  @Flag(help: "Show what the program itself prints, too.")
  var tee = false

  @Flag(help: "Keep no history, and read none.")
  var noHistory = false

  @Flag(help: "Use no colours; so does a variable NO_COLOR.")
  var noColor = false

  @Argument(
    help: ArgumentHelp("The server, as with -t; or its host, its port and its control port.", valueName: "endpoint"))
  var server: [String] = []

  func validate() throws {
    if connection.to != nil, !server.isEmpty { throw ValidationError("name the server once: with -t or without") }
    if server.count > 3 {
      throw ValidationError("a server is ENDPOINT, or HOST [PORT [CONTROL]]; there are \(server.count) words")
    }
    if let attach, attach < 0 { throw ValidationError("a session has a number from 0 on") }
    if attach != nil, !code.isEmpty { throw ValidationError("--attach is for a terminal; leave -c out") }
  }

  /// What was said about where the server is, as one endpoint; nil when nothing was.
  var endpoint: String? {
    guard server.count > 1, let host = server.first else { return connection.to ?? server.first }
    let needsBrackets = host.utf8.contains(UInt8(ascii: ":")) && !host.hasPrefix("[")
    return ([needsBrackets ? "[\(host)]" : host] + server.dropFirst()).joined(separator: ":")
  }
}
