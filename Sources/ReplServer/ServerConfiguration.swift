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

  public init(
    bind: String, textPort: Int, controlPort: Int, name: String, hasUnixSocket: Bool, version: String
  ) {
    self.bind = bind
    self.textPort = textPort
    self.controlPort = controlPort
    self.name = name
    self.hasUnixSocket = hasUnixSocket
    self.version = version
  }
}

/// Where a server that was started can be reached.
public struct ServerAddress: Equatable, Sendable {
  public var bind: String
  public var textPort: Int
  public var controlPort: Int
  /// The path of the unix socket, if there is one.
  public var unixSocket: String?

  /// Where tools can reach it, in the notation of endpoints.
  var endpoints: [String] {
    let host = bind.contains(":") ? "[\(bind)]" : bind
    return ["\(host):\(textPort):\(controlPort)"] + (unixSocket.map { ["unix:\($0)"] } ?? [])
  }
}
