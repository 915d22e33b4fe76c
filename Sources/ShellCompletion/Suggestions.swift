// The suggestions: what the word at the cursor may become.

/// One whole word, and what there is to say about it.
struct Suggestion: Equatable, Sendable {
  var text: String
  var description = ""
}

enum Suggestions: Equatable, Sendable {
  /// - Parameter mayGoOn: whether such a word is often not the whole of it, so that no space is to follow.
  case words([Suggestion], mayGoOn: Bool = false)
  /// The shell's own names of files.
  ///
  /// - Parameter glue: the start of the word that is no part of the file's name.
  case files(glue: String)

  static let none = Suggestions.words([])
}
