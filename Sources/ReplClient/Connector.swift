// The connector: opens the socket of a server, and makes sure whose it is before anything is sent.

internal import Glibc
internal import Shared
internal import SystemPackage

enum Connector {
  /// - Returns: a connected socket that does not block.
  /// - Throws: `ClientError`: nobody there, not in time, or not a server of this user.
  static func connect(to destination: Destination, until deadline: Deadline) throws(ClientError) -> OwnedDescriptor {
    switch destination.address {
    case .unix(let path): try connect(unixPath: path, until: deadline)
    case .tcp(let host, let port): try connect(destination, host: host, port: port, until: deadline)
    }
  }

  // MARK: unix sockets

  private static func connect(unixPath path: String, until deadline: Deadline) throws(ClientError) -> OwnedDescriptor {
    guard let address = SocketAddress(unixPath: path) else {
      throw ClientError(
        .usage, "the path of a unix socket has 1 to \(Limits.maximumSocketPathLength) bytes: '\(path)'")
    }
    try checkDirectory(of: path)
    do throws(Errno) {
      let socket = try SystemCall.socket(family: address.family)
      // A blocking connect that may take so long: without blocking, a full backlog is a failure and not a wait.
      try SystemCall.setSendTimeout(socket, deadline)
      try SystemCall.connect(socket, to: address)
      try SystemCall.makeNonBlocking(socket)
      let user = try SystemCall.peerUser(socket)
      guard user == getuid() else { throw Errno.notPermitted }
      return socket
    } catch {
      throw failure(error, at: path)
    }
  }

  /// Whoever can write to the directory of a socket can put another one in its place.
  private static func checkDirectory(of path: String) throws(ClientError) {
    let slash = path.utf8.lastIndex(of: UInt8(ascii: "/"))
    let directory = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    // What is not there is said better by connect.
    guard let status = FileStatus(of: directory, followsLinks: true) else { return }
    let isSafe = [getuid(), 0].contains {
      RuntimeDirectory.isSafe(owner: status.owner, permissions: status.permissions, user: $0)
    }
    guard isSafe else {
      throw ClientError(
        .notPermitted, "others can write to \(directory), so \(path) may be anybody's; use a socket in a safe directory"
      )
    }
  }

  // MARK: TCP

  private static func connect(
    _ destination: Destination, host: String, port: UInt16, until deadline: Deadline
  ) throws(ClientError) -> OwnedDescriptor {
    var failure = Errno.connectionRefused
    for address in try HostLookup.addresses(of: host, port: port, until: deadline) {
      do throws(Errno) {
        return try connect(tcp: address, until: deadline)
      } catch {
        failure = error
        if deadline.hasPassed { break }
      }
    }
    throw self.failure(failure, at: "\(destination)")
  }

  private static func connect(tcp address: SocketAddress, until deadline: Deadline) throws(Errno) -> OwnedDescriptor {
    let socket = try SystemCall.socket(family: address.family)
    try SystemCall.makeNonBlocking(socket)
    do throws(Errno) {
      try SystemCall.connect(socket, to: address)
    } catch {
      guard error == .nowInProgress else { throw error }
      guard try !SystemCall.poll([Watched(socket.number, for: .writing)], until: deadline).isEmpty else {
        throw Errno.timedOut
      }
      if let error = try SystemCall.pendingError(socket) { throw error }
    }
    guard !SystemCall.isConnectedToItself(socket) else { throw Errno.connectionRefused }
    try SystemCall.sendWithoutDelay(socket)
    return socket
  }

  private static func failure(_ error: Errno, at place: String) -> ClientError {
    switch error {
    case .wouldBlock, .timedOut: ClientError(.timedOut, "no connection to \(place) in time")
    case .notPermitted, .permissionDenied:
      ClientError(.notPermitted, "the server at \(place) is not one of this user")
    case .connectionRefused, .noSuchFileOrDirectory:
      ClientError(.noServer, "no server at \(place) (\(error)); `replctl servers` lists those of this user")
    default: ClientError(.noServer, "cannot connect to \(place): \(error)")
    }
  }
}
