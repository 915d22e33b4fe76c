// The operations that ask: Complete, Document and Threads, and DescribeServer for a client of ours.

import CProcessHooks
import Shared
import Testing

@testable import ReplServer

extension ProcessWideTests {
  @Suite struct InquiryTests {
    private let running: RunningServer
    private let client: ToolClient
    private var engine: FakeEngine { running.engine }

    init() throws {
      running = try RunningServer()
      client = try ToolClient(running)
    }

    // MARK: Complete

    private func complete(_ fields: JSON.Object, _ answer: Completions?) throws -> (FakeEngine.Inquiry, Int) {
      let id = try client.send("Complete", fields)
      let call = try engine.inquiry()
      call.answer(answer)
      return (call.request, id)
    }

    @Test func completionsComeAtOnce() throws {
      let candidates = [Candidate("abs", kind: "function", doc: "Absolute."), Candidate("all", kind: "function")]
      let (asked, id) = try complete(
        ["line": "x = a", "cursor": 5, "docs": true], Completions(candidates: candidates, start: 4, isTruncated: false))
      #expect(asked == FakeEngine.Inquiry(source: "x = a", cursor: 5, withDocs: true))
      #expect(
        try client.reply(to: id)
          == .ok([
            "id": .integer(id), "candidates": .array(candidates.map { .object($0.fields()) }), "start": 4,
            "truncated": false,
          ]))
    }

    @Test func theCursorAndTheDocsMayBeLeftOut() throws {
      let (asked, _) = try complete(["line": ""], Completions(candidates: [], start: 0, isTruncated: true))
      #expect(asked == FakeEngine.Inquiry(source: "", cursor: nil, withDocs: false))
    }

    @Test func thereAreOnlySoManyCandidates() throws {
      let many = (0...Limits.maximumCandidateCount).map { Candidate("c\($0)", kind: "k") }
      let (_, id) = try complete(["line": "c"], Completions(candidates: many, start: 0, isTruncated: false))
      let fields = try client.fieldsOfReply(to: id)
      #expect(fields["candidates"]?.arrayValue?.count == Limits.maximumCandidateCount)
      #expect(fields["truncated"] == true)
    }

    @Test func aCandidateOverTheLimitIsLeftOut() throws {
      let longest = Candidate(String(repeating: "a", count: Limits.maximumCandidateLength), kind: "k")
      let longer = Candidate(longest.text + "a", kind: "k")
      let (_, id) = try complete(
        ["line": "a"], Completions(candidates: [longer, longest], start: 0, isTruncated: false))
      let fields = try client.fieldsOfReply(to: id)
      #expect(fields["candidates"] == [.object(longest.fields())])
      #expect(fields["truncated"] == true)
    }

    @Test func theListFitsIntoAReply() throws {
      let doc = String(repeating: "\u{1}", count: 4000)
      let many = (0..<1000).map { Candidate("c\($0)", kind: "k", doc: doc) }
      let (_, id) = try complete(["line": "c"], Completions(candidates: many, start: 0, isTruncated: false))
      let fields = try client.fieldsOfReply(to: id)
      let rows = fields["candidates"]?.arrayValue ?? []
      #expect(!rows.isEmpty)
      #expect(JSON.array(rows).serialized().count <= Limits.maximumReplyListLength + rows.count + 2)
      #expect(fields["truncated"] == true)
    }

    @Test func anEngineMayBeAskedTooMuch() throws {
      let (_, id) = try complete(["line": "c"], nil)
      #expect(
        try client.failure(of: id) == .init(reason: "Too many completions are waited for.", code: "busy"))
    }

    @Test func aCompletionThatDoesNotComeFailsInTime() throws {
      let start = ContinuousClock.now
      let id = try client.send("Complete", ["line": "a"])
      let call = try engine.inquiry()
      #expect(
        try client.failure(of: id)
          == .init(reason: "The interpreter is busy; no completions in time.", code: "timeout"))
      #expect(ContinuousClock.now - start >= .milliseconds(ServerLimits.engineReplyMilliseconds))
      call.answer(nil)
      #expect(try client.hasSilence(about: id))
    }

    @Test func aCursorIsACount() throws {
      let failure = try client.failure("Complete", ["line": "a", "cursor": -1])
      #expect(failure.reason == "The Complete parameter 'cursor' is not of type count.")
      #expect(engine.callCount == 0)
    }

    // MARK: Document

    @Test func whatIsKnownIsPassedOn() throws {
      let id = try client.send("Document", ["name": "os.path", "source": true])
      let call = try engine.document()
      #expect(call.request == "os.path")
      call.answer(.success(["kind": "module", "type": "module", "truncated": false]))
      #expect(
        try client.reply(to: id)
          == .ok(["id": .integer(id), "kind": "module", "type": "module", "truncated": false]))
    }

    @Test func whatIsNotKnownIsARefusal() throws {
      for (isTimeout, code) in [(false, nil), (true, "timeout")] {
        let id = try client.send("Document", ["name": "nope"])
        try engine.document().answer(.failure(EngineUnavailable("no such name", isTimeout: isTimeout)))
        #expect(try client.failure(of: id) == .init(reason: "no such name", code: code))
      }
    }

    @Test func aNameOverTheLimitIsNotLookedFor() throws {
      let name = JSON.string(String(repeating: "a", count: Limits.maximumCompletionTextLength + 1))
      let failure = try client.failure("Document", ["name": name])
      #expect(failure.reason == "The Document parameter 'name' is too long.")
      #expect(engine.callCount == 0)
    }

    // MARK: Threads

    private func rows(_ fields: JSON.Object) -> [Int: ThreadReport] {
      var rows: [Int: ThreadReport] = [:]
      for row in fields["threads"]?.arrayValue ?? [] {
        guard let report = row.objectValue.flatMap(ThreadReport.init) else { continue }
        rows[report.thread] = report
      }
      return rows
    }

    @Test func theEnginesStacksAreInTheList() throws {
      let thread = Int(process_hooks_thread_id())
      let place = SourcePlace(file: "f", line: 1, function: "g")
      engine.tell(ownThreads: [thread: "session 3"], waitingSince: .now)
      let id = try client.send("Threads")
      try engine.stacks().answer([ThreadStack(thread: thread, name: "MainThread", frames: [place])])
      let fields = try client.fieldsOfReply(to: id)
      #expect(fields["held"] == false)
      #expect(fields["waiting"] == nil)
      let row = try #require(rows(fields)[thread])
      #expect(row.name == "MainThread")
      #expect(row.role == "session 3")
      #expect(row.frames == [place])
      #expect(rows(fields).values.contains { $0.role == "server" })
    }

    @Test func withoutTheEngineTheListSaysForHowLong() throws {
      let start = ContinuousClock.now
      engine.tell(ownThreads: [:], waitingSince: start)
      let id = try client.send("Threads")
      let call = try engine.stacks()
      let fields = try client.fieldsOfReply(to: id)
      #expect(ContinuousClock.now - start >= .milliseconds(ServerLimits.locateMilliseconds))
      #expect(fields["held"] == true)
      #expect((fields["waiting"]?.numberValue ?? 0) >= Double(ServerLimits.locateMilliseconds) / 1000)
      let found = rows(fields)
      #expect(found[Int(process_hooks_thread_id())] != nil)
      #expect(found.values.allSatisfy { $0.frames == nil })
      call.answer([])
      #expect(try client.hasSilence(about: id))
    }

    @Test func theListOfThreadsFitsIntoAReply() throws {
      let id = try client.send("Threads")
      let place = SourcePlace(file: String(repeating: "\u{1}", count: 4096), line: 1, function: "g")
      let stack = ThreadStack(
        thread: Int(process_hooks_thread_id()), name: "deep", frames: Array(repeating: place, count: 100))
      try engine.stacks().answer([stack])
      let rows = try client.fieldsOfReply(to: id)["threads"]?.arrayValue ?? []
      #expect(JSON.array(rows).serialized().count <= Limits.maximumReplyListLength + rows.count + 2)
    }

    // MARK: DescribeServer

    @Test func aClientOfOursIsToldAll() throws {
      let fields = try client.ask("DescribeServer", ["protocol": 1])
      let server = try #require(fields["server"]?.objectValue)
      #expect(server["name"] == "repltools")
      #expect(server["protocol"] == .integer(Limits.protocolVersion))
      #expect((server["uptime"]?.numberValue ?? -1) >= 0)
      let address = running.server.address
      #expect(server["endpoints"] == [.string("127.0.0.1:\(address.textPort):\(address.controlPort)")])
      #expect(server["limits"]?.objectValue?["sessions"] == .integer(ServerLimits.sessions))
      let short = try client.ask("DescribeServer")["server"]?.objectValue
      #expect(short?["limits"] == nil)
    }
  }
}
