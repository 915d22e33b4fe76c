// The first byte of a connection: how long it may take, and whom that is told.

import Shared
import Testing

@testable import ReplServer

extension ProcessWideTests {
  @Suite struct FirstByteTests {
    private let patient: RunningServer
    private let strict: RunningServer

    init() throws {
      patient = try RunningServer()
      strict = try RunningServer(firstByteMilliseconds: 1)
    }

    private func silentCount(_ running: RunningServer) throws -> JSON? {
      // One that has sent its first byte with the connection is in time, however short that is, or is refused itself.
      for _ in 0..<1000 {
        guard let client = try? ToolClient(running),
          let reply = try? client.ask("DescribeServer", ["protocol": 1])
        else { continue }
        return reply["server"]?.objectValue?["refused"]?.objectValue?["silent"]
      }
      return nil
    }

    @Test func aToolThatSaysNothingIsDropped() throws {
      let client = try ToolClient(strict)
      #expect(try client.isAtEnd())
      #expect(try silentCount(strict) != 0)
    }

    @Test func aPersonWhoTypesNothingIsToldSo() throws {
      let client = try LoopbackClient(port: strict.server.address.textPort)
      #expect(
        try client.readToEnd()
          == RunningServer.greeting(1) + "\nNothing was typed for a long time: the session ends.\n")
      try strict.engine.waitForClose(of: 1)
    }

    @Test func whoeverHasSentSomethingMayBeSilent() throws {
      let running = try RunningServer(firstByteMilliseconds: 1000)
      let text = try running.text()
      try text.send("x")
      let tool = try ToolClient(running)
      try tool.ask("DescribeServer")
      // One that is silent is dropped after them, so their time would have passed, too.
      let late = try ToolClient(running)
      #expect(try late.isAtEnd())
      try tool.ask("Sessions")
      try text.send("y\n")
      #expect(try running.engine.evaluation().request.source == .block("xy", isFinal: false))
    }

    @Test func thereIsTimeToLook() throws {
      let tool = try ToolClient(patient)
      let text = try patient.text()
      #expect(try silentCount(patient) == 0)
      try tool.ask("DescribeServer")
      withExtendedLifetime(text) {}
    }
  }
}
