// The exit codes: one table for all tools, an interface for the scripts that run them.

/// What a tool tells its caller by its exit status. The values from 64 on are those of sysexits(3),
/// and 130 is what a shell reports for SIGINT.
public enum ExitCode: Int32, CaseIterable, Sendable {
  case done = 0
  case failed = 1
  case usage = 64
  case noSuchItem = 66
  case noServer = 69
  case timedOut = 75
  case protocolError = 76
  case notPermitted = 77
  case interrupted = 130

  /// The meaning in one line, as the man pages have it.
  public var meaning: String {
    switch self {
    case .done: "done"
    case .failed: "the evaluated code raised, or the server refused the request"
    case .usage: "usage: the command line is wrong"
    case .noSuchItem: "no such session or job"
    case .noServer: "no server there"
    case .timedOut: "timed out"
    case .protocolError: "the peer does not speak the protocol"
    case .notPermitted: "not permitted"
    case .interrupted: "interrupted"
    }
  }
}
