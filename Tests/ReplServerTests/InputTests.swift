// Input: what an evaluation reads, when it is told that it wants some, and what comes too early or too late.

import Shared
import Testing

@testable import ReplServer

extension ProcessWideTests {
  @Suite struct InputTests {
    private let client: ToolClient
    private let id: Int
    private let call: FakeEngine.Call<Evaluation, EvaluationResult>
    private let running: RunningServer

    init() throws {
      running = try RunningServer()
      client = try ToolClient(running)
      id = try client.evaluate("input()").id
      call = try running.engine.evaluation()
    }

    private func read() -> Background<InputLine> {
      let streams = call.request.streams
      return Background { streams.readLine(isHidden: false) }
    }

    private func input(_ text: String? = nil, end: Bool? = nil, request: Int? = nil) throws {
      var fields: JSON.Object = ["request": .integer(request ?? id)]
      if let text { fields["text"] = .string(text) }
      if let end { fields["end"] = .bool(end) }
      try client.sendExactly("Input", fields)
    }

    private func line(_ text: String) -> InputLine { .line(Array(text.utf8)) }

    @Test func aReadThatFindsNothingAsksForInput() throws {
      for text in ["a\n", "b\n"] {
        let reader = read()
        #expect(try client.event(of: id) == ServerEvent(.input, request: id, fields: ["echo": true]))
        #expect(reader.isHeldUp)
        try input(text)
        #expect(try reader.value() == line(text))
      }
    }

    @Test func inputMayComeAheadAndIsReadLineByLine() throws {
      try input("a\nb\n\nrest")
      try client.ask("DescribeServer")
      for text in ["a\n", "b\n", "\n", "rest"] { #expect(try read().value() == line(text)) }
      #expect(try client.hasSilence(about: id))
      let reader = read()
      #expect(try client.event(of: id).name == .input)
      try input("c\n")
      #expect(try reader.value() == line("c\n"))
    }

    @Test func theEndIsReadNowAndLater() throws {
      try input("last", end: true)
      try client.ask("DescribeServer")
      #expect(try read().value() == line("last"))
      for _ in 0..<2 { #expect(try read().value() == .endOfInput) }
      #expect(try client.hasSilence(about: id))
    }

    @Test func theEndReachesAReadThatWaits() throws {
      let reader = read()
      #expect(try client.event(of: id).name == .input)
      try input(end: false)
      #expect(reader.isHeldUp)
      try input(end: true)
      #expect(try reader.value() == .endOfInput)
    }

    @Test func theQuestionComesBeforeTheEvent() throws {
      let (id, _) = try client.evaluate("input('? ')", ["credit": 1])
      let streams = try running.engine.evaluation().request.streams
      #expect(streams.write(Array("? ".utf8), to: .standardOutput) == 2)
      let reader = Background { streams.readLine(isHidden: false) }
      #expect(try client.output(of: id, count: 1).first?.bytes == Array("?".utf8))
      #expect(reader.isHeldUp)
      #expect(try client.hasSilence(about: id))
      try client.grant(id, 1)
      #expect(try client.output(of: id, count: 1).first?.bytes == Array(" ".utf8))
      #expect(try client.event(of: id) == ServerEvent(.input, request: id, fields: ["echo": true]))
      try input("x\n", request: id)
      #expect(try reader.value() == line("x\n"))
    }

    @Test func anEvaluationThatEndsWantsNothing() throws {
      let streams = call.request.streams
      let reader = read()
      #expect(try client.event(of: id).name == .input)
      streams.interrupt()
      #expect(try reader.value() == .interrupted)
      call.answer(.ended(.interrupted))
      #expect(try client.fieldsOfReply(to: id)["outcome"] == "interrupted")
      try input("too late\n")
      #expect(try client.hasSilence(about: id))
    }

    @Test func inputForNobodyDoesNothing() throws {
      for request in [id + 1, -1, Int.max] { try input("x\n", end: true, request: request) }
      #expect(try client.hasSilence(about: id))
      let reader = read()
      #expect(try client.event(of: id).name == .input)
      #expect(reader.isHeldUp)
      try input("y\n")
      #expect(try reader.value() == line("y\n"))
    }

    @Test func whatCannotBeInputIsRefused() throws {
      for fields: JSON.Object in [
        ["request": .integer(id), "text": 1], ["request": .integer(id), "end": "yes"], ["text": "x\n"],
        ["request": nil, "text": "x\n"],
      ] {
        #expect(try client.failure("Input", fields).reason.contains("Input parameter"))
      }
    }

    @Test func whatIsKeptIsBounded() throws {
      let half = String(repeating: "h", count: ServerLimits.pendingInputBytes * 2 / 3 - 1) + "\n"
      try input(half)
      try input(half)
      try input("short\n")
      try client.ask("DescribeServer")
      #expect(try read().value() == line(half))
      #expect(try read().value() == line("short\n"))
      let reader = read()
      #expect(try client.event(of: id).name == .input)
      try input(half)
      #expect(try reader.value() == line(half))
    }
  }
}
