// A run of the frame decoder: one stream, cut into pieces, with what must hold after each of them.

import Shared

/// Feeds a stream to a decoder piece by piece, and notes what came out and what was broken.
struct FrameDecoderRun {
  /// The events other than junk.
  private(set) var events: [FrameDecoder.Event] = []
  private(set) var junkByteCount = 0
  private(set) var bufferedByteCount = 0
  private(set) var errorAtEndOfStream: FrameError?
  /// Each invariant that did not hold, in words.
  private(set) var violations: [String] = []

  /// - Parameter cuts: where the stream is cut, ascending offsets; one that does not ascend is passed over.
  init(
    _ stream: [UInt8], cuts: some Sequence<Int>, maximumBodyLength: Int, content: FrameDecoder.Content
  ) {
    var decoder = FrameDecoder(maximumBodyLength: maximumBodyLength, content: content)
    let bound = min(max(0, maximumBodyLength), Frame.greatestBodyLength) + Frame.maximumHeaderLength
    var taken = 0
    var accounted = 0
    func feed(upTo end: Int, _ run: inout FrameDecoderRun) {
      decoder.append(stream[taken..<end])
      taken = end
      while let event = decoder.next() {
        switch event {
        case .frame(let body):
          accounted += Frame.header(bodyLength: body.count).count + body.count
          run.events.append(event)
          run.check(body.count <= maximumBodyLength, "a body is over the maximum")
        case .junk(let count):
          accounted += count
          run.junkByteCount += count
          run.check(count > 0, "a run of junk is empty")
        case .rejected:
          accounted += 1
          run.events.append(event)
        }
        run.check(accounted + decoder.bufferedByteCount <= end, "more bytes came out than went in")
      }
      run.bufferedByteCount = decoder.bufferedByteCount
      run.check(run.bufferedByteCount <= bound, "the buffer is over its bound")
      run.check(
        (decoder.errorAtEndOfStream == nil) == (run.bufferedByteCount == 0),
        "a held byte is no part of a frame")
    }
    for cut in cuts where cut > taken && cut <= stream.count { feed(upTo: cut, &self) }
    feed(upTo: stream.count, &self)
    errorAtEndOfStream = decoder.errorAtEndOfStream
    // Leading zeros make a header longer than the one we would write, so that less is accounted for.
    let hasPaddedLength = stream.indices.contains { stream[$0...].starts(with: [0x6C, 0x30]) }
    check(hasPaddedLength || accounted + bufferedByteCount == stream.count, "a byte is not accounted for")
  }

  private mutating func check(_ condition: Bool, _ invariant: String) {
    if !condition { violations.append(invariant) }
  }
}
