// The program: what the interpreter is to run, and the arguments that belong to it.

/// What runs under the server, in the forms that `python` itself takes.
struct Program: Equatable, Sendable {
  /// The form in which the program was named.
  enum Mode: String, CaseIterable, Sendable {
    case script
    case module
    case code
    case playground
  }

  let mode: Mode

  /// The script's path, the module's name or the source; nil for a playground.
  let target: Word?

  /// What the program finds in `sys.argv` behind its own name.
  let arguments: [Word]

  static let playground = Program(mode: .playground, target: nil, arguments: [])

  private init(mode: Mode, target: Word?, arguments: [Word]) {
    self.mode = mode
    self.target = target
    self.arguments = arguments
  }

  /// - Parameter words: the script and its arguments; none is the playground.
  init(scriptAndArguments words: some Collection<Word>) {
    guard let script = words.first else {
      self = .playground
      return
    }
    self.init(mode: .script, target: script, arguments: Array(words.dropFirst()))
  }

  static func module(_ name: Word, arguments: some Sequence<Word> = []) -> Program {
    Program(mode: .module, target: name, arguments: Array(arguments))
  }

  static func code(_ source: Word, arguments: some Sequence<Word> = []) -> Program {
    Program(mode: .code, target: source, arguments: Array(arguments))
  }
}
