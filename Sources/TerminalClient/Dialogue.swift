// The dialogue: a person at a prompt, from the first one to the exit status.

internal import Glibc
internal import ReplClient
internal import Shared

/// The prompt of one connection. Everything happens in one loop, which waits for the server, the keyboard, signals and
/// the terminal at once.
final class Dialogue {
  /// What the keyboard is for.
  enum Phase: Equatable {
    /// A block is edited.
    case editing
    /// The server was asked about the block; keys wait for the answer.
    case checking(Int)
    case completing(Int, CompletionQuestion)
    case documenting(Int)
    /// A block runs; keys wait for its end or go to what it asks.
    case evaluating
    /// The session was told to end.
    case ending(Int)
  }

  /// The evaluation that the prompt waits for.
  struct Evaluation {
    let request: Int
    /// Whether the block may turn out to be incomplete, and then goes on being edited.
    var isTentative: Bool
    /// Its number in the session; nil until it has begun.
    var number: Int?
    var presses = InterruptPresses()
    var interruptRequest: Int?
    /// What it asks for; nil when it reads nothing.
    var question: Question?
    /// How many bytes of output were thrown away since Ctrl-C; nil when all is shown.
    var dropped: Int?
    var isLeaving = false
    /// The job that is waited for, when it is none of the session's evaluations.
    var job: Int?
    /// Text for a pager that is not yet whole.
    var page: [UInt8] = []
  }

  /// A need for a line of input.
  struct Question {
    let prompt: String
    let echoes: Bool
  }

  let wire: any Wire
  let options: ConnectOptions
  let signals: SignalWatch
  let editor: Editor
  let palette: Palette
  let history: HistoryFile?
  let input: Int32
  var screen: Screen
  var keys = KeyStream()
  var session = 0
  var phase = Phase.editing
  var evaluation: Evaluation?
  /// Until when an answer is waited for, in the phases that wait for one.
  var deadline = Deadline.never
  /// Whether the block holds something that was pasted.
  var hasPaste = false
  /// The requests whose output is shown although no prompt waits for them.
  var leftRequests: Set<Int> = []
  /// The lines of those that have not ended.
  var begunLines: [Int: [UInt8]] = [:]
  /// Output on its way to the screen: whose it is, the oldest first.
  var credits: [(request: Int, count: Int)] = []
  /// Requests whose answer interests nobody but for a refusal that is told.
  var asides: [Int: Aside] = [:]
  var status: Int32?
  var isStale = true
  /// Whether the session is one that was left and may run something.
  var isAttaching = false
  /// The jobs whose output is shown above the prompt.
  var followedJobs: Set<Int> = []
  /// The request for what the program itself prints, and the start of a line of that.
  var teeRequest: Int?
  var teeLine: [UInt8] = []
  let pager: Pager

  /// What becomes of an answer that nothing waits for.
  enum Aside: Equatable {
    case ignored
    case newSession
    case background
    /// The jobs that there are: those that this session has started are followed.
    case jobs
  }

  static let prompt = ">>>> "
  static let continuation = ".... "
  /// Ctrl-X Ctrl-D.
  private static let detachKeys: [UInt8] = [0x18, 0x04]
  /// How long an answer about the text that is edited may take, in seconds.
  static let patience = 2.0
  /// How long a block that may be incomplete stays editable, in seconds; a server that has not answered by then runs it.
  static let tentativeTime = 1.0

  init(_ wire: any Wire, _ options: ConnectOptions, _ surroundings: Surroundings) throws(ClientError) {
    self.wire = wire
    self.options = options
    input = surroundings.input
    signals = try SignalWatch([SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH, SIGTSTP, SIGCONT])
    screen = Screen(output: surroundings.output, errors: surroundings.errors)
    palette = Palette(
      wanted: !options.noColor, noColor: Self.variable("NO_COLOR"), terminal: Self.variable("TERM"))
    history =
      options.noHistory ? nil : HistoryFile(stateHome: Self.variable("XDG_STATE_HOME"), home: Self.variable("HOME"))
    pager = Pager(command: Self.variable("PAGER"), input: surroundings.input, output: surroundings.output)
    editor = Editor(input: surroundings.input)
  }

  private static func variable(_ name: String) -> String? {
    guard let value = unsafe getenv(name) else { return nil }
    return unsafe String(cString: value)
  }

  /// - Returns: the exit status.
  func run() throws(ClientError) -> Int32 {
    loadHistory()
    try open()
    editor.redisplay = { [weak self] in self?.isStale = true }
    editor.moreKeys = { [weak self] in self?.keys.nextByte() }
    editor.start()
    defer { editor.stop() }
    do throws(ClientError) {
      while true {
        try useKeys()
        refresh()
        if let status, screen.isSettled {
          screen.leave()
          return status
        }
        try wait()
      }
    } catch {
      screen.leave()
      guard error.code == .noServer, wire.features.hasAttach else { throw error }
      throw ClientError(
        error.code, error.message,
        details: ["if the program still runs, it keeps session \(session) for a while: replconnect --attach \(session)"]
      )
    }
  }

  private func loadHistory() {
    guard let history else { return }
    do throws(ClientError) {
      for statement in try history.load() { editor.remember(statement) }
    } catch {
      note(error.message)
    }
  }

  // MARK: waiting

  private func wait() throws(ClientError) {
    let keyboard = Watched(input, for: .reading)
    var watching = [signals.watched]
    if keys.hasRoom, status == nil { watching.append(keyboard) }
    if let writing = screen.watched { watching.append(writing) }
    switch try wire.receive(until: deadline, watching: watching) {
    case .message(let message): try take(message)
    case .late: try giveUpWaiting()
    case .ready(let ready):
      for watched in ready {
        if watched == signals.watched {
          while let signal = signals.nextNumber() { try obey(signal) }
        } else if watched == keyboard {
          readKeys()
        } else {
          try writeSome()
        }
      }
    }
  }

  private func writeSome() throws(ClientError) {
    let count = try screen.writeSome()
    if count > 0, !credits.isEmpty {
      let credit = credits.removeFirst()
      try acknowledge(credit.count, of: credit.request)
    }
    if screen.isSettled { isStale = true }
  }

  /// Lets the server send more of what is still sent.
  func acknowledge(_ count: Int, of request: Int) throws(ClientError) {
    guard request == evaluation?.request || leftRequests.contains(request) else { return }
    try wire.take(count, of: request)
  }

  private func readKeys() {
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    let count = unsafe buffer.withUnsafeMutableBytes { unsafe read(input, $0.baseAddress, $0.count) }
    if count > 0 {
      keys.append(buffer.prefix(count))
      // While something runs, keys wait; this one is meant for now.
      if phase == .evaluating, evaluation?.question == nil, keys.endsWith(Self.detachKeys) { detach() }
    } else if count == 0 || (errno != EINTR && errno != EAGAIN) {
      // The terminal is gone.
      status = 128 + SIGHUP
    }
  }

  // MARK: the screen

  /// Whether something is edited on the screen, be it waiting for the server's answer.
  private var showsBlock: Bool {
    switch phase {
    case .editing, .checking, .completing, .documenting: true
    case .evaluating: evaluation?.isTentative ?? false || evaluation?.question != nil
    case .ending: false
    }
  }

  /// Brings the screen up to date.
  func refresh() {
    guard isStale, showsBlock, status == nil, screen.isSettled else { return }
    let question = evaluation?.question
    if question == nil, !screen.openLine.isEmpty { return screen.endLine() }
    isStale = false
    let prompt = editor.searchPrompt?.printableLine ?? question?.prompt ?? Self.prompt
    let isHidden = question.map { !$0.echoes } ?? false
    screen.show(
      BlockLayout(
        prompt: prompt, continuation: Self.continuation, text: isHidden ? "" : editor.text,
        cursor: isHidden ? 0 : editor.point, columns: screen.columns, height: screen.rows),
      palette: question == nil ? palette : Palette.none)
  }

  /// Says something about the conversation, above the prompt.
  func note(_ text: String) {
    screen.endLine()
    screen.print(palette.paint("replconnect: \(text.printableLine)", .note) + "\n")
    isStale = true
  }
}
