// The frame decoder meets streams that are whole, cut, dirty and hostile.

import Shared
import Testing

@Suite struct FrameDecoderTests {
  private let sync: [UInt8] = [0xFF]

  private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

  // MARK: Streams

  @Test func severalFramesAndJunkCutAnywhere() {
    let stream =
      bytes("junk") + Frame.encode(bytes("one")) + Frame.encode([]) + bytes("v01l3;no")
      + Frame.encode(bytes("λ")) + [0x00, 0xFE] + sync + bytes("v02l1;x") + Frame.encode(bytes("v01l1;"))
    verifyFrames(
      of: stream,
      are: [
        .frame(bytes("one")), .frame([]), .frame(bytes("λ")), .rejected(.unsupportedVersion),
        .frame(bytes("v01l1;")),
      ],
      junk: 4 + 8 + 2 + 7)
  }

  @Test func aLongerStreamIsHeldAgainstTheReference() {
    var random = SplitMix64(seed: 1)
    for round in 0..<200 {
      var stream: [UInt8] = []
      for _ in 0..<Int.random(in: 1...8, using: &random) {
        let body = random.bytes(Int.random(in: 0...40, using: &random)).map { $0 & 0x7F }
        switch Int.random(in: 0..<6, using: &random) {
        case 0: stream += random.bytes(Int.random(in: 0...12, using: &random), syncShare: 64)
        case 1: stream += Frame.header(bodyLength: Int.random(in: 0...300, using: &random)) + body
        case 2: stream += Frame.encode(body).dropLast(Int.random(in: 0...10, using: &random))
        default: stream += Frame.encode(body)
        }
      }
      #expect(ParserProperties.frames(stream, content: .text) == nil, "round \(round)")
      #expect(ParserProperties.frames(stream, content: .binary) == nil, "round \(round)")
    }
  }

  @Test func randomBytesAreHeldAgainstTheReference() {
    var random = SplitMix64(seed: 2)
    for round in 0..<300 {
      let stream = random.bytes(Int.random(in: 0...200, using: &random), syncShare: UInt8(round % 128))
      #expect(ParserProperties.frames(stream, content: .text) == nil, "round \(round)")
    }
  }

  @Test func randomHeadersAreHeldAgainstTheReference() {
    var random = SplitMix64(seed: 3)
    let alphabet = sync + sync + bytes("v01l;09-")
    for round in 0..<300 {
      let stream = (0..<60).compactMap { _ in alphabet.randomElement(using: &random) }
      #expect(ParserProperties.frames(stream, content: .text) == nil, "round \(round)")
    }
  }

  // MARK: Rejections

  static let badHeaders: [(header: String, code: FrameError.Code, message: String)] = [
    ("l1;", .malformedHeader, "0xFF is not followed by 'v'"),
    ("V01l1;x", .malformedHeader, "0xFF is not followed by 'v'"),
    ("v02l1;x", .unsupportedVersion, "its version is not 01"),
    ("v11l1;x", .unsupportedVersion, "its version is not 01"),
    ("v1l1;x", .unsupportedVersion, "its version is not 01"),
    ("v01 l1;x", .malformedHeader, "the version is not followed by 'l'"),
    ("v01L1;x", .malformedHeader, "the version is not followed by 'l'"),
    ("v01l;", .malformedHeader, "the length is empty"),
    ("v01l-1;", .malformedHeader, "the length is not decimal digits ended by ';'"),
    ("v01l+1;x", .malformedHeader, "the length is not decimal digits ended by ';'"),
    ("v01l 1;x", .malformedHeader, "the length is not decimal digits ended by ';'"),
    ("v01l12a;x", .malformedHeader, "the length is not decimal digits ended by ';'"),
    ("v01l0x1;x", .malformedHeader, "the length is not decimal digits ended by ';'"),
    ("v01l1_0;x", .malformedHeader, "the length is not decimal digits ended by ';'"),
    ("v01l1.0;x", .malformedHeader, "the length is not decimal digits ended by ';'"),
    ("v01l1:x", .malformedHeader, "the length is not decimal digits ended by ';'"),
    ("v01l٣;xxx", .malformedHeader, "the length is not decimal digits ended by ';'"),
    ("v01l1\n;x", .malformedHeader, "the length is not decimal digits ended by ';'"),
    ("v01l00000000001;x", .malformedHeader, "the length has more than 10 digits"),
    ("v01l1001;x", .lengthTooLarge, "the length is over the maximum of 1000 bytes"),
    ("v01l9999999999;x", .lengthTooLarge, "the length is over the maximum of 1000 bytes"),
    ("v01l18446744073709551616;x", .lengthTooLarge, "the length is over the maximum of 1000 bytes"),
    (
      "v01l" + String(repeating: "9", count: 5_000) + ";x", .lengthTooLarge,
      "the length is over the maximum of 1000 bytes"
    ),
  ]

  @Test(arguments: badHeaders)
  func aBadHeaderIsRejectedOnceAndTheNextFrameIsFound(header: String, code: FrameError.Code, message: String) {
    let stream = sync + bytes(header) + Frame.encode(bytes("next"))
    if stream.count < 100 {
      verifyFrames(of: stream, are: [.rejected(code), .frame(bytes("next"))], junk: header.utf8.count)
    }
    let run = FrameDecoderRun(stream, cuts: stream.indices, maximumBodyLength: 1_000, content: .text)
    #expect(run.events.count == 2)
    guard case .rejected(let error)? = run.events.first else {
      Issue.record("not rejected")
      return
    }
    #expect(error.code == code)
    #expect(error.message == message)
    #expect(error.description == "bad frame: \(message)")
  }

  @Test func lengthsUpToTheMaximumAreTaken() {
    let stream = sync + bytes("v01l0000000003;abc") + Frame.encode(bytes("1234"))
    verifyFrames(
      of: stream, are: [.frame(bytes("abc")), .frame(bytes("1234"))], junk: 0, maximumBodyLength: 4)
    verifyFrames(
      of: stream, are: [.rejected(.lengthTooLarge), .rejected(.lengthTooLarge)], junk: stream.count - 2,
      maximumBodyLength: 2)
    verifyFrames(of: Frame.encode([]), are: [.frame([])], maximumBodyLength: 0)
    verifyFrames(of: Frame.encode([1]), are: [.rejected(.lengthTooLarge)], maximumBodyLength: -5)
    verifyFrames(of: Frame.encode([1]), are: [.frame([1])], maximumBodyLength: .max)
    verifyFrames(
      of: sync + bytes("v01l2147483648;"), are: [.rejected(.lengthTooLarge)], maximumBodyLength: .max)
  }

  // MARK: Lies

  @Test func aLengthThatIsTooLongStopsAtTheNextFrame() {
    verifyFrames(
      of: sync + bytes("v01l10;short") + Frame.encode(bytes("next")),
      are: [.rejected(.truncatedBody), .frame(bytes("next"))], junk: 12)
    // One byte too many: the sync byte of the next frame would have been its last.
    verifyFrames(
      of: sync + bytes("v01l6;short") + Frame.encode(bytes("next")),
      are: [.rejected(.truncatedBody), .frame(bytes("next"))], junk: 11)
    verifyFrames(
      of: sync + bytes("v01l5;") + Frame.encode([]), are: [.rejected(.truncatedBody), .frame([])], junk: 6)
  }

  @Test func aLengthThatIsTooShortLeavesJunk() {
    verifyFrames(
      of: sync + bytes("v01l2;short") + Frame.encode(bytes("next")),
      are: [.frame(bytes("sh")), .frame(bytes("next"))], junk: 3)
    verifyFrames(
      of: sync + bytes("v01l0;{}") + Frame.encode(bytes("next")), are: [.frame([]), .frame(bytes("next"))],
      junk: 2)
  }

  @Test func aBinaryBodyMayHoldSyncBytesAndWholeFrames() {
    let body = [0xFF, 0xFF] + Frame.encode(bytes("inside")) + [0xFF]
    verifyFrames(
      of: Frame.encode(body) + Frame.encode(bytes("next")), are: [.frame(body), .frame(bytes("next"))],
      junk: 0,
      content: .binary)
    verifyFrames(
      of: sync + bytes("v01l-1;") + Frame.encode(body), are: [.rejected(.malformedHeader), .frame(body)],
      junk: 7,
      content: .binary)
  }

  @Test func runsOfSyncBytes() {
    let run = [UInt8](repeating: 0xFF, count: 20)
    verifyFrames(
      of: run + bytes("v01l1;x"),
      are: Array(repeating: .rejected(.malformedHeader), count: 19) + [.frame(bytes("x"))], junk: 0)
    verifyFrames(
      of: run, are: Array(repeating: .rejected(.malformedHeader), count: 19), junk: 0,
      endsIn: .truncatedHeader)
  }

  // MARK: Ends

  @Test(arguments: Array(0..<Frame.encode([1, 2, 3]).count))
  func aFrameCutAnywhereIsMissedAtTheEndOfTheStream(length: Int) {
    let stream = Array(Frame.encode([1, 2, 3]).prefix(length))
    let missing: FrameError.Code? =
      switch length {
      case 0: nil
      case ..<Frame.header(bodyLength: 3).count: .truncatedHeader
      default: .truncatedBody
      }
    verifyFrames(of: stream, are: [], junk: 0, endsIn: missing)
    // And the next frame ends the wait.
    let code: FrameError.Code? =
      switch length {
      case 0: nil
      case 1, 4, 5, 6: .malformedHeader
      case 2, 3: .unsupportedVersion
      default: .truncatedBody
      }
    verifyFrames(
      of: stream + Frame.encode([9]),
      are: code.map { [.rejected($0), .frame([9])] } ?? [.frame([9])], junk: max(0, length - 1))
  }

  @Test func theErrorsAtTheEndOfAStreamAreOneLine() {
    var decoder = FrameDecoder(maximumBodyLength: 10)
    #expect(decoder.errorAtEndOfStream == nil)
    decoder.append(bytes("x") + sync)
    while decoder.next() != nil {}
    #expect(decoder.errorAtEndOfStream?.description == "bad frame: the stream ended inside a header")
    decoder.append(bytes("v01l3;"))
    #expect(decoder.next() == nil)
    #expect(decoder.errorAtEndOfStream?.description == "bad frame: the stream ended inside a body")
    decoder.append(bytes("abc"))
    #expect(decoder.next() == .frame(bytes("abc")))
    #expect(decoder.errorAtEndOfStream == nil)
  }

  // MARK: Bounds

  @Test func aMegabyteWithoutSyncByteIsNotKept() {
    var decoder = FrameDecoder(maximumBodyLength: 100)
    let chunk = [UInt8](repeating: 0x61, count: 4_096)
    for _ in 0..<256 {
      decoder.append(chunk)
      #expect(decoder.next() == .junk(byteCount: 4_096))
      #expect(decoder.next() == nil)
      #expect(decoder.bufferedByteCount == 0)
    }
  }

  @Test func aLengthOverTheMaximumIsRejectedBeforeItsBodyIsKept() {
    var decoder = FrameDecoder(maximumBodyLength: 100)
    decoder.append(sync + bytes("v01l101"))
    guard case .rejected(let error)? = decoder.next() else {
      Issue.record("not rejected")
      return
    }
    #expect(error.code == .lengthTooLarge)
    decoder.append([UInt8](repeating: 0x61, count: 1 << 20))
    // The header's six bytes that were waited for, and all that follows them.
    #expect(decoder.next() == .junk(byteCount: 7 + 1 << 20))
    #expect(decoder.next() == nil)
    #expect(decoder.bufferedByteCount == 0)
  }

  @Test func aBodyIsBufferedUpToTheMaximumAndNoFurther() {
    let maximum = 1_000
    var decoder = FrameDecoder(maximumBodyLength: maximum)
    decoder.append(Frame.header(bodyLength: maximum))
    for count in 1..<maximum {
      decoder.append(CollectionOfOne(0x61))
      #expect(decoder.next() == nil)
      #expect(decoder.bufferedByteCount == Frame.header(bodyLength: maximum).count + count)
    }
    decoder.append([UInt8](repeating: 0x61, count: 5_000))
    #expect(decoder.next() == .frame([UInt8](repeating: 0x61, count: maximum)))
    #expect(decoder.next() == .junk(byteCount: 4_999))
    #expect(decoder.next() == nil)
    #expect(decoder.bufferedByteCount == 0)
  }

  /// A decoder that moves its buffer for each frame or each byte takes minutes for either half.
  @Test(.timeLimit(.minutes(1))) func theWorkIsLinear() {
    var decoder = FrameDecoder(maximumBodyLength: 1 << 20)
    let count = 300_000
    decoder.append((0..<count).flatMap { _ in Frame.encode([0x61]) })
    var frames = 0
    while decoder.next() == .frame([0x61]) { frames += 1 }
    #expect(frames == count)

    let body = [UInt8](repeating: 0x61, count: 1 << 20)
    for byte in Frame.encode(body).dropLast() {
      decoder.append(CollectionOfOne(byte))
      guard decoder.next() == nil else {
        Issue.record("an event before the last byte")
        return
      }
    }
    decoder.append(CollectionOfOne(0x61))
    #expect(decoder.next() == .frame(body))
  }

  @Test func aCallerThatNeverDrainsOnlyHoldsWhatItAppended() {
    var decoder = FrameDecoder(maximumBodyLength: 10)
    for _ in 0..<1_000 {
      decoder.append(Frame.encode([1]) + Frame.encode([2]))
      #expect(decoder.next() != nil)
    }
    var frames = 1_000
    while decoder.next() != nil { frames += 1 }
    #expect(frames == 2_000)
    #expect(decoder.bufferedByteCount == 0)
  }
}
