// The destination: a socket that can be connected to, and what it is called.

/// What an endpoint comes to.
public struct Destination: Hashable, Sendable {
  public enum Address: Hashable, Sendable {
    case unix(path: String)
    /// A control port; the host is a name or a numeric address.
    case tcp(host: String, port: UInt16)
  }

  public var address: Address
  /// `NAME[PID]`, when the server was found in the runtime directory.
  public var label: String?

  public init(_ address: Address, label: String? = nil) {
    self.address = address
    self.label = label
  }
}

extension Destination: CustomStringConvertible {
  /// For messages.
  public var description: String {
    switch address {
    case .unix(let path): path
    case .tcp(let host, let port): host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
  }
}
