// The key stream: bytes from the keyboard in, single bytes and whole pastes out.

/// Tells what was pasted from what was typed, by the marks that a terminal in bracketed-paste mode puts around it.
///
/// The keys wait here until somebody can take them, and nothing is lost however fast they come.
struct KeyStream {
  enum Event: Equatable {
    case byte(UInt8)
    /// A paste, without its marks.
    case paste([UInt8])
    /// A paste that was too long to be kept; it is gone.
    case tooLong
  }

  private var buffer: [UInt8] = []
  private var start = 0
  /// How far a paste that is not yet whole has been searched for its end.
  private var searched = 0
  private var isDropping = false

  /// The longest paste that is kept, in bytes: it fits a request.
  static let maximumPasteLength = 1 << 20

  private static let pasteStart = Array("\u{1B}[200~".utf8)
  private static let pasteEnd = Array("\u{1B}[201~".utf8)

  var isEmpty: Bool { start == buffer.count }

  /// Whether to read more; a paste is always taken to its end.
  var hasRoom: Bool { buffer.count - start < Self.maximumWaitingLength || isDropping || isInPaste }

  private var isInPaste: Bool { buffer[start...].starts(with: Self.pasteStart) }

  /// How many bytes may wait to be used.
  private static let maximumWaitingLength = 1 << 16

  /// Whether these are the last keys.
  func endsWith(_ keys: [UInt8]) -> Bool { !isInPaste && buffer[start...].suffix(keys.count).elementsEqual(keys) }

  mutating func append(_ bytes: some Sequence<UInt8>) { buffer += bytes }

  /// Forgets everything, a paste that is not whole included.
  mutating func clear() { self = KeyStream() }

  /// The next event; nil when more bytes are needed.
  mutating func next() -> Event? {
    guard isDropping || buffer[start...].starts(with: Self.pasteStart) else { return nextByte().map(Event.byte) }
    let from = max(start + (isDropping ? 0 : Self.pasteStart.count), searched)
    if let end = indexOfEnd(from: from) {
      defer { consume(through: end + Self.pasteEnd.count) }
      if isDropping {
        isDropping = false
        return .tooLong
      }
      let body = buffer[(start + Self.pasteStart.count)..<end]
      return body.count > Self.maximumPasteLength ? .tooLong : .paste(Array(body))
    }
    searched = max(from, buffer.count - Self.pasteEnd.count + 1)
    if buffer.count - start > Self.maximumPasteLength + Self.pasteStart.count + Self.pasteEnd.count {
      // The end may be cut: what can be the start of it stays.
      isDropping = true
      consume(through: buffer.count - Self.pasteEnd.count + 1)
    }
    return nil
  }

  /// A byte that is there, whatever it belongs to.
  mutating func nextByte() -> UInt8? {
    guard start < buffer.count else { return nil }
    defer { consume(through: start + 1) }
    return buffer[start]
  }

  private func indexOfEnd(from: Int) -> Int? {
    guard from < buffer.count else { return nil }
    var index = from
    while let escape = buffer[index...].firstIndex(of: 0x1B) {
      if buffer[escape...].starts(with: Self.pasteEnd) { return escape }
      index = escape + 1
    }
    return nil
  }

  private mutating func consume(through end: Int) {
    start = end
    searched = 0
    guard start == buffer.count || start > 1 << 16 else { return }
    buffer.removeFirst(start)
    start = 0
  }
}
