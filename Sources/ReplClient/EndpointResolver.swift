// The endpoint resolver: from what the user wrote, or did not write, to a socket.

internal import Shared

/// Finds the server that is meant: `-t ENDPOINT`, else `$REPL_TO`, else the only one of this user.
public struct EndpointResolver: Sendable {
  private let directory: ServerDirectory
  private let environmentEndpoint: String?

  /// - Parameters:
  ///   - directory: of this user's servers.
  ///   - environmentEndpoint: `$REPL_TO`; nil when it is not set. An empty one counts as not set.
  public init(directory: ServerDirectory, environmentEndpoint: String?) {
    self.directory = directory
    self.environmentEndpoint = environmentEndpoint.flatMap { $0.isEmpty ? nil : $0 }
  }

  /// - Parameter text: what `-t` was given; nil when it was not.
  /// - Throws: `ClientError`; `.noServer` when there is none, `.usage` when more than one could be meant.
  public func resolve(_ text: String?) throws(ClientError) -> Destination {
    guard let text = text ?? environmentEndpoint else { return try onlyServer() }
    return try destination(of: parse(text))
  }

  private func parse(_ text: String) throws(ClientError) -> Endpoint {
    do {
      return try Endpoint(parsing: text)
    } catch {
      throw ClientError(.usage, "no endpoint: \(error.message)")
    }
  }

  private func destination(of endpoint: Endpoint) throws(ClientError) -> Destination {
    switch endpoint {
    case .unix(let path): return Destination(.unix(path: path))
    case .tcp(let host, _, let control): return Destination(.tcp(host: host, port: control))
    case .pid(let pid):
      return try only(
        directory.servers().filter { $0.pid == pid }, none: "no server of this user is in process \(pid)",
        several: "process \(pid) has more than one server; choose one with -t")
    case .name(let name):
      return try only(
        directory.servers().filter { $0.name == name }, none: "no server of this user has the name '\(name)'",
        several: "more than one server has the name '\(name)'; choose one with -t")
    case .ssh(let user, let host, let port): return Destination(.ssh(user: user, host: host, port: port))
    }
  }

  private func onlyServer() throws(ClientError) -> Destination {
    try only(
      directory.servers(), none: "no server of this user is running here; start one, or name one with -t",
      several: "more than one server is running; choose one with -t")
  }

  private func only(
    _ found: [ServerDirectory.Entry], none: String, several: String
  ) throws(ClientError) -> Destination {
    guard let entry = found.first else { throw ClientError(.noServer, none) }
    guard found.count == 1 else {
      throw ClientError(.usage, several, details: found.map { Self.endpoint(of: $0, among: found) })
    }
    return entry.destination
  }

  /// The shortest endpoint that names a server and no other one.
  public static func endpoint(of entry: ServerDirectory.Entry, among all: [ServerDirectory.Entry]) -> String {
    if all.count(where: { $0.name == entry.name }) == 1 { return "name:\(entry.name)" }
    if all.count(where: { $0.pid == entry.pid }) == 1 { return "pid:\(entry.pid)" }
    return "unix:\(entry.socketPath)"
  }
}
