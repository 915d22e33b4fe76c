// The records of the audit log: who did what, event by event.

import CProcessHooks
import Glibc
import Shared
import Testing

@testable import ReplServer

extension ProcessWideTests {
  @Suite struct AuditRecordTests {
    private let jobs = JobTable()
    private let trail: AuditTrail
    private var engine: FakeEngine { trail.engine }

    init() throws { trail = try AuditTrail(jobs: jobs) }

    /// The records, each as the name of its event and what changed.
    private func story(_ records: [JSON.Object]) -> [String] {
      records.map { record in
        [record["event"], record["change"]].compactMap { $0?.stringValue }.joined(separator: " ")
      }
    }

    private func startJob(_ client: ToolClient, _ source: String = "work()") throws -> Job {
      let id = try client.send("StartJob", ["source": .string(source)])
      let call = try engine.job()
      call.answer(nil)
      _ = try client.fieldsOfReply(to: id)
      return call.request
    }

    private func finish(_ job: Job, _ outcome: JobReport.State = .done) {
      job.end(outcome)
      jobs.finish(job)
    }

    @Test func whatAConnectionMayNotAskForIsWrittenDown() throws {
      let client = try ToolClient(trail.running)
      try client.ask("Introduce", ["permit": ["ping"]])
      #expect(try client.failure("Evaluate", ["source": "secret"]).code == "not-permitted")
      client.socket.close()
      let denied = try trail.allRecords().filter { $0["event"] == "deny" }
      #expect(denied.map { AuditTrail.own($0) } == [["operation": "Evaluate", "code": "not-permitted"]])
    }

    // MARK: Every record

    @Test func theStoryOfATool() throws {
      let client = try ToolClient(trail.running)
      let port = try client.localPort()
      let (id, session) = try client.evaluate("1 + 1")
      try engine.evaluation().answer(.ended(.value))
      _ = try client.fieldsOfReply(to: id)
      client.socket.close()
      let records = try trail.allRecords()
      #expect(
        story(records) == [
          "start", "connect", "session opened", "evaluation", "result", "session ended", "disconnect", "stop",
        ])
      for record in records {
        #expect(record["pid"] == .integer(Int(getpid())))
        #expect(record["server"] == "unit")
      }
      let times = records.compactMap { $0["time"]?.stringValue }
      #expect(times == times.sorted())
      #expect(times.count == records.count)
      #expect((times.last ?? "") <= Timestamp.now.text)
      var peer: JSON.Object = [
        "door": "control", "uid": .integer(Int(geteuid())),
      ]
      var names = UserNames(known: [0: "zero"])
      peer["user"] = names.name(of: geteuid()).map { .string($0) }
      peer["pid"] = .integer(Int(getpid()))
      peer["program"] = .string(ProcessTable.name(of: getpid()))
      peer["address"] = .string("127.0.0.1:\(port)")
      for record in records.dropFirst().dropLast() {
        #expect(record["connection"] == 1)
        #expect(record["peer"]?.objectValue == peer)
      }
      for record in [records.first, records.last] {
        #expect(record?["peer"] == nil)
        #expect(record?["connection"] == nil)
      }
      let address = trail.running.server.address
      #expect(AuditTrail.own(records[0]) == ["endpoints": .array(address.endpoints.map { .string($0) })])
      #expect(AuditTrail.own(records[1]) == [:])
      #expect(AuditTrail.own(records[2]) == ["session": .integer(session), "change": "opened"])
      #expect(
        AuditTrail.own(records[3]) == ["session": .integer(session), "evaluation": 1, "source": "1 + 1"])
      #expect(records[4]["status"] == "value")
      #expect(records[4]["session"] == .integer(session))
      #expect(records[4]["evaluation"] == 1)
      #expect((0..<60).contains(records[4]["duration"]?.numberValue ?? -1))
      #expect(AuditTrail.own(records[5]) == ["session": .integer(session), "change": "ended"])
    }

    @Test func theStoryOfAPerson() throws {
      let client = try trail.running.text()
      try client.send("quit()\n")
      try engine.evaluation().answer(.ended(.ended))
      #expect(try client.readToEnd() == "Bye.\n")
      let records = try trail.allRecords()
      #expect(
        story(records) == [
          "start", "connect", "session opened", "evaluation", "result", "session ended", "disconnect", "stop",
        ])
      #expect(records[1]["peer"]?.objectValue?["door"] == "text")
      #expect(records[4]["status"] == "ended")
    }

    @Test func aPeerOfTheUnixSocketIsAProcess() throws {
      let runtime = try PrivateRuntimeDirectory()
      let trail = try AuditTrail(hasUnixSocket: true)
      let client = try ToolClient(unixSocket: try #require(trail.running.server.address.unixSocket))
      try client.ask("DescribeServer")
      let peer = try trail.allRecords()[1]["peer"]?.objectValue
      #expect(peer?["door"] == "unix")
      #expect(peer?["uid"] == .integer(Int(getuid())))
      #expect(peer?["pid"] == .integer(Int(getpid())))
      #expect(peer?["program"] == .string(ProcessTable.name(of: getpid())))
      #expect(peer?["address"] == nil)
      withExtendedLifetime(runtime) {}
    }

    @Test func connectionsAreNumbered() throws {
      let clients = try (0..<3).map { _ in try ToolClient(trail.running) }
      for client in clients { try client.ask("DescribeServer") }
      #expect(try trail.records.compactMap { $0["connection"] } == [1, 2, 3])
    }

    @Test func whatSpeaksAnotherProtocolIsRefused() throws {
      let client = try ToolClient(trail.running)
      try client.socket.send("GET / HTTP/1.1\r\n\r\n")
      #expect(try client.isAtEnd())
      let page = try trail.running.text()
      try page.send("POST / HTTP/1.1\r\n\r\nprint()\n")
      #expect(try page.readToEnd() == "")
      let records = try trail.allRecords().filter { $0["event"] == "refuse" }
      #expect(records.map(AuditTrail.own) == [["why": "foreign"], ["why": "foreign"]])
      #expect(records.map { $0["connection"] } == [1, 2])
    }

    // MARK: Evaluations

    @Test func aBlockIsWrittenDownOnce() throws {
      let client = try trail.running.text()
      let lines = ["for x in y:"] + (1..<1000).map { "    use(x, \($0))" }
      for (number, line) in lines.enumerated() {
        try client.send(line + "\n")
        let call = try engine.evaluation()
        #expect(call.request.number == number + 1)
        call.answer(.ended(.incomplete))
        #expect(try client.read(to: "fake. ") == "fake. ")
      }
      try client.send("\n")
      try engine.evaluation().answer(.ended(.value))
      #expect(try client.read(to: RunningServer.prompt) == RunningServer.prompt)
      try client.send("next\n")
      try engine.evaluation().answer(.ended(.value))
      #expect(try client.read(to: RunningServer.prompt) == RunningServer.prompt)
      let records = try trail.own("evaluation")
      #expect(records.count == lines.count + 2)
      #expect(records.compactMap { $0["source"]?.stringValue } == lines + ["", "next"])
      #expect(records.map { $0["continues"]?.integerValue } == [nil] + (1...lines.count).map { $0 } + [nil])
      #expect(records.map { $0["evaluation"]?.integerValue } == (1...lines.count + 2).map { $0 })
    }

    @Test func whatEndsWithTheInputGoesOnWithIt() throws {
      let client = try trail.running.text()
      try client.send("if x:\n  y")
      try engine.evaluation().answer(.ended(.incomplete))
      client.halfClose()
      for outcome: EvaluationReport.Outcome in [.incomplete, .exception] {
        try engine.evaluation().answer(.ended(outcome))
      }
      _ = try client.readToEnd()
      #expect(
        try trail.own("evaluation").map { $0["source"] } == ["if x:", "  y", ""])
      #expect(try trail.own("evaluation").map { $0["continues"] } == [nil, 1, 2])
    }

    @Test func whatCannotBeRunHasFailed() throws {
      let client = try ToolClient(trail.running)
      let (id, session) = try client.evaluate("x")
      try engine.evaluation().answer(.failure(EngineUnavailable("no thread")))
      #expect(try client.failure(of: id).reason == "no thread")
      var record = try #require(trail.own("result").first)
      record["duration"] = nil
      #expect(
        record == ["session": .integer(session), "evaluation": 1, "status": "failed", "reason": "no thread"])
    }

    @Test func whatIsLeftIsSaidToBe() throws {
      let client = try ToolClient(trail.running)
      _ = try client.evaluate("x")
      _ = try engine.evaluation()
      let records = try trail.allRecords()
      #expect(story(records).suffix(4) == ["result", "session ended", "disconnect", "stop"])
      #expect(records.first { $0["event"] == "result" }?["status"] == "left")
    }

    /// It is whoever asked who has the result, not whoever the session belongs to.
    @Test func aResultIsOfWhoeverAsked() throws {
      let owner = try ToolClient(trail.running)
      let session = try #require(try owner.ask("OpenSession")["session"])
      let other = try ToolClient(trail.running)
      let (id, _) = try other.evaluate("x", ["session": session])
      try engine.evaluation().answer(.ended(.value))
      _ = try other.fieldsOfReply(to: id)
      let records = try trail.records
      #expect(records.filter { $0["event"] == "evaluation" }.map { $0["connection"] } == [2])
      #expect(records.filter { $0["event"] == "result" }.map { $0["connection"] } == [2])
    }

    // MARK: Sessions

    @Test func asSessionsChangeHands() throws {
      let first = try ToolClient(trail.running)
      let session = try #require(try first.ask("OpenSession", ["detach": true])["session"])
      first.socket.close()
      let second = try ToolClient(trail.running)
      while try trail.own("disconnect").isEmpty { try second.ask("DescribeServer") }
      try second.ask("Attach", ["session": session])
      let third = try ToolClient(trail.running)
      try third.ask("Disconnect", ["session": session])
      try third.ask("DescribeServer")
      let records = try trail.records.filter { $0["event"] == "session" }
      #expect(story(records) == ["session opened", "session attached", "session disconnected", "session ended"])
      #expect(records.map { $0["connection"] } == [1, 2, 3, 2])
      #expect(records.allSatisfy { $0["session"] == session })
    }

    // MARK: Interrupts

    @Test func anInterruptIsWrittenDownWithItsOutcome() throws {
      let client = try ToolClient(trail.running)
      let (id, session) = try client.evaluate("x")
      let call = try engine.evaluation()
      let other = try ToolClient(trail.running)
      let request = try other.send("Interrupt", ["session": .integer(session)])
      try engine.interrupt().answer(.interrupted)
      call.answer(.ended(.interrupted))
      #expect(try other.fieldsOfReply(to: request)["outcome"] == "interrupted")
      _ = try client.fieldsOfReply(to: id)
      let record = try #require(try trail.records.first { $0["event"] == "interrupt" })
      #expect(record["connection"] == 2)
      #expect(
        AuditTrail.own(record) == ["session": .integer(session), "evaluation": 1, "outcome": "interrupted"])
    }

    @Test func anInterruptOfTheAncestorIsWrittenDown() throws {
      let text = try trail.running.text()
      let client = try trail.running.control()
      #expect(try client.ask("PairWithSession", ["id": 1]) == .ok(["id": 1]))
      #expect(try client.ask("KeyboardInterrupt") == .ok(["outcome": "idle"]))
      let record = try #require(try trail.records.first { $0["event"] == "interrupt" })
      #expect(AuditTrail.own(record) == ["session": 1, "outcome": "idle"])
      #expect(record["connection"] == 2)
      withExtendedLifetime(text) {}
    }

    // MARK: Jobs

    @Test func theStoryOfAJob() throws {
      let client = try ToolClient(trail.running)
      let job = try startJob(client)
      let interrupt = try client.send("Interrupt", ["job": .integer(job.number)])
      try engine.interrupt().answer(.interrupted)
      finish(job, .interrupted)
      #expect(try client.fieldsOfReply(to: interrupt)["outcome"] == "interrupted")
      client.socket.close()
      let records = try trail.allRecords().filter { $0["event"] == "job" }
      #expect(records.allSatisfy { $0["job"] == .integer(job.number) })
      #expect(Set(story(records)) == ["job started", "job interrupted", "job ended"])
      let started = try #require(records.first)
      #expect(AuditTrail.own(started) == ["job": .integer(job.number), "change": "started", "source": "work()"])
      #expect(started["connection"] == 1)
      let interrupted = try #require(records.first { $0["change"] == "interrupted" })
      #expect(interrupted["outcome"] == "interrupted")
      #expect(interrupted["connection"] == 1)
      let ended = try #require(records.first { $0["change"] == "ended" })
      #expect(ended["state"] == "interrupted")
      #expect((ended["duration"]?.numberValue ?? -1) >= 0)
      #expect(ended["connection"] == nil)
    }

    @Test func aJobOfTheProgramIsItsOwn() throws {
      let job = jobs.add(source: "f", owner: "session 1")
      finish(job, .failed)
      let records = try trail.allRecords().filter { $0["event"] == "job" }
      #expect(story(records) == ["job started", "job ended"])
      #expect(
        records.first.map(AuditTrail.own)
          == ["job": .integer(job.number), "change": "started", "owner": "session 1", "source": "f"])
      #expect(records.first?["peer"] == nil)
      #expect(records.last?["state"] == "failed")
    }

    @Test func anEvaluationThatBecomesAJobSaysSo() throws {
      let client = try ToolClient(trail.running)
      let session = try #require(try client.ask("OpenSession")["session"])
      let (id, _) = try client.evaluate("x", ["session": session])
      _ = try engine.evaluation()
      let job = try client.ask("Background", ["session": session])["job"]
      #expect(try client.fieldsOfReply(to: id)["outcome"] == "backgrounded")
      #expect(
        try trail.own("job") == [
          ["job": job ?? .null, "change": "backgrounded", "session": session, "evaluation": 1]
        ])
      try client.ask("DescribeServer")
      #expect(try trail.own("result").map { $0["status"] } == ["backgrounded"])
    }

    @Test func aJobThatIsKilledIsAbandoned() throws {
      let client = try ToolClient(trail.running)
      let job = try startJob(client)
      let id = try client.send("KillJob", ["job": .integer(job.number)])
      try engine.interrupt().answer(.interrupted)
      try engine.location().answer(nil)
      #expect(try client.fieldsOfReply(to: id)["state"] == "abandoned")
      #expect(try trail.own("job").last == ["job": .integer(job.number), "change": "killed", "state": "abandoned"])
    }

    /// What was done is not undone by going away.
    @Test(arguments: ["KillJob", "Interrupt"]) func whoeverGoesIsNamedAllTheSame(_ command: String) throws {
      let client = try ToolClient(trail.running)
      let job = try startJob(client)
      try client.send(command, ["job": .integer(job.number)])
      let interrupt = try engine.interrupt()
      client.socket.close()
      let other = try ToolClient(trail.running)
      while try trail.own("disconnect").isEmpty { try other.ask("DescribeServer") }
      interrupt.answer(.interrupted)
      finish(job, .interrupted)
      // The ladder is told on the loop, as this is asked there.
      try other.ask("DescribeServer")
      let record = try trail.allRecords().first {
        $0["change"] == (command == "KillJob" ? "killed" : "interrupted")
      }
      #expect(record?["connection"] == 1)
      #expect(record?["job"] == .integer(job.number))
    }

    @Test func theResultOfAJobIsAnEvaluation() throws {
      let client = try ToolClient(trail.running)
      let job = try startJob(client)
      finish(job)
      let id = try client.send("AwaitJob", ["job": .integer(job.number)])
      try engine.evaluation().answer(.ended(.value))
      #expect(try client.event(of: id).name == .started)
      _ = try client.fieldsOfReply(to: id)
      #expect(try trail.own("evaluation").map { $0["source"] } == [.string("%\(job.number)")])
    }

    // MARK: The process

    @Test func listeningAndHaltingAreWrittenDown() throws {
      let client = try ToolClient(trail.running)
      try client.send("Tee")
      try engine.waitForListening([true])
      for when in ["idle", "cancel", "now"] { try client.ask("Halt", ["when": .string(when)]) }
      #expect(try trail.own("tee") == [[:]])
      #expect(try trail.own("halt") == [["when": "idle"], ["when": "cancel"], ["when": "now"]])
    }

    @Test func aHaltThatDoesNotExistIsNone() throws {
      let client = try ToolClient(trail.running)
      _ = try client.failure("Halt", ["when": "never"])
      #expect(try trail.own("halt") == [])
    }

    // MARK: Servers

    @Test func aServerThatCannotListenGivesTheFileBack() throws {
      let directory = try ScratchDirectory()
      let before = process_hooks_descriptor_count()
      let port = trail.running.server.address.textPort
      #expect(throws: ServerError.self) {
        _ = try RunningServer(textPort: port, audit: ServerConfiguration.Audit(path: directory["log"]))
      }
      #expect(process_hooks_descriptor_count() == before)
      #expect(directory.text(of: "log") == "")
    }

    @Test func aFileThatIsNoLogStopsTheStart() throws {
      let directory = try ScratchDirectory()
      try directory.write("", to: "log", mode: 0o666)
      let before = process_hooks_descriptor_count()
      let error = #expect(throws: ServerError.self) {
        _ = try RunningServer(audit: ServerConfiguration.Audit(path: directory["log"]))
      }
      #expect(error?.code == .notPermitted)
      #expect(process_hooks_descriptor_count() == before)
    }

    @Test func aServerWithoutALogHasNoDescriptorForIt() throws {
      let before = process_hooks_descriptor_count()
      let plain = try RunningServer()
      let without = process_hooks_descriptor_count() - before
      let audited = try AuditTrail()
      #expect(process_hooks_descriptor_count() - before == 2 * without + 1)
      withExtendedLifetime((plain, audited)) {}
    }
  }
}
