// The editor: GNU readline as this tool uses it: for the text and the keys and not for the screen.

internal import CReadline
internal import Glibc

/// Edits one text, line by line or as a block. There is one in a process, as there is one readline.
///
/// Keys come in by `feed`; what a key asks for beyond editing is left in `action` for whoever fed it. Nothing is
/// written to the terminal here but for its modes: `redisplay` is called when the text may look different.
final class Editor {
  /// What the last key asked for.
  enum Action: Equatable {
    /// Enter, and Enter with Alt.
    case accept
    case force
    case complete
    case document
    case clearScreen
    case detach
  }

  private(set) var action: Action?
  /// Called while a key is at work.
  var redisplay: () -> Void = {}
  /// More of what was typed, for a command that takes more than one key; nil when there is nothing yet.
  var moreKeys: () -> UInt8? = { nil }
  private var next: UInt8?
  private let input: Int32
  private var isRaw = false

  // It is read and written by the one thread that calls readline, which calls back on that same thread.
  nonisolated(unsafe) private static var current: Editor?

  /// - Parameter input: the descriptor of the terminal.
  init(input: Int32) {
    self.input = input
    unsafe Self.current = self
    Self.chooseLocale()
    unsafe repl_rl_configure({ _ in Editor.take() }, { Editor.hasMore() })
    bindKeys()
    repl_rl_initialize { unsafe Editor.current?.redisplay() }
  }

  /// What is typed and what the server sends is UTF-8, whatever the locale says.
  private static func chooseLocale() {
    unsafe setlocale(LC_CTYPE, "")
    guard let codeset = unsafe nl_langinfo(Int32(CODESET)), unsafe String(cString: codeset) == "UTF-8" else {
      unsafe setlocale(LC_CTYPE, "C.UTF-8")
      return
    }
  }

  // MARK: the terminal

  /// Sets the modes of the terminal in which keys come one by one.
  func start() {
    guard !isRaw else { return }
    isRaw = true
    unsafe rl_callback_handler_install("", { line in unsafe free(line) })
  }

  /// Puts the terminal back as it was.
  func stop() {
    guard isRaw else { return }
    isRaw = false
    rl_callback_handler_remove()
  }

  /// Puts the terminal back for a while; the text stays.
  func pause() { if isRaw { rl_deprep_terminal() } }

  func resume() { if isRaw { rl_prep_terminal(1) } }

  // MARK: keys

  /// Takes one byte from the keyboard.
  ///
  /// - Returns: what it asks for; nil when it is done with.
  func feed(_ byte: UInt8) -> Action? {
    action = nil
    next = byte
    rl_callback_read_char()
    return action
  }

  private static func take() -> Int32 {
    guard let editor = unsafe current else { return EOF }
    if let byte = editor.next {
      editor.next = nil
      return Int32(byte)
    }
    if let byte = editor.moreKeys() { return Int32(byte) }
    // A command that was begun needs it: there is nothing else to do.
    var byte: UInt8 = 0
    while true {
      let count = unsafe read(editor.input, &byte, 1)
      if count == 1 { return Int32(byte) }
      guard count < 0, errno == EINTR else { return EOF }
    }
  }

  /// Whether a key follows at once; asked behind an escape, which may be a key itself.
  private static func hasMore() -> Int32 { 0 }

  private func bindKeys() {
    // What is bound here is bound before an inputrc is read, which may bind it to something else.
    unsafe rl_add_defun("replconnect-accept", { _, _ in Editor.ask(.accept) }, -1)
    unsafe rl_add_defun("replconnect-force", { _, _ in Editor.ask(.force) }, -1)
    unsafe rl_add_defun("replconnect-complete", { _, _ in Editor.ask(.complete) }, -1)
    unsafe rl_add_defun("replconnect-document", { _, _ in Editor.ask(.document) }, -1)
    unsafe rl_add_defun("replconnect-detach", { _, _ in Editor.ask(.detach) }, -1)
    for key in ["\r", "\n"] {
      unsafe repl_rl_bind(key) { _, _ in Editor.ask(.accept) }
      unsafe repl_rl_bind("\u{1B}" + key) { _, _ in Editor.ask(.force) }
      unsafe repl_rl_bind_in_movement(key) { _, _ in Editor.ask(.accept) }
    }
    unsafe repl_rl_bind("\u{0F}") { _, _ in Editor.ask(.accept) }
    unsafe repl_rl_bind("\t") { _, _ in Editor.ask(.complete) }
    unsafe repl_rl_bind("\u{18}d") { _, _ in Editor.ask(.document) }
    unsafe repl_rl_bind("\u{18}\u{04}") { _, _ in Editor.ask(.detach) }
    unsafe repl_rl_bind("\u{0C}") { _, _ in Editor.ask(.clearScreen) }
    for up in ["\u{10}", "\u{1B}[A", "\u{1B}OA"] { unsafe repl_rl_bind(up) { count, key in Editor.up(count, key) } }
    for down in ["\u{0E}", "\u{1B}[B", "\u{1B}OB"] {
      unsafe repl_rl_bind(down) { count, key in Editor.down(count, key) }
    }
    for home in ["\u{01}", "\u{1B}[H", "\u{1B}OH", "\u{1B}[1~"] {
      unsafe repl_rl_bind(home) { _, _ in Editor.toLineStart() }
    }
    for end in ["\u{05}", "\u{1B}[F", "\u{1B}OF", "\u{1B}[4~"] {
      unsafe repl_rl_bind(end) { _, _ in Editor.toLineEnd() }
    }
    unsafe repl_rl_bind("\u{0B}") { _, _ in Editor.killToLineEnd() }
    unsafe repl_rl_bind("\u{15}") { _, _ in Editor.killToLineStart() }
  }

  private static func ask(_ action: Action) -> Int32 {
    unsafe current?.action = action
    return 0
  }

  // MARK: the text

  /// The text, which is any bytes without a zero.
  var bytes: [UInt8] {
    let count = Int(repl_rl_end())
    guard count > 0, let start = unsafe repl_rl_buffer() else { return [] }
    return unsafe start.withMemoryRebound(to: UInt8.self, capacity: count) {
      unsafe Array(UnsafeBufferPointer(start: $0, count: count))
    }
  }

  var text: String { String(decoding: bytes, as: UTF8.self) }
  var isEmpty: Bool { repl_rl_end() == 0 }
  /// The place of the cursor, in bytes.
  var point: Int { Int(repl_rl_point()) }
  /// Whether no command is in the middle of something.
  var isPlain: Bool { repl_rl_is_plain() != 0 }
  /// The prompt of a search through the history; nil when there is none.
  var searchPrompt: String? {
    guard repl_rl_is_searching() != 0, let prompt = unsafe repl_rl_display_prompt() else { return nil }
    return unsafe String(cString: prompt)
  }

  /// Inserts at the cursor, as one change.
  func insert(_ bytes: [UInt8]) {
    // A zero ends a string of C.
    let kept = bytes.contains(0) ? bytes.filter { $0 != 0 } : bytes
    unsafe (kept + [0]).withUnsafeBufferPointer { raw in
      unsafe raw.baseAddress?.withMemoryRebound(to: CChar.self, capacity: raw.count) { _ = unsafe rl_insert_text($0) }
    }
  }

  func insert(_ text: String) { insert(Array(text.utf8)) }

  /// Replaces what stands before the cursor.
  ///
  /// - Parameter count: how many bytes.
  func replaceBeforeCursor(_ count: Int, with text: String) {
    rl_begin_undo_group()
    rl_delete_text(Int32(clamping: max(0, point - count)), Int32(clamping: point))
    repl_rl_set_point(Int32(clamping: max(0, point - count)))
    insert(text)
    rl_end_undo_group()
  }

  func moveToEnd() { repl_rl_set_point(repl_rl_end()) }

  /// Begins anew, with an empty text at the end of the history.
  func clear() {
    // A search that was left in the middle ends with it.
    if !isPlain { rl_callback_sigcleanup() }
    repl_rl_clear()
  }

  /// Adds to the history that the keys walk through.
  func remember(_ statement: String) { unsafe add_history(statement) }

  // MARK: moving in a block

  private static func buffer() -> [UInt8] { unsafe current?.bytes ?? [] }

  private static func lineStart(_ bytes: [UInt8], _ point: Int) -> Int {
    (bytes[..<min(point, bytes.count)].lastIndex(of: UInt8(ascii: "\n")) ?? -1) + 1
  }

  private static func lineEnd(_ bytes: [UInt8], _ point: Int) -> Int {
    guard point < bytes.count else { return bytes.count }
    return bytes[point...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
  }

  /// The start of a character at or before a place.
  private static func characterStart(_ bytes: [UInt8], _ place: Int) -> Int {
    var place = place
    while place > 0, place < bytes.count, bytes[place] & 0xC0 == 0x80 { place -= 1 }
    return place
  }

  private static func up(_ count: Int32, _ key: Int32) -> Int32 {
    let bytes = buffer()
    let start = lineStart(bytes, Int(repl_rl_point()))
    guard start > 0 else { return rl_get_previous_history(count, key) }
    let above = lineStart(bytes, start - 1)
    let column = Int(repl_rl_point()) - start
    repl_rl_set_point(Int32(clamping: characterStart(bytes, min(above + column, start - 1))))
    return 0
  }

  private static func down(_ count: Int32, _ key: Int32) -> Int32 {
    let bytes = buffer()
    let point = Int(repl_rl_point())
    let end = lineEnd(bytes, point)
    guard end < bytes.count else { return rl_get_next_history(count, key) }
    let column = point - lineStart(bytes, point)
    repl_rl_set_point(Int32(clamping: characterStart(bytes, min(end + 1 + column, lineEnd(bytes, end + 1)))))
    return 0
  }

  private static func toLineStart() -> Int32 {
    repl_rl_set_point(Int32(clamping: lineStart(buffer(), Int(repl_rl_point()))))
    return 0
  }

  private static func toLineEnd() -> Int32 {
    repl_rl_set_point(Int32(clamping: lineEnd(buffer(), Int(repl_rl_point()))))
    return 0
  }

  private static func killToLineEnd() -> Int32 {
    let point = Int(repl_rl_point())
    let bytes = buffer()
    let end = lineEnd(bytes, point)
    // At the end of a line, the newline itself.
    return rl_kill_text(Int32(clamping: point), Int32(clamping: end == point ? min(end + 1, bytes.count) : end))
  }

  private static func killToLineStart() -> Int32 {
    let point = Int(repl_rl_point())
    let start = lineStart(buffer(), point)
    rl_kill_text(Int32(clamping: point), Int32(clamping: start))
    repl_rl_set_point(Int32(clamping: start))
    return 0
  }
}
