// The visit: a command at one server.

internal import ReplClient
internal import Shared

/// What a command needs to be done at a server.
struct Visit {
  let destination: Destination
  /// Who asks.
  let caller: Caller
  let output: Output
  let surroundings: Surroundings
  /// What `--timeout` was given.
  let timeout: Double?
  /// How long connecting may take, in seconds.
  private let patience: Double
  /// Until when an answer is waited for.
  let deadline: Deadline

  /// How long a server may take to answer when nobody says otherwise, in seconds. It answers while the interpreter
  /// is held, so this is generous.
  static let defaultTimeout = 10.0

  init(
    _ destination: Destination, as caller: Caller, _ output: Output, _ surroundings: Surroundings, timeout: Double?
  ) {
    self.destination = destination
    self.caller = caller
    self.output = output
    self.surroundings = surroundings
    self.timeout = timeout
    patience = destination.patience(timeout, usual: Self.defaultTimeout)
    deadline = .after(patience)
  }

  func connect() throws(ClientError) -> Connection {
    try Connection(to: destination, as: caller, greetingWithin: patience)
  }

  /// Connects, asks one thing and gives the reply.
  func ask(_ operation: Operation, _ fields: JSON.Object = [:]) throws(ClientError) -> JSON.Object {
    try connect().ask(operation, fields, until: deadline)
  }
}
