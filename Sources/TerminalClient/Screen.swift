// The screen: what is printed, and below it the block that is being edited.

internal import Glibc
internal import ReplClient

/// Writes to the terminal. The block is taken off the screen while something is printed above it, and comes back intact.
struct Screen {
  private let output: Int32
  private var queue: OutputQueue
  /// The place of the cursor in what is shown of the block, from its first row; nil when nothing is.
  private var shownCursorRow: Int?
  private var rowsBelowCursor = 0
  /// Whether what was printed last did not end its line, and the end of it.
  private(set) var openLine: [UInt8] = []
  private(set) var columns = 80
  private(set) var rows = 24

  /// The most bytes of a line without its end that are kept.
  private static let maximumOpenLine = 4096

  init(output: Int32, errors: Int32) {
    self.output = output
    queue = OutputQueue(output: output, errors: errors)
    measure()
  }

  /// Asks the terminal for its size.
  mutating func measure() {
    var size = winsize()
    guard unsafe ioctl(output, UInt(TIOCGWINSZ), &size) == 0 else { return }
    columns = size.ws_col > 0 ? Int(size.ws_col) : 80
    rows = size.ws_row > 0 ? Int(size.ws_row) : 24
  }

  // MARK: printing

  /// Whether everything that was printed is on the screen.
  var isSettled: Bool { queue.isEmpty }
  var waitingByteCount: Int { queue.byteCount }
  /// What to wait for before more can be written.
  var watched: Watched? { queue.watched }

  /// Prints, above the block if one is shown.
  ///
  /// - Parameter credit: how many bytes of output are done with when it is on the screen.
  mutating func print(_ bytes: [UInt8], isError: Bool = false, credit: Int = 0) {
    guard !bytes.isEmpty else { return }
    erase()
    queue.add(bytes, isError: isError, credit: credit)
    if let newline = bytes.lastIndex(of: UInt8(ascii: "\n")) {
      openLine = Array(bytes[(newline + 1)...].suffix(Self.maximumOpenLine))
    } else {
      openLine = (openLine + bytes).suffix(Self.maximumOpenLine)
    }
  }

  mutating func print(_ text: String) { print(Array(text.utf8)) }

  /// Ends a line that was begun.
  mutating func endLine() { if !openLine.isEmpty { print("\n") } }

  /// Writes some of what waits.
  ///
  /// - Returns: how many bytes of output are done with.
  mutating func writeSome() throws(ClientError) -> Int { try queue.writeSome() }

  /// Waits until everything is on the screen. Only for somebody who takes the terminal over.
  mutating func settle() {
    while !queue.isEmpty { guard (try? queue.writeSome()) != nil else { return } }
  }

  /// Forgets what is not on the screen yet.
  ///
  /// - Returns: how many bytes of output are done with by that.
  mutating func drop() -> Int {
    // Of what was dropped nobody knows where it left the cursor.
    if !queue.isEmpty { openLine = [UInt8(ascii: "?")] }
    return queue.drop()
  }

  /// The line that was begun is now that of a prompt.
  mutating func takeOpenLine() -> String {
    defer { openLine = [] }
    if openLine.isEmpty { return "" }
    return String(decoding: openLine, as: UTF8.self)
  }

  // MARK: the block

  /// Shows a block where it was, or where the cursor is.
  mutating func show(_ layout: BlockLayout, palette: Palette) {
    guard isSettled else { return }
    var text = toFirstRow() + "\u{1B}[J"
    for (index, row) in layout.rows.enumerated() {
      if index > 0 { text += "\r\n" }
      text += palette.paint(row.prompt, row.isContinuation ? .continuation : .prompt) + row.text
    }
    let below = layout.rows.count - 1 - layout.cursorRow
    if below > 0 { text += "\u{1B}[\(below)A" }
    text += "\r"
    if layout.cursorColumn > 0 { text += "\u{1B}[\(layout.cursorColumn)C" }
    write(text)
    shownCursorRow = layout.cursorRow
    rowsBelowCursor = below
  }

  /// Takes the block off the screen; what is printed next stands in its place.
  mutating func erase() {
    guard shownCursorRow != nil else { return }
    write(toFirstRow() + "\u{1B}[J")
    shownCursorRow = nil
  }

  /// Leaves the block on the screen, and goes below it.
  ///
  /// - Parameter mark: what stands behind it.
  mutating func leave(mark: String = "") {
    guard shownCursorRow != nil else { return }
    write((rowsBelowCursor > 0 ? "\u{1B}[\(rowsBelowCursor)B" : "") + mark + "\r\n")
    shownCursorRow = nil
  }

  /// Clears the screen; the block is to be shown again.
  mutating func clear() {
    write("\u{1B}[H\u{1B}[2J")
    shownCursorRow = nil
  }

  func ring() { write("\u{07}") }

  private func toFirstRow() -> String {
    guard let row = shownCursorRow else { return "\r" }
    return "\r" + (row > 0 ? "\u{1B}[\(row)A" : "")
  }

  /// Writes at once. What belongs to the block is short, but for the first showing of a long one.
  private func write(_ text: String) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(output, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return }
      rest = rest.dropFirst(count)
    }
  }
}
