// The fake engine: it takes what a server asks and answers when the test says so.

import Shared

@testable import ReplServer

/// An engine without a language. A test waits for a call, looks at it and answers it, or never does.
final class FakeEngine: Engine {
  /// A call that has not been answered.
  struct Call<Request: Sendable, Answer: Sendable>: Sendable {
    let request: Request
    let answer: @Sendable (Answer) -> Void
  }

  /// What Complete asks for.
  struct Inquiry: Equatable, Sendable {
    var source: String
    var cursor: Int?
    var withDocs: Bool
  }

  private struct State {
    var evaluations: [Call<Evaluation, EvaluationResult>] = []
    var interrupts: [Call<EvaluationTarget, InterruptOutcome>] = []
    var locations: [Call<EvaluationTarget, SourcePlace?>] = []
    var jobs: [Call<Job, EngineUnavailable?>] = []
    var completions: [Call<String, [String]>] = []
    var inquiries: [Call<Inquiry, Completions?>] = []
    var documents: [Call<String, Result<JSON.Object, EngineUnavailable>>] = []
    var stacks: [Call<Void, [ThreadStack]>] = []
    var ownThreads: [Int: String] = [:]
    var waitingSince: ContinuousClock.Instant?
    var checks: [Call<String, JSON.Object?>] = []
    var backgrounded: [(session: SessionID, evaluation: Int, job: Job)] = []
    var backgroundFailure: EngineUnavailable?
    var windows: [SessionID: WindowSize] = [:]
    var listening: [Bool] = []
    var closed: [SessionID] = []
    var haltCount = 0
    var callCount = 0
  }

  private let state = Monitor(State())

  let identity = EngineIdentity(
    language: "fake", languageVersion: "7.1", primaryPrompt: "fake> ", continuationPrompt: "fake. ")

  // MARK: the server's side

  func evaluate(_ evaluation: Evaluation, completion: @escaping @Sendable (EvaluationResult) -> Void) {
    ask { $0.evaluations.append(Call(request: evaluation, answer: completion)) }
  }

  func interrupt(_ target: EvaluationTarget, completion: @escaping @Sendable (InterruptOutcome) -> Void) {
    ask { $0.interrupts.append(Call(request: target, answer: completion)) }
  }

  func locate(_ target: EvaluationTarget, completion: @escaping @Sendable (SourcePlace?) -> Void) {
    ask { $0.locations.append(Call(request: target, answer: completion)) }
  }

  func start(
    _ job: Job, source: String, loop: Int?, completion: @escaping @Sendable (EngineUnavailable?) -> Void
  ) {
    ask { $0.jobs.append(Call(request: job, answer: completion)) }
  }

  func background(session: SessionID, evaluation number: Int, as job: Job) -> EngineUnavailable? {
    state.signal { state in
      state.callCount += 1
      state.backgrounded.append((session, number, job))
      return state.backgroundFailure
    }
  }

  func listen(_ isWanted: Bool) { state.signal { $0.listening.append(isWanted) } }

  func resize(session: SessionID, to size: WindowSize) { state.signal { $0.windows[session] = size } }

  func check(_ source: String, completion: @escaping @Sendable (JSON.Object?) -> Void) {
    ask { $0.checks.append(Call(request: source, answer: completion)) }
  }

  func complete(word text: String, completion: @escaping @Sendable ([String]) -> Void) {
    ask { $0.completions.append(Call(request: text, answer: completion)) }
  }

  func complete(
    _ source: String, cursor: Int?, withDocs: Bool, completion: @escaping @Sendable (Completions?) -> Void
  ) {
    let inquiry = Inquiry(source: source, cursor: cursor, withDocs: withDocs)
    ask { $0.inquiries.append(Call(request: inquiry, answer: completion)) }
  }

  func document(
    _ name: String, withSource: Bool,
    completion: @escaping @Sendable (Result<JSON.Object, EngineUnavailable>) -> Void
  ) {
    ask { $0.documents.append(Call(request: name, answer: completion)) }
  }

  func threads(completion: @escaping @Sendable ([ThreadStack]) -> Void) {
    ask { $0.stacks.append(Call(request: (), answer: completion)) }
  }

  var ownThreads: [Int: String] { state.withLock { $0.ownThreads } }

  var waitingSince: ContinuousClock.Instant? { state.withLock { $0.waitingSince } }

  private func ask(_ body: (inout State) -> Void) {
    state.signal {
      body(&$0)
      $0.callCount += 1
    }
  }

  func close(session: SessionID) { state.signal { $0.closed.append(session) } }

  func serverHalted() { state.signal { $0.haltCount += 1 } }

  // MARK: the test's side

  /// How often the engine was asked for anything.
  var callCount: Int { state.withLock { $0.callCount } }

  var closed: [SessionID] { state.withLock { $0.closed } }

  /// What it says of its threads from now on, and since when something has waited for the language.
  func tell(ownThreads: [Int: String], waitingSince: ContinuousClock.Instant?) {
    state.withLock { state in
      state.ownThreads = ownThreads
      state.waitingSince = waitingSince
    }
  }

  var haltCount: Int { state.withLock { $0.haltCount } }

  func evaluation() throws -> Call<Evaluation, EvaluationResult> {
    try wait("no evaluation was asked for") { $0.evaluations.isEmpty ? nil : $0.evaluations.removeFirst() }
  }

  func interrupt() throws -> Call<EvaluationTarget, InterruptOutcome> {
    try wait("no interrupt was asked for") { $0.interrupts.isEmpty ? nil : $0.interrupts.removeFirst() }
  }

  func location() throws -> Call<EvaluationTarget, SourcePlace?> {
    try wait("no location was asked for") { $0.locations.isEmpty ? nil : $0.locations.removeFirst() }
  }

  func job() throws -> Call<Job, EngineUnavailable?> {
    try wait("no job was asked for") { $0.jobs.isEmpty ? nil : $0.jobs.removeFirst() }
  }

  func inquiry() throws -> Call<Inquiry, Completions?> {
    try wait("no completions were asked for") { $0.inquiries.isEmpty ? nil : $0.inquiries.removeFirst() }
  }

  func document() throws -> Call<String, Result<JSON.Object, EngineUnavailable>> {
    try wait("no documentation was asked for") { $0.documents.isEmpty ? nil : $0.documents.removeFirst() }
  }

  func check() throws -> Call<String, JSON.Object?> {
    try wait("no block was to be checked") { $0.checks.isEmpty ? nil : $0.checks.removeFirst() }
  }

  /// What the engine was told of listening, in order.
  var listening: [Bool] { state.withLock { $0.listening } }

  func waitForListening(_ wanted: [Bool]) throws {
    try wait("listening is \(listening)") { $0.listening == wanted ? () : nil }
  }

  /// The windows that the engine knows of.
  var windows: [SessionID: WindowSize] { state.withLock { $0.windows } }

  /// What was made a job, in order.
  var backgrounded: [(session: SessionID, evaluation: Int, job: Job)] { state.withLock { $0.backgrounded } }

  /// From now on nothing can be made a job.
  func refuseBackground(_ reason: String) { state.signal { $0.backgroundFailure = EngineUnavailable(reason) } }

  func stacks() throws -> Call<Void, [ThreadStack]> {
    try wait("no stacks were asked for") { $0.stacks.isEmpty ? nil : $0.stacks.removeFirst() }
  }

  func completion() throws -> Call<String, [String]> {
    try wait("no completion was asked for") { $0.completions.isEmpty ? nil : $0.completions.removeFirst() }
  }

  func waitForClose(of session: SessionID) throws {
    try wait("session \(session) was not closed") { $0.closed.contains(session) ? () : nil }
  }

  func waitForHalt() throws {
    try wait("the server was not halted") { $0.haltCount > 0 ? () : nil }
  }

  private func wait<Result>(_ failure: String, until body: (inout State) -> Result?) throws -> Result {
    guard let result = state.wait(milliseconds: Patience.milliseconds, until: body) else {
      throw Patience.Exhausted(description: failure)
    }
    return result
  }
}

extension Result where Success == EvaluationReport, Failure == EngineUnavailable {
  /// An evaluation that ended like this.
  static func ended(_ outcome: EvaluationReport.Outcome) -> Self { .success(EvaluationReport(outcome)) }
}
