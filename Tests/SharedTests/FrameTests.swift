// Frames are written byte for byte as the ancestor writes them.

import Shared
import Testing

@Suite struct FrameTests {
  /// Messages and their frames, as `unpythonic.net.msg.encodemsg` of unpythonic 2.5.0 made them.
  static let ancestor: [(body: String, frame: String)] = [
    (#"{"command": "DescribeServer"}"#, #"v01l29;{"command": "DescribeServer"}"#),
    (#"{"command": "PairWithSession", "id": 3}"#, #"v01l39;{"command": "PairWithSession", "id": 3}"#),
    (
      #"{"command": "TabComplete", "text": "na\u00efve.\u03bb", "state": 0}"#,
      #"v01l67;{"command": "TabComplete", "text": "na\u00efve.\u03bb", "state": 0}"#
    ),
    (#"{"command": "KeyboardInterrupt"}"#, #"v01l32;{"command": "KeyboardInterrupt"}"#),
    (#"{"status": "ok", "result": null}"#, #"v01l32;{"status": "ok", "result": null}"#),
    (
      #"{"text": "\ud83d\ude00\u0000\u001f\u007f/"}"#,
      #"v01l43;{"text": "\ud83d\ude00\u0000\u001f\u007f/"}"#
    ),
    ("", "v01l0;"),
    ("naïve λ 😀", "v01l14;naïve λ 😀"),
  ]

  @Test(arguments: ancestor)
  func isWrittenAsTheAncestorWritesIt(body: String, frame: String) {
    #expect(Frame.encode(body.utf8) == [0xFF] + Array(frame.utf8))
  }

  @Test func everyFrameOfTheAncestorIsRead() {
    let stream = Self.ancestor.flatMap { pair -> [UInt8] in [0xFF] + Array(pair.frame.utf8) }
    verifyFrames(of: stream, are: Self.ancestor.map { .frame(Array($0.body.utf8)) })
  }

  @Test func theHeaderStandsAlone() {
    #expect(Frame.header(bodyLength: 1_048_576) == [0xFF] + Array("v01l1048576;".utf8))
    #expect(Frame.header(bodyLength: 0) == [0xFF] + Array("v01l0;".utf8))
    #expect(Frame.header(bodyLength: -1) == [0xFF] + Array("v01l0;".utf8))
    #expect(Frame.header(bodyLength: Frame.greatestBodyLength).count == Frame.maximumHeaderLength)
  }

  @Test func theBodyMayBeAnyCollectionOfBytes() {
    #expect(Frame.encode(CollectionOfOne(UInt8(ascii: "x"))) == [0xFF] + Array("v01l1;x".utf8))
    #expect(Frame.encode("abcdef".utf8.dropFirst(2)) == [0xFF] + Array("v01l4;cdef".utf8))
  }
}
