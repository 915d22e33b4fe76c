// The control request error: a message that names no command, and what to answer.

/// A message that is no request.
public struct ControlRequestError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The kind of fault. New kinds may be added, so a `switch` over it needs a default.
  public struct Code: Hashable, Sendable {
    private let name: String

    private init(_ name: String) { self.name = name }

    public static let notJSON = Code("notJSON")
    public static let notAnObject = Code("notAnObject")
    public static let missingCommand = Code("missingCommand")
    public static let commandNotAString = Code("commandNotAString")
  }

  public let code: Code

  /// The `reason` of the reply, in one line.
  public let reason: String

  /// The `id` of the message, if it got far enough to have one.
  public let id: JSON?

  init(_ code: Code, _ reason: String, id: JSON? = nil) {
    self.code = code
    self.reason = reason
    self.id = id
  }

  public var description: String { reason }
}
