// The block layout: a text that is edited, as the rows of a terminal.

/// Where everything of a block is on the screen, its prompts included.
struct BlockLayout: Equatable {
  struct Row: Equatable {
    /// What stands before the text; empty in a row that goes on with the line above.
    var prompt: String
    var text: String
    /// Whether it is not of the first line.
    var isContinuation = false
  }

  /// What is shown, from the top.
  private(set) var rows: [Row] = []
  /// Where the cursor is: the row among `rows`, and the column from 0.
  private(set) var cursorRow = 0
  private(set) var cursorColumn = 0

  /// - Parameters:
  ///   - prompt: of the first line, in one line, without anything that takes no column.
  ///   - continuation: the prompt of the others.
  ///   - text: UTF-8; what is not is shown as U+FFFD.
  ///   - cursor: where in it the cursor is, in bytes.
  ///   - columns: the width of the terminal.
  ///   - height: the most rows that are shown; those around the cursor are.
  init(prompt: String, continuation: String, text: String, cursor: Int, columns: Int, height: Int) {
    let columns = max(columns, 4)
    var row = Row(prompt: Self.cut(prompt, to: columns - 2), text: "")
    var column = row.prompt.columns
    var offset = 0
    var cursorIsSet = false

    func place() {
      guard !cursorIsSet, offset >= cursor else { return }
      cursorIsSet = true
      // Behind a full row there is no place for a cursor.
      if column >= columns {
        rows.append(row)
        row = Row(prompt: "", text: "", isContinuation: row.isContinuation)
        column = 0
      }
      cursorRow = rows.count
      cursorColumn = column
    }

    for scalar in text.unicodeScalars {
      place()
      offset += UTF8.width(scalar)
      if scalar == "\n" {
        rows.append(row)
        row = Row(prompt: Self.cut(continuation, to: columns - 2), text: "", isContinuation: true)
        column = row.prompt.columns
        continue
      }
      let shown = Self.shown(scalar, at: column)
      let width = scalar.columns ?? shown.columns
      if column + width > columns {
        rows.append(row)
        row = Row(prompt: "", text: "", isContinuation: row.isContinuation)
        column = 0
      }
      row.text += shown
      column += width
    }
    offset = max(offset, cursor)
    place()
    rows.append(row)
    showAroundCursor(height: max(height, 1))
  }

  private mutating func showAroundCursor(height: Int) {
    guard rows.count > height else { return }
    let first = min(max(0, cursorRow - height + 1), rows.count - height)
    rows = Array(rows[first..<(first + height)])
    cursorRow -= first
  }

  private static func shown(_ scalar: Unicode.Scalar, at column: Int) -> String {
    if scalar == "\t" { return String(repeating: " ", count: 8 - column % 8) }
    if scalar.columns != nil { return String(Character(scalar)) }
    if scalar.isASCII, let caret = Unicode.Scalar(scalar.value ^ 0x40) { return "^" + String(Character(caret)) }
    return "?"
  }

  private static func cut(_ text: String, to columns: Int) -> String {
    guard text.columns > columns else { return text }
    var left = columns
    var scalars: [Unicode.Scalar] = []
    // Of a prompt, its end says the most.
    for scalar in text.unicodeScalars.reversed() {
      left -= scalar.columns ?? 2
      if left < 0 { break }
      scalars.append(scalar)
    }
    return String(String.UnicodeScalarView(scalars.reversed()))
  }
}
