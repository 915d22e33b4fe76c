// The text door: lines in, output and prompts out, over real sockets.

import Shared
import Testing

@testable import ReplServer

extension ProcessWideTests {
  @Suite struct TextDoorTests {
    private let running: RunningServer
    private var engine: FakeEngine { running.engine }

    init() throws { running = try RunningServer() }

    // MARK: Dialogue

    @Test func aClientIsGreetedWithoutTheEngine() throws {
      let first = try running.text()
      let second = try running.text(session: 2)
      #expect(engine.callCount == 0)
      withExtendedLifetime((first, second)) {}
    }

    @Test func aLineIsEvaluatedAndAnswered() throws {
      let client = try running.text()
      try client.send("1 + 1\r\n")
      let call = try engine.evaluation()
      #expect(call.request.source == .block("1 + 1", isFinal: false))
      #expect(call.request.session == 1)
      #expect(call.request.number == 1)
      #expect(call.request.streams.write(Array("2\n".utf8), to: .standardOutput) == 2)
      call.answer(.ended(.value))
      #expect(try client.read(to: RunningServer.prompt) == "2\nfake> ")
      try client.send("x\n")
      #expect(try engine.evaluation().request.number == 2)
    }

    @Test func anIncompleteBlockGetsTheOtherPrompt() throws {
      let client = try running.text()
      try client.send("if x:\n")
      try engine.evaluation().answer(.ended(.incomplete))
      #expect(try client.read(to: "fake. ") == "fake. ")
      try client.send("  y\n")
      let call = try engine.evaluation()
      #expect(call.request.source == .block("if x:\n  y", isFinal: false))
      call.answer(.ended(.exception))
      #expect(try client.read(to: RunningServer.prompt) == "fake> ")
    }

    @Test func typedAheadLinesAreEvaluatedOneAfterTheOther() throws {
      let client = try running.text()
      try client.send("a\nb\nc")
      let first = try engine.evaluation()
      #expect(first.request.source == .block("a", isFinal: false))
      // The evaluation reads what was typed ahead, as a program that asks its user does.
      #expect(try Background { first.request.streams.readLine(isHidden: false) }.value() == .line(Array("b\n".utf8)))
      #expect(engine.callCount == 1)
      try client.send("d\n")
      first.answer(.ended(.value))
      let second = try engine.evaluation()
      #expect(second.request.source == .block("cd", isFinal: false))
      second.answer(.ended(.value))
      #expect(try client.read(to: "fake> fake> ") == "fake> fake> ")
    }

    @Test func allOutputLeavesBeforeThePrompt() throws {
      let client = try running.text()
      try client.send("flood\n")
      let call = try engine.evaluation()
      let flood = (0..<(8 * ServerLimits.outputBytes)).map { UInt8(ascii: "a") + UInt8($0 % 26) }
      let writer = Background {
        let count = call.request.streams.write(flood, to: .standardOutput)
        call.answer(.ended(.value))
        return count
      }
      #expect(try client.read(to: RunningServer.prompt) == String(decoding: flood, as: UTF8.self) + "fake> ")
      #expect(try writer.value() == flood.count)
    }

    @Test func invalidUTF8IsRefusedWithoutTheEngine() throws {
      let client = try running.text()
      try client.send([0xC3, 0x28, 0x0A])
      let answer = try client.read(to: RunningServer.prompt)
      #expect(answer == "replserve: the input is not valid UTF-8; nothing was run\nfake> ")
      #expect(engine.callCount == 0)
    }

    @Test func aLineOverTheLimitEndsTheSession() throws {
      let client = try running.text()
      try client.send([UInt8](repeating: 0x61, count: ServerLimits.textLineLength + 1))
      #expect(
        try client.readToEnd() == "\nreplserve: a line is longer than \(ServerLimits.textLineLength) bytes\n")
      try engine.waitForClose(of: 1)
      #expect(engine.callCount == 0)
    }

    // MARK: Ends

    @Test func aBlockMayEndItsSession() throws {
      let client = try running.text()
      try client.send("exit()\n")
      try engine.evaluation().answer(.ended(.ended))
      #expect(try client.readToEnd() == "Bye.\n")
      try engine.waitForClose(of: 1)
    }

    @Test func aHalfClosedClientGetsItsAnswersThenTheEnd() throws {
      let client = try running.text()
      try client.send("a\nb")
      client.halfClose()
      for source in ["a", "b"] {
        let call = try engine.evaluation()
        #expect(call.request.source == .block(source, isFinal: false))
        #expect(call.request.streams.write(Array("\(source)!\n".utf8), to: .standardOutput) == 3)
        call.answer(.ended(.value))
      }
      #expect(try client.readToEnd() == "a!\nfake> b!\nfake> \nBye.\n")
      try engine.waitForClose(of: 1)
    }

    @Test func theEndOfInputMakesAnIncompleteBlockFinal() throws {
      let client = try running.text()
      try client.send("if x:\n")
      client.halfClose()
      try engine.evaluation().answer(.ended(.incomplete))
      let final = try engine.evaluation()
      #expect(final.request.source == .block("if x:", isFinal: true))
      final.answer(.ended(.exception))
      #expect(try client.readToEnd() == "fake. fake> \nBye.\n")
    }

    @Test func aVanishedClientClosesTheSessionInTheEngine() throws {
      let client = try running.text()
      try client.send("while True: pass\n")
      let call = try engine.evaluation()
      client.close()
      try engine.waitForClose(of: 1)
      #expect(call.request.streams.write(Array("unheard".utf8), to: .standardOutput) == 7)
      call.answer(.ended(.interrupted))
    }

    @Test func aResetClosesTheSessionInTheEngine() throws {
      let client = try running.text()
      try client.send("while True: pass\n")
      _ = try engine.evaluation()
      client.reset()
      try engine.waitForClose(of: 1)
    }

    // MARK: Foreign protocols

    static let foreign: [[UInt8]] = [
      Array("POST / HTTP/1.1\r\nHost: localhost\r\n\r\nimport os\n".utf8),
      Array("GET / HTTP/1.0\n\n".utf8),
      [0x16, 0x03, 0x01, 0x00, 0x05, 0x0A, 0x0A, 0x0A],
    ]

    @Test(arguments: foreign) func aBrowserIsDroppedBeforeALineIsRun(_ bytes: [UInt8]) throws {
      let client = try running.text()
      try client.send(bytes)
      #expect(try client.readToEnd() == "")
      try engine.waitForClose(of: 1)
      #expect(engine.callCount == 0)
    }

    @Test func aRequestLineInTwoPiecesIsTold() throws {
      let client = try running.text()
      try client.send("POST / HT")
      try client.send("TP/1.1\nimport os\n")
      #expect(try client.readToEnd() == "")
      #expect(engine.callCount == 0)
    }

    @Test func aLaterLineMayLookLikeARequest() throws {
      let client = try running.text()
      try client.send("GET = 1\n")
      try engine.evaluation().answer(.ended(.value))
      #expect(try client.read(to: RunningServer.prompt) == "fake> ")
      try client.send("GET / HTTP/1.1\n")
      #expect(try engine.evaluation().request.source == .block("GET / HTTP/1.1", isFinal: false))
    }
  }
}
