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
  var peer: String
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

  init(id: SessionID, kind: Kind, peer: String, core: ServerCore) {
    self.id = id
    self.kind = kind
    self.peer = peer
    self.core = core
  }

  /// Runs source.
  /// - Parameters:
  ///   - streams: those of whoever asks; nobody else sees its output.
  ///   - completion: told on the event loop how it ended, unless the session ends before.
  /// - Returns: the number of the evaluation; nil when the session is busy or has ended.
  func evaluate(
    _ source: Evaluation.Source, presentation: Evaluation.Presentation = .text, place: Evaluation.Place = .session,
    streams: any EvaluationStreams, completion: @escaping (EvaluationResult) -> Void
  ) -> Int? {
    guard running == nil, !isEnded else { return nil }
    evaluationCount += 1
    let number = evaluationCount
    running = Running(number: number, shown: Self.shown(source), streams: streams)
    let evaluation = Evaluation(
      session: id, number: number, source: source, presentation: presentation, place: place, streams: streams)
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
    running = nil
    lastEnded = .now
    completion(result)
    tellOfEnds()
    onIdle?()
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
  func takeUp(peer: String) -> Left? {
    guard let left else { return nil }
    left.deadline.cancel()
    self.left = nil
    self.peer = peer
    return left
  }

  /// The running evaluation is a job from now on: the session is free.
  func release(_ number: Int) {
    guard running?.number == number else { return }
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
      peer: left == nil ? peer : "left by \(peer)")
  }

  private func tellOfEnds() {
    let due = endWatchers.filter { $0.number != running?.number }
    endWatchers.removeAll { $0.number != running?.number }
    for watcher in due { watcher.body() }
  }

  private static func shown(_ source: Evaluation.Source) -> String {
    switch source {
    case .block(let text, _), .script(let text): text.shown
    case .result(let job): "%\(job)"
    }
  }
}

extension String {
  /// The beginning of a source, as lists show it. Cut between code points, since one character may be made of any
  /// number of them.
  var shown: String { String(String.UnicodeScalarView(unicodeScalars.prefix(ServerLimits.shownSourceCharacters))) }
}
