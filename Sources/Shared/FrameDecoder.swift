// The frame decoder: bytes of a stream in, frames out, whatever the stream holds in between.

/// Finds frames in a stream that may start in the middle, hold junk, or lie about its lengths.
///
/// Feed it with `append`, then call `next` until it returns nil. The events are the same however the
/// stream was cut into pieces, except that one run of junk may be reported in parts.
///
/// Every byte of the stream is accounted for once: in a frame, as junk, or as the sync byte of a
/// rejected frame. So the sum over all events and `bufferedByteCount` is what was appended.
public struct FrameDecoder: Sendable {
  /// What the bodies hold.
  public enum Content: Sendable {
    /// UTF-8. A 0xFF inside a body means that the length lied: the frame is rejected, and the 0xFF
    /// is looked at as the start of the next one.
    case text
    /// Anything.
    case binary
  }

  public enum Event: Equatable, Sendable {
    /// The body of a whole frame.
    case frame([UInt8])
    /// Bytes that belonged to no frame, and are gone.
    case junk(byteCount: Int)
    /// A sync byte that started no valid frame; what followed it is looked at again.
    case rejected(FrameError)
  }

  private enum State {
    /// Between frames; `junk` bytes are dropped but not yet reported.
    case seeking(junk: Int)
    /// The header's bytes are counted, not kept.
    case header(FrameHeaderParser)
    /// `scanned` bytes of the body are known to hold no sync byte.
    case body(length: Int, headerLength: Int, scanned: Int)
  }

  /// What one look at the buffer came to.
  private enum Step {
    case event(Event)
    case stateChanged
    case needsMoreBytes
  }

  private let maximumBodyLength: Int
  private let content: Content
  private var state = State.seeking(junk: 0)
  private var buffer: [UInt8] = []
  // The bytes of `buffer` before this index are spent; dropping them is put off, so that a
  // buffer full of small frames is not moved once for each of them.
  private var start = 0

  /// - Parameters:
  ///   - maximumBodyLength: in bytes, brought into 0 ... `Frame.greatestBodyLength`. A frame that
  ///     announces more is rejected before any of its body is kept.
  ///   - content: what the bodies hold.
  public init(maximumBodyLength: Int, content: Content = .text) {
    self.maximumBodyLength = min(max(0, maximumBodyLength), Frame.greatestBodyLength)
    self.content = content
  }

  /// The bytes that were appended and are in no event yet.
  ///
  /// Once `next` has returned nil this is at most the maximum body and a header.
  public var bufferedByteCount: Int {
    let waiting = buffer.count - start
    switch state {
    case .seeking(let junk): return waiting + junk
    case .header(let header): return waiting + header.byteCount
    case .body(_, let headerLength, _): return waiting + headerLength
    }
  }

  /// Takes the next bytes of the stream, in pieces of any size.
  public mutating func append(_ bytes: some Collection<UInt8>) {
    // For a caller that appends without draining: at most as many bytes are moved as were spent.
    if start > buffer.count - start { dropSpentBytes() }
    buffer.append(contentsOf: bytes)
  }

  /// Returns the next event, or nil when it takes more bytes to know.
  public mutating func next() -> Event? {
    while true {
      let step: Step
      switch state {
      case .seeking(let junk):
        step = seek(junk: junk)
      case .header(let header):
        step = readHeader(header)
      case .body(let length, let headerLength, let scanned):
        step = readBody(length: length, headerLength: headerLength, scanned: scanned)
      }
      switch step {
      case .event(let event):
        return event
      case .stateChanged:
        continue
      case .needsMoreBytes:
        dropSpentBytes()
        return nil
      }
    }
  }

  /// What is missing if the stream ends here, or nil when it may.
  public var errorAtEndOfStream: FrameError? {
    switch state {
    case .seeking: nil
    case .header: FrameError(.truncatedHeader, "the stream ended inside a header")
    case .body: FrameError(.truncatedBody, "the stream ended inside a body")
    }
  }

  private mutating func seek(junk: Int) -> Step {
    let sync = buffer[start...].firstIndex(of: Frame.syncByte)
    let total = junk + ((sync ?? buffer.count) - start)
    if let sync {
      start = sync + 1
      state = .header(FrameHeaderParser(maximumBodyLength: maximumBodyLength))
    } else {
      start = buffer.count
      state = .seeking(junk: 0)
    }
    if total > 0 { return .event(.junk(byteCount: total)) }
    return sync == nil ? .needsMoreBytes : .stateChanged
  }

  private mutating func readHeader(_ parser: FrameHeaderParser) -> Step {
    var header = parser
    while start < buffer.count {
      switch header.feed(buffer[start]) {
      case .incomplete:
        start += 1
      case .complete(let bodyLength):
        start += 1
        state = .body(length: bodyLength, headerLength: header.byteCount, scanned: 0)
        return .stateChanged
      case .rejected(let error):
        // None of the bytes taken is another sync byte, so there is nothing to look at again.
        state = .seeking(junk: header.byteCount - 1)
        return .event(.rejected(error))
      }
    }
    state = .header(header)
    return .needsMoreBytes
  }

  private mutating func readBody(length: Int, headerLength: Int, scanned: Int) -> Step {
    let available = min(buffer.count - start, length)
    if content == .text,
      let sync = buffer[(start + scanned)..<(start + available)].firstIndex(of: Frame.syncByte)
    {
      state = .seeking(junk: headerLength - 1 + (sync - start))
      start = sync
      return .event(
        .rejected(FrameError(.truncatedBody, "another frame starts inside its \(length) byte body")))
    }
    guard available == length else {
      state = .body(length: length, headerLength: headerLength, scanned: available)
      return .needsMoreBytes
    }
    let body = Array(buffer[start..<(start + length)])
    start += length
    state = .seeking(junk: 0)
    return .event(.frame(body))
  }

  private mutating func dropSpentBytes() {
    if start == buffer.count {
      if buffer.capacity > Limits.retainedBufferCapacity {
        buffer = []
      } else {
        buffer.removeAll(keepingCapacity: true)
      }
    } else if start > 0 {
      buffer.removeFirst(start)
    }
    start = 0
  }
}
