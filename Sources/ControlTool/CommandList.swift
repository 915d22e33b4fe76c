// The command list: every command of replctl, by its word.

internal import ReplClient
internal import Shared

enum CommandList {
  /// In the order of the help.
  static let all: [any ControlCommand.Type] = [
    Ping.self, Wait.self, Servers.self, Describe.self,
    Eval.self, Doc.self, Source.self,
    Sessions.self, Threads.self, Interrupt.self, Disconnect.self,
    Background.self, Jobs.self, JobOutput.self, Foreground.self, Kill.self,
    Halt.self, RelayCommand.self,
  ]

  static func command(_ word: String) -> (any ControlCommand.Type)? { all.first { $0.word == word } }

  /// What to say of a word that is no command.
  static func unknown(_ word: String) -> ClientError {
    let near = all.map { $0.word }.filter { distance($0, word) <= max(1, min(word.count, 6) / 2) }
      .sorted { distance($0, word) < distance($1, word) }.prefix(3)
    let advice = near.isEmpty ? "" : "; did you mean \(near.map { "'\($0)'" }.joined(separator: " or "))?"
    return ClientError(.usage, "there is no command '\(word.prefix(40))'\(advice) (see replctl --help)")
  }

  /// How many characters have to be inserted, removed or changed to make one word the other.
  static func distance(_ left: String, _ right: String) -> Int {
    let right = Array(right.prefix(maximumComparedLength))
    var row = Array(0...right.count)
    for (index, letter) in left.prefix(maximumComparedLength).enumerated() {
      var diagonal = index
      row[0] = index + 1
      for (column, other) in right.enumerated() {
        let changed = diagonal + (letter == other ? 0 : 1)
        diagonal = row[column + 1]
        row[column + 1] = min(changed, row[column] + 1, diagonal + 1)
      }
    }
    return row.last ?? 0
  }

  private static let maximumComparedLength = 40
}
