// The bind address: where the server may listen, which is on this machine only.

internal import Glibc
internal import Shared

/// A numeric address; a loopback one unless others were let in.
struct BindAddress: Equatable, Sendable {
  let text: String

  /// - Parameters:
  ///   - text: an address, or `localhost`, which stands for 127.0.0.1: asking the resolver would
  ///     let a configuration file decide who can connect.
  ///   - isOpen: whether it may be one that others can reach.
  /// - Throws: `LaunchError`, `.notPermitted` for an address that others can reach.
  init(_ text: String, isOpen: Bool = false) throws(LaunchError) {
    let address = text == "localhost" ? Endpoint.defaultHost : text
    guard let isLoopback = Self.isLoopback(address) else {
      throw LaunchError(
        .usage, "--bind takes an IP address of this machine, such as 127.0.0.1, not '\(text)'")
    }
    guard isLoopback || isOpen else {
      throw LaunchError(
        .notPermitted,
        "--bind \(text) would let other machines in, which is refused; leave it out and let keys in by --ssh PORT, or "
          + "forward the ports: ssh -L \(Endpoint.defaultPort):127.0.0.1:\(Endpoint.defaultPort) "
          + "-L \(Endpoint.defaultControlPort):127.0.0.1:\(Endpoint.defaultControlPort) HOST "
          + "(--insecure-bind would open it all the same)")
    }
    self.text = address
  }

  /// Whether the address is a loopback one; nil when it is no address at all.
  private static func isLoopback(_ text: String) -> Bool? {
    var v4 = in_addr()
    if unsafe inet_pton(AF_INET, text, &v4) == 1 {
      return UInt32(bigEndian: v4.s_addr) >> 24 == 127
    }
    var v6 = in6_addr()
    guard unsafe inet_pton(AF_INET6, text, &v6) == 1 else { return nil }
    // The bytes of ::1; an IPv4 address in IPv6 clothes is refused, since 127.0.0.1 can be written plainly.
    return unsafe withUnsafeBytes(of: v6) { bytes in
      unsafe bytes.dropLast().allSatisfy { $0 == 0 } && bytes.last == 1
    }
  }
}
