// The candidate list: what completes a word, as a person sees it.

internal import ReplClient
internal import Shared

/// Candidates that a server gave, which is not trusted: their number and their characters are bounded here.
struct CandidateList: Equatable {
  let candidates: [Candidate]
  /// Where what they replace begins, in code points of the text that was asked about.
  let start: Int
  let isTruncated: Bool

  /// - Parameter reply: to Complete; what is no candidate, or holds what a terminal could obey, is left out.
  init(reply: JSON.Object) {
    let given = (reply["candidates"]?.arrayValue ?? []).prefix(Limits.maximumCandidateCount)
    candidates = given.compactMap { $0.objectValue.flatMap(Candidate.init) }
      .filter { !$0.text.isEmpty && $0.text.printableLine == $0.text }
    start = max(0, reply["start"]?.integerValue ?? 0)
    isTruncated = reply["truncated"]?.boolValue ?? false
  }

  /// What all of them begin with.
  var commonPrefix: String {
    guard var common = (candidates.first?.text).map({ Array($0.unicodeScalars) }) else { return "" }
    for candidate in candidates.dropFirst() {
      var length = 0
      for (left, right) in zip(common, candidate.text.unicodeScalars) {
        guard left == right else { break }
        length += 1
      }
      common.removeLast(common.count - length)
    }
    return String(String.UnicodeScalarView(common))
  }

  /// The most rows of a list; the rest is counted.
  private static let maximumRowCount = 40

  /// The list in columns, each candidate with its kind.
  ///
  /// - Parameter columns: the width of the terminal.
  func lines(columns: Int, palette: Palette) -> [String] {
    guard !candidates.isEmpty else { return [] }
    let cells = candidates.map { candidate in
      (text: candidate.text.printableLine, kind: String(candidate.kind.printableLine.prefix(16)))
    }
    let textWidth = min(cells.map { $0.text.columns }.max() ?? 0, max(columns - 20, 10))
    let kindWidth = cells.map { $0.kind.columns }.max() ?? 0
    let cellWidth = textWidth + 1 + kindWidth + 2
    let perRow = max(1, columns / cellWidth)
    let rowCount = (cells.count + perRow - 1) / perRow
    let shownRows = min(rowCount, Self.maximumRowCount)
    var lines = (0..<shownRows).map { row in
      stride(from: row, to: cells.count, by: rowCount).map { index in
        let cell = cells[index]
        let pad = String(repeating: " ", count: max(0, textWidth - cell.text.columns) + 1)
        let end = String(repeating: " ", count: max(0, kindWidth - cell.kind.columns) + 2)
        return cell.text + pad + palette.paint(cell.kind, .kind) + end
      }.joined().trimmingSpaces
    }
    let hidden = rowCount == shownRows ? 0 : max(0, cells.count - shownRows * perRow)
    if hidden > 0 || isTruncated { lines.append(hidden > 0 ? "... and \(hidden) more" : "... and more") }
    return lines
  }
}

extension String {
  fileprivate var trimmingSpaces: String {
    var text = self[...]
    while text.last == " " { text.removeLast() }
    return String(text)
  }
}
