// The surroundings: what a tool has to do with outside of its server, given as values so that tests can give others.

internal import Glibc

/// The environment and the three standard streams.
public struct Surroundings: Sendable {
  /// `$XDG_RUNTIME_DIR`, `$REPL_TO`, `$REPL_REASON` and `$REPL_INTRODUCTION`.
  public var runtimeDirectory: String?
  public var endpoint: String?
  public var reason: String?
  public var introduction: String?

  public var input: Int32
  public var output: Int32
  public var errors: Int32

  /// The width of the terminal that is the output, in columns; nil when it is none.
  public var width: Int?

  /// Whether Ctrl-C is taken as a request to a server and not left to end the process.
  public var takesSignals: Bool

  public init(
    runtimeDirectory: String?, endpoint: String?, reason: String? = nil, introduction: String? = nil, input: Int32,
    output: Int32, errors: Int32, width: Int?, takesSignals: Bool
  ) {
    self.runtimeDirectory = runtimeDirectory
    self.endpoint = endpoint
    self.reason = reason
    self.introduction = introduction
    self.input = input
    self.output = output
    self.errors = errors
    self.width = width
    self.takesSignals = takesSignals
  }

  /// Those of this process.
  public static func ofProcess() -> Surroundings {
    SystemCall.occupyStandardStreams()
    return Surroundings(
      runtimeDirectory: variable("XDG_RUNTIME_DIR"), endpoint: variable("REPL_TO"), reason: variable("REPL_REASON"),
      introduction: variable("REPL_INTRODUCTION"), input: STDIN_FILENO, output: STDOUT_FILENO, errors: STDERR_FILENO,
      width: isatty(STDOUT_FILENO) == 1 ? terminalWidth() : nil, takesSignals: true)
  }

  private static func variable(_ name: String) -> String? {
    guard let value = unsafe getenv(name) else { return nil }
    return unsafe String(cString: value)
  }

  private static func terminalWidth() -> Int {
    var size = winsize()
    guard unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }

  /// The servers of this user.
  public var directory: ServerDirectory { .ofThisUser(runtime: runtimeDirectory) }

  /// Finds the server that is meant.
  public var resolver: EndpointResolver { EndpointResolver(directory: directory, environmentEndpoint: endpoint) }
}
