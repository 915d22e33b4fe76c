// The destination: a socket that can be connected to, and what it is called.

internal import Shared

/// What an endpoint comes to.
public struct Destination: Hashable, Sendable {
  public enum Address: Hashable, Sendable {
    case unix(path: String)
    /// A control port; the host is a name or a numeric address.
    case tcp(host: String, port: UInt16)
    /// `replctl relay` on another machine, which ssh runs; without a user or a port its configuration decides.
    case ssh(user: String?, host: String, port: UInt16?)
  }

  public var address: Address
  /// `NAME[PID]`, when the server was found in the runtime directory.
  public var label: String?

  public init(_ address: Address, label: String? = nil) {
    self.address = address
    self.label = label
  }

  /// Whether ssh carries the connection.
  public var isRemote: Bool {
    if case .ssh = address { true } else { false }
  }

  /// How long connecting and a first answer may take, in seconds.
  ///
  /// - Parameters:
  ///   - limit: what the user said; it holds whatever is asked on the way.
  ///   - usual: how long it takes at most when nobody is asked for a passphrase.
  public func patience(_ limit: Double?, usual: Double) -> Double {
    limit ?? (isRemote ? max(usual, RemoteShell.patience) : usual)
  }
}

extension Destination: CustomStringConvertible {
  /// For messages.
  public var description: String {
    switch address {
    case .unix(let path): path
    case .tcp(let host, let port): host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)"
    case .ssh(let user, let host, let port): "\(Endpoint.ssh(user: user, host: host, port: port))"
    }
  }
}
