// The tool client: a peer that speaks the extended protocol, over a loopback client.

import Glibc
import NIOCore
import Shared

@testable import ReplServer

/// One connection of a tool. Messages about other requests than the one that is asked for are kept for later.
final class ToolClient {
  /// What a failed reply says.
  struct Failure: Equatable {
    var reason: String
    var code: String?
  }

  let socket: LoopbackClient
  private var decoder = FrameDecoder(maximumBodyLength: Limits.maximumControlBodyLength, content: .binary)
  private var kept: [ServerMessage] = []
  private var lastID = -1

  private var descriptor: Int32 { socket.descriptor }

  private init(_ socket: LoopbackClient) { self.socket = socket }

  /// - Parameter receiveBufferLength: how much the kernel is to keep for a client that does not read.
  convenience init(_ running: RunningServer, receiveBufferLength: Int32? = nil) throws {
    let address = try SocketAddress(ipAddress: "127.0.0.1", port: running.server.address.controlPort)
    self.init(try LoopbackClient(to: address, receiveBufferLength: receiveBufferLength))
  }

  convenience init(unixSocket path: String) throws {
    self.init(try LoopbackClient(to: SocketAddress(unixDomainSocketPath: path)))
  }

  /// The port of this end.
  func localPort() throws -> Int {
    // A `sockaddr_in`: its family, then the port in the order of the network.
    var address = [UInt8](repeating: 0, count: 128)
    var length = socklen_t(address.count)
    let status = unsafe address.withUnsafeMutableBytes { bytes in
      unsafe getsockname(descriptor, bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self), &length)
    }
    guard status == 0 else { throw Patience.Exhausted(description: "no address: \(ServerError.text(of: errno))") }
    return Int(address[2]) << 8 | Int(address[3])
  }

  // MARK: Requests

  /// Sends a request with an `id` of its own.
  /// - Returns: that `id`.
  @discardableResult func send(_ command: String, _ fields: JSON.Object = [:]) throws -> Int {
    lastID += 1
    var fields = fields
    fields["id"] = .integer(lastID)
    try sendExactly(command, fields)
    return lastID
  }

  /// Sends a request as it is given.
  func sendExactly(_ command: String, _ fields: JSON.Object) throws {
    try socket.send(Frame.encode(ControlRequest(command: command, fields: fields).body()))
  }

  func grant(_ request: Int, _ bytes: Int) throws {
    try sendExactly("Grant", ["request": .integer(request), "bytes": .integer(bytes)])
  }

  /// Sends a request; gives the fields of its reply, which must be `ok`.
  @discardableResult func ask(_ command: String, _ fields: JSON.Object = [:]) throws -> JSON.Object {
    try fieldsOfReply(to: send(command, fields))
  }

  /// Sends a request; gives why it failed, which it must.
  func failure(_ command: String, _ fields: JSON.Object = [:]) throws -> Failure {
    try failure(of: send(command, fields))
  }

  /// Starts an evaluation and waits until it has its numbers.
  func evaluate(_ source: String = "work()", _ fields: JSON.Object = [:]) throws -> (id: Int, session: Int) {
    var fields = fields
    fields["source"] = .string(source)
    let id = try send("Evaluate", fields)
    let event = try event(of: id)
    guard event.name == .started, let session = event.fields["session"]?.integerValue else {
      throw Patience.Exhausted(description: "not started: \(event)")
    }
    return (id, session)
  }

  // MARK: Messages

  /// The next message; nil when the peer has closed.
  func next() throws -> ServerMessage? {
    if !kept.isEmpty { return kept.removeFirst() }
    return try receive()
  }

  private func receive() throws -> ServerMessage? {
    while true {
      switch decoder.next() {
      case .frame(let body): return try ServerMessage(parsing: body)
      case .junk(let count): throw Patience.Exhausted(description: "\(count) bytes of junk")
      case .rejected(let error): throw error
      case nil:
        guard let bytes = try socket.receive() else { return nil }
        decoder.append(bytes)
      }
    }
  }

  /// The next message about a request.
  func message(of id: Int) throws -> ServerMessage {
    if let place = kept.firstIndex(where: { Self.request(of: $0) == id }) { return kept.remove(at: place) }
    while let message = try receive() {
      if Self.request(of: message) == id { return message }
      kept.append(message)
    }
    throw Patience.Exhausted(description: "closed before a message of request \(id)")
  }

  private static func request(of message: ServerMessage) -> Int? {
    switch message {
    case .reply(let reply): reply.id?.integerValue
    case .event(let event): event.request
    case .output(let output): output.request
    }
  }

  /// The next message about a request, which must be its reply.
  func reply(to id: Int) throws -> ControlReply {
    let message = try message(of: id)
    guard case .reply(let reply) = message else { throw Patience.Exhausted(description: "no reply: \(message)") }
    return reply
  }

  func fieldsOfReply(to id: Int) throws -> JSON.Object {
    let reply = try reply(to: id)
    guard case .ok(let fields) = reply else { throw Patience.Exhausted(description: "refused: \(reply)") }
    return fields
  }

  func failure(of id: Int) throws -> Failure {
    let reply = try reply(to: id)
    guard case .failed(let reason, let extra) = reply else {
      throw Patience.Exhausted(description: "not refused: \(reply)")
    }
    return Failure(reason: reason, code: extra["code"]?.stringValue)
  }

  func event(of id: Int) throws -> ServerEvent {
    let message = try message(of: id)
    guard case .event(let event) = message else { throw Patience.Exhausted(description: "no event: \(message)") }
    return event
  }

  /// The next `count` bytes of output of a request. A frame that goes beyond them is an error of the server.
  func output(of id: Int, count: Int) throws -> [OutputFrame] {
    var frames: [OutputFrame] = []
    var rest = count
    while rest > 0 {
      let message = try message(of: id)
      guard case .output(let frame) = message, frame.bytes.count <= rest else {
        throw Patience.Exhausted(description: "\(rest) bytes of output are missing: \(message)")
      }
      rest -= frame.bytes.count
      if let last = frames.last, last.stream == frame.stream {
        frames[frames.count - 1].bytes += frame.bytes
      } else {
        frames.append(frame)
      }
    }
    return frames
  }

  /// Asks for something that is answered at once, so that whatever the server had to say before has come; nothing of
  /// it may be about request `id`.
  func hasSilence(about id: Int) throws -> Bool {
    try ask("DescribeServer")
    return !kept.contains { Self.request(of: $0) == id }
  }

  /// Whether the peer closes without another word.
  func isAtEnd() throws -> Bool { try next() == nil }
}
