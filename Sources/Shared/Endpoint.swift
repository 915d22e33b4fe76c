// The endpoint: where a server is, in the one notation that all tools take.

/// Where a server is:
///
///     HOST[:PORT[:CONTROL]]   PORT   unix:PATH   pid:N   name:NAME   ssh://[USER@]HOST[:PORT]
///
/// An IPv6 address stands in brackets: `[::1]:1337`.
public enum Endpoint: Hashable, Sendable {
  /// The text port and the control port of a host.
  case tcp(host: String, port: UInt16, control: UInt16)
  /// A unix socket.
  case unix(path: String)
  /// The server inside a process of this user on this machine.
  case pid(Int32)
  /// The server of this user on this machine that was given this name.
  case name(String)
  /// A server behind its own sshd; without a port the configuration of ssh decides.
  case ssh(user: String?, host: String, port: UInt16?)

  /// The host of an endpoint that is a port alone.
  public static let defaultHost = "127.0.0.1"
  /// The text port, as `unpythonic.net` has it.
  public static let defaultPort: UInt16 = 1337
  /// The control port, as `unpythonic.net` has it.
  public static let defaultControlPort: UInt16 = 8128

  /// - Parameter text: an endpoint, as on a command line or in `$REPL_TO`.
  /// - Throws: `EndpointError`, whose message says what to write instead.
  public init(parsing text: String) throws(EndpointError) {
    let parser = EndpointParser(text)
    self = try parser.parse()
  }
}

extension Endpoint: CustomStringConvertible {
  /// The notation that parses to this endpoint. The control port is left out when it is the default.
  public var description: String {
    switch self {
    case .tcp(let host, let port, let control):
      "\(Self.bracketed(host)):\(port)" + (control == Self.defaultControlPort ? "" : ":\(control)")
    case .unix(let path): "unix:\(path)"
    case .pid(let process): "pid:\(process)"
    case .name(let name): "name:\(name)"
    case .ssh(let user, let host, let port):
      "ssh://" + (user.map { "\($0)@" } ?? "") + Self.bracketed(host) + (port.map { ":\($0)" } ?? "")
    }
  }

  private static func bracketed(_ host: String) -> String {
    host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : host
  }
}
