// The call at the cursor: the name before the parenthesis that the cursor is in, or the name that it is at.

enum CallAtCursor {
  /// - Parameters:
  ///   - text: the block.
  ///   - point: where the cursor is, in bytes.
  /// - Returns: a name with its dots; nil when there is none.
  static func name(in text: String, point: Int) -> String? {
    let before = Array(String(decoding: Array(text.utf8).prefix(max(0, point)), as: UTF8.self).unicodeScalars)
    var depth = 0
    for index in before.indices.reversed() {
      switch before[index] {
      case ")", "]", "}": depth += 1
      case "[", "{": depth -= 1
      case "(" where depth == 0:
        if let name = name(endingAt: index, in: before) { return name }
      case "(": depth -= 1
      default: break
      }
      if depth < 0 { depth = 0 }
    }
    return name(endingAt: before.count, in: before)
  }

  private static func name(endingAt end: Int, in text: [Unicode.Scalar]) -> String? {
    let reversed = text[..<end].reversed().prefix { isPart($0) }
    let name = String(String.UnicodeScalarView(reversed.reversed()))
    guard let first = name.unicodeScalars.first, first.properties.isXIDStart || first == "_", name.last != "." else {
      return nil
    }
    return name
  }

  private static func isPart(_ scalar: Unicode.Scalar) -> Bool {
    scalar == "." || scalar == "_" || scalar.properties.isXIDContinue
  }
}
