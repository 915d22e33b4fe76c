// The configuration of a server: where it listens and what it says.

/// What a server is started with.
public struct ServerConfiguration: Sendable {
  /// The address of both TCP doors.
  public var bind: String
  /// Ports of the two doors; 0 lets the system choose.
  public var textPort: Int
  public var controlPort: Int
  /// The name under which tools find the server, and part of its socket's name.
  public var name: String
  /// Whether there is a unix socket beside the TCP doors.
  public var hasUnixSocket: Bool
  /// The version of this program.
  public var version: String
  public var access: AccessRule
  public var audit: Audit
  /// The least level that is logged: trace, debug, info, notice, warning, error or critical.
  public var logLevel: String
  /// Milliseconds that a connection of either kind has for its first byte.
  var textFirstByteMilliseconds = ServerLimits.textFirstByteSeconds * 1000
  var controlFirstByteMilliseconds = ServerLimits.controlFirstByteSeconds * 1000
  /// The ssh door; nil for none. It leads to the unix socket.
  public var secureShell: SecureShellConfiguration?

  /// What is written down of what visitors do.
  public struct Audit: Equatable, Sendable {
    /// The file; nil for none.
    public var path: String?
    /// Whether everybody is asked why they connect.
    public var requiresReason: Bool
    /// Names of users by their numbers, as far as they are known.
    public var userNames: [UInt32: String]

    public init(path: String? = nil, requiresReason: Bool = false, userNames: [UInt32: String] = [:]) {
      self.path = path
      self.requiresReason = requiresReason
      self.userNames = userNames
    }
  }

  public init(
    bind: String, textPort: Int, controlPort: Int, name: String, hasUnixSocket: Bool, version: String,
    access: AccessRule = AccessRule(), audit: Audit = Audit(), logLevel: String = "warning",
    secureShell: SecureShellConfiguration? = nil
  ) {
    self.bind = bind
    self.textPort = textPort
    self.controlPort = controlPort
    self.name = name
    self.hasUnixSocket = hasUnixSocket
    self.version = version
    self.access = access
    self.audit = audit
    self.logLevel = logLevel
    self.secureShell = secureShell
  }
}

/// Where a server that was started can be reached.
public struct ServerAddress: Equatable, Sendable {
  public var bind: String
  public var textPort: Int
  public var controlPort: Int
  /// The path of the unix socket, if there is one.
  public var unixSocket: String?
  /// The ssh door, if there is one.
  public var secureShell: SecureShellAddress?

  /// Where tools can reach it, in the notation of endpoints.
  var endpoints: [String] {
    let host = bind.contains(":") ? "[\(bind)]" : bind
    return ["\(host):\(textPort):\(controlPort)"] + (unixSocket.map { ["unix:\($0)"] } ?? [])
      + (secureShell.map { [$0.endpoint] } ?? [])
  }
}
