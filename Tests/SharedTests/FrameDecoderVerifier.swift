// The frame decoder verifier: a stream and the events it must give, however it is cut.

import Shared
import Testing

/// Checks the events other than junk, and the amount of junk, for each way to cut a stream: not at
/// all, after every byte, in two at every place, in three at every pair of places when it is short.
///
/// - Parameters:
///   - stream: the bytes as they arrive.
///   - expected: the frames and rejections in their order.
///   - junk: how many bytes belong to neither, or nil when it is of no interest.
///   - endsIn: what is missing at the end of the stream.
func verifyFrames(
  of stream: [UInt8], are expected: [ReferenceFrameDecoder.Event], junk: Int? = nil,
  endsIn: FrameError.Code? = nil, maximumBodyLength: Int = 1_000, content: FrameDecoder.Content = .text,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  /// Pairs of cuts are quadratic in the length of the stream.
  let greatestLengthForPairs = 64
  var waysToCut: [[Int]] = [[], Array(stream.indices)]
  waysToCut += stream.indices.map { [$0] }
  if stream.count <= greatestLengthForPairs {
    waysToCut += stream.indices.flatMap { first in stream.indices.dropFirst(first + 1).map { [first, $0] } }
  }
  for cuts in waysToCut {
    let run = FrameDecoderRun(stream, cuts: cuts, maximumBodyLength: maximumBodyLength, content: content)
    let events = run.events.compactMap(ReferenceFrameDecoder.Event.init)
    // An expectation for each of thousands of cuts would take longer than the decoder does.
    if events == expected, run.violations.isEmpty, run.errorAtEndOfStream?.code == endsIn,
      junk == nil || run.junkByteCount == junk
    {
      continue
    }
    let way: Comment = cuts.count > 2 ? "byte by byte" : "cut at \(cuts)"
    #expect(events == expected, way, sourceLocation: sourceLocation)
    #expect(run.violations == [], way, sourceLocation: sourceLocation)
    #expect(run.errorAtEndOfStream?.code == endsIn, way, sourceLocation: sourceLocation)
    #expect(junk == nil || run.junkByteCount == junk, way, sourceLocation: sourceLocation)
    return
  }
}
