// The control door: requests in, replies out, over real sockets.

import Shared
import Testing

@testable import ReplServer

extension ProcessWideTests {
  @Suite struct ControlDoorTests {
    private let running: RunningServer
    private let client: ControlClient
    private var engine: FakeEngine { running.engine }

    init() throws {
      running = try RunningServer()
      client = try running.control()
    }

    private func reason(_ reply: ControlReply?) -> String? {
      guard case .failed(let reason, _) = reply else { return nil }
      return reason
    }

    // MARK: DescribeServer

    @Test func theServerIsDescribed() throws {
      let text = try running.text()
      let reply = try #require(try client.ask("DescribeServer"))
      guard case .ok(let fields) = reply else {
        Issue.record("\(reply)")
        return
      }
      #expect(fields["prompts"] == ["ps1": "fake> ", "ps2": "fake. "])
      #expect(fields["control_protocol_version"] == "1.0")
      #expect(fields["supported_commands"]?.arrayValue == Operation.all.map { .string($0.name) })
      #expect(fields["operations"] == nil)
      let server = try #require(fields["server"]?.objectValue)
      #expect(server["name"] == "repltools")
      #expect(server["version"] == "0.1")
      #expect(server["language"] == "fake")
      #expect(server["language_version"] == "7.1")
      #expect(server["instance"] == "unit")
      #expect(server["sessions"] == 1)
      #expect(server["pid"]?.integerValue.map { $0 > 0 } == true)
      withExtendedLifetime(text) {}
    }

    @Test func theReplyIsWhatTheTableOfOperationsSays() throws {
      let fields = try #require(try client.ask("DescribeServer", ["operations": true])).fields
      for field in Operation.describeServer.returns where field.required {
        #expect(fields[field.name].map(field.type.admits) == true, "\(field.name)")
      }
      #expect(fields["operations"] == .array(Operation.all.map { $0.json() }))
    }

    // MARK: PairWithSession and KeyboardInterrupt

    @Test func aSessionMustExistToBePairedWith() throws {
      #expect(
        try reason(client.ask("PairWithSession")) == "Request is missing the PairWithSession parameter 'id'.")
      #expect(
        try reason(client.ask("PairWithSession", ["id": "one"]))
          == "The PairWithSession parameter 'id' is not of type integer.")
      #expect(
        try reason(client.ask("PairWithSession", ["id": 1])) == "Pairing failed: session 1 does not exist.")
      let text = try running.text()
      #expect(try client.ask("PairWithSession", ["id": 1]) == .ok(["id": 1]))
      withExtendedLifetime(text) {}
    }

    @Test func anInterruptNeedsAPairedSession() throws {
      let unpaired = "This control channel is not currently paired with a REPL session."
      #expect(try reason(client.ask("KeyboardInterrupt")) == unpaired)
      let text = try running.text()
      _ = try client.ask("PairWithSession", ["id": 1])
      text.halfClose()
      #expect(try text.readToEnd() == "\nBye.\n")
      #expect(try reason(client.ask("KeyboardInterrupt")) == "REPL session 1 no longer active.")
    }

    @Test func anInterruptAtThePromptShowsItAgain() throws {
      let text = try running.text()
      _ = try client.ask("PairWithSession", ["id": 1])
      #expect(try client.ask("KeyboardInterrupt") == .ok(["outcome": "idle"]))
      #expect(try text.read(to: RunningServer.prompt) == "\nKeyboardInterrupt\nfake> ")
      #expect(engine.callCount == 0)
    }

    static let outcomes: [(InterruptOutcome, ControlReply)] = [
      (.interrupted, .ok(["outcome": "interrupted"])), (.stale, .ok(["outcome": "idle"])),
      (.uninterruptible("held by C"), .failed(reason: "held by C")),
    ]

    @Test(arguments: outcomes)
    func anInterruptNamesTheEvaluationThatRuns(_ outcome: InterruptOutcome, _ reply: ControlReply) throws {
      let text = try running.text()
      _ = try client.ask("PairWithSession", ["id": 1])
      try text.send("a\n")
      try engine.evaluation().answer(.ended(.value))
      #expect(try text.read(to: RunningServer.prompt) == "fake> ")
      try text.send("b\n")
      let evaluation = try engine.evaluation()
      try client.send("KeyboardInterrupt")
      let interrupt = try engine.interrupt()
      #expect(interrupt.request == EvaluationTarget.session(1, evaluation: 2))
      interrupt.answer(outcome)
      #expect(try client.reply() == reply)
      evaluation.answer(.ended(.interrupted))
      #expect(try text.read(to: RunningServer.prompt) == "fake> ")
    }

    @Test func anInterruptThatIsNeverAnsweredFailsInTime() throws {
      let text = try running.text()
      _ = try client.ask("PairWithSession", ["id": 1])
      try text.send("a\n")
      _ = try engine.evaluation()
      let start = ContinuousClock.now
      try client.send("KeyboardInterrupt")
      let interrupt = try engine.interrupt()
      let held = try #require(try reason(client.reply()))
      #expect(held.contains("cannot be reached"))
      #expect(ContinuousClock.now - start >= .milliseconds(ServerLimits.interruptReplyMilliseconds))
      // An answer that comes too late is not sent.
      interrupt.answer(.interrupted)
      #expect(try reason(client.ask("NoSuchThing")) != nil)
    }

    // MARK: TabComplete

    @Test func oneCallOfTheEngineServesEveryState() throws {
      try client.send("TabComplete", ["text": "pri", "state": 0])
      let call = try engine.completion()
      #expect(call.request == "pri")
      call.answer(["print", "private"])
      #expect(try client.reply() == .ok(["result": "print"]))
      #expect(try client.ask("TabComplete", ["text": "pri", "state": 1]) == .ok(["result": "private"]))
      #expect(try client.ask("TabComplete", ["text": "pri", "state": 2]) == .ok(["result": nil]))
      #expect(engine.callCount == 1)
      try client.send("TabComplete", ["text": "os", "state": 1])
      try engine.completion().answer(["os.a", "os.b"])
      #expect(try client.reply() == .ok(["result": "os.b"]))
      try client.send("TabComplete", ["text": "os", "state": 0])
      try engine.completion().answer([])
      #expect(try client.reply() == .ok(["result": nil]))
    }

    @Test func aCandidateOverTheLimitIsLeftOut() throws {
      try client.send("TabComplete", ["text": "a", "state": 0])
      let longest = String(repeating: "a", count: Limits.maximumCandidateLength)
      try engine.completion().answer([longest + "a", longest])
      #expect(try client.reply() == .ok(["result": .string(longest)]))
      #expect(try client.ask("TabComplete", ["text": "a", "state": 1]) == .ok(["result": nil]))
    }

    static let unfit: [(fields: JSON.Object, reason: String)] = [
      (["text": "a"], "Request is missing at least one of the TabComplete parameters 'text' and 'state'."),
      (["state": 0], "Request is missing at least one of the TabComplete parameters 'text' and 'state'."),
      (["text": 1, "state": 0], "The TabComplete parameter 'text' is not of type string."),
      (["text": "a", "state": "0"], "The TabComplete parameter 'state' is not of type count."),
      (["text": "a", "state": -1], "The TabComplete parameter 'state' is not of type count."),
    ]

    @Test(arguments: unfit) func aCompletionNeedsItsParameters(_ fields: JSON.Object, _ wanted: String) throws {
      #expect(try reason(client.ask("TabComplete", fields)) == wanted)
      #expect(engine.callCount == 0)
    }

    @Test func aTextOverTheLimitIsNotCompleted() throws {
      let text = JSON.string(String(repeating: "a", count: Limits.maximumCompletionTextLength + 1))
      #expect(try reason(client.ask("TabComplete", ["text": text, "state": 0])) != nil)
      #expect(engine.callCount == 0)
    }

    @Test func aCompletionThatIsNeverAnsweredFailsInTime() throws {
      let start = ContinuousClock.now
      try client.send("TabComplete", ["text": "a", "state": 0])
      let call = try engine.completion()
      #expect(try reason(client.reply()) == "The interpreter is busy; no completions in time.")
      #expect(ContinuousClock.now - start >= .milliseconds(ServerLimits.engineReplyMilliseconds))
      call.answer(["late"])
      #expect(try client.ask("PairWithSession") != nil)
    }

    // MARK: Order

    @Test func repliesWithAnIdOvertakeThoseWithout() throws {
      try client.send("TabComplete", ["text": "a", "state": 0])
      try client.send("DescribeServer")
      try client.send("DescribeServer", ["id": 7])
      try client.send("TabComplete", ["text": "b", "state": 0, "id": "b"])
      #expect(try client.reply()?.id == 7)
      let first = try engine.completion()
      let second = try engine.completion()
      second.answer(["bb"])
      #expect(try client.reply() == .ok(["id": "b", "result": "bb"]))
      first.answer(["aa"])
      #expect(try client.reply() == .ok(["result": "aa"]))
      let last = try client.reply()
      #expect(last?.fields["prompts"] != nil)
      #expect(last?.id == nil)
    }

    @Test func moreRequestsThanMayBeOutstandingAreAllAnswered() throws {
      let count = ServerLimits.outstandingRequests + 6
      var frames: [UInt8] = []
      for number in 0..<count {
        frames += ControlClient.frame("TabComplete", ["text": "a", "state": 0, "id": .integer(number)])
      }
      try client.socket.send(frames)
      let calls = try (0..<ServerLimits.outstandingRequests).map { _ in try engine.completion() }
      #expect(engine.callCount == ServerLimits.outstandingRequests)
      for call in calls { call.answer([]) }
      for _ in ServerLimits.outstandingRequests..<count { try engine.completion().answer([]) }
      let ids = try (0..<count).map { _ in try client.reply()?.id }
      #expect(ids == (0..<count).map { .integer($0) })
    }

    // MARK: Abuse

    static let bodies: [(body: String, reason: String)] = [
      ("[]", "Request is not a JSON object."),
      ("{}", "Request is missing the 'command' field."),
      (#"{"command":1}"#, "The 'command' field is not a string."),
      (#"{"command":"Nonsense"}"#, "Command 'Nonsense' not understood by this server."),
    ]

    @Test(arguments: bodies) func aBadRequestIsAnswered(_ body: String, _ wanted: String) throws {
      try client.socket.send(Frame.encode(Array(body.utf8)))
      #expect(try reason(client.reply()) == wanted)
      #expect(try client.ask("DescribeServer", ["id": 1])?.id == 1)
    }

    @Test func aBadRequestIsAnsweredWithItsId() throws {
      try client.socket.send(Frame.encode(Array(#"{"id":"q"}"#.utf8)))
      #expect(try client.reply()?.id == "q")
    }

    @Test func anIdOverTheLimitIsNotEchoed() throws {
      let longest = JSON.string(String(repeating: "i", count: Limits.maximumRequestIDLength - 9))
      #expect(try client.ask("DescribeServer", ["id": longest])?.id == longest)
      let longer = JSON.string(String(repeating: "i", count: Limits.maximumRequestIDLength - 8))
      #expect(
        try client.ask("DescribeServer", ["id": longer]) == .failed(reason: "The 'id' field is too long."))
    }

    @Test func aLongCommandIsRepeatedInPart() throws {
      let command = String(repeating: "c", count: 65)
      #expect(
        try reason(client.ask(command))
          == "Command '\(command.dropLast())...' not understood by this server.")
    }

    static let badFrames: [[UInt8]] = [
      [0xFF] + Array("v02l2;{}".utf8), [0xFF] + Array("v01l-1;".utf8), [0xFF] + Array("v01l12a;".utf8),
      Frame.header(bodyLength: Limits.maximumControlBodyLength + 1), Frame.header(bodyLength: 9) + Array("cut".utf8),
    ]

    @Test(arguments: badFrames) func aBadFrameIsAnsweredOnce(_ bytes: [UInt8]) throws {
      try client.socket.send(bytes + ControlClient.frame("DescribeServer", ["id": 1]))
      let bad = try #require(try reason(client.reply()))
      #expect(bad.hasPrefix("Request is a bad frame: "))
      #expect(try client.reply()?.id == 1)
    }

    @Test func aConnectionThatDoesNotBeginWithAFrameIsDropped() throws {
      let request = Array("POST / HTTP/1.1\r\nHost: x\r\n\r\n{\"command\":\"DescribeServer\"}".utf8)
      for start in [request, [0x16, 0x03, 0x01], [0x0A]] {
        let stranger = try ControlClient(port: running.server.address.controlPort)
        // It may be closed while this is still being sent.
        try? stranger.socket.send(start + ControlClient.frame("OpenSession", ["id": 1]))
        // A reset is an end, too.
        #expect((try? stranger.reply()) ?? nil == nil)
      }
      let server = try client.ask("DescribeServer", ["id": 2, "protocol": 1])?.fields["server"]?.objectValue
      #expect(server?["refused"]?.objectValue?["foreign"] == 3)
      #expect(server?["sessions"] == 0)
    }

    @Test func junkBetweenFramesIsPassedOver() throws {
      try client.socket.send(ControlClient.frame("DescribeServer", ["id": 1]))
      #expect(try client.reply()?.id == 1)
      try client.socket.send([0xFE, 0x00] + Array("v01l2;{}".utf8))
      #expect(try client.ask("DescribeServer", ["id": 2])?.id == 2)
    }

    @Test func aRequestMayComeByteByByte() throws {
      for byte in ControlClient.frame("DescribeServer", ["id": 1]) { try client.socket.send([byte]) }
      #expect(try client.reply()?.id == 1)
    }

    // MARK: Ends

    @Test func aHalfClosedClientGetsItsRepliesThenTheEnd() throws {
      try client.send("TabComplete", ["text": "a", "state": 0])
      try client.send("DescribeServer")
      client.socket.halfClose()
      try engine.completion().answer(["aa"])
      #expect(try client.reply() == .ok(["result": "aa"]))
      #expect(try client.reply()?.fields["prompts"] != nil)
      #expect(try client.reply() == nil)
    }

    @Test func aHalfClosedClientGetsEveryReplyHoweverLateItReads() throws {
      let slow = try ControlClient(port: running.server.address.controlPort, receiveBufferLength: 4096)
      let count = 400
      var frames: [UInt8] = []
      for number in 0..<count {
        frames += ControlClient.frame("DescribeServer", ["operations": true, "id": .integer(number)])
      }
      try slow.socket.send(frames)
      slow.socket.halfClose()
      // Once others have been answered a few times the loop has seen the end of the slow client's input.
      for number in 0..<8 { #expect(try client.ask("DescribeServer", ["id": .integer(number)]) != nil) }
      var answered = 0
      while let reply = try slow.reply() {
        #expect(reply.id == .integer(answered))
        answered += 1
      }
      #expect(answered == count)
    }

    @Test func aClientThatLeavesDoesNotDisturbAnother() throws {
      let other = try running.control()
      try client.send("TabComplete", ["text": "a", "state": 0])
      let call = try engine.completion()
      client.socket.reset()
      call.answer(["aa"])
      #expect(try other.ask("DescribeServer", ["id": 1])?.id == 1)
    }
  }
}
