// The connector: opens the socket of a server, and makes sure whose it is before anything is sent.

internal import Glibc
internal import Shared
internal import SystemPackage

enum Connector {
  /// - Parameter trust: whose servers may be sent something.
  /// - Returns: a connected socket that does not block.
  /// - Throws: `ClientError`: nobody there, not in time, or the server of somebody else.
  static func connect(
    to destination: Destination, trusting trust: Trust, until deadline: Deadline
  ) throws(ClientError) -> OwnedDescriptor {
    switch destination.address {
    case .unix(let path): try connect(unixPath: path, trusting: trust, until: deadline)
    case .tcp(let host, let port):
      try connect(destination, host: host, port: port, trusting: trust, until: deadline)
    // Such a connection is one to a program here, and belongs to whoever has started it.
    case .ssh: throw ClientError(.failed, "\(destination) is reached by ssh")
    }
  }

  private static func stranger(_ user: UInt32, at place: String) -> ClientError {
    ClientError(
      .notPermitted,
      "the server at \(place) is one of user \(user), not of user \(Trust.ownUser), and was sent nothing; "
        + "if it is to be trusted, give --trust-user \(user)")
  }

  // MARK: unix sockets

  private static func connect(
    unixPath path: String, trusting trust: Trust, until deadline: Deadline
  ) throws(ClientError) -> OwnedDescriptor {
    guard let address = SocketAddress(unixPath: path) else {
      throw ClientError(
        .usage, "the path of a unix socket has 1 to \(Limits.maximumSocketPathLength) bytes: '\(path)'")
    }
    try checkFile(path, trust)
    // A symbolic link may stand for a path that is too long; what it points to has to be as safe as the link.
    if let target = SystemCall.realPath(path), target != path { try checkFile(target, trust) }
    let socket = try connect(unix: address, at: path, until: deadline)
    guard let user = try? SystemCall.peerUser(socket) else { throw failure(.connectionReset, at: path) }
    guard trust.includes(user) else { throw stranger(user, at: path) }
    return socket
  }

  private static func connect(
    unix address: SocketAddress, at path: String, until deadline: Deadline
  ) throws(ClientError) -> OwnedDescriptor {
    do throws(Errno) {
      let socket = try SystemCall.socket(family: address.family)
      // A blocking connect that may take so long: without blocking, a full backlog is a failure and not a wait.
      try SystemCall.setSendTimeout(socket, deadline)
      try SystemCall.connect(socket, to: address)
      try SystemCall.makeNonBlocking(socket)
      return socket
    } catch {
      throw failure(error, at: path)
    }
  }

  /// Whoever can write to the directory of a socket can put another one in its place, and whoever can write to a socket
  /// can talk to its server: a server that lets everybody do that has not made it like this.
  private static func checkFile(_ path: String, _ trust: Trust) throws(ClientError) {
    let slash = path.utf8.lastIndex(of: UInt8(ascii: "/"))
    let directory = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    // What is not there is said better by connect.
    let socket = FileStatus(of: path, followsLinks: true)
    if let socket, !trust.includes(socket.owner) { throw stranger(socket.owner, at: path) }
    guard let status = FileStatus(of: directory, followsLinks: true) else { return }
    let isSafe = trust.usersOfDirectories.contains {
      RuntimeDirectory.isSafe(owner: status.owner, permissions: status.permissions, user: $0)
    }
    guard isSafe else {
      throw ClientError(
        .notPermitted, "others can write to \(directory), so \(path) may be anybody's; use a socket in a safe directory"
      )
    }
    guard let socket else { return }
    guard RuntimeDirectory.isSafe(owner: socket.owner, permissions: socket.permissions, user: socket.owner) else {
      throw ClientError(
        .notPermitted, "others can write to \(path), so it is no socket of a server of ours; chmod 600 if it is")
    }
  }

  // MARK: TCP

  private static func connect(
    _ destination: Destination, host: String, port: UInt16, trusting trust: Trust, until deadline: Deadline
  ) throws(ClientError) -> OwnedDescriptor {
    let addresses = try HostLookup.addresses(of: host, port: port, until: deadline)
    let socket = try connect(toFirstOf: addresses, at: destination, until: deadline)
    try checkOwner(of: socket, at: destination, trust)
    return socket
  }

  private static func connect(
    toFirstOf addresses: [SocketAddress], at destination: Destination, until deadline: Deadline
  ) throws(ClientError) -> OwnedDescriptor {
    var failure = Errno.connectionRefused
    for address in addresses {
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
    guard try !SystemCall.isConnectedToItself(socket) else { throw Errno.connectionRefused }
    try SystemCall.sendWithoutDelay(socket)
    return socket
  }

  /// A port belongs to whoever took it first, and so may a connection to it.
  private static func checkOwner(
    of socket: borrowing OwnedDescriptor, at destination: Destination, _ trust: Trust
  ) throws(ClientError) {
    switch owner(of: socket) {
    case .elsewhere: return
    case .user(let user):
      guard trust.includes(user) else { throw stranger(user, at: "\(destination)") }
    case .closed: throw ClientError(.noServer, "the server at \(destination) closed the connection")
    case .untold:
      throw ClientError(
        .notPermitted,
        "the system does not say whose server is at \(destination), which was sent nothing; use its unix socket, "
          + "as -t name:NAME, pid:N and unix:PATH do")
    }
  }

  private static func owner(of socket: borrowing OwnedDescriptor) -> ServerOwner {
    guard let own = (try? SystemCall.ownName(socket)).flatMap(SocketAddress.internetAddress),
      let server = (try? SystemCall.peerName(socket)).flatMap(SocketAddress.internetAddress)
    else { return SystemCall.isOver(socket) ? .closed : .untold }
    let owner = ServerOwner.find(own: own, server: server, ask: SystemCall.diagnose)
    return owner == .untold && SystemCall.isOver(socket) ? .closed : owner
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
