// The operations that ask: completion, documentation, threads; and the halt.
internal import NIOCore
internal import Shared

extension ControlConnection {
  func complete(_ request: ControlRequest, _ reply: PendingReply) {
    let line = request.fields["line"]?.stringValue ?? ""
    let answer = core.firstAnswer(within: ServerLimits.engineReplyMilliseconds) { (completions: Completions??) in
      switch completions {
      case .none: reply.fail("The interpreter is busy; no completions in time.", .timeout)
      case .some(nil): reply.fail("Too many completions are waited for.", .busy)
      case .some(let completions?): reply.ok(Self.fields(completions))
      }
    } otherwise: {
      .none
    }
    core.engine.complete(
      line, cursor: request.fields["cursor"]?.integerValue, withDocs: request.fields["docs"]?.boolValue ?? false
    ) { answer(.some($0)) }
  }

  /// The candidates that fit into a reply.
  private static func fields(_ completions: Completions) -> JSON.Object {
    var rows: [JSON] = []
    var byteCount = 0
    for candidate in completions.candidates.prefix(Limits.maximumCandidateCount)
    where candidate.text.utf8.count <= Limits.maximumCandidateLength {
      let row = JSON.object(candidate.fields())
      byteCount += row.serialized().count
      if byteCount > Limits.maximumReplyListLength { break }
      rows.append(row)
    }
    return [
      "candidates": .array(rows), "start": .integer(completions.start),
      "truncated": .bool(completions.isTruncated || rows.count < completions.candidates.count),
    ]
  }

  func document(_ request: ControlRequest, _ reply: PendingReply) {
    let name = request.fields["name"]?.stringValue ?? ""
    guard name.utf8.count <= Limits.maximumCompletionTextLength else {
      return reply.fail("The Document parameter 'name' is too long.")
    }
    let answer = core.firstAnswer(within: ServerLimits.inquiryMilliseconds) {
      (result: Result<JSON.Object, EngineUnavailable>) in
      switch result {
      case .success(let fields): reply.ok(fields)
      case .failure(let error): reply.fail(error.reason, error.isTimeout ? .timeout : nil)
      }
    } otherwise: {
      .failure(EngineUnavailable("The interpreter is busy; no documentation in time.", isTimeout: true))
    }
    core.engine.document(name, withSource: request.fields["source"]?.boolValue ?? false) { answer($0) }
  }

  /// The kernel is asked twice, to see who runs; the engine is asked meanwhile, and may not answer.
  func listThreads(_ reply: PendingReply) {
    let first = ThreadTable()
    var stacks: [ThreadStack]?
    var isAnswered = false
    var isSampled = false
    func finish() {
      guard isAnswered, isSampled else { return }
      let rows = ThreadTable().reports(since: first, stacks: stacks, roles: core.engine.ownThreads)
      var fields: JSON.Object = ["held": .bool(stacks == nil)]
      if stacks == nil, let since = core.engine.waitingSince {
        fields["waiting"] = .number((ContinuousClock.now - since).seconds)
      }
      fields["threads"] = .array(Self.bounded(rows.map { .object($0.fields()) }))
      reply.ok(fields)
    }
    let answer = core.firstAnswer(within: ServerLimits.locateMilliseconds) { (found: [ThreadStack]?) in
      stacks = found
      isAnswered = true
      finish()
    } otherwise: {
      nil
    }
    core.engine.threads { answer($0) }
    core.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(ServerLimits.threadSampleMilliseconds)) {
      isSampled = true
      finish()
    }
  }

  /// As many rows as fit into a reply.
  static func bounded(_ rows: some Sequence<JSON>) -> [JSON] {
    var taken: [JSON] = []
    var byteCount = 0
    for row in rows {
      byteCount += row.serialized().count
      guard taken.count < ServerLimits.listedRows, byteCount <= Limits.maximumReplyListLength else { break }
      taken.append(row)
    }
    return taken
  }

  func halt(_ request: ControlRequest, _ reply: PendingReply) {
    let when = request.fields["when"]?.stringValue ?? ""
    let stop: () -> Void
    switch when {
    case "idle": stop = { [core] in core.halt(true) }
    case "cancel": stop = { [core] in core.halt(false) }
    case "now": stop = { [core] in core.haltNow() }
    default: return reply.fail("There is no '\(when.prefix(20))' to halt; it is 'idle', 'now' or 'cancel'.")
    }
    core.auditor.note("halt", by: visitor, ["when": .string(when)])
    // The reply goes first: this connection may be the last.
    reply.ok(["sessions": .integer(core.sessionCount)])
    stop()
  }
}
