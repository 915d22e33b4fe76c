// The session: where evaluations run one after the other, whoever asks for them.
internal import NIOCore
internal import Shared

/// One session of a server. A text connection has one for its whole life; a tool opens as many as it needs, and may
/// also evaluate in one that belongs to somebody else. Touched on the event loop only.
final class Session {
  enum Kind: String {
    case text
    case tool
  }

  /// The evaluation that runs.
  struct Running {
    let number: Int
    /// Who asked for it.
    let visitor: Visitor
    /// What of its source is shown to others.
    let shown: String
    let started = ContinuousClock.now
    let streams: any EvaluationStreams
  }

  /// What waits for somebody to take up the session again.
  struct Left {
    /// What it evaluates, or has evaluated, for whoever left.
    let evaluation: ToolEvaluation?
    fileprivate let deadline: Scheduled<Void>
  }

  let id: SessionID
  let kind: Kind
  /// Who is connected.
  private(set) var visitor: Visitor
  /// Whether it is kept for a while when its connection is lost.
  var isKept = false
  /// What was left behind by a connection that was lost; nil while somebody is connected.
  private(set) var left: Left?
  private(set) var running: Running?
  private(set) var evaluationCount = 0
  private(set) var isEnded = false
  /// Called when an evaluation has ended, after whoever asked for it was told.
  var onIdle: (() -> Void)?
  /// Called when somebody asks for the end of the session.
  var onDisconnect: (() -> Void)?
  private let core: ServerCore
  private let opened = ContinuousClock.now
  private var lastEnded: ContinuousClock.Instant?
  private var endWatchers: [(number: Int, body: () -> Void)] = []

  init(id: SessionID, kind: Kind, visitor: Visitor, core: ServerCore) {
    self.id = id
    self.kind = kind
    self.visitor = visitor
    self.core = core
  }

  /// Runs source, which is in the audit log by then.
  /// - Parameters:
  ///   - visitor: who asks for it.
  ///   - audited: what the audit log is told; nil when it is all of the source.
  ///   - streams: those of whoever asks; nobody else sees its output.
  ///   - completion: told on the event loop how it ended, unless the session ends before.
  /// - Returns: the number of the evaluation.
  /// - Throws: why it is not begun.
  func evaluate(
    _ source: Evaluation.Source, by visitor: Visitor, audited: EvaluatedSource? = nil,
    presentation: Evaluation.Presentation = .text, place: Evaluation.Place = .session, loop: Int? = nil,
    streams: any EvaluationStreams, completion: @escaping (EvaluationResult) -> Void
  ) throws(Refusal) -> Int {
    guard running == nil, !isEnded else { throw Refusal(reason: "Session \(id) is busy.") }
    let number = evaluationCount + 1
    do throws(AuditLog.Failure) {
      try core.auditor.begin(
        audited ?? EvaluatedSource(text: Self.whole(source)), session: id, evaluation: number, by: visitor)
    } catch {
      throw Refusal(auditLog: error)
    }
    evaluationCount = number
    running = Running(number: number, visitor: visitor, shown: Self.shown(source), streams: streams)
    let evaluation = Evaluation(
      session: id, number: number, source: source, presentation: presentation, place: place, loop: loop,
      streams: streams)
    let box = NIOLoopBoundBox<(session: Session, completion: (EvaluationResult) -> Void)?>(
      (self, completion), eventLoop: core.eventLoop)
    let thread = core.thread
    core.engine.evaluate(evaluation) { result in
      thread.execute {
        guard let (session, completion) = box.value else { return }
        box.value = nil
        session.finish(number, result, completion)
      }
    }
    return number
  }

  private func finish(_ number: Int, _ result: EvaluationResult, _ completion: (EvaluationResult) -> Void) {
    guard !isEnded, running?.number == number else { return }
    audit(result)
    running = nil
    lastEnded = .now
    completion(result)
    tellOfEnds()
    onIdle?()
  }

  private func audit(_ result: EvaluationResult) {
    guard core.auditor.isOn else { return }
    switch result {
    case .success(let report): auditEnd(report.outcome.rawValue)
    case .failure(let error): auditEnd("failed", ["reason": .string(error.reason)])
    }
  }

  /// Writes down how the running evaluation ended.
  private func auditEnd(_ status: String, _ more: JSON.Object = [:]) {
    guard let running else { return }
    var fields: JSON.Object = [
      "session": .integer(id), "evaluation": .integer(running.number), "status": .string(status),
      "duration": .number((.now - running.started).seconds),
    ]
    for (name, value) in more { fields[name] = value }
    core.auditor.note("result", by: running.visitor, fields)
  }

  /// Interrupts the running evaluation.
  /// - Parameters:
  ///   - number: the one that is meant; nil for whichever runs.
  ///   - completion: told on the event loop, within `ServerLimits.interruptReplyMilliseconds`.
  func interrupt(_ number: Int? = nil, completion: @escaping (InterruptOutcome) -> Void) {
    guard let running, number == nil || number == running.number else { return completion(.stale) }
    core.interrupt(.session(id, evaluation: running.number), completion: completion)
  }

  /// Calls `body` on the event loop once the evaluation is over, which may be at once.
  func whenEnded(_ number: Int, _ body: @escaping () -> Void) {
    guard running?.number == number else { return body() }
    endWatchers.append((number, body))
  }

  /// The connection is lost: the session ends unless somebody takes it up in time.
  func leave(with evaluation: ToolEvaluation?) {
    evaluation?.leave()
    onDisconnect = nil
    let box = NIOLoopBoundBox<Session?>(self, eventLoop: core.eventLoop)
    let deadline = core.eventLoop.scheduleTask(in: .seconds(ServerLimits.leftSessionSeconds)) {
      box.value?.end()
      box.value = nil
    }
    left = Left(evaluation: evaluation, deadline: deadline)
  }

  /// Somebody takes the session up.
  func takeUp(by visitor: Visitor) -> Left? {
    guard let left else { return nil }
    left.deadline.cancel()
    self.left = nil
    self.visitor = visitor
    core.auditor.note("session", by: visitor, ["session": .integer(id), "change": "attached"])
    return left
  }

  /// The running evaluation is a job from now on: the session is free.
  func release(_ number: Int) {
    guard running?.number == number else { return }
    auditEnd("backgrounded")
    running = nil
    lastEnded = .now
    tellOfEnds()
    onIdle?()
  }

  /// Ends the session, and the connection it belongs to.
  func disconnect() {
    // The end comes first: whoever waits for an evaluation in it is told, and then finds the connection closed.
    end()
    onDisconnect?()
  }

  /// The session is over: what it runs is interrupted.
  func end() {
    guard !isEnded else { return }
    isEnded = true
    auditEnd("left")
    running = nil
    left?.deadline.cancel()
    left?.evaluation?.streams.close()
    left = nil
    core.engine.close(session: id)
    core.remove(self)
    tellOfEnds()
  }

  /// What others may know of it.
  var report: SessionReport {
    let now = ContinuousClock.now
    return SessionReport(
      session: id, kind: kind.rawValue, running: running?.shown, evaluation: evaluationCount,
      age: (now - opened).seconds, since: (now - (running?.started ?? lastEnded ?? opened)).seconds,
      peer: left == nil ? "\(visitor)" : "left by \(visitor)")
  }

  private func tellOfEnds() {
    let due = endWatchers.filter { $0.number != running?.number }
    endWatchers.removeAll { $0.number != running?.number }
    for watcher in due { watcher.body() }
  }

  private static func shown(_ source: Evaluation.Source) -> String { whole(source).shown }

  private static func whole(_ source: Evaluation.Source) -> String {
    switch source {
    case .block(let text, _), .script(let text): text
    case .result(let job): "%\(job)"
    }
  }

  /// Why an evaluation is not begun: one line.
  struct Refusal: Error {
    let reason: String

    init(reason: String) { self.reason = reason }

    init(auditLog failure: AuditLog.Failure) {
      reason = "The audit log cannot be written, so nothing is run: \(failure.reason)."
    }
  }
}

extension String {
  /// The beginning of a source, as lists show it. Cut between code points, since one character may be made of any
  /// number of them.
  var shown: String { String(String.UnicodeScalarView(unicodeScalars.prefix(ServerLimits.shownSourceCharacters))) }
}
