// The fake peer: the server's end of one connection.

import Glibc
public import Shared

/// Reads requests and sends what it is told to. Its descriptor is used by its own thread alone, but for sending.
public final class FakePeer: Sendable {
  private let descriptor: Int32

  init(descriptor: Int32) { self.descriptor = descriptor }

  deinit { Glibc.close(descriptor) }

  /// Gives each request to a body until the client is gone.
  func serve(_ body: (ControlRequest) -> Void) {
    var decoder = FrameDecoder(maximumBodyLength: Limits.maximumControlBodyLength)
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = unsafe buffer.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
      guard count > 0 else { break }
      decoder.append(buffer.prefix(count))
      while let event = decoder.next() {
        if case .frame(let bytes) = event, let request = try? ControlRequest(parsing: bytes) { body(request) }
      }
    }
    shutdown(descriptor, Int32(SHUT_RDWR))
  }

  public func reply(to request: ControlRequest, _ fields: JSON.Object = [:]) {
    send(ControlReply.ok(fields).body(echoing: request.id))
  }

  public func refuse(_ request: ControlRequest, _ reason: String, code: String? = nil) {
    send(
      ControlReply.failed(reason: reason, extra: code.map { ["code": .string($0)] } ?? [:]).body(echoing: request.id))
  }

  public func event(_ name: ServerEvent.Name, of request: ControlRequest, _ fields: JSON.Object = [:]) {
    send(ServerEvent(name, request: request.id?.integerValue ?? -1, fields: fields).body())
  }

  public func output(_ stream: OutputFrame.Stream, of request: ControlRequest, _ text: String) {
    output(stream, of: request, Array(text.utf8))
  }

  public func output(_ stream: OutputFrame.Stream, of request: ControlRequest, _ bytes: [UInt8]) {
    send(OutputFrame(stream, request: request.id?.integerValue ?? -1, bytes: bytes).body())
  }

  /// Sends a frame.
  public func send(_ body: [UInt8]) { sendRaw(Frame.encode(body)) }

  /// Sends bytes as they are.
  public func sendRaw(_ bytes: [UInt8]) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = unsafe rest.withUnsafeBytes {
        unsafe Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { return }
      rest = rest.dropFirst(count)
    }
  }

  /// Closes the connection.
  public func hangUp() { shutdown(descriptor, Int32(SHUT_RDWR)) }
}
