// The palette: what is shown in colour, and how.

internal import ReplClient

/// The colours of a terminal, or none.
struct Palette: Equatable, Sendable {
  let isOn: Bool

  enum Role: String {
    case prompt = "1;32"
    case continuation = "32"
    case kind = "2"
    case error = "1;31"
    case place = "36"
    case mark = "31"
    case note = "33"
  }

  /// - Parameters:
  ///   - wanted: false when the command line asks for none.
  ///   - noColor: `$NO_COLOR`; one that is set and not empty asks for none.
  ///   - terminal: `$TERM`.
  init(wanted: Bool, noColor: String?, terminal: String?) {
    isOn = wanted && (noColor ?? "").isEmpty && terminal != nil && terminal != "" && terminal != "dumb"
  }

  static let none = Palette(wanted: false, noColor: nil, terminal: nil)

  func paint(_ text: String, _ role: Role) -> String {
    isOn && !text.isEmpty ? "\u{1B}[\(role.rawValue)m\(text)\u{1B}[0m" : text
  }

  /// A traceback, of which everything that a terminal could obey has been made harmless.
  ///
  /// Its lines are told apart by how they look, and a line that looks like none of them stays as it is.
  func traceback(_ text: String) -> String {
    let harmless = text.printableLines
    guard isOn else { return harmless }
    return harmless.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      let bare = line.drop { $0 == " " }
      if bare.isEmpty || line.hasPrefix("Traceback ") { return String(line) }
      if bare.hasPrefix("File \"") { return paint(String(line), .place) }
      if bare.allSatisfy({ "^~ ".contains($0) }) { return paint(String(line), .mark) }
      return line.first == " " || line.first == "\t" ? String(line) : paint(String(line), .error)
    }.joined(separator: "\n")
  }
}
