// The fake engine: it takes what a server asks and answers when the test says so.

@testable import ReplServer

/// An engine without a language. A test waits for a call, looks at it and answers it, or never does.
final class FakeEngine: Engine {
  /// A call that has not been answered.
  struct Call<Request: Sendable, Answer: Sendable>: Sendable {
    let request: Request
    let answer: @Sendable (Answer) -> Void
  }

  /// Which evaluation an interrupt named.
  struct Target: Equatable, Sendable {
    let session: SessionID
    let number: Int
  }

  private struct State {
    var evaluations: [Call<Evaluation, Outcome>] = []
    var interrupts: [Call<Target, InterruptOutcome>] = []
    var completions: [Call<String, [String]>] = []
    var closed: [SessionID] = []
    var haltCount = 0
    var callCount = 0
  }

  private let state = Monitor(State())

  let identity = EngineIdentity(
    language: "fake", languageVersion: "7.1", primaryPrompt: "fake> ", continuationPrompt: "fake. ")

  // MARK: the server's side

  func evaluate(_ evaluation: Evaluation, completion: @escaping @Sendable (Outcome) -> Void) {
    state.signal {
      $0.evaluations.append(Call(request: evaluation, answer: completion))
      $0.callCount += 1
    }
  }

  func interrupt(
    session: SessionID, evaluation number: Int, completion: @escaping @Sendable (InterruptOutcome) -> Void
  ) {
    state.signal {
      $0.interrupts.append(Call(request: Target(session: session, number: number), answer: completion))
      $0.callCount += 1
    }
  }

  func complete(_ text: String, completion: @escaping @Sendable ([String]) -> Void) {
    state.signal {
      $0.completions.append(Call(request: text, answer: completion))
      $0.callCount += 1
    }
  }

  func close(session: SessionID) { state.signal { $0.closed.append(session) } }

  func serverHalted() { state.signal { $0.haltCount += 1 } }

  // MARK: the test's side

  /// How often the engine was asked for anything.
  var callCount: Int { state.withLock { $0.callCount } }

  var haltCount: Int { state.withLock { $0.haltCount } }

  func evaluation() throws -> Call<Evaluation, Outcome> {
    try wait("no evaluation was asked for") { $0.evaluations.isEmpty ? nil : $0.evaluations.removeFirst() }
  }

  func interrupt() throws -> Call<Target, InterruptOutcome> {
    try wait("no interrupt was asked for") { $0.interrupts.isEmpty ? nil : $0.interrupts.removeFirst() }
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
