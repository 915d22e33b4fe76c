// Printable text: what came from outside, with everything that a terminal could obey replaced.

extension String {
  /// The text in one line: every control character and every other end of a line becomes '?'.
  public var printableLine: String { printable { _ in false } }

  /// The text in lines: newlines and tabs stay.
  public var printableLines: String { printable { $0 == "\n" || $0 == "\t" } }

  /// The text in one line, in which a control character is written as in a string of most languages: `\n`, `\t`,
  /// `\x1b`. A backslash stays as it is, since this is for reading.
  public var escapedLine: String {
    guard unicodeScalars.contains(where: \.isObeyedByTerminals) else { return self }
    var line = ""
    for scalar in unicodeScalars {
      switch scalar {
      case "\n": line += "\\n"
      case "\t": line += "\\t"
      case "\r": line += "\\r"
      case _ where scalar.isObeyedByTerminals:
        let digits = String(scalar.value, radix: 16)
        line += scalar.value < 0x100 ? "\\x" + (digits.utf8.count < 2 ? "0" : "") + digits : "\\u{\(digits)}"
      default: line.unicodeScalars.append(scalar)
      }
    }
    return line
  }

  private func printable(keeping isKept: (Unicode.Scalar) -> Bool) -> String {
    guard unicodeScalars.contains(where: { $0.isObeyedByTerminals && !isKept($0) }) else { return self }
    return String(
      String.UnicodeScalarView(unicodeScalars.map { $0.isObeyedByTerminals && !isKept($0) ? "?" : $0 }))
  }
}

extension Unicode.Scalar {
  /// Whether it moves the cursor, changes the terminal or turns the direction of the text that follows.
  fileprivate var isObeyedByTerminals: Bool {
    if isASCII { return value < 0x20 || value == 0x7F }
    switch properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator: return true
    default: return properties.isBidiControl
    }
  }
}
