// The line splitter: lines out of bytes that may have been cut anywhere.

import Testing

@testable import ReplServer

@Suite struct LineSplitterTests {
  private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

  /// What a splitter gives for pieces, and what is left at the end.
  private func lines(of pieces: [[UInt8]], limit: Int = 64) throws -> (lines: [[UInt8]], last: [UInt8]?) {
    var splitter = LineSplitter(limit: limit)
    var lines: [[UInt8]] = []
    for piece in pieces { lines += try splitter.append(piece) }
    return (lines, splitter.finish())
  }

  @Test func everySplitPointGivesTheSameLines() throws {
    let stream = bytes("a = 1\r\n\n\r\nλ\r2\n\r\r\n") + [0xFF, 0x00, 0x0A] + bytes("rest\r")
    let wanted = ["a = 1\n", "\n", "\n", "λ\r2\n", "\r\n"].map(bytes) + [[0xFF, 0x00, 0x0A]]
    for first in 0...stream.count {
      for second in first...stream.count {
        let cut = try lines(of: [Array(stream[..<first]), Array(stream[first..<second]), Array(stream[second...])])
        #expect(cut.lines == wanted, "cut at \(first) and \(second)")
        #expect(cut.last == bytes("rest\r"), "cut at \(first) and \(second)")
      }
    }
    let drip = try lines(of: stream.map { [$0] })
    #expect(drip.lines == wanted)
    #expect(drip.last == bytes("rest\r"))
  }

  @Test func aSliceIsReadAsWhatItHolds() throws {
    var splitter = LineSplitter()
    #expect(try splitter.append(bytes("xxab\ncd")[2...]) == [bytes("ab\n")])
    #expect(splitter.finish() == bytes("cd"))
  }

  @Test func aLineAsLongAsTheLimitIsGiven() throws {
    let four = try lines(of: [bytes("abcd\nabcd")], limit: 4)
    #expect(four.lines == [bytes("abcd\n")])
    #expect(four.last == bytes("abcd"))
  }

  @Test func aLongerLineIsRefusedWhereverItIsCut() {
    let stream = bytes("ab\nabcde\n")
    for cut in 0...stream.count {
      #expect(throws: LineSplitter.LineTooLong.self, "cut at \(cut)") {
        try lines(of: [Array(stream[..<cut]), Array(stream[cut...])], limit: 4)
      }
    }
  }

  @Test func aLongerLineIsRefusedBeforeItsNewlineComes() {
    #expect(throws: LineSplitter.LineTooLong.self) { try lines(of: [bytes("abcde")], limit: 4) }
    #expect(throws: LineSplitter.LineTooLong.self) { try lines(of: [bytes("abc"), bytes("de")], limit: 4) }
  }

  @Test func theLimitIsThatOfTheServer() throws {
    var splitter = LineSplitter()
    #expect(try splitter.append([UInt8](repeating: 0x61, count: ServerLimits.textLineLength)) == [])
    #expect(throws: LineSplitter.LineTooLong.self) { try splitter.append([0x61]) }
  }

  @Test func theEndGivesWhatHasNoNewlineOnce() throws {
    var splitter = LineSplitter()
    #expect(splitter.finish() == nil)
    #expect(try splitter.append(bytes("one\n")) == [bytes("one\n")])
    #expect(splitter.finish() == nil)
    #expect(try splitter.append(bytes("two")) == [])
    #expect(splitter.finish() == bytes("two"))
    #expect(splitter.finish() == nil)
  }
}
