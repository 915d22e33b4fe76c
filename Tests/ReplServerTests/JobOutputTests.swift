// The job output: the newest bytes, the places in it, and what a reader has missed.

import Testing

@testable import ReplServer

@Suite struct JobOutputTests {
  private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

  /// All that a reader gets from a place on, in pieces of at most `limit` bytes.
  private func read(_ output: JobOutput, from place: Int, upTo limit: Int) -> (bytes: [UInt8], missed: Int) {
    var (all, missed, place): ([UInt8], Int, Int) = ([], 0, place)
    while let reading = output.read(at: place, upTo: limit) {
      #expect((1...max(1, limit)).contains(reading.bytes.count))
      #expect(reading.next == place + reading.missed + reading.bytes.count)
      all += reading.bytes
      missed += reading.missed
      place = reading.next
    }
    return (all, missed)
  }

  @Test func anEmptyOneHasNothingAnywhere() {
    var output = JobOutput(limit: 10)
    output.append([], to: .standardOutput)
    for place in [Int.min / 2, -1, 0, 1, Int.max] { #expect(output.read(at: place, upTo: 1) == nil) }
    #expect(output.bytes.isEmpty)
    #expect((output.count, output.dropped, output.end) == (0, 0, 0))
  }

  @Test func theStreamsAreToldApartAndStayInOrder() {
    var output = JobOutput()
    output.append(bytes("a"), to: .standardOutput)
    output.append(bytes("b"), to: .standardOutput)
    output.append(bytes("c"), to: .standardError)
    output.append(bytes("d"), to: .standardOutput)
    #expect(output.bytes == bytes("abcd"))
    let first = output.read(at: 0, upTo: 100)
    #expect(first == JobOutput.Reading(stream: .standardOutput, bytes: bytes("ab"), missed: 0, next: 2))
    let second = output.read(at: 2, upTo: 100)
    #expect(second == JobOutput.Reading(stream: .standardError, bytes: bytes("c"), missed: 0, next: 3))
    #expect(output.read(at: 3, upTo: 100)?.bytes == bytes("d"))
    #expect(output.read(at: 4, upTo: 100) == nil)
  }

  @Test(arguments: [0, 1, 2, 5, 6]) func theNewestBytesAreKept(_ limit: Int) {
    var output = JobOutput(limit: limit)
    for letter in ["a", "b", "c", "d", "e", "f"] { output.append(bytes(letter), to: .standardOutput) }
    #expect(output.bytes == bytes("abcdef").suffix(limit))
    #expect(output.count == limit)
    #expect(output.dropped == 6 - limit)
    #expect(output.end == 6)
  }

  @Test func oneWriteLongerThanTheLimitLeavesItsEnd() {
    let limit = 3 * ServerLimits.outputChunk + 5
    var output = JobOutput(limit: limit)
    let written = (0..<(10 * ServerLimits.outputChunk)).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    output.append(written, to: .standardError)
    #expect(output.bytes == Array(written.suffix(limit)))
    #expect(output.dropped == written.count - limit)
    let (got, missed) = read(output, from: 0, upTo: .max)
    #expect(got == Array(written.suffix(limit)))
    #expect(missed == written.count - limit)
  }

  @Test func aNegativeLimitKeepsNothing() {
    var output = JobOutput(limit: -1)
    output.append(bytes("abc"), to: .standardOutput)
    #expect(output.bytes.isEmpty)
    #expect(output.dropped == 3)
  }

  @Test func aReaderThatWasOvertakenIsToldWhatItMissed() {
    var output = JobOutput(limit: 4)
    output.append(bytes("abcd"), to: .standardOutput)
    #expect(output.read(at: 0, upTo: 2)?.next == 2)
    output.append(bytes("efgh"), to: .standardError)
    let reading = output.read(at: 2, upTo: 2)
    #expect(reading == JobOutput.Reading(stream: .standardError, bytes: bytes("ef"), missed: 2, next: 6))
  }

  @Test func aLimitBelowOneGivesOneByte() {
    var output = JobOutput()
    output.append(bytes("ab"), to: .standardOutput)
    for limit in [0, -1, Int.min] { #expect(output.read(at: 0, upTo: limit)?.bytes == bytes("a")) }
  }

  @Test func whatWasForgottenIsCounted() {
    var output = JobOutput(limit: 4)
    output.append(bytes("abcdef"), to: .standardOutput)
    output.drop()
    #expect((output.count, output.dropped, output.end) == (0, 6, 6))
    #expect(output.read(at: 0, upTo: 9) == nil)
    output.append(bytes("g"), to: .standardOutput)
    let reading = output.read(at: 3, upTo: 9)
    #expect(reading == JobOutput.Reading(stream: .standardOutput, bytes: bytes("g"), missed: 3, next: 7))
  }

  /// Against a model that keeps every byte ever written, with its stream.
  @Test(arguments: 1...20 as ClosedRange<UInt64>) func itIsTheEndOfAllThatWasWritten(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    let limit = Int.random(in: 0...200, using: &random)
    var output = JobOutput(limit: limit)
    var model: [(stream: OutputStream, byte: UInt8)] = []
    var keptFrom = 0
    for _ in 0..<300 {
      switch UInt8.random(in: 0..<20, using: &random) {
      case 0:
        output.drop()
        keptFrom = model.count
      case 1..<12:
        let stream: OutputStream = Bool.random(using: &random) ? .standardOutput : .standardError
        let written = random.bytes(Int.random(in: 0...90, using: &random))
        output.append(written, to: stream)
        model += written.map { (stream, $0) }
        keptFrom = max(keptFrom, model.count - limit)
      default:
        let place = Int.random(in: -5...(model.count + 5), using: &random)
        let most = Int.random(in: 1...120, using: &random)
        let reading = output.read(at: place, upTo: most)
        let start = max(place, keptFrom)
        guard start < model.count else {
          #expect(reading == nil)
          continue
        }
        guard let reading else {
          Issue.record("nothing at \(place), where there is something")
          continue
        }
        #expect(reading.missed == start - place)
        #expect(reading.next == start + reading.bytes.count)
        #expect((1...most).contains(reading.bytes.count))
        let wanted = model[start..<reading.next]
        #expect(reading.bytes == wanted.map(\.byte))
        #expect(wanted.allSatisfy { $0.stream == reading.stream })
      }
      #expect(output.dropped == keptFrom)
      #expect(output.end == model.count)
      #expect(output.bytes == model[keptFrom...].map(\.byte))
    }
  }
}
