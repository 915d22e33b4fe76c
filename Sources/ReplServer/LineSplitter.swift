// The line splitter: bytes in, lines out, and never more than one bounded line kept.

/// Cuts the bytes of a text connection into lines.
struct LineSplitter {
  /// The line is longer than the limit; nothing can be read any more.
  struct LineTooLong: Error {}

  private var partial: [UInt8] = []
  private let limit: Int

  init(limit: Int = ServerLimits.textLineLength) {
    self.limit = limit
  }

  /// - Parameter bytes: as they came.
  /// - Returns: the lines that are now complete, each with its newline; `\r\n` is given as `\n`.
  /// - Throws: `LineTooLong` when a line without its newline is longer than the limit.
  mutating func append(_ bytes: some Collection<UInt8>) throws(LineTooLong) -> [[UInt8]] {
    var lines: [[UInt8]] = []
    var rest = bytes[...]
    while let newline = rest.firstIndex(of: UInt8(ascii: "\n")) {
      partial += rest[..<newline]
      if partial.last == UInt8(ascii: "\r") { partial.removeLast() }
      guard partial.count <= limit else { throw LineTooLong() }
      partial.append(UInt8(ascii: "\n"))
      lines.append(partial)
      partial = []
      rest = rest[rest.index(after: newline)...]
    }
    partial += rest
    guard partial.count <= limit else { throw LineTooLong() }
    return lines
  }

  /// The input has ended.
  /// - Returns: the last line, if it had no newline.
  mutating func finish() -> [UInt8]? {
    defer { partial = [] }
    return partial.isEmpty ? nil : partial
  }
}
