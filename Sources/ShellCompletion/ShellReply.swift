// The shell reply: suggestions in the form that the script of a shell reads.
//
// The first line says what follows: `words`, `names` (no space is to follow one), or `files` and what glue is left
// out of them. Each other line is one suggestion.

internal import ReplClient

extension Completer {
  /// Answers the script of a shell.
  ///
  /// - Parameters:
  ///   - shell: that of the script.
  ///   - arguments: for bash the characters that end a word, and the line up to the cursor; for the others the words up
  ///     to the cursor, the last one being the word at the cursor.
  /// - Returns: lines; none when the arguments are not those of the script.
  public func reply(to shell: Shell, _ arguments: [String]) -> [String] {
    switch shell {
    case .bash:
      guard let line = arguments.last, let wordBreaks = arguments.first, arguments.count == 2 else { return [] }
      let read = BashLine(line, wordBreaks: wordBreaks)
      guard !read.isRedirection else { return Self.lines(.files(glue: "")) { $0.text } }
      return Self.lines(suggestions(read.words, current: read.current, withDescriptions: false)) {
        read.replacement($0.text)
      }
    case .zsh:
      guard let current = arguments.last else { return [] }
      return Self.lines(suggestions(arguments.dropLast(), current: current, withDescriptions: true)) { suggestion in
        // _describe reads up to the first colon that no backslash protects.
        var text = ""
        for scalar in suggestion.text.unicodeScalars {
          if scalar == ":" || scalar == "\\" { text += "\\" }
          text.unicodeScalars.append(scalar)
        }
        return suggestion.description.isEmpty ? text : "\(text):\(suggestion.description)"
      }
    case .fish:
      guard let current = arguments.last else { return [] }
      return Self.lines(suggestions(arguments.dropLast(), current: current, withDescriptions: true)) {
        $0.description.isEmpty ? $0.text : "\($0.text)\t\($0.description)"
      }
    }
  }

  private static func lines(_ suggestions: Suggestions, _ line: (Suggestion) -> String?) -> [String] {
    switch suggestions {
    case .files(let glue): ["files \(glue)"]
    case .words(let words, let mayGoOn):
      // A control character would be taken for a part of the form, or by the terminal.
      [mayGoOn ? "names" : "words"] + words.filter { $0.text == $0.text.printableLine }.compactMap(line)
    }
  }
}
