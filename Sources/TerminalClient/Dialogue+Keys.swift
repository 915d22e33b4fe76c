// The dialogue's keys: what a person types, and what comes of it.

internal import ClientOptions
internal import ReplClient
internal import Shared

/// What was asked to be completed, so that the answer can be put in its place.
struct CompletionQuestion: Equatable {
  let line: String
  /// In code points of the line.
  let cursor: Int

  /// - Parameters:
  ///   - text: the block.
  ///   - point: where the cursor is, in bytes.
  init(text: [UInt8], point: Int) {
    let before = text[..<min(max(point, 0), text.count)]
    var tail = before.suffix(Limits.maximumCompletionTextLength)
    if tail.count < before.count {
      // Whole lines, or else what is left of a very long one.
      if let newline = tail.firstIndex(of: UInt8(ascii: "\n")) { tail = tail[(newline + 1)...] }
      tail = tail.drop { $0 & 0xC0 == 0x80 }
    }
    line = String(decoding: tail, as: UTF8.self)
    cursor = line.unicodeScalars.count
  }

  /// The text between the start of the candidates and the cursor.
  func word(from start: Int) -> String {
    String(String.UnicodeScalarView(line.unicodeScalars.dropFirst(start)))
  }
}

extension Dialogue {
  /// Whether keys may be used now; otherwise they wait.
  var wantsKeys: Bool { phase == .editing || (phase == .evaluating && evaluation?.question != nil) }

  /// Uses what was typed, as far as it can be.
  func useKeys() throws(ClientError) {
    while wantsKeys, status == nil, let event = keys.next() {
      isStale = true
      switch event {
      case .byte(let byte): try use(byte)
      case .paste(let bytes): try paste(bytes)
      case .tooLong:
        note("this paste is too long: at most \(KeyStream.maximumPasteLength) bytes; have the program load it")
      }
    }
  }

  private func use(_ byte: UInt8) throws(ClientError) {
    if byte == 4, editor.isEmpty, editor.isPlain { return try endInput() }
    guard let action = editor.feed(byte) else { return }
    switch action {
    case .accept: try accept()
    case .force: evaluation?.question == nil ? try submit(isForced: true) : try answer()
    case .complete: try complete()
    case .document: try document()
    case .clearScreen: screen.clear()
    case .detach: detach()
    }
  }

  /// Ctrl-D where there is no text.
  private func endInput() throws(ClientError) {
    guard let evaluation, evaluation.question != nil else { return try endSession() }
    screen.leave()
    self.evaluation?.question = nil
    try wire.send(.input, ["request": .integer(evaluation.request), "end": true])
  }

  // MARK: Enter

  private func accept() throws(ClientError) {
    guard evaluation?.question == nil else { return try answer() }
    // In the middle of a block, Enter opens a line.
    guard !editor.bytes.dropFirst(editor.point).contains(UInt8(ascii: "\n")) else { return openLine(indent: nil) }
    guard !Self.isBlank(editor.text) else {
      screen.leave()
      return newBlock()
    }
    if let job = Self.job(in: editor.text) { return try takeUp(job) }
    guard wire.features.hasBlocks else { return try submit(isForced: false) }
    let request = try wire.send(Operation.check, ["source": .string(source)])
    phase = .checking(request)
    deadline = .after(Self.patience)
  }

  private static func isBlank(_ text: String) -> Bool {
    !text.unicodeScalars.contains { !$0.properties.isWhitespace }
  }

  /// The block as it is sent: blanks in its last line are those of a line that was opened and left empty.
  var source: String {
    let text = editor.text
    guard let newline = text.utf8.lastIndex(of: UInt8(ascii: "\n")) else { return text }
    let last = text[text.utf8.index(after: newline)...]
    return Self.isBlank(String(last)) ? String(text[...newline]) : text
  }

  /// Opens a line at the cursor.
  ///
  /// - Parameter indent: what it begins with; nil for what the line above begins with.
  func openLine(indent: String?) {
    let line = editor.bytes.prefix(editor.point).split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
      .last
    let blanks = (line ?? []).prefix { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
    let wanted = indent.map { String($0.prefix(256)) } ?? String(decoding: blanks, as: UTF8.self)
    editor.insert("\n" + (Self.isBlank(wanted) ? wanted : ""))
    isStale = true
  }

  /// An empty prompt.
  func newBlock() {
    editor.clear()
    hasPaste = false
    phase = .editing
    deadline = .never
    isStale = true
  }

  /// Sends the block to be run.
  func submit(isForced: Bool) throws(ClientError) {
    deadline = .never
    let hasBlocks = wire.features.hasBlocks
    // A server that cannot say whether a block is complete finds out by running it.
    let mode = !hasBlocks && hasPaste && editor.bytes.contains(UInt8(ascii: "\n")) ? "script" : "block"
    var fields: JSON.Object = ["source": .string(source), "session": .integer(session), "mode": .string(mode)]
    if isForced || mode == "script" { fields["final"] = true }
    if wire.features.hasPaging { fields["pages"] = true }
    options.loop.add(to: &fields)
    let request: Int
    do throws(ClientError) {
      request = try wire.send(.evaluate, fields)
    } catch  where error.code == .usage {
      phase = .editing
      return note(error.message)
    }
    evaluation = Evaluation(request: request, isTentative: !hasBlocks && !isForced && mode == "block")
    phase = .evaluating
    if evaluation?.isTentative == true { deadline = .after(Self.tentativeTime) } else { commit() }
  }

  /// The job that a line names: `%3`.
  private static func job(in text: String) -> Int? {
    guard text.hasPrefix("%"), text.dropFirst().utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
    return Int(text.dropFirst())
  }

  /// Waits for a job as for an evaluation of the prompt's own.
  private func takeUp(_ job: Int) throws(ClientError) {
    try follow(job)
    evaluation = Evaluation(
      request: try wire.send(.awaitJob, ["job": .integer(job)]), isTentative: false, job: job)
    phase = .evaluating
    deadline = .never
    commit()
  }

  /// Shows what a job prints, above the prompt.
  func follow(_ job: Int) throws(ClientError) {
    guard followedJobs.insert(job).inserted else { return }
    leftRequests.insert(try wire.send(.jobOutput, ["job": .integer(job), "follow": true]))
  }

  /// The block is one that runs: it stays on the screen, and is remembered.
  func commit() {
    evaluation?.isTentative = false
    let statement = String(decoding: editor.bytes, as: UTF8.self).trimmingLineEnds
    if let history, HistoryFile.keeps(statement) {
      do throws(ClientError) {
        try history.append(statement)
      } catch {
        note(error.message)
      }
    }
    if statement.utf8.first != UInt8(ascii: " "), !statement.isEmpty { editor.remember(statement) }
    editor.moveToEnd()
    isStale = true
    showBlockOnce()
    screen.leave()
    editor.clear()
    hasPaste = false
  }

  private func showBlockOnce() {
    guard screen.isSettled else { return }
    screen.show(
      BlockLayout(
        prompt: Self.prompt, continuation: Self.continuation, text: editor.text, cursor: editor.point,
        columns: screen.columns, height: screen.rows), palette: palette)
  }

  // MARK: input of an evaluation

  private func answer() throws(ClientError) {
    guard let evaluation, evaluation.question != nil else { return }
    let text = editor.text
    editor.moveToEnd()
    refresh()
    screen.leave()
    editor.clear()
    self.evaluation?.question = nil
    try wire.send(.input, ["request": .integer(evaluation.request), "text": .string(text + "\n")])
  }

  // MARK: paste

  private func paste(_ bytes: [UInt8]) throws(ClientError) {
    // Terminals send the ends of lines as the key for them.
    var text: [UInt8] = []
    text.reserveCapacity(bytes.count)
    var previous: UInt8 = 0
    for byte in bytes {
      if byte == UInt8(ascii: "\r") {
        text.append(UInt8(ascii: "\n"))
      } else if !(byte == UInt8(ascii: "\n") && previous == UInt8(ascii: "\r")) {
        text.append(byte)
      }
      previous = byte
    }
    guard evaluation?.question == nil else {
      // Each line is an answer of its own; keys that were typed behind it come after it.
      guard let newline = text.firstIndex(of: UInt8(ascii: "\n")) else { return editor.insert(text) }
      editor.insert(Array(text[..<newline]))
      let request = evaluation?.request ?? 0
      let rest = String(decoding: text[(newline + 1)...], as: UTF8.self)
      try answer()
      if !rest.isEmpty {
        try wire.send(.input, ["request": .integer(request), "text": .string(rest)])
      }
      return
    }
    hasPaste = true
    let isWhole = text.last == UInt8(ascii: "\n")
    if isWhole, editor.point == editor.bytes.count {
      while text.last == UInt8(ascii: "\n") { text.removeLast() }
      editor.insert(text)
      if text.contains(UInt8(ascii: "\n")) { editor.insert("\n") }
      return try accept()
    }
    editor.insert(text)
  }

  // MARK: asking about the text

  private func complete() throws(ClientError) {
    guard evaluation?.question == nil else { return editor.insert("\t") }
    let lineStart = editor.bytes.prefix(editor.point).lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    let before = editor.bytes[lineStart..<editor.point]
    guard before.contains(where: { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") }) else {
      return editor.insert(Self.indent)
    }
    let question = CompletionQuestion(text: editor.bytes, point: editor.point)
    let request = try wire.send(
      .complete, ["line": .string(question.line), "cursor": .integer(question.cursor)])
    phase = .completing(request, question)
    deadline = .after(Self.patience)
  }

  private static let indent = "    "

  private func document() throws(ClientError) {
    guard evaluation?.question == nil else { return }
    guard let name = CallAtCursor.name(in: editor.text, point: editor.point) else {
      return note("there is no call at the cursor")
    }
    let request = try wire.send(.document, ["name": .string(name)])
    phase = .documenting(request)
    deadline = .after(Self.patience)
  }

  /// Leaves the session to itself, with what it runs.
  func detach() {
    keys.clear()
    guard wire.features.hasAttach else { return note("this server keeps no session that is left; Ctrl-D ends it") }
    screen.leave()
    note("session \(session) is left; to take it up again: replconnect --attach \(session)")
    status = ExitCode.done.rawValue
  }

  func endSession() throws(ClientError) {
    screen.leave()
    phase = .ending(try wire.send(.closeSession, ["session": .integer(session)]))
  }
}

extension String {
  /// Without the newlines at its end.
  fileprivate var trimmingLineEnds: String {
    var text = self[...]
    while let last = text.unicodeScalars.last, last == "\n" { text = text.dropLast() }
    return String(text)
  }
}
