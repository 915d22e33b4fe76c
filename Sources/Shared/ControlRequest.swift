// The control request: one JSON object that names a command.
//
// The format is that of `unpythonic.net` 2.5: {"command": NAME, ...}. Fields that a server does not
// know are kept and never fatal.

/// A request on the control port.
public struct ControlRequest: Equatable, Sendable {
  /// The operation that is asked for, known or not.
  public var command: String

  /// All fields of the message, the command among them.
  public var fields: JSON.Object

  /// What the reply must echo, so that it can be told from others. A client of `unpythonic.net` sends
  /// one only with `PairWithSession`, where it is the number of the session; it ignores the echo.
  public var id: JSON? { fields["id"] }

  /// - Parameters:
  ///   - command: the name of an operation.
  ///   - fields: its parameters, and an `id` if wanted.
  public init(command: String, fields: JSON.Object = [:]) {
    self.command = command
    self.fields = fields
    self.fields["command"] = .string(command)
  }

  /// Reads the body of a frame.
  ///
  /// - Parameter body: at most `Limits.maximumControlBodyLength` bytes.
  /// - Throws: `ControlRequestError`, whose reason is fit to be sent back.
  public init(parsing body: [UInt8]) throws(ControlRequestError) {
    let message: JSON
    do throws(JSONError) {
      message = try JSON(parsing: body)
    } catch {
      throw ControlRequestError(
        .notJSON, "Request is not valid JSON: \(error.message) (byte \(error.byteOffset)).")
    }
    guard let fields = message.objectValue else {
      throw ControlRequestError(.notAnObject, "Request is not a JSON object.")
    }
    guard let command = fields["command"] else {
      throw ControlRequestError(.missingCommand, "Request is missing the 'command' field.", id: fields["id"])
    }
    guard let name = command.stringValue else {
      throw ControlRequestError(.commandNotAString, "The 'command' field is not a string.", id: fields["id"])
    }
    self.command = name
    self.fields = fields
  }

  /// The body of a frame.
  public func body() -> [UInt8] {
    var message: JSON.Object = ["command": .string(command)]
    for (key, value) in fields where key != "command" { message[key] = value }
    return JSON.object(message).serialized()
  }
}
