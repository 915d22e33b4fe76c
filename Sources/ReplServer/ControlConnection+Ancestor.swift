// The operations of the ancestor, as a client of `unpythonic.net` uses them.
internal import NIOCore
internal import Shared

extension ControlConnection {
  func pair(_ request: ControlRequest, _ reply: PendingReply) {
    let session = request.fields["id"]?.integerValue ?? 0
    guard core.text(session) != nil else {
      return reply.fail("Pairing failed: session \(session) does not exist.")
    }
    pairedSession = session
    reply.ok()
  }

  /// The ancestor's clients ask for candidate 0, 1, 2 ... of the same word until there is none.
  func completeWord(_ request: ControlRequest, _ reply: PendingReply) {
    let text = request.fields["text"]?.stringValue ?? ""
    let state = request.fields["state"]?.integerValue ?? 0
    guard text.utf8.count <= Limits.maximumCompletionTextLength else {
      return reply.fail("The TabComplete parameter 'text' is too long.")
    }
    if state > 0, let candidates, candidates.text == text {
      return reply.send(Self.candidate(state, of: candidates.list))
    }
    let answer = core.firstAnswer(within: ServerLimits.engineReplyMilliseconds) { (list: [String]?) in
      guard let list else { return reply.fail("The interpreter is busy; no completions in time.", .timeout) }
      let short = Array(
        list.lazy.filter { $0.utf8.count <= Limits.maximumCandidateLength }.prefix(Limits.maximumCandidateCount))
      self.candidates = (text, short)
      reply.send(Self.candidate(state, of: short))
    } otherwise: {
      nil
    }
    core.engine.complete(word: text) { answer($0) }
  }

  private static func candidate(_ state: Int, of list: [String]) -> ControlReply {
    .ok(["result": list.indices.contains(state) ? .string(list[state]) : .null])
  }

  func interruptPaired(_ reply: PendingReply) {
    guard let pairedSession else {
      return reply.fail("This control channel is not currently paired with a REPL session.")
    }
    guard let connection = core.text(pairedSession) else {
      return reply.fail("REPL session \(pairedSession) no longer active.")
    }
    let (auditor, visitor) = (core.auditor, visitor)
    connection.interrupt { outcome in
      auditor.note("interrupt", by: visitor, ["session": .integer(pairedSession), "outcome": .string(outcome.audited)])
      switch outcome {
      case .interrupted: reply.ok(["outcome": "interrupted"])
      case .stale: reply.ok(["outcome": "idle"])
      case .uninterruptible(let reason): reply.fail(reason)
      }
    }
  }
}

extension InterruptOutcome {
  /// As the replies to the ancestor's clients have it, for the audit log.
  fileprivate var audited: String {
    switch self {
    case .interrupted: "interrupted"
    case .stale: "idle"
    case .uninterruptible: "uninterruptible"
    }
  }
}
