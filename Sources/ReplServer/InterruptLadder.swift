// The interrupt ladder: tries to end an evaluation or a job, and finds out what came of it.
internal import NIOCore
internal import Shared

/// One interrupt on its way: told to the engine, then watched for a moment, then located. Lives on the event loop.
final class InterruptLadder {
  /// What it came to.
  enum End: Equatable {
    /// The evaluation is over.
    case interrupted
    /// It was over before.
    case stale
    /// It was told, and has not ended; where it is, if that can be known.
    case blocked(SourcePlace?)
    /// The engine could not be reached; the interrupt stands.
    case uninterruptible

    /// The fields of a reply to Interrupt.
    func fields() -> JSON.Object {
      switch self {
      case .interrupted: ["outcome": "interrupted"]
      case .stale: ["outcome": "stale"]
      case .blocked(let place):
        place.map { ["outcome": "blocked", "where": .object($0.fields())] } ?? ["outcome": "blocked"]
      case .uninterruptible: ["outcome": "uninterruptible"]
      }
    }
  }

  private let core: ServerCore
  private let target: EvaluationTarget
  private var completion: ((End) -> Void)?
  private var deadline: Scheduled<Void>?

  /// - Parameter completion: told once, within about `ServerLimits.interruptReplyMilliseconds`.
  init(core: ServerCore, target: EvaluationTarget, completion: @escaping (End) -> Void) {
    self.core = core
    self.target = target
    self.completion = completion
  }

  /// Sends the interrupt.
  func climb() {
    core.interrupt(target) { outcome in
      switch outcome {
      case .stale: self.finish(.stale)
      case .uninterruptible: self.finish(.uninterruptible)
      case .interrupted: self.waitForEnd()
      }
    }
  }

  /// The evaluation is over.
  func targetHasEnded() { finish(.interrupted) }

  private func waitForEnd() {
    guard completion != nil else { return }
    let box = NIOLoopBoundBox<InterruptLadder?>(self, eventLoop: core.eventLoop)
    deadline = core.eventLoop.scheduleTask(in: .milliseconds(ServerLimits.interruptEffectMilliseconds)) {
      box.value?.locate()
      box.value = nil
    }
  }

  private func locate() {
    guard completion != nil else { return }
    let answer = core.firstAnswer(within: ServerLimits.locateMilliseconds) { (end: End) in
      self.finish(end)
    } otherwise: {
      .uninterruptible
    }
    core.engine.locate(target) { answer(.blocked($0)) }
  }

  private func finish(_ end: End) {
    deadline?.cancel()
    deadline = nil
    completion?(end)
    completion = nil
  }
}
