// The tool evaluation: an evaluation that a tool asked for, between its connection and its session.
internal import Shared

/// What a connection keeps of an evaluation until it has ended. Touched on the event loop only.
final class ToolEvaluation {
  let session: Session
  let number: Int
  let streams: SessionStreams
  /// Whether the session was made for this evaluation alone.
  let isAlone: Bool

  init(session: Session, number: Int, streams: SessionStreams, isAlone: Bool) {
    self.session = session
    self.number = number
    self.streams = streams
    self.isAlone = isAlone
  }

  /// The client is gone: nobody reads the output, and the evaluation is interrupted.
  func abandon() {
    streams.close()
    if isAlone {
      session.end()
    } else {
      // A session of the connection ends with it anyway; one of somebody else lives on.
      session.interrupt(number) { _ in }
    }
  }
}
