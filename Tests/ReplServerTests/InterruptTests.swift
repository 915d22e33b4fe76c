// Interrupt: what became of the evaluation that was meant, within the limits' own times.

import Shared
import Testing

@testable import ReplServer

extension ProcessWideTests {
  @Suite struct InterruptTests {
    private let running: RunningServer
    private let client: ToolClient
    private let place = SourcePlace(file: "f.py", line: 3, function: "g", text: "sleep(9)")
    private var engine: FakeEngine { running.engine }

    init() throws {
      running = try RunningServer()
      client = try ToolClient(running)
    }

    private func outcome(_ fields: JSON.Object) -> String? { fields["outcome"]?.stringValue }

    // MARK: Who is meant

    @Test func aSessionOrAJobIsNeeded() throws {
      #expect(
        try client.failure("Interrupt").reason == "Request is missing the Interrupt parameter 'session' or 'job'.")
      #expect(
        try client.failure("Interrupt", ["session": 9])
          == .init(reason: "There is no session 9.", code: "no-session"))
      #expect(
        try client.failure("Interrupt", ["job": 9]) == .init(reason: "There is no job %9.", code: "no-job"))
      #expect(try client.failure("Interrupt", ["session": "1"]).reason.contains("'session'"))
      #expect(engine.callCount == 0)
    }

    @Test func anIdleSessionIsLeftAlone() throws {
      let session = try #require(try client.ask("OpenSession")["session"])
      #expect(try outcome(client.ask("Interrupt", ["session": session])) == "idle")
      #expect(try outcome(client.ask("Interrupt", ["session": session, "evaluation": 1])) == "idle")
      #expect(engine.callCount == 0)
    }

    @Test func anotherEvaluationIsLeftAlone() throws {
      let (_, session) = try client.evaluate()
      _ = try engine.evaluation()
      for number in [0, 2, -1, Int.max] {
        let fields: JSON.Object = ["session": .integer(session), "evaluation": .integer(number)]
        #expect(try outcome(client.ask("Interrupt", fields)) == "stale")
      }
      #expect(engine.callCount == 1)
    }

    @Test func whoeverAsksIsAnswered() throws {
      let (id, session) = try client.evaluate()
      let call = try engine.evaluation()
      let other = try ToolClient(running)
      let asked = try other.send("Interrupt", ["session": .integer(session), "evaluation": 1])
      let interrupt = try engine.interrupt()
      #expect(interrupt.request == .session(session, evaluation: 1))
      interrupt.answer(.interrupted)
      call.answer(.ended(.interrupted))
      #expect(try other.fieldsOfReply(to: asked) == ["id": .integer(asked), "outcome": "interrupted"])
      #expect(try outcome(client.fieldsOfReply(to: id)) == "interrupted")
    }

    // MARK: What it came to

    @Test func anEvaluationThatEndsWasInterrupted() throws {
      let (id, session) = try client.evaluate("x", ["credit": 0])
      let call = try engine.evaluation()
      #expect(call.request.streams.write([1, 2, 3], to: .standardOutput) == 3)
      let asked = try client.send("Interrupt", ["session": .integer(session)])
      try engine.interrupt().answer(.interrupted)
      // It may have caught the interrupt: its end is what counts, and nobody has to take its output for that.
      call.answer(.ended(.value))
      #expect(try outcome(client.fieldsOfReply(to: asked)) == "interrupted")
      #expect(try client.hasSilence(about: id))
      try client.grant(id, 3)
      _ = try client.output(of: id, count: 3)
      #expect(try outcome(client.fieldsOfReply(to: id)) == "value")
    }

    @Test func whatHadEndedIsStale() throws {
      let (_, session) = try client.evaluate()
      _ = try engine.evaluation()
      let asked = try client.send("Interrupt", ["session": .integer(session)])
      try engine.interrupt().answer(.stale)
      #expect(try outcome(client.fieldsOfReply(to: asked)) == "stale")
    }

    @Test func whatGoesOnIsBlockedAtAPlace() throws {
      let (_, session) = try client.evaluate()
      _ = try engine.evaluation()
      let start = ContinuousClock.now
      let asked = try client.send("Interrupt", ["session": .integer(session)])
      try engine.interrupt().answer(.interrupted)
      let location = try engine.location()
      #expect(ContinuousClock.now - start >= .milliseconds(ServerLimits.interruptEffectMilliseconds))
      #expect(location.request == .session(session, evaluation: 1))
      location.answer(place)
      #expect(
        try client.fieldsOfReply(to: asked)
          == ["id": .integer(asked), "outcome": "blocked", "where": .object(place.fields())])
    }

    @Test func thePlaceNeedNotBeKnown() throws {
      let (_, session) = try client.evaluate()
      _ = try engine.evaluation()
      let asked = try client.send("Interrupt", ["session": .integer(session)])
      try engine.interrupt().answer(.interrupted)
      try engine.location().answer(nil)
      #expect(try client.fieldsOfReply(to: asked) == ["id": .integer(asked), "outcome": "blocked"])
    }

    @Test func anEndWhileItIsLocatedCounts() throws {
      let (_, session) = try client.evaluate()
      let call = try engine.evaluation()
      let asked = try client.send("Interrupt", ["session": .integer(session)])
      try engine.interrupt().answer(.interrupted)
      let location = try engine.location()
      call.answer(.ended(.interrupted))
      #expect(try outcome(client.fieldsOfReply(to: asked)) == "interrupted")
      location.answer(place)
      #expect(try client.hasSilence(about: asked))
    }

    @Test func anEngineThatDoesNotLocateIsHeld() throws {
      let (_, session) = try client.evaluate()
      _ = try engine.evaluation()
      let start = ContinuousClock.now
      let asked = try client.send("Interrupt", ["session": .integer(session)])
      try engine.interrupt().answer(.interrupted)
      #expect(try outcome(client.fieldsOfReply(to: asked)) == "uninterruptible")
      let least = ServerLimits.interruptEffectMilliseconds + ServerLimits.locateMilliseconds
      #expect(ContinuousClock.now - start >= .milliseconds(least))
      try engine.location().answer(place)
      #expect(try client.hasSilence(about: asked))
    }

    @Test func anEngineThatNeverAnswersIsHeld() throws {
      let (id, session) = try client.evaluate()
      let call = try engine.evaluation()
      let start = ContinuousClock.now
      let asked = try client.send("Interrupt", ["session": .integer(session)])
      let interrupt = try engine.interrupt()
      #expect(try client.fieldsOfReply(to: asked) == ["id": .integer(asked), "outcome": "uninterruptible"])
      #expect(ContinuousClock.now - start >= .milliseconds(ServerLimits.interruptReplyMilliseconds))
      // It still reaches the evaluation, some time.
      interrupt.answer(.interrupted)
      call.answer(.ended(.interrupted))
      #expect(try outcome(client.fieldsOfReply(to: id)) == "interrupted")
      #expect(try client.hasSilence(about: asked))
    }

    @Test func anEndIsSeenThoughTheEngineDoesNotAnswer() throws {
      let (_, session) = try client.evaluate()
      let call = try engine.evaluation()
      let asked = try client.send("Interrupt", ["session": .integer(session)])
      let interrupt = try engine.interrupt()
      call.answer(.ended(.value))
      #expect(try outcome(client.fieldsOfReply(to: asked)) == "interrupted")
      interrupt.answer(.stale)
      #expect(try client.hasSilence(about: asked))
    }

    @Test func severalAtOnceAreAllAnswered() throws {
      let (_, session) = try client.evaluate()
      let call = try engine.evaluation()
      let asked = try (0..<5).map { _ in try client.send("Interrupt", ["session": .integer(session)]) }
      for _ in asked { try engine.interrupt().answer(.interrupted) }
      call.answer(.ended(.interrupted))
      for request in asked { #expect(try outcome(client.fieldsOfReply(to: request)) == "interrupted") }
    }

    @Test func theEndOfTheSessionIsAnEnd() throws {
      let session = try #require(try client.ask("OpenSession")["session"]?.integerValue)
      let (id, _) = try client.evaluate("x", ["session": .integer(session)])
      _ = try engine.evaluation()
      let asked = try client.send("Interrupt", ["session": .integer(session)])
      try engine.interrupt().answer(.interrupted)
      try client.ask("CloseSession", ["session": .integer(session)])
      #expect(try outcome(client.fieldsOfReply(to: asked)) == "interrupted")
      #expect(
        try client.failure(of: id) == .init(reason: "Session \(session) was ended.", code: "no-session"))
    }

    @Test func whoAskedMayBeGone() throws {
      let (id, session) = try client.evaluate()
      let call = try engine.evaluation()
      let other = try ToolClient(running)
      try other.send("Interrupt", ["session": .integer(session)])
      let interrupt = try engine.interrupt()
      other.socket.reset()
      interrupt.answer(.interrupted)
      call.answer(.ended(.interrupted))
      #expect(try outcome(client.fieldsOfReply(to: id)) == "interrupted")
    }
  }
}
