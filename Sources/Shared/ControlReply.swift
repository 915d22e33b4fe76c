// The control reply: one JSON object that says whether a request was done.
//
// The format is that of `unpythonic.net` 2.5: {"status": "ok", ...} or
// {"status": "failed", "reason": ...}; we add the "id" of the request.

/// A reply on the control port.
public enum ControlReply: Equatable, Sendable {
  /// Done; the fields are what the operation returns.
  case ok(JSON.Object)
  /// Not done, for a reason fit to be shown; `extra` fields are for programs.
  case failed(reason: String, extra: JSON.Object = [:])

  /// The fields beside `status` and `reason`. In a reply that was received the `id` is among them.
  public var fields: JSON.Object {
    switch self {
    case .ok(let fields): fields
    case .failed(_, let extra): extra
    }
  }

  /// The `id` of the request that is answered, in a reply that was received.
  public var id: JSON? { fields["id"] }

  /// The body of a frame.
  ///
  /// - Parameter id: that of the request; an `id` among the fields gives way to it.
  /// - Returns: UTF-8, with the status first. The caller keeps it under the limit of its client.
  public func body(echoing id: JSON? = nil) -> [UInt8] {
    var message: JSON.Object
    switch self {
    case .ok: message = ["status": "ok"]
    case .failed(let reason, _): message = ["status": "failed", "reason": .string(reason)]
    }
    let own = message
    if let id { message["id"] = id }
    for (key, value) in fields where own[key] == nil && !(key == "id" && id != nil) { message[key] = value }
    return JSON.object(message).serialized()
  }

  /// Reads the body of a frame.
  ///
  /// - Parameters:
  ///   - body: of any length that `limits` allows.
  ///   - limits: what the reply may cost.
  /// - Throws: `ControlReplyError` when the peer does not speak the protocol.
  public init(parsing body: [UInt8], limits: JSON.Limits = .default) throws(ControlReplyError) {
    let message: JSON
    do throws(JSONError) {
      message = try JSON(parsing: body, limits: limits)
    } catch {
      throw ControlReplyError(.notJSON, "it is not valid JSON: \(error.message) (byte \(error.byteOffset))")
    }
    guard let fields = message.objectValue else {
      throw ControlReplyError(.notAnObject, "it is not a JSON object")
    }
    try self.init(fields: fields)
  }

  /// Reads a message that has been parsed.
  init(fields message: JSON.Object) throws(ControlReplyError) {
    var fields = message
    let status = fields["status"]?.stringValue
    fields["status"] = nil
    switch status {
    case "ok":
      self = .ok(fields)
    case "failed":
      let reason = Self.text(ofReason: fields["reason"])
      fields["reason"] = nil
      self = .failed(reason: reason, extra: fields)
    default:
      throw ControlReplyError(.noStatus, "its 'status' is neither 'ok' nor 'failed'")
    }
  }

  /// The ancestor may leave the reason out, and sends the arguments of an exception as an array.
  private static func text(ofReason reason: JSON?) -> String {
    switch reason {
    case nil, .null: "no reason given"
    case .string(let text): text
    case .array(let parts): parts.map { text(ofReason: $0) }.joined(separator: ", ")
    case .some(let other): String(decoding: other.serialized(), as: UTF8.self)
    }
  }
}
