// The server: where it listens, what it refuses, and how it ends.

import CProcessHooks
import Glibc
import Shared
import Testing

@testable import ReplServer

extension ProcessWideTests {
  @Suite struct ServerTests {
    // MARK: Start

    @Test func theSystemChoosesThePorts() throws {
      let running = try RunningServer()
      let address = running.server.address
      #expect(address.bind == "127.0.0.1")
      #expect(address.textPort > 0)
      #expect(address.controlPort > 0)
      #expect(address.textPort != address.controlPort)
      #expect(address.unixSocket == nil)
    }

    @Test func theBannerIsMadeWhenThePortsAreKnown() throws {
      let seen = Monitor<ServerAddress?>(nil)
      let server = try Server.start(
        ServerConfiguration(
          bind: "127.0.0.1", textPort: 0, controlPort: 0, name: "unit", hasUnixSocket: false, version: "0"),
        engine: FakeEngine(), sessionCounter: SessionCounter(), jobs: JobTable()
      ) { address in
        seen.signal { $0 = address }
        return "Ports."
      }
      defer { server.stop() }
      #expect(seen.withLock { $0 } == server.address)
      let client = try LoopbackClient(port: server.address.textPort)
      #expect(try client.read(to: RunningServer.prompt) == "REPL session 1 connected.\nPorts.\nfake> ")
    }

    @Test func twoServersShareACounterOfSessions() throws {
      let counter = SessionCounter()
      let first = try RunningServer(sessionCounter: counter)
      let second = try RunningServer(sessionCounter: counter)
      let clients = [try first.text(session: 1), try second.text(session: 2), try first.text(session: 3)]
      #expect(clients.count == 3)
    }

    @Test func aPortInUseIsAnErrorWithItsNumber() throws {
      let running = try RunningServer()
      for port in [running.server.address.textPort, running.server.address.controlPort] {
        let text = #expect(throws: ServerError.self) { try RunningServer(textPort: port) }
        let control = #expect(throws: ServerError.self) { try RunningServer(controlPort: port) }
        for error in [text, control] {
          #expect(error?.code == .addressUnavailable)
          #expect(error?.errno == EADDRINUSE)
          #expect(error?.message.contains("127.0.0.1:\(port)") == true)
        }
      }
    }

    @Test(arguments: ["0.0.0.0", "::", "192.0.2.1"]) func onlyLoopbackIsServed(_ host: String) throws {
      let error = #expect(throws: ServerError.self) { try RunningServer(bind: host) }
      #expect(error?.code == .notPermitted)
      #expect(error?.message.contains(host) == true)
    }

    @Test(arguments: [-1, 65536]) func aPortHasSixteenBits(_ port: Int) throws {
      let error = #expect(throws: ServerError.self) { try RunningServer(textPort: port) }
      #expect(error?.code == .addressUnavailable)
    }

    @Test func aServerThatCouldNotStartLeavesNothing() throws {
      let running = try RunningServer()
      let before = process_hooks_descriptor_count()
      #expect(throws: ServerError.self) { try RunningServer(controlPort: running.server.address.textPort) }
      #expect(process_hooks_descriptor_count() == before)
    }

    // MARK: Halt

    @Test func aHaltWithoutSessionsIsAtOnce() throws {
      let running = try RunningServer()
      running.server.halt(true)
      try running.engine.waitForHalt()
    }

    @Test func aHaltWaitsForTheLastSession() throws {
      let running = try RunningServer()
      let control = try running.control()
      let first = try running.text()
      let second = try running.text(session: 2)
      running.server.halt(true)
      first.close()
      try running.engine.waitForClose(of: 1)
      _ = try control.ask("DescribeServer")
      #expect(running.engine.haltCount == 0)
      second.close()
      try running.engine.waitForHalt()
      _ = try control.ask("DescribeServer")
      #expect(running.engine.haltCount == 1)
    }

    @Test func aHaltCanBeTakenBack() throws {
      let running = try RunningServer()
      let control = try running.control()
      let text = try running.text()
      running.server.halt(true)
      running.server.halt(false)
      text.close()
      try running.engine.waitForClose(of: 1)
      _ = try control.ask("DescribeServer")
      #expect(running.engine.haltCount == 0)
      running.server.halt(true)
      try running.engine.waitForHalt()
    }

    // MARK: Stop

    @Test func aStopSaysFarewellToEverySession() throws {
      let running = try RunningServer()
      let idle = try running.text()
      let busy = try running.text(session: 2)
      let control = try running.control()
      _ = try control.ask("DescribeServer")
      try busy.send("while True: pass\n")
      let call = try running.engine.evaluation()
      running.server.stop()
      #expect(try idle.readToEnd() == "\nThe server has stopped.\n")
      #expect(try busy.readToEnd() == "\nThe server has stopped.\n")
      #expect(try control.reply() == nil)
      try running.engine.waitForClose(of: 1)
      try running.engine.waitForClose(of: 2)
      // What the evaluation still does goes nowhere and hurts nobody.
      #expect(call.request.streams.write(Array("late".utf8), to: .standardOutput) == 4)
      call.answer(.ended(.interrupted))
    }

    @Test func aStopDoesNotWaitForAClientThatReadsNothing() throws {
      let running = try RunningServer()
      let client = try running.text()
      try client.send("flood\n")
      let call = try running.engine.evaluation()
      let flood = [UInt8](repeating: 0x61, count: 32 << 20)
      let writer = Background { call.request.streams.write(flood, to: .standardOutput) }
      #expect(writer.isHeldUp)
      running.server.stop()
      #expect(try writer.value() == flood.count)
    }

    @Test func aSecondStopDoesNothing() throws {
      let running = try RunningServer()
      running.server.stop()
      running.server.stop()
      running.server.halt(true)
      #expect(running.engine.haltCount == 0)
      #expect(throws: Patience.Exhausted.self) { try running.control() }
    }

    @Test func aStopFreesPortsAndDescriptors() throws {
      let before = process_hooks_descriptor_count()
      let first = try RunningServer()
      let clients = try (1...3).map { try first.text(session: $0) }
      #expect(process_hooks_descriptor_count() > before + 2)
      let address = first.server.address
      first.server.stop()
      #expect(process_hooks_descriptor_count() == before)
      let second = try RunningServer(textPort: address.textPort, controlPort: address.controlPort)
      #expect(second.server.address == address)
      #expect(clients.count == 3)
    }

    // MARK: Fork

    @Test func aParkedServerGoesOnAfterwards() throws {
      let running = try RunningServer()
      let control = try running.control()
      running.server.pauseForFork()
      try control.send("DescribeServer", ["id": 1])
      running.server.resumeAfterFork()
      #expect(try control.reply()?.id == 1)
    }
  }
}
