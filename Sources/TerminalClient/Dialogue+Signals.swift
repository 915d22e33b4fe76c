// The dialogue's signals: Ctrl-C, Ctrl-Z, the size of the window, and the end.

internal import Glibc
internal import ReplClient
internal import Shared

extension Dialogue {
  func obey(_ signal: Int32) throws(ClientError) {
    switch signal {
    case SIGINT: try interrupt()
    case SIGTSTP: try suspend()
    case SIGWINCH: try resize()
    case SIGCONT:
      editor.resume()
      isStale = true
    default:
      screen.leave()
      status = 128 + signal
    }
  }

  // MARK: Ctrl-C

  private func interrupt() throws(ClientError) {
    keys.clear()
    switch phase {
    case .editing, .checking, .completing, .documenting:
      clearLine()
    case .evaluating: try interruptEvaluation()
    case .ending: status = ExitCode.interrupted.rawValue
    }
  }

  /// Leaves what is being typed, and takes a new prompt.
  func clearLine() {
    editor.moveToEnd()
    isStale = true
    refresh()
    screen.leave(mark: "^C")
    newBlock()
  }

  private func interruptEvaluation() throws(ClientError) {
    guard let evaluation else { return }
    if evaluation.question != nil {
      screen.leave(mark: "^C")
      editor.clear()
      self.evaluation?.question = nil
    } else {
      try dropFlood()
    }
    switch self.evaluation?.presses.press(isKnown: evaluation.number != nil || evaluation.job != nil) {
    case .interrupt: try sendInterrupt()
    case .leave: try leave()
    case .nothing, nil: break
    }
  }

  /// More than this waiting for the terminal, in bytes, is a flood.
  private static let flood = 4096

  /// What a terminal that is too slow has not shown yet is not worth waiting for.
  private func dropFlood() throws(ClientError) {
    guard evaluation != nil, screen.waitingByteCount > Self.flood else { return }
    let before = evaluation?.dropped ?? 0
    evaluation?.dropped = before + screen.drop()
    let dropped = credits
    credits = []
    for credit in dropped { try acknowledge(credit.count, of: credit.request) }
  }

  func sendInterrupt() throws(ClientError) {
    if let job = evaluation?.job {
      evaluation?.interruptRequest = try wire.send(.interrupt, ["job": .integer(job)])
      return
    }
    guard let number = evaluation?.number else { return }
    evaluation?.interruptRequest = try wire.send(
      .interrupt, ["session": .integer(session), "evaluation": .integer(number)])
  }

  func takeInterrupt(_ reply: ControlReply) {
    evaluation?.interruptRequest = nil
    guard case .ok(let fields) = reply else {
      evaluation?.presses.refused()
      if case .failed(let reason, _) = reply { note("it cannot be interrupted: \(reason)") }
      return
    }
    let outcome = InterruptOutcome(reply: fields)
    evaluation?.presses.answered(isOver: outcome.isOver)
    if !outcome.isOver {
      note("\(outcome.inWords); Ctrl-C again leaves it\(wire.features.hasBackground ? " as a job" : "")")
    }
  }

  /// Gives a prompt back although the evaluation goes on.
  func leave() throws(ClientError) {
    guard let evaluation, !evaluation.isLeaving else { return }
    if let job = evaluation.job {
      asides[evaluation.request] = .ignored
      self.evaluation = nil
      newBlock()
      return note("%\(job) goes on")
    }
    self.evaluation?.isLeaving = true
    if wire.features.hasBackground, let number = evaluation.number {
      let request = try wire.send(
        Operation.background, ["session": .integer(session), "evaluation": .integer(number)])
      asides[request] = .background
    } else {
      asides[try wire.send(.openSession, sessionFields)] = .newSession
    }
  }

  /// The evaluation is no longer what the prompt waits for.
  func leaveEvaluation(_ words: String) {
    guard let evaluation else { return }
    leftRequests.insert(evaluation.request)
    if evaluation.isTentative { commit() }
    self.evaluation = nil
    newBlock()
    note(words)
  }

  // MARK: Ctrl-Z

  private func suspend() throws(ClientError) {
    guard phase != .evaluating else { return try leave() }
    screen.leave()
    editor.pause()
    var set = sigset_t()
    unsafe sigemptyset(&set)
    unsafe sigaddset(&set, SIGTSTP)
    unsafe pthread_sigmask(SIG_UNBLOCK, &set, nil)
    // It stops here, and goes on here.
    kill(getpid(), SIGTSTP)
    unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
    editor.resume()
    try resize()
  }

  // MARK: the window

  private func resize() throws(ClientError) {
    screen.measure()
    isStale = true
    try tellSize()
  }

  /// Tells the session how large the window is.
  func tellSize() throws(ClientError) {
    guard wire.features.hasResize else { return }
    asides[
      try wire.send(
        Operation.resize,
        ["session": .integer(session), "columns": .integer(screen.columns), "rows": .integer(screen.rows)])] = .ignored
  }
}
