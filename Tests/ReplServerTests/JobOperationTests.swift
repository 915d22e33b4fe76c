// The operations on jobs: start, list, output, result, and the ends.

import Shared
import Testing

@testable import ReplServer

extension ProcessWideTests {
  @Suite struct JobOperationTests {
    private let jobs = JobTable()
    private let running: RunningServer
    private let client: ToolClient
    private let place = SourcePlace(file: "f.py", line: 3, function: "g", text: "sleep(9)")
    private var engine: FakeEngine { running.engine }

    init() throws {
      running = try RunningServer(jobs: jobs)
      client = try ToolClient(running)
    }

    private func start(_ source: String = "work()") throws -> Job {
      let id = try client.send("StartJob", ["source": .string(source)])
      let call = try engine.job()
      call.answer(nil)
      #expect(try client.fieldsOfReply(to: id)["job"] == .integer(call.request.number))
      return call.request
    }

    private func write(_ text: String, _ stream: OutputStream = .standardOutput, to job: Job) {
      job.write(Array(text.utf8), to: stream)
    }

    /// Ends a job as the engine does.
    private func finish(_ job: Job, _ outcome: JobReport.State = .done) {
      job.end(outcome)
      jobs.finish(job)
    }

    private func frame(_ stream: OutputFrame.Stream, _ id: Int, _ text: String) -> OutputFrame {
      OutputFrame(stream, request: id, bytes: Array(text.utf8))
    }

    // MARK: Start and list

    @Test func aJobIsStartedAndListed() throws {
      let job = try start("work(1)")
      write("said", to: job)
      let rows = try client.ask("Jobs")["jobs"]?.arrayValue ?? []
      #expect(rows.count == 1)
      let report = try #require(rows.first?.objectValue.flatMap(JobReport.init))
      #expect(report.job == job.number)
      #expect(report.state == .running)
      #expect(report.source == "work(1)")
      #expect(try report.owner == "127.0.0.1:\(client.localPort())")
      #expect((report.output, report.dropped) == (4, 0))
      finish(job, .failed)
      let later = try client.ask("Jobs")["jobs"]?.arrayValue?.first?.objectValue
      #expect(later?["state"] == "failed")
    }

    @Test func aJobThatCannotStartHasFailed() throws {
      let number = try client.ask("StartJob", ["source": "x"])["job"]
      let call = try engine.job()
      #expect(number == .integer(call.request.number))
      call.answer(EngineUnavailable("no thread"))
      #expect(call.request.current == .failed)
      #expect(String(decoding: call.request.output, as: UTF8.self) == "no thread\n")
      #expect(jobs.runningCount == 0)
    }

    @Test func tooManyAreRefused() throws {
      let all = (0..<ServerLimits.runningJobs).map { _ in jobs.add(source: "s", owner: "o") }
      #expect(
        try client.failure("StartJob", ["source": "x"]) == .init(reason: "There are too many jobs.", code: "busy"))
      finish(all[0])
      _ = try start()
    }

    /// A list in a reply has a limit, which a client counts on when it reads a frame.
    @Test func theListFitsIntoAReply() throws {
      let source = String(repeating: "\u{1}", count: ServerLimits.shownSourceCharacters)
      let all = (0..<ServerLimits.runningJobs).map { _ in jobs.add(source: source, owner: source) }
      let rows = try client.ask("Jobs")["jobs"]?.arrayValue ?? []
      #expect(JSON.array(rows).serialized().count <= Limits.maximumReplyListLength + rows.count + 2)
      // It is the newest ones that are given, in their order.
      #expect(rows.last?.objectValue?["job"] == .integer(all.last?.number ?? 0))
      let numbers = rows.compactMap { $0.objectValue?["job"]?.integerValue }
      #expect(numbers.count > 100)
      #expect(numbers == numbers.sorted())
    }

    @Test func aJobThatIsNotListedIsNone() throws {
      for command in ["JobOutput", "AwaitJob", "KillJob"] {
        #expect(
          try client.failure(command, ["job": 7]) == .init(reason: "There is no job %7.", code: "no-job"))
      }
    }

    // MARK: Output

    @Test func theOutputSoFarIsSentAgainAndAgain() throws {
      let job = try start()
      write("a", to: job)
      write("b", .standardError, to: job)
      write("c", to: job)
      for _ in 0..<2 {
        let id = try client.send("JobOutput", ["job": .integer(job.number)])
        #expect(
          try client.output(of: id, count: 3)
            == [frame(.standardOutput, id, "a"), frame(.standardError, id, "b"), frame(.standardOutput, id, "c")])
        #expect(
          try client.reply(to: id) == .ok(["id": .integer(id), "state": "running", "dropped": 0]))
      }
    }

    @Test func itsCreditIsExact() throws {
      let job = try start()
      write("abcde", to: job)
      finish(job)
      let id = try client.send("JobOutput", ["job": .integer(job.number), "credit": 2])
      #expect(try client.output(of: id, count: 2) == [frame(.standardOutput, id, "ab")])
      #expect(try client.hasSilence(about: id))
      try client.grant(id, 3)
      #expect(try client.output(of: id, count: 3) == [frame(.standardOutput, id, "cde")])
      #expect(try client.fieldsOfReply(to: id)["state"] == "done")
    }

    @Test func aFollowerGetsWhatIsPrintedUntilTheEnd() throws {
      let job = try start()
      write("a", to: job)
      let id = try client.send("JobOutput", ["job": .integer(job.number), "follow": true])
      #expect(try client.output(of: id, count: 1) == [frame(.standardOutput, id, "a")])
      #expect(try client.hasSilence(about: id))
      write("b", .standardError, to: job)
      #expect(try client.output(of: id, count: 1) == [frame(.standardError, id, "b")])
      write("c", to: job)
      finish(job, .interrupted)
      #expect(try client.output(of: id, count: 1) == [frame(.standardOutput, id, "c")])
      #expect(
        try client.reply(to: id) == .ok(["id": .integer(id), "state": "interrupted", "dropped": 0]))
    }

    @Test func followingWhatHasEndedIsAnsweredAtOnce() throws {
      let job = try start()
      write("a", to: job)
      finish(job)
      let id = try client.send("JobOutput", ["job": .integer(job.number), "follow": true])
      #expect(try client.output(of: id, count: 1) == [frame(.standardOutput, id, "a")])
      #expect(try client.fieldsOfReply(to: id)["state"] == "done")
    }

    @Test func aSlowFollowerMissesWhatIsDroppedAndHoldsUpNobody() throws {
      let job = try start()
      let id = try client.send("JobOutput", ["job": .integer(job.number), "follow": true, "credit": 1])
      write("ab", to: job)
      #expect(try client.output(of: id, count: 1) == [frame(.standardOutput, id, "a")])
      let rest = String(repeating: "r", count: ServerLimits.jobOutputBytes)
      write(rest, .standardError, to: job)
      finish(job)
      #expect(try client.hasSilence(about: id))
      try client.grant(id, .max)
      #expect(try client.output(of: id, count: rest.utf8.count) == [frame(.standardError, id, rest)])
      #expect(try client.fieldsOfReply(to: id)["dropped"] == 1)
    }

    @Test func whatWasDroppedBeforeIsCounted() throws {
      let job = try start()
      write(String(repeating: "x", count: ServerLimits.jobOutputBytes + 10), to: job)
      let id = try client.send("JobOutput", ["job": .integer(job.number), "credit": .integer(.max)])
      _ = try client.output(of: id, count: ServerLimits.jobOutputBytes)
      #expect(try client.fieldsOfReply(to: id)["dropped"] == 10)
    }

    @Test func nothingIsKeptOfAnAbandonedOne() throws {
      let job = try start()
      write("abc", to: job)
      #expect(job.abandon())
      let id = try client.send("JobOutput", ["job": .integer(job.number), "follow": true])
      #expect(
        try client.reply(to: id) == .ok(["id": .integer(id), "state": "abandoned", "dropped": 3]))
    }

    @Test func anAbandonedOneEndsItsFollowers() throws {
      let job = try start()
      let id = try client.send("JobOutput", ["job": .integer(job.number), "follow": true])
      write("abc", to: job)
      #expect(try client.output(of: id, count: 3) == [frame(.standardOutput, id, "abc")])
      #expect(job.abandon())
      #expect(try client.reply(to: id) == .ok(["id": .integer(id), "state": "abandoned", "dropped": 0]))
    }

    // MARK: Result

    @Test(arguments: [false, true]) func theResultIsEvaluatedWhenTheJobHasEnded(_ isEndedBefore: Bool) throws {
      let job = try start()
      if isEndedBefore { finish(job) }
      let id = try client.send("AwaitJob", ["job": .integer(job.number)])
      if !isEndedBefore {
        #expect(try client.hasSilence(about: id))
        #expect(engine.callCount == 1)
        finish(job)
      }
      #expect(try client.event(of: id).name == .started)
      let call = try engine.evaluation()
      #expect(call.request.source == .result(ofJob: job.number))
      #expect(call.request.presentation == .structured)
      #expect(call.request.streams.write(Array("42".utf8), to: .value) == 2)
      call.answer(.success(EvaluationReport(.value, duration: 1e6, type: "int")))
      #expect(try client.output(of: id, count: 2) == [frame(.value, id, "42")])
      let fields = try client.fieldsOfReply(to: id)
      #expect(fields["outcome"] == "value")
      #expect(fields["type"] == "int")
      // It is the job's duration, not that of looking at its result.
      #expect(fields["duration"]?.numberValue == job.report.duration)
      try engine.waitForClose(of: call.request.session)
      #expect(try client.ask("Sessions")["sessions"] == [])
    }

    @Test func anInterruptedOneSaysSo() throws {
      let job = try start()
      finish(job, .interrupted)
      let id = try client.send("AwaitJob", ["job": .integer(job.number)])
      try engine.evaluation().answer(
        .success(
          EvaluationReport(
            .exception, exception: ExceptionReport(type: "KeyboardInterrupt", message: "", traceback: "", frames: []))))
      #expect(try client.event(of: id).name == .started)
      let fields = try client.fieldsOfReply(to: id)
      #expect(fields["outcome"] == "interrupted")
      #expect(fields["exception"]?.objectValue?["type"] == "KeyboardInterrupt")
    }

    @Test func anAbandonedOneHasNoResult() throws {
      let job = try start()
      let id = try client.send("AwaitJob", ["job": .integer(job.number)])
      #expect(job.abandon())
      #expect(try client.fieldsOfReply(to: id)["outcome"] == "abandoned")
      #expect(engine.callCount == 1)
    }

    @Test func severalMayWait() throws {
      let job = try start()
      let other = try ToolClient(running)
      let first = try client.send("AwaitJob", ["job": .integer(job.number)])
      let second = try other.send("AwaitJob", ["job": .integer(job.number)])
      try client.sendExactly("AwaitJob", ["job": .integer(job.number), "id": .integer(first)])
      #expect(
        try client.failure(of: first).reason == "Another request with the 'id' \(first) is not answered yet.")
      #expect(try other.hasSilence(about: second))
      finish(job)
      for _ in 0..<2 { try engine.evaluation().answer(.ended(.value)) }
      #expect(try client.event(of: first).name == .started)
      #expect(try client.fieldsOfReply(to: first)["outcome"] == "value")
      #expect(try other.event(of: second).name == .started)
      #expect(try other.fieldsOfReply(to: second)["outcome"] == "value")
    }

    @Test func aWaitNeedsAnID() throws {
      let job = try start()
      for command in ["AwaitJob", "JobOutput"] {
        try client.sendExactly(command, ["job": .integer(job.number)])
        #expect(
          try client.next() == .reply(.failed(reason: "\(command) needs an 'id' that is an integer from 0 on.")))
      }
    }

    // MARK: Interrupt and kill

    @Test func anInterruptedJobEnds() throws {
      let job = try start()
      let id = try client.send("Interrupt", ["job": .integer(job.number)])
      let interrupt = try engine.interrupt()
      #expect(interrupt.request == .job(job.number))
      interrupt.answer(.interrupted)
      finish(job, .interrupted)
      #expect(try client.fieldsOfReply(to: id)["outcome"] == "interrupted")
      #expect(try client.ask("Interrupt", ["job": .integer(job.number)])["outcome"] == "idle")
    }

    @Test func aJobThatGoesOnIsBlocked() throws {
      let job = try start()
      let id = try client.send("Interrupt", ["job": .integer(job.number)])
      try engine.interrupt().answer(.interrupted)
      let location = try engine.location()
      #expect(location.request == .job(job.number))
      location.answer(place)
      let fields = try client.fieldsOfReply(to: id)
      #expect(fields["outcome"] == "blocked")
      #expect(fields["where"]?.objectValue.flatMap(SourcePlace.init) == place)
      #expect(job.current == .running)
    }

    @Test func aKilledJobIsInterruptedFirst() throws {
      let job = try start()
      let id = try client.send("KillJob", ["job": .integer(job.number)])
      try engine.interrupt().answer(.interrupted)
      finish(job, .interrupted)
      #expect(try client.reply(to: id) == .ok(["id": .integer(id), "state": "interrupted"]))
    }

    @Test func whatDoesNotEndIsAbandonedAndListedUntilItDoes() throws {
      let job = try start()
      let id = try client.send("KillJob", ["job": .integer(job.number)])
      try engine.interrupt().answer(.interrupted)
      try engine.location().answer(place)
      #expect(
        try client.reply(to: id)
          == .ok(["id": .integer(id), "state": "abandoned", "where": .object(place.fields())]))
      let row = try client.ask("Jobs")["jobs"]?.arrayValue?.first?.objectValue
      #expect(row?["state"] == "abandoned")
      // A second kill finds nothing to do, and what it comes to in the end changes nothing.
      let again = try client.send("KillJob", ["job": .integer(job.number)])
      #expect(try client.fieldsOfReply(to: again)["state"] == "abandoned")
      finish(job)
      #expect(try client.ask("Jobs")["jobs"]?.arrayValue?.first?.objectValue?["state"] == "abandoned")
    }

    @Test func aKillDoesNotNeedTheEngine() throws {
      let job = try start()
      let start = ContinuousClock.now
      let id = try client.send("KillJob", ["job": .integer(job.number)])
      #expect(try client.reply(to: id) == .ok(["id": .integer(id), "state": "abandoned"]))
      #expect(ContinuousClock.now - start >= .milliseconds(ServerLimits.interruptReplyMilliseconds))
    }

    @Test func whatHasEndedCannotBeKilled() throws {
      let job = try start()
      finish(job, .failed)
      let id = try client.send("KillJob", ["job": .integer(job.number)])
      #expect(try client.fieldsOfReply(to: id)["state"] == "failed")
    }

    // MARK: The connection's end

    @Test func aJobOutlivesWhoeverStartedIt() throws {
      let job = try start()
      try client.send("JobOutput", ["job": .integer(job.number), "follow": true])
      try client.send("AwaitJob", ["job": .integer(job.number)])
      let session = try #require(try client.ask("OpenSession")["session"]?.integerValue)
      client.socket.reset()
      try engine.waitForClose(of: session)
      write("unheard", to: job)
      finish(job)
      let other = try ToolClient(running)
      let id = try other.send("JobOutput", ["job": .integer(job.number)])
      #expect(try other.output(of: id, count: 7) == [frame(.standardOutput, id, "unheard")])
      // Nobody asks for the result on behalf of the one that is gone.
      #expect(engine.callCount == 1)
    }
  }
}
