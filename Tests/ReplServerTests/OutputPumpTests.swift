// The output pump: output as far as the credit reaches, then the event, then the reply.

import Shared
import Testing

@testable import ReplServer

@Suite struct OutputPumpTests {
  /// A source that a test fills.
  private final class Pieces: OutputSource {
    var pieces: [(stream: OutputStream, bytes: [UInt8])] = []

    func add(_ text: String, _ stream: OutputStream = .standardOutput) { pieces.append((stream, Array(text.utf8))) }

    func take(upTo limit: Int) -> (stream: OutputStream, bytes: [UInt8])? {
      guard let first = pieces.first else { return nil }
      let bytes = Array(first.bytes.prefix(limit))
      pieces[0].bytes.removeFirst(bytes.count)
      if pieces[0].bytes.isEmpty { pieces.removeFirst() }
      return (first.stream, bytes)
    }

    var isEmpty: Bool { pieces.isEmpty }
  }

  private let source = Pieces()
  private let reply = PendingReply(id: 5, isOrdered: false, connection: nil)

  private func makePump(credit: Int) -> OutputPump {
    OutputPump(request: 5, credit: credit, source: source, reply: reply)
  }

  /// What a pump sends now, in one line: output by its letter, an event by its name.
  private func pump(_ pump: OutputPump, room: Int = .max) throws -> (sent: String, isDone: Bool) {
    var (sent, room): ([String], Int) = ([], room)
    var failure: (any Error)?
    let isDone = pump.pump { body in
      do {
        switch try ServerMessage(parsing: body) {
        case .output(let frame):
          let letter = String(decoding: [frame.stream.rawValue], as: UTF8.self)
          sent.append(letter + ":" + String(decoding: frame.bytes, as: UTF8.self))
        case .event(let event): sent.append(event.name.text)
        case .reply: sent.append("reply")
        }
      } catch { failure = error }
      room -= 1
      return room > 0
    }
    if let failure { throw failure }
    return (sent.joined(separator: " "), isDone)
  }

  @Test func allStreamsLeaveInOrder() throws {
    source.add("a")
    source.add("b", .standardError)
    source.add("c", .value)
    let sent = try pump(makePump(credit: 100))
    #expect(sent == ("o:a e:b v:c", false))
    #expect(reply.reply == nil)
  }

  @Test func theCreditIsKeptToTheByte() throws {
    source.add("abcdefgh")
    let pump = makePump(credit: 3)
    #expect(try self.pump(pump).sent == "o:abc")
    #expect(try self.pump(pump).sent == "")
    pump.grant(0)
    #expect(try self.pump(pump).sent == "")
    pump.grant(1)
    pump.grant(1)
    #expect(try self.pump(pump).sent == "o:de")
    pump.grant(100)
    source.add("i")
    #expect(try self.pump(pump).sent == "o:fgh o:i")
  }

  @Test func whatIsGrantedEarlyCounts() throws {
    let pump = makePump(credit: 1)
    pump.grant(2)
    source.add("abcde")
    #expect(try self.pump(pump).sent == "o:abc")
  }

  @Test(arguments: [0, -1, Int.min]) func noCreditSendsNothing(_ credit: Int) throws {
    source.add("a")
    let pump = makePump(credit: credit)
    #expect(try self.pump(pump).sent == "")
    pump.grant(credit)
    #expect(try self.pump(pump).sent == "")
    pump.grant(1)
    #expect(try self.pump(pump).sent == "o:a")
  }

  @Test func aCreditBeyondAllBoundsIsBounded() throws {
    let pump = makePump(credit: .max)
    for _ in 0..<3 { pump.grant(.max) }
    source.add("a")
    #expect(try self.pump(pump).sent == "o:a")
  }

  @Test func noFrameIsLongerThanAChunk() throws {
    source.add(String(repeating: "x", count: 2 * ServerLimits.outputChunk + 1))
    let pieces = try pump(makePump(credit: .max)).sent.split(separator: " ").map { $0.utf8.count - 2 }
    #expect(pieces == [ServerLimits.outputChunk, ServerLimits.outputChunk, 1])
  }

  @Test func withoutOutputNothingNeedsCredit() throws {
    let pump = makePump(credit: 0)
    pump.send(ServerEvent(.input, request: 5))
    #expect(try self.pump(pump) == ("input", false))
    pump.end { .ok(["state": "done"]) }
    #expect(try self.pump(pump) == ("", true))
    #expect(reply.reply == .ok(["state": "done"]))
  }

  @Test func theEventAndTheReplyStayBehindTheOutput() throws {
    let pump = makePump(credit: 1)
    source.add("ab")
    pump.send(ServerEvent(.input, request: 5))
    pump.end { .ok([:]) }
    #expect(try self.pump(pump) == ("o:a", false))
    #expect(reply.reply == nil)
    pump.grant(1)
    #expect(try self.pump(pump) == ("o:b input", true))
    #expect(reply.reply == .ok([:]))
  }

  @Test func theReplyIsMadeWhenItIsSent() throws {
    let pump = makePump(credit: 0)
    source.add("a")
    var count = 0
    pump.end { .ok(["count": .integer(count)]) }
    _ = try self.pump(pump)
    count = 3
    pump.grant(1)
    #expect(try self.pump(pump).isDone)
    #expect(reply.reply == .ok(["count": 3]))
  }

  @Test func anEventIsSentOnceAndCanBeTakenBack() throws {
    let pump = makePump(credit: 9)
    pump.send(ServerEvent(.input, request: 5))
    pump.send(ServerEvent("later", request: 5))
    #expect(try self.pump(pump).sent == "later")
    #expect(try self.pump(pump).sent == "")
    pump.send(ServerEvent(.input, request: 5))
    pump.withdrawEvent()
    #expect(try self.pump(pump).sent == "")
  }

  @Test func aFullChannelIsGivenNoMore() throws {
    source.add("a")
    source.add("b", .standardError)
    let pump = makePump(credit: 9)
    pump.end { .ok([:]) }
    #expect(try self.pump(pump, room: 1) == ("o:a", false))
    #expect(reply.reply == nil)
    #expect(try self.pump(pump, room: 1) == ("e:b", false))
    #expect(try self.pump(pump, room: 1) == ("", true))
  }

  @Test func aClosedOneTellsOnceAndNeverReplies() throws {
    let pump = makePump(credit: 9)
    var count = 0
    pump.onClose = { count += 1 }
    pump.end { .ok([:]) }
    pump.close()
    pump.close()
    #expect(count == 1)
    #expect(try self.pump(pump) == ("", false))
    #expect(reply.reply == nil)
  }
}
