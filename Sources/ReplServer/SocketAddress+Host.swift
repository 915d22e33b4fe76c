// The host part of a socket address, as bytes.
internal import Glibc
internal import NIOCore
internal import Shared

extension SocketAddress {
  /// The 4 or 16 bytes of an IP address in network order; nil for a unix socket.
  var hostBytes: [UInt8]? {
    // Offsets of `sin_addr` in sockaddr_in and `sin6_addr` in sockaddr_in6: ip(7), ipv6(7).
    let range: Range<Int>
    switch self {
    case .v4: range = 4..<8
    case .v6: range = 8..<24
    default: return nil
    }
    let bytes = unsafe withSockAddr { address, size in
      unsafe Array(UnsafeRawBufferPointer(start: address, count: size))
    }
    return range.upperBound <= bytes.count ? Array(bytes[range]) : nil
  }

  /// As `isLoopback`, and ::ffff:127.0.0.0/104, by which a socket for both families has the connections of IPv4.
  var isOnlyHere: Bool {
    hostBytes.flatMap { SocketDiagnosis.Address(host: $0, port: 0) }?.isLoopback ?? true
  }

  /// Whether only this machine can reach the address: 127.0.0.0/8 or ::1.
  var isLoopback: Bool {
    guard let bytes = hostBytes else { return false }
    return bytes.count == 4 ? bytes.first == 127 : bytes.dropLast().allSatisfy { $0 == 0 } && bytes.last == 1
  }
}
