// The tool evaluation: an evaluation that a tool asked for, between its connection and its session.
internal import Shared

/// What is kept of an evaluation until somebody has been told how it ended. Touched on the event loop only.
final class ToolEvaluation {
  let session: Session
  let number: Int
  let streams: SessionStreams
  /// Whether the session was made for this evaluation alone.
  let isAlone: Bool
  private(set) var result: EvaluationResult?
  private var onEnd: ((EvaluationResult) -> Void)?

  init(session: Session, number: Int, streams: SessionStreams, isAlone: Bool) {
    self.session = session
    self.number = number
    self.streams = streams
    self.isAlone = isAlone
  }

  /// It has ended.
  func finish(_ result: EvaluationResult) {
    guard self.result == nil else { return }
    self.result = result
    onEnd?(result)
    onEnd = nil
  }

  /// Calls `body` when it has ended, which may be at once.
  func whenEnded(_ body: @escaping (EvaluationResult) -> Void) {
    if let result { return body(result) }
    onEnd = body
  }

  /// The client is gone, and may come back: output is kept, and so is the result.
  func leave() {
    onEnd = nil
    streams.leave()
  }

  /// The client is gone: nobody reads the output, and the evaluation is interrupted.
  func abandon() {
    onEnd = nil
    streams.close()
    if isAlone {
      session.end()
    } else {
      // A session of the connection ends with it anyway; one of somebody else lives on.
      session.interrupt(number) { _ in }
    }
  }
}
