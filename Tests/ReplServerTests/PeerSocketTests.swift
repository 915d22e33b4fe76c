// The peer's socket: what the kernel says of the other end of a loopback connection.

import Glibc
import NIOCore
import NIOPosix
import Testing

@testable import ReplServer

@Suite struct PeerSocketTests {
  /// A listener and one connection to it, both ends ours.
  private func withConnection(
    on host: String, _ body: (_ local: SocketAddress, _ remote: SocketAddress, LoopbackClient) throws -> Void
  ) throws {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    defer { try? group.syncShutdownGracefully() }
    let accepted = group.next().makePromise(of: (any Channel).self)
    let listener = try ServerBootstrap(group: group)
      .childChannelOption(.allowRemoteHalfClosure, value: true)
      .childChannelInitializer { channel in
        accepted.succeed(channel)
        return channel.eventLoop.makeSucceededVoidFuture()
      }
      .bind(host: host, port: 0).wait()
    let address = try #require(listener.localAddress)
    let client = try LoopbackClient(to: address)
    let channel = try accepted.futureResult.wait()
    try body(try #require(channel.localAddress), try #require(channel.remoteAddress), client)
  }

  @Test(arguments: ["127.0.0.1", "::1"]) func aPeerThatIsThereIsOurs(_ host: String) throws {
    try withConnection(on: host) { local, remote, client in
      let peer = PeerSocket.look(local: local, remote: remote)
      guard case .open(getuid(), let inode) = peer else {
        Issue.record("the peer is \(peer)")
        return
      }
      #expect(inode != 0)
      client.halfClose()
      #expect(PeerSocket.look(local: local, remote: remote) == peer)
    }
  }

  @Test(arguments: ["127.0.0.1", "::1"]) func aPeerThatClosedIsGone(_ host: String) throws {
    try withConnection(on: host) { local, remote, client in
      client.close()
      #expect(PeerSocket.look(local: local, remote: remote) == .gone)
    }
  }

  @Test func aPeerElsewhereIsUnknown() throws {
    let local = try SocketAddress(ipAddress: "127.0.0.1", port: 1)
    let foreign = try SocketAddress(ipAddress: "192.0.2.1", port: 2)
    let six = try SocketAddress(ipAddress: "::1", port: 2)
    let path = try SocketAddress(unixDomainSocketPath: "s")
    #expect(PeerSocket.look(local: local, remote: foreign) == .unknown)
    #expect(PeerSocket.look(local: local, remote: six) == .unknown)
    #expect(PeerSocket.look(local: path, remote: path) == .unknown)
    #expect(PeerSocket.look(local: nil, remote: local) == .unknown)
    #expect(PeerSocket.look(local: local, remote: nil) == .unknown)
  }

  @Test func theHostOfAnAddressIsItsBytes() throws {
    #expect(try SocketAddress(ipAddress: "127.1.2.3", port: 9).hostBytes == [127, 1, 2, 3])
    #expect(try SocketAddress(ipAddress: "::1", port: 9).hostBytes == [UInt8](repeating: 0, count: 15) + [1])
    #expect(try SocketAddress(unixDomainSocketPath: "s").hostBytes == nil)
  }

  static let hosts: [(host: String, isLoopback: Bool)] = [
    ("127.0.0.1", true), ("127.255.0.9", true), ("::1", true), ("128.0.0.1", false), ("0.0.0.0", false),
    ("::", false), ("::2", false), ("1::1", false), ("::ffff:127.0.0.1", false),
  ]

  @Test(arguments: hosts) func loopbackIsTold(_ host: String, _ isLoopback: Bool) throws {
    #expect(try SocketAddress(ipAddress: host, port: 1).isLoopback == isLoopback)
  }
}
