// An output frame reads back as it was written, and nothing else is taken for one.

import Shared
import Testing

@Suite struct OutputFrameTests {
  @Test func theBodyIsALetterAnIdAndTheBytes() {
    #expect(OutputFrame(.standardOutput, request: 7, bytes: Array("a;\n".utf8)).body() == Array("o7;a;\n".utf8))
    #expect(OutputFrame(.standardError, request: 0, bytes: []).body() == Array("e0;".utf8))
    #expect(OutputFrame(.value, request: 12, bytes: [0xFF, 0x00]).body() == Array("v12;".utf8) + [0xFF, 0x00])
  }

  @Test(arguments: OutputFrame.Stream.allCases)
  func readsBack(stream: OutputFrame.Stream) {
    let contents: [[UInt8]] = [[], [0xFF], Array("o1;".utf8), Array("{}".utf8), Array(0...255), [0x3B]]
    for request in [0, 1, 9, 10, 65_535, Int.max - 1, Int.max] {
      for bytes in contents {
        let frame = OutputFrame(stream, request: request, bytes: bytes)
        #expect(OutputFrame(body: frame.body()) == frame)
      }
    }
  }

  @Test func theLongestBodyHasTheGreatestIdAndFitsItsLimit() {
    let prefix = OutputFrame(.value, request: .max, bytes: []).body().count
    let bytes = [UInt8](repeating: 0xFF, count: Limits.maximumOutputBodyLength - prefix)
    let frame = OutputFrame(.value, request: .max, bytes: bytes)
    #expect(frame.body().count == Limits.maximumOutputBodyLength)
    #expect(OutputFrame(body: frame.body()) == frame)
  }

  static let noFrames = [
    "", "o", "o;", "o;a", "o1", "o12345", "e", "v", "{", "{}", #"{"status":"ok"}"#, "x1;a", "X1;a", "1;a", ";",
    "o-1;a", "o+1;a", "o 1;a", "o1 ;a", "o1.0;a", "o1a;", "oa;", "o0x1;", "o１;", "o1:a", "oo1;",
    // One more than the greatest `Int`, twenty digits, and far more of them than are looked at.
    "o9223372036854775808;a", "o9999999999999999999;a", "o00000000000000000001;a",
    "o" + String(repeating: "9", count: 1_000) + ";", "o" + String(repeating: "1", count: 100_000),
  ]

  @Test(arguments: noFrames)
  func isNone(body: String) {
    #expect(OutputFrame(body: Array(body.utf8)) == nil)
  }

  @Test func everyOtherFirstByteIsNone() {
    let letters = Set(OutputFrame.Stream.allCases.map(\.rawValue))
    #expect(letters == Set("oevpOE".utf8))
    for byte in UInt8.min...UInt8.max where !letters.contains(byte) {
      #expect(OutputFrame(body: [byte] + Array("1;a".utf8)) == nil)
    }
  }

  @Test func anIdMayBePaddedWithZeros() {
    #expect(OutputFrame(body: Array("o007;a".utf8)) == OutputFrame(.standardOutput, request: 7, bytes: [0x61]))
  }

  /// A decoder of binary content finds every frame again, wherever the stream is cut: bytes that look like
  /// the start of a frame are part of the output.
  @Test func framesOfAnyBytesAreFoundInAStreamCutAnywhere() {
    var bodies = [
      OutputFrame(.standardOutput, request: 1, bytes: [0xFF]).body(),
      OutputFrame(.standardError, request: .max, bytes: [0xFF] + Array("v01l2;{}".utf8)).body(),
      Array(#"{"status":"ok","id":1}"#.utf8),
    ]
    verifyFrames(
      of: bodies.flatMap { Frame.encode($0) }, are: bodies.map { .frame($0) }, junk: 0, content: .binary)
    bodies.append(OutputFrame(.value, request: 0, bytes: []).body())
    verifyFrames(
      of: bodies.suffix(2).flatMap { Frame.encode($0) }, are: bodies.suffix(2).map { .frame($0) }, junk: 0,
      content: .binary)
  }

  /// Random frames of random bytes, a third of them 0xFF, cut at random.
  @Test(arguments: UInt64(0)..<40)
  func randomFramesAreFoundInAStreamCutAtRandom(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    let frames = (0..<20).map { _ in
      OutputFrame(
        OutputFrame.Stream.allCases.randomElement(using: &random) ?? .value,
        request: Int.random(in: 0...Int.max, using: &random) >> Int.random(in: 0..<63, using: &random),
        bytes: random.bytes(Int.random(in: 0..<200, using: &random), syncShare: 85))
    }
    let stream = frames.flatMap { Frame.encode($0.body()) }
    let cuts = stream.indices.filter { _ in Int.random(in: 0..<16, using: &random) == 0 }
    let run = FrameDecoderRun(stream, cuts: cuts, maximumBodyLength: 1_000, content: .binary)
    #expect(run.violations == [])
    let found = run.events.map { event in
      guard case .frame(let body) = event else { return OutputFrame?.none }
      return OutputFrame(body: body)
    }
    #expect(found == frames)
  }

  @Test func randomBytesNeverTrap() {
    var random = SplitMix64(seed: 1)
    let alphabet = Array("oev0123456789;-{ ".utf8) + [0xFF]
    for _ in 0..<20_000 {
      let body = (0..<Int.random(in: 0..<30, using: &random)).map { _ in alphabet.randomElement(using: &random) ?? 0 }
      guard let frame = OutputFrame(body: body) else { continue }
      #expect(frame.request >= 0)
      #expect(OutputFrame(body: frame.body()) == frame)
    }
  }
}
