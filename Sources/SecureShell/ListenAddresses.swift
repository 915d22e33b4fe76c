// The listen addresses: where sshd will listen, and whether it can.

internal import Glibc
internal import ReplClient
internal import Shared

/// Addresses in numbers, all with one port.
struct ListenAddresses: Equatable, Sendable {
  let addresses: [String]
  let port: UInt16

  /// Finds out by binding, without listening: sshd would go on with what is left of its addresses, and say why only in words.
  ///
  /// - Parameters:
  ///   - address: in numbers, or `localhost`; nil is all of the machine.
  ///   - port: 0 takes a free one.
  static func find(_ address: String?, port: UInt16) throws(ClientError) -> ListenAddresses {
    let wanted: [String] =
      switch address {
      case nil: ["0.0.0.0"] + (hasIPv6 ? ["::"] : [])
      // Asking the resolver would let a configuration file decide who can connect.
      case "localhost": ["127.0.0.1"]
      case .some(let address): [address]
      }
    guard wanted.allSatisfy({ !($0.contains(":") ? socketAddress6($0, 0) : socketAddress4($0, 0)).isEmpty }) else {
      throw ClientError(.usage, "'\(address ?? "")' is no address; write one in numbers, such as 0.0.0.0")
    }
    var failure: ClientError?
    for _ in 1...(port == 0 ? freePortAttempts : 1) {
      do throws(ClientError) {
        return try bindAll(wanted, port: port)
      } catch {
        failure = error
      }
    }
    throw failure ?? ClientError(.noServer, "there is no free port")
  }

  /// A port that is free at one address may be taken at the other.
  private static let freePortAttempts = 10

  private static func bindAll(_ addresses: [String], port: UInt16) throws(ClientError) -> ListenAddresses {
    var chosen = port
    // All of them stay bound until all are.
    var holders: [Holder] = []
    for address in addresses {
      let holder = try Holder(address, port: chosen)
      chosen = holder.port
      holders.append(holder)
    }
    return ListenAddresses(addresses: addresses, port: chosen)
  }

  /// As sshd_config(5) has them.
  var listens: [String] { addresses.map { $0.contains(":") ? "[\($0)]:\(port)" : "\($0):\(port)" } }

  private static var hasIPv6: Bool { (try? Holder("::", port: 0)) != nil }

  /// A socket that holds an address and a port for as long as it lives.
  private final class Holder {
    private let socket: OwnedDescriptor
    let port: UInt16

    init(_ address: String, port: UInt16) throws(ClientError) {
      let isSix = address.contains(":")
      let bytes = isSix ? socketAddress6(address, port) : socketAddress4(address, port)
      let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
      let number = Glibc.socket(isSix ? AF_INET6 : AF_INET, kind, 0)
      guard number >= 0 else { throw ListenAddresses.failure(address, port) }
      socket = OwnedDescriptor(adopting: number)
      var on: Int32 = 1
      let length = socklen_t(MemoryLayout<Int32>.size)
      unsafe setsockopt(number, SOL_SOCKET, SO_REUSEADDR, &on, length)
      // As sshd does, so that both families can have the port.
      if isSix { unsafe setsockopt(number, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &on, length) }
      let status = unsafe bytes.withUnsafeBytes { raw in
        unsafe bind(number, raw.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t(raw.count))
      }
      guard status == 0 else { throw ListenAddresses.failure(address, port) }
      var name = [UInt8](repeating: 0, count: 28)
      var nameLength = socklen_t(name.count)
      _ = unsafe name.withUnsafeMutableBytes { raw in
        unsafe getsockname(number, raw.baseAddress?.assumingMemoryBound(to: sockaddr.self), &nameLength)
      }
      self.port = UInt16(name[2]) << 8 | UInt16(name[3])
    }
  }

  private static func failure(_ address: String, _ port: UInt16) -> ClientError {
    let reason = FileContent.lastError
    let place = address.contains(":") ? "[\(address)]:\(port)" : "\(address):\(port)"
    return ClientError(
      .noServer, "cannot listen for ssh on \(place): \(reason); choose another port, or 0 for any free one")
  }

  // `sockaddr_in` of ip(7) and `sockaddr_in6` of ipv6(7), without flow and scope; empty for what is no address.

  private static func socketAddress4(_ address: String, _ port: UInt16) -> [UInt8] {
    var raw = [UInt8](repeating: 0, count: 4)
    guard unsafe inet_pton(AF_INET, address, &raw) == 1 else { return [] }
    return family(AF_INET) + [UInt8(port >> 8), UInt8(port & 0xFF)] + raw + [UInt8](repeating: 0, count: 8)
  }

  private static func socketAddress6(_ address: String, _ port: UInt16) -> [UInt8] {
    var raw = [UInt8](repeating: 0, count: 16)
    guard unsafe inet_pton(AF_INET6, address, &raw) == 1 else { return [] }
    let none: [UInt8] = [0, 0, 0, 0]
    return family(AF_INET6) + [UInt8(port >> 8), UInt8(port & 0xFF)] + none + raw + none
  }

  private static func family(_ number: Int32) -> [UInt8] {
    unsafe withUnsafeBytes(of: UInt16(truncatingIfNeeded: number)) { unsafe Array($0) }
  }
}
