// The reference frame decoder: the rules of the format over a whole stream at once, in the most
// obvious way, to hold the real one against.

import Shared

/// What a stream holds, found by looking at it as a whole.
struct ReferenceFrameDecoder {
  enum Event: Equatable {
    case frame([UInt8])
    case rejected(FrameError.Code)

    /// The same event of the real decoder, or nil for junk, which is counted and not compared.
    init?(_ event: FrameDecoder.Event) {
      switch event {
      case .frame(let body): self = .frame(body)
      case .rejected(let error): self = .rejected(error.code)
      case .junk: return nil
      }
    }
  }

  private(set) var events: [Event] = []
  private(set) var junkByteCount = 0

  init(_ stream: [UInt8], maximumBodyLength: Int, content: FrameDecoder.Content) {
    let expected: [UInt8] = [0xFF] + Array("v01l".utf8)
    var position = 0
    search: while position < stream.count {
      guard stream[position] == 0xFF else {
        junkByteCount += 1
        position += 1
        continue
      }
      // From here on `return` means: the stream ends before this frame is known to be one.
      var next = position
      for (index, byte) in expected.enumerated() {
        guard next < stream.count else { return }
        guard stream[next] == byte else {
          reject(index == 2 || index == 3 ? .unsupportedVersion : .malformedHeader, at: &position)
          continue search
        }
        next += 1
      }
      var digits = ""
      while true {
        guard next < stream.count else { return }
        let byte = stream[next]
        next += 1
        if byte == UInt8(ascii: ";") { break }
        guard (0x30...0x39).contains(byte), digits.count < 10 else {
          reject(.malformedHeader, at: &position)
          continue search
        }
        digits.append(Character(Unicode.Scalar(byte)))
        if Int(digits) ?? 0 > maximumBodyLength {
          reject(.lengthTooLarge, at: &position)
          continue search
        }
      }
      guard let length = Int(digits) else {
        reject(.malformedHeader, at: &position)
        continue search
      }
      let body = stream[next...].prefix(length)
      if content == .text, body.contains(0xFF) {
        reject(.truncatedBody, at: &position)
        continue search
      }
      guard body.count == length else { return }
      events.append(.frame(Array(body)))
      position = next + length
    }
  }

  private mutating func reject(_ code: FrameError.Code, at position: inout Int) {
    events.append(.rejected(code))
    position += 1
  }
}
