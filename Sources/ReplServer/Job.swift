// The job: an evaluation that no prompt waits for, and what is kept of it.
internal import CProcessHooks
internal import Glibc
public import Shared
internal import Synchronization

/// One job. It is used by the thread that runs it, by the event loop and by the host's other threads; nothing here
/// waits, and nothing calls out while the state is held.
public final class Job: Sendable {
  private struct State {
    var state = JobReport.State.running
    var thread: Int32?
    var ended: ContinuousClock.Instant?
    var cpuAtEnd: Double?
    var output = JobOutput()
    var watchers: [Int: @Sendable () -> Void] = [:]
    var lastWatcher = 0
  }

  public let number: Int
  /// What it runs: source, or the name of a function. One that is long is cut.
  public let source: String
  /// Who started it.
  public let owner: String
  private let started = ContinuousClock.now
  private let state = Mutex(State())

  init(number: Int, source: String, owner: String) {
    self.number = number
    self.source = source.shown
    self.owner = owner
  }

  // MARK: the engine's side

  /// A thread runs the job from now on.
  /// - Parameter thread: the kernel's number of it; nil stands for the calling thread.
  public func begin(thread: Int? = nil) {
    let number = thread.map { Int32(truncatingIfNeeded: $0) } ?? process_hooks_thread_id()
    state.withLock { $0.thread = number }
  }

  /// Keeps output; what was abandoned is not listened to any more.
  public func write(_ bytes: some Collection<UInt8>, to stream: OutputStream) {
    notify { state in
      guard state.state != .abandoned else { return }
      state.output.append(bytes, to: stream)
    }
  }

  /// The job is over. The first end counts, and an abandoned one stays that.
  public func end(_ outcome: JobReport.State) {
    notify { state in
      guard state.ended == nil else { return }
      state.ended = .now
      state.cpuAtEnd = state.thread.flatMap(Self.processorSeconds)
      state.thread = nil
      if state.state == .running { state.state = outcome }
    }
  }

  /// Whether its thread has not begun with it.
  public var isAwaited: Bool { state.withLock { $0.thread == nil && $0.ended == nil } }

  /// What it has printed, as far as that is kept, both streams in order.
  public var output: [UInt8] { state.withLock { $0.output.bytes } }

  /// Bytes of its output that are no longer kept.
  public var dropped: Int { state.withLock { $0.output.dropped } }

  public var current: JobReport.State { state.withLock { $0.state } }

  // MARK: the server's side

  /// Whether its thread has come to its end.
  var hasEnded: Bool { state.withLock { $0.ended != nil } }

  /// Bytes of output that are kept.
  var keptByteCount: Int { state.withLock { $0.output.count } }

  /// Nobody waits for it any more, though it runs on.
  /// - Returns: whether it still ran.
  func abandon() -> Bool {
    notify { state in
      guard state.state == .running else { return false }
      state.state = .abandoned
      state.output.drop()
      return true
    }
  }

  func read(at place: Int, upTo limit: Int) -> JobOutput.Reading? {
    state.withLock { $0.output.read(at: place, upTo: limit) }
  }

  /// Calls `body` after every change from now on, from any thread.
  /// - Returns: what to give to `unwatch`.
  func watch(_ body: @escaping @Sendable () -> Void) -> Int {
    state.withLock { state in
      state.lastWatcher += 1
      state.watchers[state.lastWatcher] = body
      return state.lastWatcher
    }
  }

  func unwatch(_ watcher: Int) { state.withLock { $0.watchers[watcher] = nil } }

  var report: JobReport {
    let now = ContinuousClock.now
    return state.withLock { state in
      JobReport(
        job: number, state: state.state, age: (now - started).seconds,
        duration: ((state.ended ?? now) - started).seconds,
        cpu: state.cpuAtEnd ?? state.thread.flatMap(Self.processorSeconds), source: source, owner: owner,
        output: state.output.count, dropped: state.output.dropped)
    }
  }

  private func notify<Result: Sendable>(_ body: (inout sending State) -> Result) -> Result {
    let (result, watchers) = state.withLock { state in
      let result = body(&state)
      return (result, Array(state.watchers.values))
    }
    for watcher in watchers { watcher() }
    return result
  }

  private static func processorSeconds(of thread: Int32) -> Double? {
    let nanoseconds = process_hooks_thread_cpu_nanoseconds(thread)
    return nanoseconds < 0 ? nil : Double(nanoseconds) / 1e9
  }
}

extension Duration {
  /// In seconds, with their fraction.
  package var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
