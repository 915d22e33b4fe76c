// The permission: a name for what a connection may be limited to, and the operations it stands for.

/// A word of an authorized key's `REPL_PERMIT`, and of `permit` in Introduce. It is the name of a command of replctl, or
/// that of a tool.
public struct Permission: Equatable, Sendable {
  public let name: String
  /// What a connection with this permission may ask for, beside what every connection may.
  public let operations: [Operation]

  /// What no limit takes away: to find out what is there, to take output, and to end what one has begun.
  public static let always: [Operation] = [.describeServer, .introduce, .grant, .input, .closeSession]

  private static let evaluation: [Operation] = [.openSession, .evaluate]

  /// All of them. `eval`, `bg` and `connect` run code, and code can do everything: a limit that has one of them keeps
  /// nobody from anything.
  public static let all: [Permission] = [
    Permission(name: "ping", operations: []),
    Permission(name: "wait", operations: []),
    Permission(name: "describe", operations: []),
    Permission(name: "eval", operations: evaluation),
    Permission(name: "doc", operations: [.document]),
    Permission(name: "source", operations: [.document]),
    Permission(name: "sessions", operations: [.sessions]),
    Permission(name: "threads", operations: [.threads]),
    Permission(name: "interrupt", operations: [.interrupt, .sessions, .jobs]),
    Permission(name: "disconnect", operations: [.disconnect]),
    Permission(name: "bg", operations: [.startJob]),
    Permission(name: "jobs", operations: [.jobs]),
    Permission(name: "output", operations: [.jobOutput]),
    Permission(name: "fg", operations: [.awaitJob]),
    Permission(name: "kill", operations: [.killJob]),
    Permission(name: "halt", operations: [.halt]),
    Permission(name: "complete", operations: [.complete, .tabComplete]),
    Permission(
      name: "connect",
      operations: evaluation + [
        .check, .complete, .document, .background, .resize, .tee, .attach, .watch, .sessions, .jobs, .jobOutput,
        .awaitJob, .interrupt, .pairWithSession, .tabComplete, .keyboardInterrupt,
      ]),
  ]

  public static func named(_ name: String) -> Permission? { all.first { $0.name == name } }
}

/// What one connection may ask for.
public struct PermittedOperations: Equatable, Sendable {
  /// The words it was limited to, each once, for messages.
  public let words: [String]
  private let names: Set<String>

  /// - Parameter words: names of permissions.
  /// - Throws: `Unknown`, with the first word that is none.
  public init(_ words: [String]) throws(Unknown) {
    var names = Set(Permission.always.map(\.name))
    var kept: [String] = []
    for word in words where !kept.contains(word) {
      guard let permission = Permission.named(word) else { throw Unknown(word: word) }
      names.formUnion(permission.operations.map(\.name))
      kept.append(word)
    }
    self.words = kept
    self.names = names
  }

  public func allow(_ operation: Operation) -> Bool { names.contains(operation.name) }

  /// A word that is no permission.
  public struct Unknown: Error, Equatable, Sendable {
    public let word: String
  }
}
