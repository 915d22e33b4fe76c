// The shell words: a command line cut into words, as sh does, with nothing else of sh.

internal import ReplClient
internal import Shared

/// Takes the words of a line one by one: blanks between them, '...', "..." and a backslash. Nothing is replaced, and
/// nothing is run.
struct ShellWords {
  private var rest: Substring

  init(_ line: String) { rest = line.drop(while: Self.isBlank) }

  /// What has not been taken, as it was written.
  var verbatim: String { String(rest) }

  var startsWithDash: Bool { rest.first == "-" }

  /// - Returns: nil at the end of the line.
  /// - Throws: `ClientError`, `.usage` for a quotation that does not end.
  mutating func next() throws(ClientError) -> String? {
    guard !rest.isEmpty else { return nil }
    var word = ""
    while let character = rest.first, !Self.isBlank(character) {
      rest.removeFirst()
      switch character {
      case "'":
        guard let end = rest.firstIndex(of: "'") else { throw Self.unclosed }
        word += rest[..<end]
        rest = rest[rest.index(after: end)...]
      case "\"": word += try quoted()
      case "\\":
        guard let escaped = rest.popFirst() else { throw ClientError(.usage, "the line ends in a backslash") }
        word.append(escaped)
      default: word.append(character)
      }
    }
    rest = rest.drop(while: Self.isBlank)
    return word
  }

  /// What stands in "...": a backslash is one, but before the characters that it makes plain.
  private mutating func quoted() throws(ClientError) -> String {
    var text = ""
    while let character = rest.popFirst() {
      if character == "\"" { return text }
      if character == "\\", let next = rest.first, "\"\\$`".contains(next) {
        text.append(next)
        rest.removeFirst()
      } else {
        text.append(character)
      }
    }
    throw Self.unclosed
  }

  private static let unclosed = ClientError(.usage, "a quotation mark is not closed")

  private static func isBlank(_ character: Character) -> Bool {
    character == " " || character == "\t" || character == "\n"
  }
}

extension String {
  /// The text as one word of sh.
  var shellQuoted: String {
    "'" + split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
  }
}
