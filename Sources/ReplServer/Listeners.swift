// The listeners: the sockets of the doors, and what each makes of a connection.
internal import CProcessHooks
internal import Glibc
internal import NIOCore
internal import NIOPosix
internal import Shared

/// Opens the doors of a server. They accept nothing until their `autoRead` is set.
struct Listeners {
  let loop: any EventLoop
  let core: NIOLoopBound<ServerCore>
  /// Whether they may be on addresses that other machines can reach.
  let isOpenToNetwork: Bool

  /// The text port.
  func text(on host: String, port: Int) throws(ServerError) -> any Channel {
    let core = core
    return try bind(host, port, .text) { channel, visitor in
      let session = core.value.makeSession(.text, of: visitor)
      try channel.pipeline.syncOperations.addHandler(
        TextConnection(session: session, visitor: visitor, core: core.value))
    }
  }

  /// The control port.
  func control(on host: String, port: Int) throws(ServerError) -> any Channel {
    let core = core
    return try bind(host, port, .control) { channel, visitor in
      try channel.pipeline.syncOperations.addHandler(ControlConnection(visitor: visitor, core: core.value))
    }
  }

  /// The unix socket, which speaks as the control port does.
  func control(unixSocket path: String) throws(ServerError) -> any Channel {
    let core = core
    do {
      return try bootstrap(.unix) { channel, visitor in
        try channel.pipeline.syncOperations.addHandler(ControlConnection(visitor: visitor, core: core.value))
      }.bind(unixDomainSocketPath: path).wait()
    } catch {
      throw Self.serverError(error, address: path)
    }
  }

  /// Puts what serves a visitor on their channel. On the event loop.
  private typealias Configure = @Sendable (_ channel: any Channel, _ visitor: Visitor) throws -> Void

  private func bind(
    _ host: String, _ port: Int, _ door: Peer.Door, _ configure: @escaping Configure
  ) throws(ServerError) -> any Channel {
    let name = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    guard (0...65535).contains(port) else {
      throw ServerError(.addressUnavailable, "\(port) is not a port; ports are 0 to 65535")
    }
    do {
      let address = try SocketAddress.makeAddressResolvingHost(host, port: port)
      guard address.isLoopback || isOpenToNetwork else {
        throw ServerError(
          .notPermitted,
          "refusing to listen on \(host): whoever can reach it could run code here; reach this machine by ssh")
      }
      return try bootstrap(door, configure)
        .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
        .childChannelOption(.tcpOption(.init(rawValue: TCP_KEEPIDLE)), value: .init(ServerLimits.keepaliveIdleSeconds))
        .childChannelOption(
          .tcpOption(.init(rawValue: TCP_KEEPINTVL)), value: .init(ServerLimits.keepaliveIntervalSeconds)
        )
        .childChannelOption(.tcpOption(.init(rawValue: TCP_KEEPCNT)), value: .init(ServerLimits.keepaliveProbes))
        .childChannelOption(.socketOption(.so_keepalive), value: 1)
        .bind(to: address).wait()
    } catch {
      throw Self.serverError(error, address: name)
    }
  }

  private func bootstrap(_ door: Peer.Door, _ configure: @escaping Configure) -> ServerBootstrap {
    let core = core
    return ServerBootstrap(group: loop)
      .serverChannelOption(.backlog, value: ServerLimits.backlog)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .serverChannelOption(.autoRead, value: false)
      .serverChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          guard DescriptorRegistration.register(channel) else {
            throw ServerError(.noResources, "too many sockets are open")
          }
          if door == .unix { try Self.restrict(channel) }
          try channel.pipeline.syncOperations.addHandlers(
            ArrivalsWithoutDescriptor(door: door, core: core), AcceptBackoffHandler())
        }
      }
      .childChannelOption(.autoRead, value: false)
      .childChannelOption(.allowRemoteHalfClosure, value: true)
      .childChannelOption(.maxMessagesPerRead, value: 1)
      .childChannelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 16 << 10))
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          if let visitor = try core.value.receive(channel, at: door) { try configure(channel, visitor) }
        }
      }
  }

  /// Has the file of a unix socket be its user's alone from the moment it is there: unix(7) gives it the mode of the
  /// socket, less the host's umask, which may be anything.
  private static func restrict(_ channel: any Channel) throws {
    let status = try channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: CInt.self) { descriptor in
      fchmod(descriptor, mode_t(0o600))
    }
    guard status == 0 else { throw ServerError(.noResources, "cannot restrict the unix socket to this user") }
  }

  private static func serverError(_ error: any Error, address: String) -> ServerError {
    switch error {
    case let error as ServerError: error
    case let error as IOError:
      ServerError(
        .addressUnavailable, "cannot listen on \(address): \(ServerError.text(of: error.errnoCode))",
        errno: error.errnoCode)
    default: ServerError(.addressUnavailable, "cannot listen on \(address): \(error)")
    }
  }
}
