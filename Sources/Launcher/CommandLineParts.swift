// The parts of the command line: the options that are ours, and the program with what belongs to it.

internal import Shared

/// The command line cut where `python` would cut it: at the script, at `-m` or at `-c`. Everything behind
/// belongs to the program.
///
/// ArgumentParser is shown only the part that is ours: its way of passing words through still looks for
/// `--help` and its own hidden flags among them, which would take them away from the program.
struct CommandLineParts: Equatable, Sendable {
  /// The options of replserve, as they came.
  private(set) var options: [Word] = []

  private(set) var program = Program.playground

  /// The long options whose value may be the next word.
  ///
  /// The cut has to know them, because the word behind one of them is not the script. A test holds this
  /// table against the declared options.
  static let optionsWithValue: Set<String> = [
    "--python", "--python-arg", "--bind", "--port", "--control-port", "--banner", "--name", "--allow-uid",
    "--audit-log", "--log-level", "--ssh", "--authorized-keys", "--host-key",
  ]

  /// The flags of one letter, which may share a word with `m` or `c` behind them: `-im module`.
  private static let shortFlags = Set("ih".utf8)

  /// - Parameter words: the command line without the name of the tool.
  /// - Throws: `LaunchError` when `-m` or `-c` has nothing behind it.
  init(_ words: [Word]) throws(LaunchError) {
    var rest = words[...]
    while let word = rest.first {
      if word == "--" {
        program = Program(scriptAndArguments: rest.dropFirst())
        return
      }
      guard word.bytes.first == UInt8(ascii: "-"), word != "-" else {
        program = Program(scriptAndArguments: rest)
        return
      }
      rest = rest.dropFirst()
      if word.bytes.starts(with: "--".utf8) {
        takeLongOption(word, before: &rest)
      } else if let program = try takeShortOptions(word, before: &rest) {
        self.program = program
        return
      }
    }
  }

  /// Takes a long option, and the next word if that is its value.
  private mutating func takeLongOption(_ word: Word, before rest: inout ArraySlice<Word>) {
    if word.bytes.last == UInt8(ascii: "="), case let name = Word(bytes: word.bytes.dropLast()),
      Self.optionsWithValue.contains(name.text)
    {
      // ArgumentParser takes an empty value only as a word of its own.
      options += [name, ""]
      return
    }
    options.append(word)
    if Self.optionsWithValue.contains(word.text), let value = rest.popFirst() { options.append(value) }
  }

  /// Takes a word of one-letter options.
  ///
  /// - Returns: the program, if the word holds `m` or `c`: its target is what is left of the word, else the next one.
  private mutating func takeShortOptions(
    _ word: Word, before rest: inout ArraySlice<Word>
  ) throws(LaunchError) -> Program? {
    let letters = word.bytes.dropFirst()
    let flags = letters.prefix { Self.shortFlags.contains($0) }
    let tail = letters.dropFirst(flags.count)
    guard let letter = tail.first, letter == UInt8(ascii: "m") || letter == UInt8(ascii: "c") else {
      options.append(word)
      return nil
    }
    if !flags.isEmpty { options.append(Word(bytes: [UInt8(ascii: "-")] + flags)) }
    let isModule = letter == UInt8(ascii: "m")
    let target = tail.count > 1 ? Word(bytes: tail.dropFirst()) : rest.popFirst()
    guard let target else {
      throw LaunchError(
        .usage, isModule ? "-m needs the name of a module behind it" : "-c needs source code behind it")
    }
    return isModule ? .module(target, arguments: rest) : .code(target, arguments: rest)
  }
}
