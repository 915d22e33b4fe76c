// The table: rows for people in aligned columns, for scripts with tabs between the cells.

internal import ReplClient
internal import Shared

/// A table whose cells know both of their readers.
struct Table {
  /// One cell. Control characters are escaped, so a row is always one line.
  struct Cell {
    let forPeople: String
    let forScripts: String

    /// - Parameter text: any text.
    init(_ text: String) {
      forPeople = text.escapedLine
      forScripts = forPeople
    }

    init(_ number: Int) { self.init("\(number)") }

    private init(forPeople: String, forScripts: String) {
      self.forPeople = forPeople
      self.forScripts = forScripts
    }

    static func elapsed(_ seconds: Double) -> Cell {
      Cell(forPeople: ElapsedTime.short(seconds), forScripts: ElapsedTime.exact(seconds))
    }

    /// - Parameter source: only its first line is shown.
    static func source(_ source: String?) -> Cell {
      Cell(String((source ?? "").prefix { !$0.isNewline }))
    }
  }

  let header: [String]
  private(set) var rows: [[Cell]] = []

  init(_ header: String...) { self.header = header }

  mutating func add(_ cells: Cell...) { rows.append(cells) }

  /// The lines.
  ///
  /// - Parameters:
  ///   - width: of the terminal, which cuts the last column; nil gives tabs.
  ///   - hasHeader: whether the first line names the columns.
  func lines(width: Int?, hasHeader: Bool) -> [String] {
    guard let width else {
      return (hasHeader ? [header] : []).map { $0.joined(separator: "\t") }
        + rows.map { $0.map(\.forScripts).joined(separator: "\t") }
    }
    let texts = (hasHeader ? [header] : []) + rows.map { $0.map(\.forPeople) }
    let widths = header.indices.map { column in
      texts.map { $0.indices.contains(column) ? $0[column].count : 0 }.max() ?? 0
    }
    return texts.map { row in
      var line = ""
      for (text, columnWidth) in zip(row.dropLast(), widths) {
        line += text + String(repeating: " ", count: columnWidth - text.count + 2)
      }
      let last = row.last ?? ""
      let room = max(Self.leastLastWidth, width - line.count)
      line += last.count > room ? last.prefix(room - 3) + "..." : last
      while line.last == " " { line.removeLast() }
      return line
    }
  }

  /// The last column keeps so much even on a narrow terminal.
  private static let leastLastWidth = 8
}

extension Output {
  /// Writes a table, or each of its rows as a JSON document.
  func print(_ table: Table, json rows: [JSON.Object]) throws(ClientError) {
    guard isJSON else {
      let room = width.map { $0 - linePrefix.count }
      return try print(table.lines(width: room, hasHeader: hasHeader))
    }
    for row in rows { try print(row) }
  }
}
