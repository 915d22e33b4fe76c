// The server message: what a client of the extended protocol finds in a frame.

/// One frame from a server, told apart by its first byte and its members.
public enum ServerMessage: Equatable, Sendable {
  /// The answer to a request; its `id` is among the fields.
  case reply(ControlReply)
  /// Something that happened to a request that is not answered yet.
  case event(ServerEvent)
  case output(OutputFrame)

  /// - Parameters:
  ///   - body: of a frame.
  ///   - limits: what a message may cost.
  /// - Throws: `ControlReplyError` when it is none of the three.
  public init(parsing body: [UInt8], limits: JSON.Limits = .default) throws(ControlReplyError) {
    if let output = OutputFrame(body: body) {
      self = .output(output)
      return
    }
    let message: JSON
    do throws(JSONError) {
      message = try JSON(parsing: body, limits: limits)
    } catch {
      throw ControlReplyError(.notJSON, "it is not valid JSON: \(error.message) (byte \(error.byteOffset))")
    }
    guard let fields = message.objectValue else { throw ControlReplyError(.notAnObject, "it is not a JSON object") }
    if let event = ServerEvent(fields: fields) {
      self = .event(event)
    } else {
      self = .reply(try ControlReply(fields: fields))
    }
  }
}

/// An event: `{"event": NAME, "id": ID, ...}`. A client ignores those that it does not know.
public struct ServerEvent: Equatable, Sendable {
  /// What happened.
  public struct Name: Hashable, Sendable, ExpressibleByStringLiteral {
    public let text: String
    public init(_ text: String) { self.text = text }
    public init(stringLiteral value: String) { text = value }

    /// An Evaluate has its numbers: `session` and `evaluation`. What an Interrupt needs is known from now on.
    public static let started: Name = "started"
    /// The evaluation waits for input: the client is to send Input.
    public static let input: Name = "input"
    /// The text for the pager that was sent is complete.
    public static let page: Name = "page"
    /// Output that nobody was there for is lost: `bytes`.
    public static let dropped: Name = "dropped"
    /// A job has ended: `job`, `state`, `source`.
    public static let job: Name = "job"
  }

  public var name: Name
  /// The `id` of the request it is about.
  public var request: Int
  /// The other members.
  public var fields: JSON.Object

  public init(_ name: Name, request: Int, fields: JSON.Object = [:]) {
    self.name = name
    self.request = request
    self.fields = fields
  }

  /// The body of a frame.
  public func body() -> [UInt8] {
    var message: JSON.Object = ["event": .string(name.text), "id": .integer(request)]
    for (key, value) in fields where key != "event" && key != "id" { message[key] = value }
    return JSON.object(message).serialized()
  }

  /// Reads a message; nil when it is no event.
  init?(fields: JSON.Object) {
    guard let name = fields["event"]?.stringValue, let request = fields["id"]?.integerValue else { return nil }
    var rest = fields
    rest["event"] = nil
    rest["id"] = nil
    self.init(Name(name), request: request, fields: rest)
  }
}
