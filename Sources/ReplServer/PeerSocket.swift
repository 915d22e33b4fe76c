// The peer's socket, as the kernel of this machine knows it: netlink(7), sock_diag(7).
internal import Glibc
internal import NIOCore

/// Asks the kernel about the other end of a TCP connection whose both ends are on this machine.
///
/// A FIN says only that the peer sends no more: it may have half-closed the connection and wait for its
/// answers, or it may be gone. Only the kernel can tell the two apart before something is written.
enum PeerSocket: Equatable {
  /// A process holds it.
  case open(uid: UInt32)
  /// It was closed by its process, or its process has ended.
  case gone
  /// The peer is not on this machine, or the kernel did not say.
  case unknown

  /// - Parameters:
  ///   - local: our end of the connection.
  ///   - remote: the peer's end.
  static func look(local: SocketAddress?, remote: SocketAddress?) -> PeerSocket {
    guard let request = request(local: local, remote: remote) else { return .unknown }
    let descriptor = socket(
      AF_NETLINK, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), netlinkSocketDiagnostics)
    guard descriptor >= 0 else { return .unknown }
    defer { close(descriptor) }
    var reply = [UInt8](repeating: 0, count: 4096)
    guard unsafe send(descriptor, request, request.count, 0) == request.count else { return .unknown }
    let length = unsafe recv(descriptor, &reply, reply.count, Int32(MSG_DONTWAIT))
    guard length > 0 else { return .unknown }
    return answer(Array(reply.prefix(length)))
  }

  // Numbers of linux/netlink.h, linux/sock_diag.h and linux/inet_diag.h.
  private static let netlinkSocketDiagnostics: Int32 = 4
  private static let messageError: UInt16 = 2
  private static let diagnosticsByFamily: UInt16 = 20
  private static let requestFlag: UInt16 = 1
  private static let headerLength = 16
  private static let requestLength = 72
  /// Offsets in the reply: the header, then `inet_diag_msg`, whose uid and inode are its last two words.
  private static let uidOffset = headerLength + 64
  private static let inodeOffset = headerLength + 68

  /// A `nlmsghdr` and an `inet_diag_req_v2` that name the peer's socket: its own port and address first.
  private static func request(local: SocketAddress?, remote: SocketAddress?) -> [UInt8]? {
    guard let local, let remote, let localPort = local.port, let remotePort = remote.port,
      let localBytes = local.hostBytes, let remoteBytes = remote.hostBytes,
      localBytes.count == remoteBytes.count, remote.isLoopback
    else { return nil }
    var bytes: [UInt8] = []
    bytes += native(UInt32(requestLength)) + native(diagnosticsByFamily) + native(requestFlag)
    bytes += native(UInt32(1)) + native(UInt32(0))
    bytes += [UInt8(localBytes.count == 4 ? AF_INET : AF_INET6), UInt8(IPPROTO_TCP), 0, 0]
    bytes += native(UInt32.max)
    bytes += bigEndian(remotePort) + bigEndian(localPort)
    for address in [remoteBytes, localBytes] { bytes += address + [UInt8](repeating: 0, count: 16 - address.count) }
    bytes += native(UInt32(0)) + native(UInt32.max) + native(UInt32.max)
    return bytes
  }

  private static func answer(_ reply: [UInt8]) -> PeerSocket {
    guard let kind = word16(reply, at: 4) else { return .unknown }
    if kind == messageError {
      guard let code = word32(reply, at: headerLength) else { return .unknown }
      return Int32(bitPattern: code) == -ENOENT ? .gone : .unknown
    }
    guard kind == diagnosticsByFamily, let uid = word32(reply, at: uidOffset),
      let inode = word32(reply, at: inodeOffset)
    else { return .unknown }
    return inode == 0 ? .gone : .open(uid: uid)
  }

  private static func native(_ value: some FixedWidthInteger) -> [UInt8] {
    unsafe withUnsafeBytes(of: value) { unsafe Array($0) }
  }

  private static func bigEndian(_ port: Int) -> [UInt8] { native(UInt16(truncatingIfNeeded: port).bigEndian) }

  private static func word16(_ bytes: [UInt8], at offset: Int) -> UInt16? {
    guard offset + 2 <= bytes.count else { return nil }
    return UInt16(littleEndian: UInt16(bytes[offset]) | UInt16(bytes[offset + 1]) << 8)
  }

  private static func word32(_ bytes: [UInt8], at offset: Int) -> UInt32? {
    guard let low = word16(bytes, at: offset), let high = word16(bytes, at: offset + 2) else { return nil }
    return UInt32(low) | UInt32(high) << 16
  }
}
