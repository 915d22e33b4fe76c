// The session report: one row of the list of sessions.

/// What a server says of one of its sessions.
public struct SessionReport: Equatable, Sendable {
  public var session: Int
  /// `text` for a connection of the text port, `tool` for one of a tool.
  public var kind: String
  /// The source that is being evaluated; nil when the session is idle.
  public var running: String?
  /// The number of the evaluation that runs, or of the last one; 0 when there was none.
  public var evaluation: Int
  /// Seconds since it was opened, and since its evaluation started or, when it is idle, the last one ended.
  public var age: Double
  public var since: Double
  /// Who is connected: `replctl pid 4711 uid 1000`, or `127.0.0.1:50312`.
  public var peer: String

  public init(
    session: Int, kind: String, running: String?, evaluation: Int, age: Double, since: Double, peer: String
  ) {
    self.session = session
    self.kind = kind
    self.running = running
    self.evaluation = evaluation
    self.age = age
    self.since = since
    self.peer = peer
  }

  public func fields() -> JSON.Object {
    [
      "session": .integer(session), "kind": .string(kind), "state": running == nil ? "idle" : "evaluating",
      "evaluation": .integer(evaluation), "age": .number(age), "since": .number(since), "peer": .string(peer),
      "source": running.map { .string($0) } ?? .null,
    ]
  }

  public init?(fields: JSON.Object) {
    guard let session = fields["session"]?.integerValue else { return nil }
    self.init(
      session: session, kind: fields["kind"]?.stringValue ?? "", running: fields["source"]?.stringValue,
      evaluation: fields["evaluation"]?.integerValue ?? 0, age: fields["age"]?.numberValue ?? 0,
      since: fields["since"]?.numberValue ?? 0, peer: fields["peer"]?.stringValue ?? "")
  }
}
