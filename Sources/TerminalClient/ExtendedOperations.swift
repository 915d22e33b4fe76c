// The extended operations: what is asked of a server only when it announces that it can do it.

internal import Shared

enum ExtendedOperation {
  static let tee = Operation("Tee", "Send what the process itself prints.")
  static let resize = Operation("Resize", "Tell a session the size of the window.")
}
