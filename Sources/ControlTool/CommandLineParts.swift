// The parts of the command line: the command's word, and everything else.

/// The command line with the word of the command taken out, wherever it stands: the common options may come before it.
///
/// ArgumentParser could find it, but would first build the tree of all commands, which takes longer than `ping`.
struct CommandLineParts: Equatable, Sendable {
  /// The word of the command; nil when there are only options.
  private(set) var command: String?

  /// The other words, in their order.
  private(set) var rest: [String] = []

  /// The common options whose value may be the next word. A test holds this table against the declared options.
  static let optionsWithValue: Set<String> = ["-t", "--to", "--timeout", "--trust-user", "--reason"]

  /// - Parameter words: the command line without the name of the tool.
  init(_ words: [String]) {
    var words = words[...]
    while let word = words.popFirst() {
      guard word.utf8.first == UInt8(ascii: "-"), word != "-" else {
        command = word
        break
      }
      rest.append(word)
      if Self.optionsWithValue.contains(word), let value = words.popFirst() { rest.append(value) }
    }
    rest += words
  }
}
