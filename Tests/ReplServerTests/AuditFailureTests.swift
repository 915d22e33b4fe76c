// An audit log that cannot be written: nothing is run that it would not tell of.

import Shared
import Testing

@testable import ReplServer

extension ProcessWideTests {
  @Suite struct AuditFailureTests {
    private let jobs = JobTable()
    private let trail: AuditTrail
    private let client: ToolClient
    private var engine: FakeEngine { trail.engine }
    private let failure = ToolClient.Failure(
      reason: "The audit log cannot be written, so nothing is run: others can write to it; chmod go-w it.",
      code: "not-permitted")

    init() throws {
      trail = try AuditTrail(jobs: jobs)
      client = try ToolClient(trail.running)
      try client.ask("DescribeServer")
    }

    @Test func noEvaluationBegins() throws {
      let session = try #require(try client.ask("OpenSession")["session"])
      trail.spoil()
      #expect(try client.failure("Evaluate", ["source": "x"]) == failure)
      #expect(try client.failure("Evaluate", ["source": "x", "session": session]) == failure)
      #expect(engine.callCount == 0)
      #expect(try client.ask("Sessions")["sessions"]?.arrayValue?.count == 1)
      trail.repair()
      let (id, _) = try client.evaluate("y", ["session": session])
      let call = try engine.evaluation()
      // The number was not used up.
      #expect(call.request.number == 1)
      call.answer(.ended(.value))
      #expect(try client.fieldsOfReply(to: id)["outcome"] == "value")
      #expect(try trail.own("evaluation").map { $0["source"] } == ["y"])
    }

    @Test func noJobBegins() throws {
      trail.spoil()
      #expect(try client.failure("StartJob", ["source": "x"]) == failure)
      #expect(engine.callCount == 0)
      #expect(jobs.runningCount == 0)
      #expect(try client.ask("Jobs")["jobs"] == [])
      trail.repair()
      let id = try client.send("StartJob", ["source": "y"])
      try engine.job().answer(nil)
      _ = try client.fieldsOfReply(to: id)
      #expect(try trail.own("job").map { $0["source"] } == ["y"])
    }

    @Test func noResultIsLookedAt() throws {
      let started = try client.send("StartJob", ["source": "x"])
      let call = try engine.job()
      call.answer(nil)
      _ = try client.fieldsOfReply(to: started)
      call.request.end(.done)
      jobs.finish(call.request)
      trail.spoil()
      #expect(try client.failure("AwaitJob", ["job": .integer(call.request.number)]) == failure)
      #expect(engine.callCount == 1)
      trail.repair()
      let id = try client.send("AwaitJob", ["job": .integer(call.request.number)])
      try engine.evaluation().answer(.ended(.value))
      #expect(try client.event(of: id).name == .started)
      #expect(try client.fieldsOfReply(to: id)["outcome"] == "value")
    }

    @Test func aPersonIsToldInOneLine() throws {
      let text = try trail.running.text()
      trail.spoil()
      try text.send("x\n")
      #expect(try text.read(to: RunningServer.prompt) == "replserve: \(failure.reason)\n\(RunningServer.prompt)")
      #expect(engine.callCount == 0)
      trail.repair()
      try text.send("y\n")
      let call = try engine.evaluation()
      #expect(call.request.source == .block("y", isFinal: false))
      #expect(call.request.number == 1)
    }

    /// What was typed of it is in the log; the rest of it is a block of its own.
    @Test func aBlockThatIsCutShortIsForgotten() throws {
      let text = try trail.running.text()
      try text.send("if x:\n")
      try engine.evaluation().answer(.ended(.incomplete))
      #expect(try text.read(to: "fake. ") == "fake. ")
      trail.spoil()
      try text.send("  y\n")
      _ = try text.read(to: RunningServer.prompt)
      trail.repair()
      try text.send("z\n")
      #expect(try engine.evaluation().request.source == .block("z", isFinal: false))
      #expect(try trail.own("evaluation").map { $0["continues"] } == [nil, nil])
    }

    @Test func whatRunsNothingGoesOn() throws {
      trail.spoil()
      let other = try ToolClient(trail.running)
      try other.ask("Sessions")
      try other.ask("Introduce", ["reason": "to look"])
      let session = try #require(try other.ask("OpenSession")["session"])
      try other.ask("CloseSession", ["session": session])
    }

    @Test func whatRunsCanBeInterruptedAndEnded() throws {
      let (id, session) = try client.evaluate("x")
      let call = try engine.evaluation()
      trail.spoil()
      let request = try client.send("Interrupt", ["session": .integer(session)])
      try engine.interrupt().answer(.interrupted)
      call.answer(.ended(.interrupted))
      #expect(try client.fieldsOfReply(to: request)["outcome"] == "interrupted")
      #expect(try client.fieldsOfReply(to: id)["outcome"] == "interrupted")
    }
  }
}
