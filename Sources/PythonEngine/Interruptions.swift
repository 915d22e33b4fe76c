// The interruptions: the interrupts that are under way, and what each of them is meant for.
internal import ReplServer
internal import Synchronization

/// The last interrupt of each target: what an earlier one still had to do is left undone.
final class Interruptions: Sendable {
  typealias Number = Int

  private struct Entry: Sendable {
    let target: EvaluationTarget
    /// Where the target runs; nil once it is over.
    let runner: @Sendable () -> Runner?
  }

  private struct State {
    var entries: [Number: Entry] = [:]
    var last: [EvaluationTarget: Number] = [:]
    var count = 0
  }

  private let state = Mutex(State())

  /// An interrupt has been sent.
  func begin(_ target: EvaluationTarget, _ runner: @escaping @Sendable () -> Runner?) -> Number {
    state.withLock { state in
      state.count &+= 1
      if let before = state.last.updateValue(state.count, forKey: target) { state.entries[before] = nil }
      state.entries[state.count] = Entry(target: target, runner: runner)
      return state.count
    }
  }

  /// Where the target of an interrupt runs; nil when it is over, or a later interrupt takes care of it.
  func runner(of number: Number) -> Runner? {
    let entry = state.withLock { $0.entries[number] }
    return entry?.runner()
  }

  /// There is nothing more to be done for it.
  func end(_ number: Number) {
    state.withLock { state in
      guard let entry = state.entries.removeValue(forKey: number) else { return }
      if state.last[entry.target] == number { state.last[entry.target] = nil }
    }
  }
}
