// The extended operations: what is asked of a server only when it announces that it can do it.

internal import Shared

enum ExtendedOperation {
  static let check = Operation("Check", "Say whether source is complete, and how a next line begins.")
  static let background = Operation("Background", "Make a running evaluation a job.")
  static let watch = Operation("Watch", "Tell of jobs that end.")
  static let attach = Operation("Attach", "Take up a session that was left.")
  static let tee = Operation("Tee", "Send what the process itself prints.")
  static let resize = Operation("Resize", "Tell a session the size of the window.")
}
