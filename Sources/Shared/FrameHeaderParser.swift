// The frame header parser: takes the bytes after a sync byte one at a time, keeps none of them.

/// One candidate header. It is fed each byte after its sync byte until it is complete or rejected.
struct FrameHeaderParser: Sendable {
  enum Step {
    /// The byte belongs to the header; more are needed.
    case incomplete
    /// The byte ended the header.
    case complete(bodyLength: Int)
    /// The byte does not belong to a header, and was not taken: it may itself be a sync byte.
    case rejected(FrameError)
  }

  /// The bytes taken so far, the sync byte included.
  private(set) var byteCount = 1

  private let maximumBodyLength: UInt64
  private var digitCount = 0
  // 64 bits hold ten times any maximum, so that one more digit can not overflow.
  private var bodyLength: UInt64 = 0

  /// - Parameter maximumBodyLength: in bytes, from 0 to `Frame.greatestBodyLength`.
  init(maximumBodyLength: Int) {
    self.maximumBodyLength = UInt64(clamping: maximumBodyLength)
  }

  /// Takes the next byte.
  mutating func feed(_ byte: UInt8) -> Step {
    let position = byteCount - 1
    if position < Frame.prefix.count {
      guard byte == Frame.prefix[position] else {
        return .rejected(prefixError(at: position))
      }
      byteCount += 1
      return .incomplete
    }
    if byte == Frame.terminator {
      guard digitCount > 0 else {
        return .rejected(FrameError(.malformedHeader, "the length is empty"))
      }
      byteCount += 1
      return .complete(bodyLength: Int(clamping: bodyLength))
    }
    // A sign is no digit, so a negative length ends here as well.
    guard byte >= 0x30, byte <= 0x39 else {
      return .rejected(FrameError(.malformedHeader, "the length is not decimal digits ended by ';'"))
    }
    guard digitCount < Frame.maximumLengthDigits else {
      return .rejected(
        FrameError(.malformedHeader, "the length has more than \(Frame.maximumLengthDigits) digits"))
    }
    let longer = bodyLength * 10 + UInt64(byte - 0x30)
    // Refused at the digit that goes over, and not at the ';': what follows is not worth waiting for.
    guard longer <= maximumBodyLength else {
      return .rejected(
        FrameError(.lengthTooLarge, "the length is over the maximum of \(maximumBodyLength) bytes"))
    }
    bodyLength = longer
    digitCount += 1
    byteCount += 1
    return .incomplete
  }

  private func prefixError(at position: Int) -> FrameError {
    switch position {
    case 0: FrameError(.malformedHeader, "0xFF is not followed by 'v'")
    case 3: FrameError(.malformedHeader, "the version is not followed by 'l'")
    default: FrameError(.unsupportedVersion, "its version is not 01")
    }
  }
}
