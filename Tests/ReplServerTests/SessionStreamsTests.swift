// A session's streams: bounded output, lines in order, and what a close and an interrupt do to a waiter.

import Testing

@testable import ReplServer

@Suite struct SessionStreamsTests {
  private let drains: Monitor<Int>
  private let takings: Monitor<Int>
  private let streams: SessionStreams

  init() {
    let drains = Monitor(0)
    let takings = Monitor(0)
    self.drains = drains
    self.takings = takings
    streams = SessionStreams(
      scheduleDrain: { drains.signal { $0 += 1 } }, inputTaken: { takings.signal { $0 += 1 } })
  }

  private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

  private func output() -> [UInt8] {
    var all: [UInt8] = []
    while let piece = streams.takeOutput() { all += piece }
    return all
  }

  /// Writes as much as is kept without a wait.
  private func fill() {
    let filling = [UInt8](repeating: 0x2E, count: ServerLimits.outputBytes)
    #expect(streams.write(filling, to: .standardOutput) == filling.count)
  }

  /// A write on another thread, of more than is kept.
  private func write(_ bytes: [UInt8]) -> Background<Int> {
    let streams = streams
    return Background { streams.write(bytes, to: .standardOutput) }
  }

  private func read() -> Background<InputLine> {
    let streams = streams
    return Background { streams.readLine(isHidden: false) }
  }

  // MARK: Output

  @Test func bothStreamsLeaveInOrder() {
    #expect(streams.write(bytes("a"), to: .standardOutput) == 1)
    #expect(streams.write(bytes("b"), to: .standardError) == 1)
    streams.say("c")
    #expect(streams.write([UInt8](), to: .standardOutput) == 0)
    #expect(streams.hasOutput)
    #expect(output() == bytes("abc"))
    #expect(!streams.hasOutput)
  }

  @Test func smallWritesLeaveAsOnePiece() {
    for _ in 0..<1000 { #expect(streams.write(bytes("ab"), to: .standardOutput) == 2) }
    #expect(streams.takeOutput() == bytes(String(repeating: "ab", count: 1000)))
    #expect(streams.takeOutput() == nil)
  }

  @Test func aPieceIsAtMostAChunk() {
    let long = (0..<(3 * ServerLimits.outputChunk + 5)).map { UInt8(truncatingIfNeeded: $0) }
    #expect(streams.write(bytes("x"), to: .standardOutput) == 1)
    #expect(streams.write(long, to: .standardOutput) == long.count)
    var all: [UInt8] = []
    while let piece = streams.takeOutput() {
      #expect(piece.count <= ServerLimits.outputChunk)
      all += piece
    }
    #expect(all == bytes("x") + long)
  }

  @Test func aBurstSchedulesOneDrain() {
    for _ in 0..<5 { #expect(streams.write(bytes("a"), to: .standardOutput) == 1) }
    streams.say("b")
    #expect(drains.withLock { $0 } == 1)
    #expect(streams.takeOutput() != nil)
    #expect(streams.write(bytes("c"), to: .standardOutput) == 1)
    #expect(drains.withLock { $0 } == 1)
    #expect(output() == bytes("c"))
    streams.say("d")
    #expect(drains.withLock { $0 } == 2)
  }

  @Test func aWriterWaitsAboveTheLimitUntilOutputIsTaken() throws {
    fill()
    let writer = write(bytes("more"))
    #expect(writer.isHeldUp)
    #expect(streams.takeOutput()?.count == ServerLimits.outputChunk)
    #expect(try writer.value() == 4)
    let rest = output()
    #expect(rest.count == ServerLimits.outputBytes - ServerLimits.outputChunk + 4)
    #expect(rest.suffix(4) == bytes("more")[...])
  }

  @Test func aLongWriteLeavesWholeThroughASmallWindow() throws {
    let long = (0..<(4 * ServerLimits.outputBytes + 3)).map { UInt8(truncatingIfNeeded: $0 % 251) }
    let writer = write(long)
    var all: [UInt8] = []
    var seen = 0
    while all.count < long.count {
      let scheduled = drains.wait(milliseconds: Patience.milliseconds) { $0 > seen ? $0 : nil }
      seen = try #require(scheduled)
      var burst: [UInt8] = []
      while let piece = streams.takeOutput() { burst += piece }
      all += burst
    }
    #expect(all == long)
    #expect(try writer.value() == long.count)
  }

  @Test func theServerItselfNeverWaits() {
    fill()
    streams.say("last word")
    #expect(output().suffix(9) == bytes("last word")[...])
  }

  @Test func aCloseReleasesAWaitingWriter() throws {
    fill()
    let writer = write([UInt8](repeating: 0x61, count: 2 * ServerLimits.outputBytes))
    #expect(writer.isHeldUp)
    streams.close()
    #expect(try writer.value() == 2 * ServerLimits.outputBytes)
    #expect(!streams.hasOutput)
  }

  @Test func aClosedSessionAcceptsOutputAndKeepsNone() throws {
    streams.close()
    let bytes = [UInt8](repeating: 0, count: 3 * ServerLimits.outputBytes)
    #expect(try write(bytes).value() == bytes.count)
    streams.say("x")
    #expect(streams.takeOutput() == nil)
    #expect(drains.withLock { $0 } == 0)
  }

  @Test func anInterruptCutsAWaitingWriteShort() throws {
    let writer = write([UInt8](repeating: 0x61, count: ServerLimits.outputBytes + 10))
    #expect(writer.isHeldUp)
    streams.interrupt()
    #expect(try writer.value() == ServerLimits.outputBytes)
    #expect(output().count == ServerLimits.outputBytes)
  }

  @Test func anInterruptIsUsedUpByOneWait() throws {
    fill()
    streams.interrupt()
    #expect(try write(bytes("abc")).value() == 0)
    let writer = write(bytes("def"))
    #expect(writer.isHeldUp)
    #expect(streams.takeOutput() != nil)
    #expect(try writer.value() == 3)
  }

  @Test func anInterruptLeavesAWriteAloneThatNeedNotWait() throws {
    streams.interrupt()
    #expect(streams.write(bytes("abc"), to: .standardOutput) == 3)
    #expect(try read().value() == .interrupted)
  }

  @Test func anInterruptOfAnEarlierEvaluationIsForgotten() throws {
    streams.interrupt()
    streams.beginEvaluation()
    let reader = read()
    #expect(reader.isHeldUp)
    streams.append(line: bytes("a\n"))
    #expect(try reader.value() == .line(bytes("a\n")))
  }

  // MARK: Input

  @Test func aReadWaitsForALine() throws {
    let reader = read()
    #expect(reader.isHeldUp)
    streams.append(line: bytes("a\n"))
    #expect(try reader.value() == .line(bytes("a\n")))
    #expect(takings.withLock { $0 } == 1)
  }

  @Test func linesComeInOrderAndThenTheEnd() throws {
    streams.append(line: bytes("a\n"))
    streams.append(line: bytes("bc\n"))
    streams.append(line: bytes("d"))
    #expect(streams.pendingInputByteCount == 6)
    streams.endInput()
    #expect(streams.isEndOfInput)
    #expect(streams.takeLine() == bytes("a\n"))
    #expect(try read().value() == .line(bytes("bc\n")))
    #expect(try read().value() == .line(bytes("d")))
    #expect(streams.pendingInputByteCount == 0)
    #expect(streams.takeLine() == nil)
    #expect(try read().value() == .endOfInput)
    #expect(try read().value() == .endOfInput)
  }

  @Test func theEndReleasesAWaitingRead() throws {
    let reader = read()
    #expect(reader.isHeldUp)
    streams.endInput()
    #expect(try reader.value() == .endOfInput)
  }

  @Test func anInterruptEndsOneRead() throws {
    let interrupted = read()
    #expect(interrupted.isHeldUp)
    streams.interrupt()
    #expect(try interrupted.value() == .interrupted)
    let reader = read()
    #expect(reader.isHeldUp)
    streams.append(line: bytes("a\n"))
    #expect(try reader.value() == .line(bytes("a\n")))
  }

  @Test func aReadOfAClosedSessionIsInterruptedAndThenAtTheEnd() throws {
    let reader = read()
    streams.append(line: bytes("a\n"))
    #expect(try reader.value() == .line(bytes("a\n")))
    let last = read()
    streams.close()
    #expect(last.isHeldUp)
    streams.interrupt()
    #expect(try last.value() == .interrupted)
    #expect(try read().value() == .endOfInput)
  }

  @Test func anInterruptThatComesBeforeTheCloseIsNotLost() throws {
    streams.interrupt()
    streams.close()
    #expect(try read().value() == .interrupted)
    #expect(try read().value() == .endOfInput)
  }

  @Test func aReadAfterAnInterruptThatWasUsedUpBeforeTheCloseIsAtTheEnd() throws {
    streams.interrupt()
    #expect(try read().value() == .interrupted)
    streams.close()
    #expect(try read().value() == .endOfInput)
  }

  @Test func aCloseForgetsTypedAheadLines() {
    streams.append(line: bytes("a\n"))
    streams.close()
    streams.append(line: bytes("b\n"))
    #expect(streams.pendingInputByteCount == 0)
    #expect(streams.takeLine() == nil)
  }
}
