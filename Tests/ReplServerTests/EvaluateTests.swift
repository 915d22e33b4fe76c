// Evaluate: events, output by credit, the reply, and what is refused.

import Glibc
import Shared
import Testing

@testable import ReplServer

extension ProcessWideTests {
  @Suite struct EvaluateTests {
    private let running: RunningServer
    private let client: ToolClient
    private var engine: FakeEngine { running.engine }

    init() throws {
      running = try RunningServer()
      client = try ToolClient(running)
    }

    private func write(_ text: String, _ stream: OutputStream, _ call: FakeEngine.Call<Evaluation, EvaluationResult>) {
      #expect(call.request.streams.write(Array(text.utf8), to: stream) == text.utf8.count)
    }

    private func frame(_ stream: OutputFrame.Stream, _ id: Int, _ text: String) -> OutputFrame {
      OutputFrame(stream, request: id, bytes: Array(text.utf8))
    }

    // MARK: Order

    @Test func itIsStartedThenItsOutputComesThenItsReply() throws {
      let (id, session) = try client.evaluate("1 + 1")
      let call = try engine.evaluation()
      #expect(call.request.session == session)
      #expect(call.request.number == 1)
      #expect(call.request.source == .script("1 + 1"))
      #expect(call.request.presentation == .structured)
      #expect(call.request.place == .session)
      write("a", .standardOutput, call)
      write("b", .standardError, call)
      write("c", .standardOutput, call)
      write("2", .value, call)
      call.answer(.success(EvaluationReport(.value, duration: 0.5, type: "int")))
      let wanted = [
        frame(.standardOutput, id, "a"), frame(.standardError, id, "b"), frame(.standardOutput, id, "c"),
        frame(.value, id, "2"),
      ]
      #expect(try client.output(of: id, count: 4) == wanted)
      #expect(
        try client.reply(to: id)
          == .ok([
            "id": .integer(id), "outcome": "value", "duration": 0.5, "type": "int", "session": .integer(session),
            "evaluation": 1,
          ]))
      // It had the session for itself.
      try engine.waitForClose(of: session)
      #expect(try client.ask("Sessions")["sessions"] == [])
    }

    @Test func anExceptionIsInTheReply() throws {
      let (id, _) = try client.evaluate()
      let exception = ExceptionReport(
        type: "E", message: "m", traceback: "E: m\n", frames: [SourcePlace(file: "f", line: 3, function: "g")])
      try engine.evaluation().answer(.success(EvaluationReport(.exception, exception: exception)))
      let fields = try client.fieldsOfReply(to: id)
      #expect(fields["outcome"] == "exception")
      #expect(fields["exception"]?.objectValue.flatMap(ExceptionReport.init) == exception)
    }

    @Test func evaluationsOfASessionAreNumbered() throws {
      let session = try #require(try client.ask("OpenSession")["session"]?.integerValue)
      for number in 1...3 {
        let (id, itsSession) = try client.evaluate("x", ["session": .integer(session)])
        #expect(itsSession == session)
        let call = try engine.evaluation()
        #expect(call.request.number == number)
        call.answer(.ended(.value))
        #expect(try client.fieldsOfReply(to: id)["evaluation"] == .integer(number))
      }
      #expect(engine.closed.isEmpty)
    }

    @Test func aBlockIsWhole() throws {
      let (id, _) = try client.evaluate("if x:", ["mode": "block"])
      let call = try engine.evaluation()
      #expect(call.request.source == .block("if x:", isFinal: true))
      call.answer(.ended(.exception))
      #expect(try client.fieldsOfReply(to: id)["outcome"] == "exception")
    }

    @Test func thePlaceIsPassedOn() throws {
      _ = try client.evaluate("x", ["place": "main"])
      #expect(try engine.evaluation().request.place == .main)
    }

    @Test func theLoopIsPassedOn() throws {
      _ = try client.evaluate("x", ["loop": 2])
      #expect(try engine.evaluation().request.loop == 2)
      _ = try client.evaluate("x")
      #expect(try engine.evaluation().request.loop == nil)
    }

    @Test func twoAtOnceAreToldApart() throws {
      let (first, firstSession) = try client.evaluate("a")
      let (second, secondSession) = try client.evaluate("b")
      #expect(firstSession != secondSession)
      let calls = [try engine.evaluation(), try engine.evaluation()]
      write("one", .standardOutput, calls[0])
      write("two", .standardOutput, calls[1])
      calls[1].answer(.ended(.value))
      #expect(try client.output(of: second, count: 3) == [frame(.standardOutput, second, "two")])
      #expect(try client.fieldsOfReply(to: second)["session"] == .integer(secondSession))
      #expect(try client.output(of: first, count: 3) == [frame(.standardOutput, first, "one")])
      #expect(try client.hasSilence(about: first))
      calls[0].answer(.ended(.value))
      #expect(try client.fieldsOfReply(to: first)["session"] == .integer(firstSession))
    }

    @Test func outputThatCameBeforeAFailureIsSent() throws {
      let (id, _) = try client.evaluate()
      let call = try engine.evaluation()
      write("so far", .standardOutput, call)
      call.answer(.failure(EngineUnavailable("no", isTimeout: true)))
      #expect(try client.output(of: id, count: 6) == [frame(.standardOutput, id, "so far")])
      #expect(try client.failure(of: id) == .init(reason: "no", code: "timeout"))
    }

    @Test func anEngineThatTakesNoMoreIsBusy() throws {
      let (id, _) = try client.evaluate()
      try engine.evaluation().answer(.failure(EngineUnavailable("no thread")))
      #expect(try client.failure(of: id) == .init(reason: "no thread", code: "busy"))
    }

    @Test func anEvaluationMayEndItsSession() throws {
      let session = try #require(try client.ask("OpenSession")["session"]?.integerValue)
      let (id, _) = try client.evaluate("quit()", ["session": .integer(session)])
      try engine.evaluation().answer(.ended(.ended))
      #expect(try client.fieldsOfReply(to: id)["outcome"] == "ended")
      try engine.waitForClose(of: session)
      let failure = try client.failure("Evaluate", ["source": "x", "session": .integer(session)])
      #expect(failure == .init(reason: "There is no session \(session).", code: "no-session"))
    }

    // MARK: Credit

    @Test func theCreditIsExact() throws {
      let (id, _) = try client.evaluate("x", ["credit": 10])
      let call = try engine.evaluation()
      write("0123456789abcdefghijABCDE", .standardOutput, call)
      call.answer(.ended(.value))
      #expect(try client.output(of: id, count: 10) == [frame(.standardOutput, id, "0123456789")])
      #expect(try client.hasSilence(about: id))
      try client.grant(id, 7)
      #expect(try client.output(of: id, count: 7) == [frame(.standardOutput, id, "abcdefg")])
      #expect(try client.hasSilence(about: id))
      try client.grant(id, 8)
      #expect(try client.output(of: id, count: 8) == [frame(.standardOutput, id, "hijABCDE")])
      #expect(try client.fieldsOfReply(to: id)["outcome"] == "value")
    }

    @Test func withoutCreditTheReplyWaitsForTheOutputOnly() throws {
      let silent = try client.evaluate("x", ["credit": 0]).id
      try engine.evaluation().answer(.ended(.value))
      #expect(try client.fieldsOfReply(to: silent)["outcome"] == "value")
      let talking = try client.evaluate("x", ["credit": 0]).id
      let call = try engine.evaluation()
      write("v", .value, call)
      call.answer(.ended(.value))
      #expect(try client.hasSilence(about: talking))
      try client.grant(talking, 1)
      #expect(try client.output(of: talking, count: 1) == [frame(.value, talking, "v")])
      #expect(try client.fieldsOfReply(to: talking)["outcome"] == "value")
    }

    @Test func outputGoesOnAfterAWaitForCredit() throws {
      let (id, _) = try client.evaluate("x", ["credit": 1])
      let call = try engine.evaluation()
      for byte in ["a", "b", "c"] {
        write(byte, .standardOutput, call)
        #expect(try client.output(of: id, count: 1) == [frame(.standardOutput, id, byte)])
        #expect(try client.hasSilence(about: id))
        try client.grant(id, 1)
      }
    }

    @Test func theDefaultCreditIsThatOfTheTable() throws {
      let (id, _) = try client.evaluate()
      let call = try engine.evaluation()
      let count = Limits.defaultCredit
      write(String(repeating: "x", count: count + 1), .standardOutput, call)
      _ = try client.output(of: id, count: count)
      #expect(try client.hasSilence(about: id))
      try client.grant(id, 1)
      _ = try client.output(of: id, count: 1)
    }

    @Test func grantsThatAreLateOrHugeDoNoHarm() throws {
      let (id, _) = try client.evaluate("x", ["credit": .integer(.max)])
      let call = try engine.evaluation()
      for bytes in [Int.max, Int.max, 0, 1] { try client.grant(id, bytes) }
      try client.grant(id + 1000, 5)
      let text = String(repeating: "x", count: 3 * ServerLimits.outputBytes)
      let streams = call.request.streams
      let writer = Background { streams.write(Array(text.utf8), to: .standardOutput) }
      #expect(try client.output(of: id, count: text.utf8.count) == [frame(.standardOutput, id, text)])
      #expect(try writer.value() == text.utf8.count)
      call.answer(.ended(.value))
      _ = try client.fieldsOfReply(to: id)
      try client.grant(id, 1)
      #expect(try client.hasSilence(about: id))
    }

    @Test func aGrantThatMakesNoSenseIsRefused() throws {
      let (id, _) = try client.evaluate("x", ["credit": 0])
      write("x", .standardOutput, try engine.evaluation())
      for fields: JSON.Object in [
        ["request": .integer(id), "bytes": -1], ["request": .integer(id), "bytes": 1.5], ["bytes": 1],
        ["request": .integer(id)], ["request": "one", "bytes": 1],
      ] {
        #expect(try client.failure("Grant", fields).reason.contains("Grant parameter"))
      }
      #expect(try client.hasSilence(about: id))
    }

    @Test func nothingWaitsBehindOutputThatNobodyTakes() throws {
      let (id, session) = try client.evaluate("x", ["credit": 5])
      let call = try engine.evaluation()
      let streams = call.request.streams
      let flood = [UInt8](repeating: 0x78, count: 4 * ServerLimits.outputBytes)
      let writer = Background { streams.write(flood, to: .standardOutput) }
      #expect(writer.isHeldUp)
      _ = try client.output(of: id, count: 5)
      let rows = try client.ask("Sessions")["sessions"]?.arrayValue
      #expect(rows?.first?.objectValue?["session"] == .integer(session))
      #expect(rows?.first?.objectValue?["state"] == "evaluating")
      #expect(rows?.first?.objectValue?["source"] == "x")
      try client.grant(id, flood.count)
      _ = try client.output(of: id, count: flood.count - 5)
      #expect(try writer.value() == flood.count)
    }

    @Test func aClientThatReadsNothingHoldsUpNobodyElse() throws {
      let slow = try ToolClient(running, receiveBufferLength: 1 << 16)
      let (id, _) = try slow.evaluate("x", ["credit": .integer(1 << 30)])
      let call = try engine.evaluation()
      let streams = call.request.streams
      let flood = [UInt8](repeating: 0xFF, count: 8 << 20)
      let writer = Background { streams.write(flood, to: .standardOutput) }
      #expect(writer.isHeldUp)
      #expect(try client.ask("Sessions")["sessions"]?.arrayValue?.count == 1)
      #expect(try slow.output(of: id, count: flood.count).first?.bytes == flood)
      #expect(try writer.value() == flood.count)
    }

    /// Or a client that grants as it reads, and a server that reads when it has been read, would wait for each other.
    @Test func aClientThatReadsNothingStillGrantsAndInterrupts() throws {
      let slow = try ToolClient(running, receiveBufferLength: 1 << 12)
      let (id, session) = try slow.evaluate("x", ["credit": .integer(1 << 30)])
      let call = try engine.evaluation()
      let streams = call.request.streams
      let flood = [UInt8](repeating: 0x78, count: 16 << 20)
      let writer = Background { streams.write(flood, to: .standardOutput) }
      #expect(writer.isHeldUp)
      let grant = Frame.encode(
        ControlRequest(command: "Grant", fields: ["request": .integer(id), "bytes": 1]).body())
      let descriptor = slow.socket.descriptor
      let grants = Array(repeatElement(grant, count: 200_000).joined())
      let granter = Background { () -> Int in
        var rest = grants[...]
        while !rest.isEmpty {
          let chunk = Array(rest.prefix(1 << 16))
          let sent = unsafe send(descriptor, chunk, chunk.count, Int32(MSG_NOSIGNAL))
          guard sent > 0 else { break }
          rest = rest.dropFirst(sent)
        }
        return rest.count
      }
      #expect(try granter.value() == 0)
      try slow.send("Interrupt", ["session": .integer(session)])
      try engine.interrupt().answer(.interrupted)
      slow.socket.reset()
      _ = try writer.value()
    }

    // MARK: Refusals

    static let badIDs: [JSON] = [-1, "7", 1.5, nil, [1], true]

    @Test(arguments: badIDs) func itNeedsAnIDThatIsANumber(_ id: JSON) throws {
      try client.sendExactly("Evaluate", ["source": "x", "id": id])
      let reply = try client.next()
      guard case .reply(.failed(let reason, let extra)) = reply else {
        Issue.record("\(String(describing: reply))")
        return
      }
      #expect(reason == "Evaluate needs an 'id' that is an integer from 0 on.")
      #expect(extra["id"] == id)
      #expect(try client.ask("Sessions")["sessions"] == [])
    }

    @Test func itNeedsAnID() throws {
      try client.sendExactly("Evaluate", ["source": "x"])
      #expect(
        try client.next() == .reply(.failed(reason: "Evaluate needs an 'id' that is an integer from 0 on.")))
      #expect(try client.ask("Sessions")["sessions"] == [])
    }

    @Test func anIDInUseIsRefusedAndTheFirstGoesOn() throws {
      let (id, session) = try client.evaluate()
      let call = try engine.evaluation()
      try client.sendExactly("Evaluate", ["source": "y", "id": .integer(id)])
      #expect(try client.failure(of: id).reason == "Another request with the 'id' \(id) is not answered yet.")
      let rows = try client.ask("Sessions")["sessions"]?.arrayValue ?? []
      #expect(rows.map { $0.objectValue?["session"] } == [.integer(session)])
      call.answer(.ended(.value))
      #expect(try client.fieldsOfReply(to: id)["outcome"] == "value")
      // Now it is free again.
      try client.sendExactly("Evaluate", ["source": "z", "id": .integer(id)])
      #expect(try client.event(of: id).name == .started)
    }

    @Test func aSessionDoesOneThingAtATime() throws {
      let session = try #require(try client.ask("OpenSession")["session"]?.integerValue)
      let (id, _) = try client.evaluate("x", ["session": .integer(session)])
      let other = try ToolClient(running)
      for client in [client, other] {
        let failure = try client.failure("Evaluate", ["source": "y", "session": .integer(session)])
        #expect(failure == .init(reason: "Session \(session) is busy.", code: "busy"))
      }
      try engine.evaluation().answer(.ended(.value))
      _ = try client.fieldsOfReply(to: id)
      // And then it does the next, for whoever asks.
      _ = try other.evaluate("y", ["session": .integer(session)])
      #expect(try engine.evaluation().request.number == 2)
    }

    static let unfit: [(fields: JSON.Object, reason: String)] = [
      ([:], "Request is missing the Evaluate parameter 'source'."),
      (["source": 1], "The Evaluate parameter 'source' is not of type string."),
      (["source": "x", "credit": -1], "The Evaluate parameter 'credit' is not of type count."),
      (["source": "x", "session": "1"], "The Evaluate parameter 'session' is not of type integer."),
      (["source": "x", "session": 99], "There is no session 99."),
      (["source": "x", "mode": "line"], "There is no mode 'line'; it is 'script' or 'block'."),
      (["source": "x", "place": "moon"], "There is no place 'moon'; it is 'session' or 'main'."),
    ]

    @Test(arguments: unfit) func whatDoesNotFitIsRefused(_ fields: JSON.Object, _ reason: String) throws {
      #expect(try client.failure("Evaluate", fields).reason == reason)
      #expect(try client.ask("Sessions")["sessions"] == [])
      #expect(engine.callCount == 0)
    }
  }
}
