// The script blocks: lines in, blocks out.

/// Cuts a script into blocks that can be run one after the other.
///
/// Only the server knows its language, so this decides when it is worth asking whether what is there is a whole
/// block. It errs on the side of longer blocks.
struct ScriptBlocks {
  /// The lines of the block so far, each with its newline.
  private(set) var pending = ""
  private var lineCount = 0
  /// How many lines there were when the block was last found incomplete.
  private var incompleteAt = 0

  /// Words that go on with the block above them although they are not indented.
  private static let continuations: Set<Substring> = ["else", "elif", "except", "finally", "catch"]

  /// Blocks up to this many lines are asked about at every line that may end them; longer ones when they have grown
  /// by half, so that a script takes no time that grows with the square of its length.
  private static let shortBlock = 100

  /// Whether a line may start a block, so that the one above it may be over.
  static func mayStart(_ line: String) -> Bool {
    guard let first = line.unicodeScalars.first, !first.properties.isWhitespace, !")]}#".unicodeScalars.contains(first)
    else {
      return false
    }
    let word = line.prefix { $0.isLetter }
    return !continuations.contains(word)
  }

  var isBlank: Bool { !pending.unicodeScalars.contains { !$0.properties.isWhitespace } }

  /// Whether to ask, before this line is added, if the block above it is whole.
  func isWorthAsking(before line: String) -> Bool { !isBlank && Self.mayStart(line) && hasGrown }

  /// Whether to ask now. A block of several lines may go on with its next one; a single line that is whole may not.
  var isWorthAsking: Bool { !isBlank && lineCount == 1 && Self.mayStart(pending) }

  private var hasGrown: Bool { lineCount <= Self.shortBlock || lineCount - incompleteAt >= incompleteAt / 2 }

  /// - Parameter line: with its newline, which the last one may lack.
  mutating func add(_ line: String) {
    pending += line
    lineCount += 1
  }

  mutating func foundIncomplete() { incompleteAt = lineCount }

  /// The block, which is run now.
  mutating func take() -> String {
    defer { self = ScriptBlocks() }
    return pending
  }
}
