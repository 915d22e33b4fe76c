// The bash line: a command line as bash's user has typed it, with its quotes, up to the cursor.

/// A simple command, cut into words.
///
/// Bash hands over its words with their quotes, and cut at every character that ends a word for readline, so that
/// `name:app` is three of them. The line itself has all that is needed to know both: the words of the command, and how
/// much of the last one readline is going to replace.
struct BashLine: Equatable, Sendable {
  enum Quote: Equatable, Sendable {
    case none
    case single
    case double
  }

  /// The words before the one at the cursor, without their quotes.
  private(set) var words: [String] = []
  /// The word at the cursor, up to it, without its quotes.
  private(set) var current = ""
  /// The quote in which the cursor is.
  private(set) var quote = Quote.none
  /// The start of `current` that readline leaves alone.
  private(set) var kept = ""
  /// Whether the word at the cursor is the target of a redirection.
  private(set) var isRedirection = false

  /// - Parameters:
  ///   - line: what is before the cursor.
  ///   - wordBreaks: `$COMP_WORDBREAKS`.
  init(_ line: String, wordBreaks: String) {
    let breaks = Set(wordBreaks.unicodeScalars).subtracting("'\"\\ \t\n".unicodeScalars)
    var isEscaped = false
    var hasWord = false
    var redirects = false

    for scalar in line.unicodeScalars {
      if isEscaped {
        isEscaped = false
        // Within double quotes a backslash is one, unless it protects something.
        if quote == .double, !"$`\"\\\n".unicodeScalars.contains(scalar) { current += "\\" }
        current.unicodeScalars.append(scalar)
        continue
      }
      switch (quote, scalar) {
      case (.single, "'"), (.double, "\""): quote = .none
      case (.single, _): current.unicodeScalars.append(scalar)
      case (_, "\\"):
        isEscaped = true
        hasWord = true
      case (.double, _): current.unicodeScalars.append(scalar)
      case (.none, "'"), (.none, "\""):
        quote = scalar == "'" ? .single : .double
        hasWord = true
        kept = current
      case (.none, " "), (.none, "\t"), (.none, "\n"):
        if hasWord, !redirects { words.append(current) }
        if hasWord { redirects = false }
        (current, kept, hasWord) = ("", "", false)
      case (.none, "<"), (.none, ">"):
        // What stands before it is a word, unless it is the number of a descriptor.
        if hasWord, !redirects, !current.allSatisfy({ $0.isNumber || $0 == "&" }) { words.append(current) }
        (current, kept, hasWord, redirects) = ("", "", false, true)
      case (.none, _):
        current.unicodeScalars.append(scalar)
        hasWord = true
        if breaks.contains(scalar) { kept = current }
      }
    }
    isRedirection = redirects
    if quote == .none, !hasWord { kept = "" }
  }

  /// What readline is to put in place of the end of the word, with the quotes that it needs there.
  ///
  /// - Parameter word: a whole word.
  /// - Returns: nil when the word does not go on from what is there.
  func replacement(_ word: String) -> String? {
    guard word.utf8.starts(with: current.utf8), word.utf8.starts(with: kept.utf8) else { return nil }
    let tail = word.unicodeScalars.dropFirst(kept.unicodeScalars.count)
    var text = ""
    for scalar in tail {
      switch quote {
      case .single where scalar == "'": text += "'\\'"
      case .double where "$`\"\\".unicodeScalars.contains(scalar): text += "\\"
      case .none where Self.special.contains(scalar): text += "\\"
      default: break
      }
      text.unicodeScalars.append(scalar)
    }
    return text
  }

  /// What bash would not take as it is.
  private static let special = Set(" \t'\"\\`$&|;<>()*?[]{}~#!^".unicodeScalars)
}
