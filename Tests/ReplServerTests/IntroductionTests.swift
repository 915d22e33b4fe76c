// The operation Introduce: what a connection says of itself, and what it may do then.

import Shared
import Testing

@testable import ReplServer

extension ProcessWideTests {
  @Suite struct IntroductionTests {
    private let jobs = JobTable()
    private let trail: AuditTrail
    private let client: ToolClient
    private var engine: FakeEngine { trail.engine }

    init() throws {
      trail = try AuditTrail(jobs: jobs)
      client = try ToolClient(trail.running)
    }

    // MARK: what is said

    @Test func whoConnectsAndWhyIsWrittenDown() throws {
      try client.ask(
        "Introduce",
        [
          "reason": " ticket\t7\n", "permit": ["sessions", "ping"],
          "ssh": ["user": "ada", "address": "1.2.3.4:5", "key": "SHA256:x", "more": 1],
        ])
      let record = try #require(try trail.records.last)
      #expect(AuditTrail.own(record) == ["reason": "ticket 7", "permit": ["sessions", "ping"]])
      let relayed: JSON = ["user": "ada", "address": "1.2.3.4:5", "key": "SHA256:x"]
      #expect(record["peer"]?.objectValue?["ssh"] == relayed)
      // It stays with the connection.
      try client.ask("Sessions")
      client.socket.close()
      let last = try trail.allRecords().suffix(2).first
      #expect(last?["event"] == "disconnect")
      #expect(last?["peer"]?.objectValue?["ssh"] == relayed)
    }

    @Test func othersAreShownWhoIsRelayed() throws {
      try client.ask("Introduce", ["ssh": ["user": "ada", "address": "1.2.3.4:5", "key": "SHA256:x"]])
      try client.ask("OpenSession")
      let row = try client.ask("Sessions")["sessions"]?.arrayValue?.first?.objectValue
      #expect(row?["peer"] == "ssh ada@1.2.3.4:5 SHA256:x")
    }

    @Test func itIsTakenOnce() throws {
      try client.ask("Introduce", ["reason": "a", "permit": ["ping"]])
      #expect(
        try client.failure("Introduce", ["reason": "b", "permit": ["eval"]])
          == .init(reason: "This connection has introduced itself already.", code: nil))
      #expect(try client.failure("Evaluate", ["source": "x"]).code == "not-permitted")
      #expect(try trail.own("introduce").count == 1)
    }

    @Test func whatIsWrongIsNoIntroduction() throws {
      #expect(try client.failure("Introduce", ["permit": ["ping", "pong"]]).reason == "There is no permission 'pong'.")
      #expect(
        try client.failure("Introduce", ["permit": "ping"]).reason
          == "The Introduce parameter 'permit' is not of type array of strings.")
      for ssh: JSON in [[:], ["user": "a", "address": "b"], ["user": "a", "address": "b", "key": 1]] {
        #expect(
          try client.failure("Introduce", ["ssh": ssh, "permit": ["ping"]]).reason
            == "The Introduce parameter 'ssh' needs 'user', 'address' and 'key', all strings.")
      }
      // Nothing of it holds.
      try client.ask("Sessions")
      #expect(try trail.own("introduce") == [])
      try client.ask("Introduce", ["permit": ["ping"]])
    }

    @Test func everyWordIsBounded() throws {
      let long = String(repeating: "e\u{301}", count: 2000)
      try client.ask(
        "Introduce", ["reason": .string(long), "ssh": ["user": .string(long), "address": "a", "key": "k"]])
      let record = try #require(try trail.records.last)
      #expect(record["reason"]?.stringValue?.unicodeScalars.count == ServerLimits.reasonCharacters)
      let user = record["peer"]?.objectValue?["ssh"]?.objectValue?["user"]?.stringValue
      #expect(user?.unicodeScalars.count == ServerLimits.introducedWordCharacters)
    }

    /// One character may be made of any number of code points.
    @Test func aWordThatIsNoPermissionIsNotGivenBackWhole() throws {
      let word = "e" + String(repeating: "\u{301}", count: 10_000)
      #expect(try client.failure("Introduce", ["permit": [.string(word)]]).reason.unicodeScalars.count < 100)
    }

    @Test func aWordThatIsRepeatedCountsOnce() throws {
      try client.ask("Introduce", ["permit": .array((0..<5000).map { $0 % 2 == 0 ? "ping" : "jobs" })])
      #expect(try trail.records.last?["permit"] == ["ping", "jobs"])
      #expect(
        try client.failure("Sessions").reason
          == "Sessions is not permitted here: this connection is limited to ping, jobs.")
    }

    @Test(arguments: ["", " \t\r\n", "\u{A0}\u{3000}\u{2009}", "\u{200B}\u{FEFF}"]) func whiteSpaceIsNoReason(
      _ text: String
    ) {
      #expect(text.introducedLine(upTo: 100) == "")
    }

    @Test func aReasonIsOneLineWithoutControls() {
      #expect("\u{A0}a\u{1B}[2J\u{2028}b \u{202E}\n".introducedLine(upTo: 100) == "a [2J b")
      #expect("abc".introducedLine(upTo: 2) == "ab")
    }

    // MARK: what is permitted

    /// Fields with which a request is well-formed.
    private func fields(of operation: Operation) -> JSON.Object {
      var fields: JSON.Object = [:]
      for parameter in operation.parameters where parameter.required {
        fields[parameter.name] =
          switch parameter.type {
          case .boolean: true
          case .number, .integer, .count: 7
          case .string, .stringOrNull: "x"
          case .strings, .array, .objects: []
          case .object: [:]
          }
      }
      return fields
    }

    @Test(arguments: Permission.all.map(\.name) + [""]) func everythingElseIsRefused(_ word: String) throws {
      let words = word.isEmpty ? [] : [word]
      try client.ask("Introduce", ["permit": .array(words.map { .string($0) })])
      let permitted = try PermittedOperations(words)
      for operation in Operation.all where !permitted.allow(operation) {
        #expect(operation.hasReply)
        #expect(
          try client.failure(operation.name, fields(of: operation))
            == .init(
              reason: "\(operation.name) is not permitted here: this connection is limited to "
                + (word.isEmpty ? "nothing." : "\(word)."), code: "not-permitted"))
      }
      #expect(engine.callCount == 0)
      #expect(engine.haltCount == 0)
      try client.ask("DescribeServer")
    }

    @Test func whatIsPermittedIsDone() throws {
      try client.ask("Introduce", ["permit": ["sessions", "jobs", "eval"]])
      try client.ask("Sessions")
      try client.ask("Jobs")
      let session = try #require(try client.ask("OpenSession")["session"])
      let (id, _) = try client.evaluate("x", ["session": session])
      let call = try engine.evaluation()
      try client.sendExactly("Input", ["request": .integer(id), "text": "line\n"])
      // What is of one's own may be interrupted and closed.
      let interrupt = try client.send("Interrupt", ["session": session])
      try engine.interrupt().answer(.interrupted)
      call.answer(.ended(.interrupted))
      #expect(try client.fieldsOfReply(to: interrupt)["outcome"] == "interrupted")
      _ = try client.fieldsOfReply(to: id)
      try client.ask("CloseSession", ["session": session])
    }

    @Test func whatIsOfOthersMayNotBeInterrupted() throws {
      let other = try ToolClient(trail.running)
      let (_, session) = try other.evaluate("x")
      _ = try engine.evaluation()
      try client.ask("Introduce", ["permit": ["eval"]])
      #expect(try client.failure("Interrupt", ["session": .integer(session)]).code == "not-permitted")
      #expect(engine.callCount == 1)
    }

    /// A request that names a session of one's own, and a job beside it, is about the job.
    @Test func noJobMayBeInterruptedInTheNameOfASession() throws {
      let job = jobs.add(source: "s", owner: "o")
      try client.ask("Introduce", ["permit": ["eval"]])
      let session = try #require(try client.ask("OpenSession")["session"])
      #expect(
        try client.failure("Interrupt", ["session": session, "job": .integer(job.number)]).code == "not-permitted")
      #expect(engine.callCount == 0)
    }

    // MARK: where a reason is asked for

    @Test func aReasonComesBeforeAnythingElse() throws {
      let trail = try AuditTrail(requiresReason: true)
      let client = try ToolClient(trail.running)
      let server = try client.ask("DescribeServer", ["protocol": 1])["server"]?.objectValue
      #expect(server?["requires_reason"] == true)
      let free: [Operation] = [.describeServer, .introduce, .pairWithSession, .tabComplete, .keyboardInterrupt]
      for operation in Operation.all where operation.hasReply && !free.contains(operation) {
        #expect(
          try client.failure(operation.name, fields(of: operation))
            == .init(
              reason: "This server asks why you connect: send Introduce with a 'reason' first.",
              code: "reason-required"))
      }
      #expect(trail.engine.callCount == 0)
      try client.ask("Introduce", ["reason": "to see"])
      try client.ask("Sessions")
    }

    /// Who relays a connection says whose it is; the client behind them has the reason.
    @Test(arguments: [[:], ["reason": " \u{A0}"], ["permit": ["sessions"]]] as [JSON.Object])
    func aReasonMayComeLater(_ fields: JSON.Object) throws {
      let trail = try AuditTrail(requiresReason: true)
      let client = try ToolClient(trail.running)
      try client.ask("Introduce", fields)
      #expect(try client.failure("Sessions").code == "reason-required")
      let already = ToolClient.Failure(reason: "This connection has introduced itself already.", code: nil)
      let ssh: JSON = ["user": "a", "address": "b", "key": "c"]
      for more: JSON.Object in [
        [:], ["reason": " "], ["reason": "to see", "permit": ["eval"]], ["reason": "to see", "ssh": ssh],
      ] {
        #expect(try client.failure("Introduce", more) == already)
      }
      try client.ask("Introduce", ["reason": "to see"])
      try client.ask("Sessions")
      #expect(try client.failure("Introduce", ["reason": "again"]) == already)
      // The limit stands.
      if fields["permit"] != nil { #expect(try client.failure("Jobs").code == "not-permitted") }
      #expect(try trail.own("introduce").suffix(1) == [["reason": "to see"]])
    }

    @Test func whatTheAncestorAsksForNeedsNoReason() throws {
      let trail = try AuditTrail(requiresReason: true)
      let text = try LoopbackClient(port: trail.running.server.address.textPort)
      _ = try text.read(to: RunningServer.prompt)
      let client = try trail.running.control()
      #expect(try client.ask("PairWithSession", ["id": 1]) == .ok(["id": 1]))
      #expect(try client.ask("KeyboardInterrupt") == .ok(["outcome": "idle"]))
      try client.send("TabComplete", ["text": "x", "state": 0])
      try trail.engine.completion().answer(["xy"])
      #expect(try client.reply() == .ok(["result": "xy"]))
    }

    @Test func theFirstLineOfAPersonIsTheReason() throws {
      let trail = try AuditTrail(requiresReason: true)
      let text = try LoopbackClient(port: trail.running.server.address.textPort)
      #expect(try text.read(to: RunningServer.prompt).contains("Why do you connect?"))
      try text.send("ticket 7\nx\n")
      let call = try trail.engine.evaluation()
      #expect(call.request.source == .block("x", isFinal: false))
      #expect(trail.engine.callCount == 1)
      #expect(try trail.own("introduce") == [["reason": "ticket 7"]])
    }

    @Test func noReasonIsAskedForWithoutTheOption() throws {
      let server = try client.ask("DescribeServer", ["protocol": 1])["server"]?.objectValue
      #expect(server?["requires_reason"] == false)
      try client.ask("Sessions")
    }
  }
}
