// Tests of the block layout: rows, wrapping and where the cursor is.

import Testing

@testable import TerminalClient

@Suite struct BlockLayoutTests {
  private static func layout(_ text: String, cursor: Int? = nil, columns: Int = 20, height: Int = 10) -> BlockLayout {
    BlockLayout(
      prompt: "> ", continuation: ". ", text: text, cursor: cursor ?? text.utf8.count, columns: columns, height: height)
  }

  private static func shown(_ layout: BlockLayout) -> [String] { layout.rows.map { $0.prompt + $0.text } }

  @Test func linesHaveTheirPrompts() {
    let layout = Self.layout("if x:\n  y\n")
    #expect(Self.shown(layout) == ["> if x:", ".   y", ". "])
    #expect((layout.cursorRow, layout.cursorColumn) == (2, 2))
    #expect(layout.rows.map(\.isContinuation) == [false, true, true])
  }

  @Test func aLongLineWraps() {
    let layout = Self.layout("abcdefgh", cursor: 5, columns: 6)
    #expect(Self.shown(layout) == ["> abcd", "efgh"])
    #expect((layout.cursorRow, layout.cursorColumn) == (1, 1))
  }

  @Test func behindAFullRowTheCursorIsInTheNext() {
    let layout = Self.layout("abcd", columns: 6)
    #expect(Self.shown(layout) == ["> abcd", ""])
    #expect((layout.cursorRow, layout.cursorColumn) == (1, 0))
  }

  @Test func tabsAndControlCharactersTakeWhatIsShownOfThem() {
    #expect(Self.shown(Self.layout("a\tb\u{1B}c")) == ["> a     b^[c"])
    #expect(Self.layout("\u{7}").cursorColumn == 4)
  }

  @Test func theCursorCountsBytesAndTheScreenColumns() {
    #expect(Self.layout("žx", cursor: 2).cursorColumn == 3)
  }

  @Test func whatIsTooHighIsShownAroundTheCursor() {
    let text = (0..<30).map { "line \($0)" }.joined(separator: "\n")
    let end = Self.layout(text, height: 5)
    #expect(Self.shown(end) == (25..<30).map { ". line \($0)" })
    #expect(end.cursorRow == 4)
    let start = Self.layout(text, cursor: 0, height: 5)
    #expect(Self.shown(start).first == "> line 0")
    #expect((start.rows.count, start.cursorRow) == (5, 0))
  }

  @Test func anyCutOfATextHasItsCursorOnTheScreen() {
    let text = "for ž in \u{1F600}\u{301}:\n\tprint('日本')\n\n\u{0}x"
    for cursor in 0...text.utf8.count {
      for columns in [0, 1, 4, 7, 80] {
        let layout = Self.layout(text, cursor: cursor, columns: columns, height: 3)
        #expect(layout.rows.indices.contains(layout.cursorRow))
        #expect(layout.cursorColumn < max(columns, 4))
      }
    }
  }
}
