// The sessions of tools: whose they are, and what becomes of them when a connection, a session or the server ends.

import Shared
import Testing

@testable import ReplServer

extension ProcessWideTests {
  @Suite struct ToolSessionTests {
    private let running: RunningServer
    private let client: ToolClient
    private var engine: FakeEngine { running.engine }

    init() throws {
      running = try RunningServer()
      client = try ToolClient(running)
    }

    private func open(_ client: ToolClient) throws -> Int {
      try #require(try client.ask("OpenSession")["session"]?.integerValue)
    }

    private func reports(_ client: ToolClient) throws -> [SessionReport] {
      let rows = try client.ask("Sessions")["sessions"]?.arrayValue ?? []
      return rows.compactMap { $0.objectValue.flatMap(SessionReport.init) }
    }

    private func sessions(_ client: ToolClient) throws -> [Int] { try reports(client).map(\.session) }

    // MARK: Open and close

    @Test func sessionsAreNumberedOverAllDoors() throws {
      #expect(try open(client) == 1)
      let text = try running.text(session: 2)
      #expect(try open(client) == 3)
      let reports = try reports(client)
      #expect(reports.map(\.session) == [1, 2, 3])
      #expect(reports.map(\.kind) == ["tool", "text", "tool"])
      #expect(reports.allSatisfy { $0.running == nil && $0.evaluation == 0 && $0.peer.hasPrefix("127.0.0.1:") })
      try client.ask("CloseSession", ["session": 1])
      try engine.waitForClose(of: 1)
      #expect(try sessions(client) == [2, 3])
      withExtendedLifetime(text) {}
    }

    @Test func onlyItsOwnerClosesASession() throws {
      let session = try open(client)
      let other = try ToolClient(running)
      for (asker, number) in [(other, session), (client, session + 1), (client, -1)] {
        let failure = try asker.failure("CloseSession", ["session": .integer(number)])
        #expect(failure == .init(reason: "This connection has no session \(number).", code: "no-session"))
      }
      try client.ask("CloseSession", ["session": .integer(session)])
      #expect(try client.failure("CloseSession", ["session": .integer(session)]).code == "no-session")
    }

    @Test func thereAreOnlySoMany() throws {
      for _ in 0..<ServerLimits.sessions { try client.ask("OpenSession") }
      let tooMany = ToolClient.Failure(reason: "There are too many sessions.", code: "busy")
      #expect(try client.failure("OpenSession") == tooMany)
      #expect(try client.failure("Evaluate", ["source": "x"]) == tooMany)
      // The list has a limit of its own.
      #expect(try sessions(client).count == ServerLimits.listedRows)
      try client.ask("CloseSession", ["session": 1])
      try client.ask("OpenSession")
    }

    // MARK: The end of a connection

    @Test(arguments: ["close", "reset"]) func aConnectionTakesItsSessionsAlong(_ way: String) throws {
      let other = try ToolClient(running)
      let mine = try open(client)
      let theirs = try open(other)
      let busy = try open(client)
      let (_, alone) = try client.evaluate("while True: pass")
      _ = try client.evaluate("while True: pass", ["session": .integer(busy)])
      let calls = [try engine.evaluation(), try engine.evaluation()]
      if way == "close" { client.socket.close() } else { client.socket.reset() }
      for session in [mine, busy, alone] { try engine.waitForClose(of: session) }
      #expect(try sessions(other) == [theirs])
      // What they still say goes nowhere, and nobody waits.
      for call in calls {
        let flood = [UInt8](repeating: 0x78, count: 2 * ServerLimits.outputBytes)
        #expect(call.request.streams.write(flood, to: .standardOutput) == flood.count)
        call.answer(.ended(.interrupted))
      }
      #expect(try sessions(other) == [theirs])
      #expect(Set(engine.closed) == [mine, busy, alone])
    }

    @Test func aWriterIsReleasedWhenItsClientGoes() throws {
      _ = try client.evaluate("x", ["credit": 0])
      let streams = try engine.evaluation().request.streams
      let flood = [UInt8](repeating: 0x78, count: 2 * ServerLimits.outputBytes)
      let writer = Background { streams.write(flood, to: .standardOutput) }
      #expect(writer.isHeldUp)
      client.socket.reset()
      #expect(try writer.value() == flood.count)
    }

    @Test func anEvaluationInSomebodyElsesSessionIsInterrupted() throws {
      let other = try ToolClient(running)
      let theirs = try open(other)
      _ = try client.evaluate("x", ["session": .integer(theirs)])
      let call = try engine.evaluation()
      client.socket.reset()
      let interrupt = try engine.interrupt()
      #expect(interrupt.request == .session(theirs, evaluation: 1))
      interrupt.answer(.interrupted)
      call.answer(.ended(.interrupted))
      // The server is told of the end by another way than of the next request.
      while try reports(other).contains(where: { $0.running != nil }) {}
      let (id, _) = try other.evaluate("y", ["session": .integer(theirs)])
      try engine.evaluation().answer(.ended(.value))
      #expect(try other.fieldsOfReply(to: id)["evaluation"] == 2)
      #expect(engine.closed.isEmpty)
    }

    @Test func aHalfClosedClientGetsItsResult() throws {
      let (id, session) = try client.evaluate()
      client.socket.halfClose()
      let call = try engine.evaluation()
      #expect(call.request.streams.write([0xFF, 0x3B], to: .standardOutput) == 2)
      call.answer(.ended(.value))
      #expect(try client.output(of: id, count: 2).first?.bytes == [0xFF, 0x3B])
      #expect(try client.fieldsOfReply(to: id)["outcome"] == "value")
      #expect(try client.isAtEnd())
      try engine.waitForClose(of: session)
    }

    @Test func aStopAnswersAndLeaves() throws {
      let (id, session) = try client.evaluate()
      _ = try engine.evaluation()
      running.server.stop()
      #expect(try client.failure(of: id).reason == "The server has stopped.")
      #expect(try client.isAtEnd())
      try engine.waitForClose(of: session)
    }

    // MARK: Disconnect

    @Test func aTextSessionIsEndedWithAFarewell() throws {
      let text = try running.text()
      try text.send("while True: pass\n")
      _ = try engine.evaluation()
      #expect(try client.ask("Disconnect", ["session": 1])["sessions"] == [1])
      #expect(try text.readToEnd() == "\nThis session was ended by another client.\n")
      try engine.waitForClose(of: 1)
      #expect(try sessions(client).isEmpty)
      let failure = try client.failure("Disconnect", ["session": 1])
      #expect(failure == .init(reason: "There is no session 1.", code: "no-session"))
    }

    @Test func aToolsSessionIsEndedWithItsConnection() throws {
      let other = try ToolClient(running)
      let first = try open(other)
      let second = try open(other)
      #expect(try client.ask("Disconnect", ["session": .integer(first)])["sessions"] == [.integer(first)])
      #expect(try other.isAtEnd())
      for session in [first, second] { try engine.waitForClose(of: session) }
      #expect(try sessions(client).isEmpty)
    }

    @Test func whoeverWaitsForItIsTold() throws {
      let other = try ToolClient(running)
      let (id, session) = try other.evaluate()
      let call = try engine.evaluation()
      #expect(call.request.streams.write([0x61], to: .standardOutput) == 1)
      _ = try other.output(of: id, count: 1)
      try client.ask("Disconnect", ["session": .integer(session)])
      #expect(try other.failure(of: id) == .init(reason: "Session \(session) was ended.", code: "no-session"))
      #expect(try other.isAtEnd())
    }

    @Test func withoutANumberAllButTheAskersOwnAreEnded() throws {
      let text = try running.text()
      let other = try ToolClient(running)
      let theirs = try open(other)
      let mine = try open(client)
      let (id, alone) = try client.evaluate()
      let call = try engine.evaluation()
      #expect(try client.ask("Disconnect")["sessions"] == [1, .integer(theirs)])
      #expect(try text.readToEnd() == "\nThis session was ended by another client.\n")
      #expect(try other.isAtEnd())
      #expect(try sessions(client) == [mine, alone])
      call.answer(.ended(.value))
      #expect(try client.fieldsOfReply(to: id)["outcome"] == "value")
      #expect(try client.ask("Disconnect")["sessions"] == [])
    }

    @Test func oneMayDisconnectOneself() throws {
      let session = try open(client)
      #expect(try client.ask("Disconnect", ["session": .integer(session)])["sessions"] == [.integer(session)])
      #expect(try client.isAtEnd())
    }

    // MARK: In a text session

    @Test func typedAheadLinesWaitForATool() throws {
      let text = try running.text()
      let (id, _) = try client.evaluate("tool()", ["session": 1])
      let call = try engine.evaluation()
      try text.send("a\nb\n")
      #expect(call.request.streams.write(Array("for the tool".utf8), to: .standardOutput) == 12)
      #expect(try client.output(of: id, count: 12).first?.bytes == Array("for the tool".utf8))
      #expect(engine.callCount == 1)
      let failure = try client.failure("Evaluate", ["source": "x", "session": 1])
      #expect(failure == .init(reason: "Session 1 is busy.", code: "busy"))
      call.answer(.ended(.value))
      #expect(try client.fieldsOfReply(to: id)["evaluation"] == 1)
      for (number, source) in [(2, "a"), (3, "b")] {
        let typed = try engine.evaluation()
        #expect(typed.request.source == .block(source, isFinal: false))
        #expect(typed.request.number == number)
        #expect(typed.request.presentation == .text)
        typed.answer(.ended(.value))
      }
      #expect(try text.read(to: "fake> fake> ") == "fake> fake> ")
    }

    @Test func aToolIsRefusedWhileABlockRuns() throws {
      let text = try running.text()
      try text.send("a\n")
      let call = try engine.evaluation()
      #expect(try client.failure("Evaluate", ["source": "x", "session": 1]).code == "busy")
      call.answer(.ended(.value))
      #expect(try text.read(to: RunningServer.prompt) == RunningServer.prompt)
      _ = try client.evaluate("x", ["session": 1])
    }

    @Test func theClientOfTheTextSessionMayGo() throws {
      let text = try running.text()
      let (id, _) = try client.evaluate("x", ["session": 1])
      _ = try engine.evaluation()
      text.reset()
      #expect(try client.failure(of: id) == .init(reason: "Session 1 was ended.", code: "no-session"))
      try engine.waitForClose(of: 1)
    }

    @Test func aToolMayEndTheTextSession() throws {
      let text = try running.text()
      let (id, _) = try client.evaluate("quit()", ["session": 1])
      try engine.evaluation().answer(.ended(.ended))
      #expect(try client.fieldsOfReply(to: id)["outcome"] == "ended")
      #expect(try text.readToEnd() == "\nThis session was ended by another client.\n")
      #expect(try sessions(client).isEmpty)
    }

    @Test func anInterruptOfThePairedSessionReachesATool() throws {
      let text = try running.text()
      let (id, _) = try client.evaluate("x", ["session": 1])
      let call = try engine.evaluation()
      let old = try running.control()
      _ = try old.ask("PairWithSession", ["id": 1])
      try old.send("KeyboardInterrupt")
      try engine.interrupt().answer(.interrupted)
      #expect(try old.reply() == .ok(["outcome": "interrupted"]))
      call.answer(.ended(.interrupted))
      #expect(try client.fieldsOfReply(to: id)["outcome"] == "interrupted")
      withExtendedLifetime(text) {}
    }

    // MARK: Halt

    @Test func aHaltWaitsForTheLastSession() throws {
      let session = try open(client)
      #expect(try client.ask("Halt", ["when": "idle"])["sessions"] == 1)
      try client.ask("DescribeServer")
      #expect(engine.haltCount == 0)
      try client.ask("CloseSession", ["session": .integer(session)])
      try engine.waitForHalt()
      #expect(engine.haltCount == 1)
    }

    @Test func aHaltCanBeTakenBack() throws {
      let session = try open(client)
      try client.ask("Halt", ["when": "idle"])
      #expect(try client.ask("Halt", ["when": "cancel"])["sessions"] == 1)
      try client.ask("CloseSession", ["session": .integer(session)])
      try client.ask("DescribeServer")
      #expect(engine.haltCount == 0)
    }

    @Test func aHaltNowWaitsForNobody() throws {
      _ = try open(client)
      #expect(try client.ask("Halt", ["when": "now"])["sessions"] == 1)
      try engine.waitForHalt()
    }

    @Test func anotherTimeIsNone() throws {
      let failure = try client.failure("Halt", ["when": "later"])
      #expect(failure.reason == "There is no 'later' to halt; it is 'idle', 'now' or 'cancel'.")
      #expect(engine.haltCount == 0)
    }
  }
}
