// The socket address: where a socket is connected to, as the kernel takes it.

internal import Glibc
internal import Shared

/// The bytes of a `sockaddr` of Linux: unix(7), ip(7), ipv6(7).
struct SocketAddress: Equatable, Sendable {
  let family: Int32
  let bytes: [UInt8]

  /// - Parameter path: of a unix socket; nil when it is too long for one, empty, or holds a zero byte.
  init?(unixPath path: String) {
    guard !path.isEmpty, path.utf8.count <= Limits.maximumSocketPathLength, !path.utf8.contains(0) else { return nil }
    family = AF_UNIX
    bytes = Self.native(UInt16(AF_UNIX)) + Array(path.utf8) + [0]
  }

  /// - Parameters:
  ///   - address: IPv4 or IPv6, in numbers; nil for anything else.
  ///   - port: from 1 to 65,535.
  init?(numeric address: String, port: UInt16) {
    var raw = [UInt8](repeating: 0, count: 16)
    let portBytes = Self.native(port.bigEndian)
    if unsafe inet_pton(AF_INET, address, &raw) == 1 {
      family = AF_INET
      bytes = Self.native(UInt16(AF_INET)) + portBytes + raw.prefix(4) + [UInt8](repeating: 0, count: 8)
    } else if unsafe inet_pton(AF_INET6, address, &raw) == 1 {
      family = AF_INET6
      // No flow and no scope.
      let none = [UInt8](repeating: 0, count: 4)
      bytes = Self.native(UInt16(AF_INET6)) + portBytes + none + raw + none
    } else {
      return nil
    }
  }

  /// An IP address and its port, out of the bytes of a `sockaddr`; nil for anything else.
  static func internetAddress(_ bytes: [UInt8]) -> SocketDiagnosis.Address? {
    guard bytes.count >= 4 else { return nil }
    let port = UInt16(bytes[2]) << 8 | UInt16(bytes[3])
    // `sin_addr` of ip(7) and `sin6_addr` of ipv6(7).
    let range =
      bytes.starts(with: native(UInt16(AF_INET)))
      ? 4..<8 : bytes.starts(with: native(UInt16(AF_INET6))) ? 8..<24 : 0..<0
    guard !range.isEmpty, range.upperBound <= bytes.count else { return nil }
    return SocketDiagnosis.Address(host: Array(bytes[range]), port: port)
  }

  private static func native(_ value: UInt16) -> [UInt8] { unsafe withUnsafeBytes(of: value) { unsafe Array($0) } }
}
