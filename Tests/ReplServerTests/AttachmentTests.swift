// The operations of a client that a person sits at: blocks that are checked, evaluations that become jobs, sessions that
// are left and taken up again.

import Shared
import Testing

@testable import ReplServer

extension ProcessWideTests {
  @Suite struct AttachmentTests {
    private let running: RunningServer
    private let client: ToolClient
    private var engine: FakeEngine { running.engine }

    init() throws {
      running = try RunningServer()
      client = try ToolClient(running)
    }

    private func open(_ client: ToolClient, isKept: Bool = true) throws -> Int {
      try #require(try client.ask("OpenSession", ["detach": .bool(isKept)])["session"]?.integerValue)
    }

    /// Waits until the server has found out that the connection of a session is gone.
    private func waitUntilLeft(_ session: Int, asking client: ToolClient) throws {
      while true {
        let rows = try client.ask("Sessions")["sessions"]?.arrayValue ?? []
        let reports = rows.compactMap { $0.objectValue.flatMap(SessionReport.init) }
        let report = try #require(reports.first { $0.session == session })
        if report.peer.hasPrefix("left by ") { return }
      }
    }

    // MARK: Check

    @Test func theEngineChecksABlock() throws {
      let id = try client.send("Check", ["source": "if x:"])
      let call = try engine.check()
      #expect(call.request == "if x:")
      call.answer(["complete": false, "indent": "  "])
      let fields = try client.fieldsOfReply(to: id)
      #expect(fields["complete"] == false)
      #expect(fields["indent"] == "  ")
    }

    @Test func theEngineKnowsTheWindow() throws {
      let session = try open(client)
      try client.ask("Resize", ["session": .integer(session), "columns": 132, "rows": 43])
      #expect(engine.windows == [session: WindowSize(columns: 132, rows: 43)])
      let size: JSON.Object = ["columns": 1, "rows": 1]
      for (asker, number) in [(client, 99), (try ToolClient(running), session)] {
        var fields = size
        fields["session"] = .integer(number)
        #expect(try asker.failure("Resize", fields).code == "no-session")
      }
      let huge = ["session": .integer(session), "columns": 65_536, "rows": 1] as JSON.Object
      #expect(try client.failure("Resize", huge).reason == "A window has at most 65535 columns and rows.")
    }

    // MARK: Tee

    @Test func whatTheProcessPrintsIsToldToWhoListens() throws {
      let id = try client.send("Tee")
      try engine.waitForListening([true])
      let second = try ToolClient(running)
      let other = try second.send("Tee")
      #expect(try second.failure("Tee").reason == "This connection has the output of the process already.")
      running.server.tee.write(Array("out".utf8), to: .processOutput)
      running.server.tee.write(Array("err".utf8), to: .processError)
      for (listener, request) in [(client, id), (second, other)] {
        let frames = try listener.output(of: request, count: 6)
        #expect(frames.map(\.stream) == [.processOutput, .processError])
        #expect(frames.map { String(decoding: $0.bytes, as: UTF8.self) } == ["out", "err"])
      }
      client.socket.close()
      second.socket.close()
      try engine.waitForListening([true, false])
    }

    @Test func aListenerThatTakesNothingHoldsNobodyUp() throws {
      let id = try client.send("Tee", ["credit": 0])
      try engine.waitForListening([true])
      let line = [UInt8](repeating: 0x2E, count: 1000)
      for _ in 0..<1000 { running.server.tee.write(line, to: .processOutput) }
      running.server.tee.write(Array("!".utf8), to: .processOutput)
      try client.grant(id, 1 << 20)
      var taken: [UInt8] = []
      while taken.last != UInt8(ascii: "!") {
        guard case .output(let frame) = try client.message(of: id) else { break }
        taken += frame.bytes
      }
      #expect(taken.count <= ServerLimits.outputBytes + 1)
      #expect(taken.last == UInt8(ascii: "!"))
    }

    // MARK: Background

    @Test func anEvaluationBecomesAJob() throws {
      let session = try open(client)
      let (id, _) = try client.evaluate("work()", ["session": .integer(session)])
      let call = try engine.evaluation()
      let reply = try client.ask("Background", ["session": .integer(session), "evaluation": 1])
      #expect(reply["job"] == 1)
      let fields = try client.fieldsOfReply(to: id)
      #expect(fields["outcome"] == "backgrounded")
      #expect(fields["job"] == 1)
      let moved = try #require(engine.backgrounded.first)
      #expect(moved.session == session)
      #expect(moved.evaluation == 1)
      #expect(moved.job.source == "work()")
      #expect(moved.job.owner == "session \(session)")
      // The session is free, and what the job comes to later is not for it.
      let (next, _) = try client.evaluate("2", ["session": .integer(session)])
      let second = try engine.evaluation()
      #expect(second.request.number == 2)
      call.answer(.ended(.exception))
      second.answer(.ended(.value))
      #expect(try client.fieldsOfReply(to: next)["outcome"] == "value")
    }

    @Test func whatCannotBecomeAJobGoesOn() throws {
      let session = try open(client)
      #expect(try client.failure("Background", ["session": .integer(session)]).code == nil)
      #expect(try client.failure("Background", ["session": 99]).code == "no-session")
      let (id, _) = try client.evaluate("work()", ["session": .integer(session)])
      let call = try engine.evaluation()
      #expect(try client.failure("Background", ["session": .integer(session), "evaluation": 7]).code == nil)
      let other = try ToolClient(running)
      #expect(try other.failure("Background", ["session": .integer(session)]).code == "not-permitted")
      engine.refuseBackground("not now")
      #expect(try client.failure("Background", ["session": .integer(session)]).reason == "not now")
      #expect(try client.ask("Jobs")["jobs"] == .array([]))
      call.answer(.ended(.value))
      #expect(try client.fieldsOfReply(to: id)["outcome"] == "value")
    }

    // MARK: Attach

    @Test func aSessionThatWasLeftIsTakenUpWithWhatItMissed() throws {
      let session = try open(client)
      let (_, _) = try client.evaluate("work()", ["session": .integer(session)])
      let call = try engine.evaluation()
      let second = try ToolClient(running)
      #expect(try second.failure("Attach", ["session": .integer(session)]).code == "busy")
      client.socket.close()
      try waitUntilLeft(session, asking: second)
      #expect(call.request.streams.write(Array("missed".utf8), to: .standardOutput) == 6)
      let id = try second.send("Attach", ["session": .integer(session)])
      #expect(
        try second.event(of: id)
          == ServerEvent(.started, request: id, fields: ["session": .integer(session), "evaluation": 1]))
      let output = OutputFrame(.standardOutput, request: id, bytes: Array("missed".utf8))
      #expect(try second.message(of: id) == .output(output))
      call.answer(.ended(.value))
      #expect(try second.fieldsOfReply(to: id)["outcome"] == "value")
      #expect(!engine.closed.contains(session))
    }

    @Test func aSessionThatIsNotToBeKeptEndsWithItsConnection() throws {
      let session = try open(client, isKept: false)
      _ = try client.evaluate("work()", ["session": .integer(session)])
      _ = try engine.evaluation()
      client.socket.close()
      try engine.waitForClose(of: session)
    }
  }
}
