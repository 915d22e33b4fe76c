// The dialogue's messages: what the server sends, and what comes of it.

internal import ReplClient
internal import Shared

extension Dialogue {
  func take(_ message: ServerMessage) throws(ClientError) {
    switch message {
    case .output(let frame): try take(frame)
    case .event(let event): try take(event)
    case .reply(let reply):
      guard let id = reply.id?.integerValue else {
        // A request that could not be read has no id to answer to.
        if case .failed(let reason, _) = reply { note(reason) }
        return
      }
      try take(reply, to: id)
    }
  }

  // MARK: output and events

  private func take(_ frame: OutputFrame) throws(ClientError) {
    if frame.request == evaluation?.request {
      if evaluation?.isTentative == true { commit() }
      if frame.stream == .page { return try takePage(frame) }
      if let dropped = evaluation?.dropped {
        evaluation?.dropped = dropped + frame.bytes.count
        return try acknowledge(frame.bytes.count, of: frame.request)
      }
    } else if frame.request == teeRequest {
      return try takeTee(frame)
    } else if !leftRequests.contains(frame.request) {
      return
    } else if frame.stream == .value, evaluation?.job != nil {
      // What a job comes to is given once, to whoever waits for it.
      return try acknowledge(frame.bytes.count, of: frame.request)
    } else if evaluation?.job == nil {
      return takeLines(frame)
    }
    let begun = begunLines.removeValue(forKey: frame.request) ?? []
    show(begun + frame.bytes, of: frame.request, isError: frame.stream == .standardError)
  }

  private func show(_ bytes: [UInt8], of request: Int, isError: Bool) {
    guard !bytes.isEmpty else { return }
    credits.append((request, bytes.count))
    screen.print(bytes, isError: isError, credit: bytes.count)
    isStale = true
  }

  /// Output that no prompt waits for stands above it, by the line: it may come in pieces of one.
  private func takeLines(_ frame: OutputFrame) {
    let begun = (begunLines.removeValue(forKey: frame.request) ?? []) + frame.bytes
    let newline = begun.lastIndex(of: UInt8(ascii: "\n"))
    let end = newline.map { $0 + 1 } ?? (begun.count > Self.maximumBegunLine ? begun.count : 0)
    if end < begun.count { begunLines[frame.request] = Array(begun[end...]) }
    show(Array(begun[..<end]), of: frame.request, isError: frame.stream == .standardError)
  }

  /// Bytes of a line that is shown before it has ended.
  private static let maximumBegunLine = 4096

  private func take(_ event: ServerEvent) throws(ClientError) {
    if event.name == .job { return announce(event.fields) }
    guard event.request == evaluation?.request else { return }
    switch event.name {
    case .page: showPage()
    case .dropped:
      note("\(event.fields["bytes"]?.integerValue ?? 0) bytes of output are lost: nobody was here for them")
    case .started:
      evaluation?.number = event.fields["evaluation"]?.integerValue
      if evaluation?.presses.started() == .interrupt { try sendInterrupt() }
    case .input:
      if evaluation?.isTentative == true { commit() }
      evaluation?.question = Question(
        prompt: QuestionPrompt.visible(screen.takeOpenLine()), echoes: event.fields["echo"]?.boolValue ?? true)
      isStale = true
    default: break
    }
  }

  // MARK: replies

  private func take(_ reply: ControlReply, to id: Int) throws(ClientError) {
    if id == evaluation?.request { return try finish(reply) }
    if leftRequests.remove(id) != nil {
      screen.print(begunLines.removeValue(forKey: id) ?? [])
      return finishLeft(reply)
    }
    if id == teeRequest { return refuseTee(reply) }
    if id == evaluation?.interruptRequest { return takeInterrupt(reply) }
    if let aside = asides.removeValue(forKey: id) { return try take(reply, for: aside) }
    switch phase {
    case .checking(id): try takeCheck(reply)
    case .completing(id, let question): takeCandidates(reply, question)
    case .documenting(id): takeDocument(reply)
    case .ending(id): status = ExitCode.done.rawValue
    default: break
    }
  }

  private func takeCheck(_ reply: ControlReply) throws(ClientError) {
    deadline = .never
    guard case .ok(let fields) = reply, fields["complete"]?.boolValue == false else {
      return try submit(isForced: true)
    }
    phase = .editing
    openLine(indent: fields["indent"]?.stringValue)
  }

  private func takeCandidates(_ reply: ControlReply, _ question: CompletionQuestion) {
    phase = .editing
    deadline = .never
    isStale = true
    guard case .ok(let fields) = reply else {
      if case .failed(let reason, _) = reply { note("no completion: \(reason)") }
      return
    }
    let list = CandidateList(reply: fields)
    let word = question.word(from: list.start)
    let common = list.commonPrefix
    if !common.isEmpty, common != word, common.unicodeScalars.count >= word.unicodeScalars.count {
      editor.replaceBeforeCursor(word.utf8.count, with: common)
    } else if list.candidates.count > 1 {
      screen.print(list.lines(columns: screen.columns, palette: palette).map { $0 + "\n" }.joined())
    } else if list.candidates.isEmpty {
      screen.ring()
    }
  }

  private func takeDocument(_ reply: ControlReply) {
    phase = .editing
    deadline = .never
    isStale = true
    switch reply {
    case .failed(let reason, _): note(reason)
    case .ok(let fields):
      let doc = fields["doc"]?.stringValue?.split(separator: "\n").first.map(String.init)
      let lines = [fields["signature"]?.stringValue ?? fields["type"]?.stringValue, doc].compactMap(\.self)
      screen.print(lines.map { palette.paint($0.printableLine, .note) + "\n" }.joined())
    }
  }

  private func take(_ reply: ControlReply, for aside: Aside) throws(ClientError) {
    switch (aside, reply) {
    case (.newSession, .ok(let fields)):
      session = fields["session"]?.integerValue ?? session
      leaveEvaluation("it goes on beside the prompt, which is that of session \(session) now")
    case (.newSession, .failed(let reason, _)), (.background, .failed(let reason, _)):
      evaluation?.isLeaving = false
      note("it cannot be left: \(reason)")
    case (.jobs, .ok(let fields)):
      for row in fields["jobs"]?.arrayValue ?? [] {
        guard let job = row.objectValue.flatMap(JobReport.init), job.state == .running,
          job.owner == "session \(session)"
        else { continue }
        try follow(job.job)
      }
    case (.background, .ok), (.ignored, _), (.jobs, _): break
    }
  }

  // MARK: the end of an evaluation

  private func finish(_ reply: ControlReply) throws(ClientError) {
    let dropped = evaluation?.dropped
    let wasTentative = evaluation?.isTentative ?? false
    if isAttaching {
      isAttaching = false
      // There is nothing to do at a prompt without a session.
      _ = try Connection.fields(of: reply)
    }
    if case .ok(let fields) = reply, fields["outcome"]?.stringValue == "incomplete", wasTentative {
      let wasPressed = evaluation?.presses != InterruptPresses()
      evaluation = nil
      phase = .editing
      deadline = .never
      // Ctrl-C came before it was known that nothing runs.
      return wasPressed ? clearLine() : openLine(indent: nil)
    }
    if wasTentative { commit() }
    evaluation = nil
    newBlock()
    if let dropped, dropped > 0 { note("\(dropped) bytes of output were dropped") }
    try conclude(reply)
    // It may have started some by `bg`, whose output is to be seen as well.
    if wire.features.hasJobs, status == nil { asides[try wire.send(.jobs, [:])] = .jobs }
  }

  private func conclude(_ reply: ControlReply) throws(ClientError) {
    guard case .ok(let fields) = reply else {
      if case .failed(let reason, _) = reply { note(reason) }
      return
    }
    if fields["outcome"]?.stringValue == "idle" { return }
    guard let report = EvaluationReport(fields: fields) else { return note("the server sent no report of the end") }
    if report.type != nil { screen.endLine() }
    switch report.outcome {
    case .exception, .interrupted:
      screen.endLine()
      screen.print(palette.traceback(report.exception?.traceback ?? "interrupted\n"))
      screen.endLine()
    case .incomplete: note("the code is incomplete")
    case .ended: status = ExitCode.done.rawValue
    case .backgrounded:
      note("it goes on as %\(report.job ?? 0)")
      if let job = report.job { try follow(job) }
    case .value, .abandoned: break
    }
  }

  /// An evaluation that was left has ended.
  private func finishLeft(_ reply: ControlReply) {
    screen.endLine()
    guard case .ok(let fields) = reply, let report = EvaluationReport(fields: fields) else { return }
    if let exception = report.exception { screen.print(palette.traceback(exception.traceback)) }
    note("what was left has ended: \(report.outcome.rawValue)")
  }

  // MARK: time

  /// The server has not answered in time.
  func giveUpWaiting() throws(ClientError) {
    deadline = .never
    switch phase {
    case .checking: try submit(isForced: true)
    case .completing, .documenting:
      phase = .editing
      note("no answer in time: the program may be busy")
    case .evaluating: if evaluation?.isTentative == true { commit() }
    case .editing, .ending: break
    }
  }
}

/// The prompt of a question: the line that an evaluation had begun.
enum QuestionPrompt {
  /// What of it takes a column: the text without the sequences that a terminal obeys, and behind the last return.
  static func visible(_ line: String) -> String {
    var result: [Unicode.Scalar] = []
    var isInSequence = false
    var scalars = line.unicodeScalars.makeIterator()
    while let scalar = scalars.next() {
      if isInSequence {
        // A control sequence ends with a letter or one of a few signs: ECMA-48.
        isInSequence = !(scalar.value >= 0x40 && scalar.value <= 0x7E) || scalar == "["
      } else if scalar == "\u{1B}" {
        isInSequence = true
      } else if scalar == "\r" {
        result = []
      } else {
        result.append(scalar)
      }
    }
    return String(String.UnicodeScalarView(result)).printableLine
  }
}
