// The control reply error: a message from a server that is no reply.

/// A message that a client can not take as a reply: the peer does not speak the protocol.
public struct ControlReplyError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The kind of fault. New kinds may be added, so a `switch` over it needs a default.
  public struct Code: Hashable, Sendable {
    private let name: String

    private init(_ name: String) { self.name = name }

    public static let notJSON = Code("notJSON")
    public static let notAnObject = Code("notAnObject")
    public static let noStatus = Code("noStatus")
  }

  public let code: Code

  /// What is wrong, in one line.
  public let message: String

  init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  public var description: String { "bad reply: \(message)" }
}
