// The connection options: what every tool can be told about the server it talks to.

public import ArgumentParser
public import ReplClient

/// What a tool says of its `--timeout`: what the limit is about, and what it is without one.
public protocol TimeoutMeaning {
  static var timeoutHelp: String { get }
}

/// Which server, how long it may take, whose servers are trusted, and why one connects.
public struct ConnectionOptions<Meaning: TimeoutMeaning>: ParsableArguments {
  @Option(
    name: [.customShort("t"), .long],
    help: ArgumentHelp(
      "The server: HOST[:PORT[:CONTROL]], PORT, unix:PATH, pid:N, name:NAME or ssh://[USER@]HOST[:PORT]. "
        + "Default: $REPL_TO, else the only one of yours.", valueName: "endpoint"))
  public var to: String?

  @Option(
    help: ArgumentHelp(Meaning.timeoutHelp, valueName: "seconds"),
    transform: { text in
      guard let limit = TimeLimit(argument: text) else {
        throw ValidationError("write a number of seconds above 0, such as 2.5")
      }
      return limit
    })
  public var timeout: TimeLimit?

  @Option(
    parsing: .singleValue,
    help: ArgumentHelp(
      "Trust servers of this user, too: a number or a name; repeatable. Default: yours only.", valueName: "user"))
  public var trustUser: [String] = []

  @Option(help: ArgumentHelp("Why you connect, for servers that ask. Default: $REPL_REASON.", valueName: "text"))
  public var reason: String?

  public init() {}

  public func validate() throws {
    if let reason, reason.allSatisfy(\.isWhitespace) {
      throw ValidationError("say why in --reason TEXT, which is empty")
    }
  }

  /// How the tool meets a server.
  ///
  /// - Parameter deadline: until when the names of users may be looked up.
  /// - Throws: `ClientError`, `.usage` for a user that there is not, or an introduction that is none.
  public func caller(_ surroundings: Surroundings, until deadline: Deadline) throws(ClientError) -> Caller {
    Caller(
      trust: try Trust(also: trustUser, until: deadline), introduction: try surroundings.introduction(reason: reason))
  }
}
