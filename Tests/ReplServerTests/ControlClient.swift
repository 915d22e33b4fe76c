// The control client: requests out, replies in, over a loopback client.

import NIOCore
import Shared

/// A peer of a control door.
final class ControlClient {
  let socket: LoopbackClient
  private var decoder = FrameDecoder(maximumBodyLength: Limits.maximumControlBodyLength)

  /// - Parameter receiveBufferLength: how much the kernel is to keep for a client that does not read.
  init(port: Int, receiveBufferLength: Int32? = nil) throws {
    socket = try LoopbackClient(
      to: SocketAddress(ipAddress: "127.0.0.1", port: port), receiveBufferLength: receiveBufferLength)
  }

  init(unixSocket path: String) throws {
    socket = try LoopbackClient(to: SocketAddress(unixDomainSocketPath: path))
  }

  static func frame(_ command: String, _ fields: JSON.Object = [:]) -> [UInt8] {
    Frame.encode(ControlRequest(command: command, fields: fields).body())
  }

  func send(_ command: String, _ fields: JSON.Object = [:]) throws {
    try socket.send(Self.frame(command, fields))
  }

  /// The next reply, or nil when the peer has closed.
  func reply() throws -> ControlReply? {
    while true {
      switch decoder.next() {
      case .frame(let body): return try ControlReply(parsing: body)
      case .junk(let count): throw Patience.Exhausted(description: "\(count) bytes of junk")
      case .rejected(let error): throw error
      case nil:
        guard let bytes = try socket.receive() else { return nil }
        decoder.append(bytes)
      }
    }
  }

  /// Sends a request and gives its reply.
  func ask(_ command: String, _ fields: JSON.Object = [:]) throws -> ControlReply? {
    try send(command, fields)
    return try reply()
  }
}
