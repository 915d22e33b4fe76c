// The loopback client: a blocking socket, as a peer that is not written with NIO would use it.

import Glibc
import NIOCore

@testable import ReplServer

/// One connection to a server of this process. Every wait has a limit, after which it throws.
final class LoopbackClient {
  let descriptor: Int32
  private var isOpen = true

  init(to address: SocketAddress, receiveBufferLength: Int32? = nil) throws {
    let family: Int32 =
      switch address {
      case .v4: AF_INET
      case .v6: AF_INET6
      case .unixDomainSocket: AF_UNIX
      }
    descriptor = socket(family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var limit = timeval(tv_sec: Patience.milliseconds / 1000, tv_usec: 0)
    unsafe setsockopt(
      descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    if var length = receiveBufferLength {
      unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &length, socklen_t(MemoryLayout<Int32>.size))
    }
    let status = unsafe address.withSockAddr { start, size in
      unsafe Glibc.connect(descriptor, start, socklen_t(size))
    }
    guard status == 0 else {
      let number = errno
      close()
      throw Patience.Exhausted(description: "cannot connect: \(ServerError.text(of: number))")
    }
  }

  convenience init(port: Int) throws {
    try self.init(to: SocketAddress(ipAddress: "127.0.0.1", port: port))
  }

  deinit { close() }

  func close() {
    guard isOpen else { return }
    isOpen = false
    Glibc.close(descriptor)
  }

  /// Closes so that the peer's kernel is told at once, by RST.
  func reset() {
    var immediately = linger(l_onoff: 1, l_linger: 0)
    unsafe setsockopt(
      descriptor, SOL_SOCKET, SO_LINGER, &immediately, socklen_t(MemoryLayout<linger>.size))
    close()
  }

  /// Says that nothing more is sent; answers are still read.
  func halfClose() { shutdown(descriptor, Int32(SHUT_WR)) }

  func send(_ bytes: [UInt8]) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      let chunk = Array(rest)
      let sent = unsafe Glibc.send(descriptor, chunk, chunk.count, Int32(MSG_NOSIGNAL))
      guard sent > 0 else { throw Patience.Exhausted(description: "cannot send: \(ServerError.text(of: errno))") }
      rest = rest.dropFirst(sent)
    }
  }

  func send(_ text: String) throws { try send(Array(text.utf8)) }

  /// The next bytes, or nil when the peer has closed.
  func receive() throws -> [UInt8]? {
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
    if count > 0 { return Array(buffer.prefix(count)) }
    // A peer that closes over input it has not read resets the connection.
    if count == 0 || errno == ECONNRESET { return nil }
    throw Patience.Exhausted(description: "cannot receive: \(ServerError.text(of: errno))")
  }

  /// What comes until `ending` has come. More than that is an error of the test.
  func read(to ending: String) throws -> String {
    var bytes: [UInt8] = []
    while !bytes.reversed().starts(with: ending.utf8.reversed()) {
      guard let more = try receive() else {
        let text = String(decoding: bytes, as: UTF8.self)
        throw Patience.Exhausted(description: "the end came after: \(text.suffix(200))")
      }
      bytes += more
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// What comes until the peer closes.
  func readToEnd() throws -> String {
    var bytes: [UInt8] = []
    while let more = try receive() { bytes += more }
    return String(decoding: bytes, as: UTF8.self)
  }
}
