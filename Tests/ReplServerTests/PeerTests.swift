// The peer: what other clients are shown of who has connected.

import Glibc
import Shared
import Testing

@testable import ReplServer

extension ProcessWideTests {
  @Suite struct PeerTests {
    /// What another client is shown of a peer that has one session.
    private func shownPeer(of running: RunningServer, through client: ToolClient) throws -> String {
      _ = try client.ask("OpenSession")
      let rows = try client.ask("Sessions")["sessions"]?.arrayValue ?? []
      return rows.last?.objectValue?["peer"]?.stringValue ?? ""
    }

    @Test func aClientOfAPortIsAnAddress() throws {
      let running = try RunningServer()
      let client = try ToolClient(running)
      let port = try client.localPort()
      #expect(try shownPeer(of: running, through: client) == "127.0.0.1:\(port)")
    }

    @Test func aClientOfTheUnixSocketIsAProcess() throws {
      let directory = try PrivateRuntimeDirectory()
      let running = try RunningServer(hasUnixSocket: true)
      let path = try #require(running.server.address.unixSocket)
      let client = try ToolClient(unixSocket: path)
      let peer = try shownPeer(of: running, through: client)
      #expect(peer.hasSuffix("pid \(getpid()) uid \(getuid())"))
      withExtendedLifetime(directory) {}
    }

    @Test func aPeerIsShownInOneLine() {
      var peer = Peer(door: .unix, owner: .user(0), process: Peer.Process(pid: 7, name: "replctl"))
      #expect("\(peer)" == "replctl pid 7 uid 0")
      peer.process?.name = ""
      #expect("\(peer)" == "pid 7 uid 0")
      peer.process = nil
      #expect("\(peer)" == "uid 0")
      #expect("\(Peer(door: .text, owner: .user(8), address: "[::1]:9"))" == "[::1]:9")
      #expect("\(Peer(door: .unix, owner: .unknown))" == "unknown")
    }
  }
}
