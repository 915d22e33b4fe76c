// The script run: what is done without a terminal, block by block.

internal import ClientOptions
internal import Glibc
internal import ReplClient
internal import Shared

/// Runs a script at a server: its output and its values go out, its exceptions to standard error, and nothing else.
struct ScriptRun {
  /// Where the script is.
  enum Script {
    /// Pieces of code; what they read comes from standard input.
    case code([String])
    /// A descriptor. What the script reads is at its end.
    case input(Int32)
  }

  private let wire: any Wire
  private let talk: Talk
  private let signals: SignalWatch?
  private let keepsGoing: Bool
  /// The event loop of the program that runs what is awaited, if one was asked for.
  private let loop: LoopOption
  private var queue: OutputQueue
  private var input: InputLines
  private let readsInput: Bool
  private var session = 0
  private var status = ExitCode.done.rawValue
  private var isOver = false

  // Of the evaluation that runs.
  private var request: Int?
  private var evaluation: Int?
  private var isInputWanted = false
  private var isInterruptSent = false
  private var isInterrupted = false

  init(_ wire: any Wire, _ surroundings: Surroundings, keepsGoing: Bool, loop: LoopOption) throws(ClientError) {
    self.wire = wire
    self.loop = loop
    self.keepsGoing = keepsGoing
    talk = Talk(surroundings.errors)
    signals = surroundings.takesSignals ? try SignalWatch([SIGINT, SIGTERM, SIGHUP]) : nil
    queue = OutputQueue(output: surroundings.output, errors: surroundings.errors)
    input = InputLines(surroundings.input)
    readsInput = true
  }

  /// - Returns: the exit status.
  mutating func run(_ script: Script) throws(ClientError) -> Int32 {
    session = try ask(.openSession, [:])["session"]?.integerValue ?? 0
    switch script {
    case .code(let texts):
      for text in texts where !isOver {
        var blocks = ScriptBlocks()
        var rest = text[...]
        while let line = Self.line(&rest), !isOver { try add(line, to: &blocks, readsInput: true) }
        if !isOver { try finish(&blocks, readsInput: true) }
      }
    case .input:
      var blocks = ScriptBlocks()
      while !isOver, let line = try nextLine() { try add(line, to: &blocks, readsInput: false) }
      if !isOver { try finish(&blocks, readsInput: false) }
    }
    return status
  }

  /// Takes the next line, with its newline, off a text.
  private static func line(_ text: inout Substring) -> String? {
    guard !text.isEmpty else { return nil }
    let end = text.utf8.firstIndex(of: UInt8(ascii: "\n")).map { text.utf8.index(after: $0) } ?? text.endIndex
    defer { text = text[end...] }
    return String(text[..<end])
  }

  /// The next line of standard input; nil at its end.
  private mutating func nextLine() throws(ClientError) -> String? {
    while !isOver {
      switch input.next() {
      case .text(let text): return text
      case .end: return nil
      case nil: try wait(for: input.watched)
      }
    }
    return nil
  }

  // MARK: blocks

  private mutating func add(_ line: String, to blocks: inout ScriptBlocks, readsInput: Bool) throws(ClientError) {
    guard blocks.pending.utf8.count + line.utf8.count <= Limits.maximumControlBodyLength else {
      throw ClientError(
        .usage, "a block of the script is too long to be sent: at most \(Limits.maximumControlBodyLength) bytes")
    }
    if blocks.isWorthAsking(before: line) { try attempt(&blocks, readsInput: readsInput) }
    guard !isOver else { return }
    blocks.add(line)
    if blocks.isWorthAsking { try attempt(&blocks, readsInput: readsInput) }
  }

  /// Runs the block if it is whole.
  private mutating func attempt(_ blocks: inout ScriptBlocks, readsInput: Bool) throws(ClientError) {
    var source = blocks.pending
    // One newline ends a line; one more would end a block.
    if source.utf8.count(where: { $0 == UInt8(ascii: "\n") }) == 1, source.utf8.last == UInt8(ascii: "\n") {
      source.removeLast()
    }
    if wire.features.hasBlocks {
      guard try ask(Operation.check, ["source": .string(source)])["complete"]?.boolValue ?? true else {
        blocks.foundIncomplete()
        return
      }
      guard !isOver else { return }
    }
    if try evaluate(source, isFinal: false, readsInput: readsInput) {
      _ = blocks.take()
    } else {
      blocks.foundIncomplete()
    }
  }

  private mutating func finish(_ blocks: inout ScriptBlocks, readsInput: Bool) throws(ClientError) {
    guard !blocks.isBlank else { return }
    _ = try evaluate(blocks.take(), isFinal: true, readsInput: readsInput)
  }

  // MARK: evaluations

  /// - Returns: false when the source is not complete, so that nothing ran.
  private mutating func evaluate(_ source: String, isFinal: Bool, readsInput: Bool) throws(ClientError) -> Bool {
    var fields: JSON.Object = ["source": .string(source), "session": .integer(session), "mode": "block"]
    if isFinal { fields["final"] = true }
    loop.add(to: &fields)
    let id = try wire.send(.evaluate, fields)
    request = id
    evaluation = nil
    isInputWanted = false
    isInterruptSent = false
    defer { request = nil }
    let reply = try follow(id, readsInput: readsInput)
    while !queue.isEmpty, !isOver { try wait(for: nil) }
    guard let reply else { return true }
    guard let report = EvaluationReport(fields: try Connection.fields(of: reply)) else {
      throw ClientError(.protocolError, "the server sent an answer that is not one of an evaluation")
    }
    switch report.outcome {
    case .value: break
    case .incomplete where !isFinal: return false
    case .incomplete: fail("the code is incomplete")
    case .ended, .abandoned, .backgrounded: isOver = true
    case .interrupted:
      talk.say("interrupted")
      status = ExitCode.interrupted.rawValue
      isOver = true
    case .exception:
      show(report.exception)
      fail(nil)
    }
    return true
  }

  private mutating func fail(_ line: String?) {
    if let line { talk.say(line) }
    status = ExitCode.failed.rawValue
    if !keepsGoing { isOver = true }
  }

  private mutating func show(_ exception: ExceptionReport?) {
    let text = exception?.traceback.printableLines ?? "it raised an exception\n"
    queue.add(Array(text.utf8), isError: true, credit: 0)
    while !queue.isEmpty, (try? queue.writeSome()) != nil {}
  }

  /// Waits for a reply; nil when that is given up.
  private mutating func follow(_ id: Int, readsInput: Bool) throws(ClientError) -> ControlReply? {
    while !isOver {
      var reading: Watched?
      if isInputWanted {
        switch readsInput ? input.next() : .end {
        case .text(let text): try answerInput(id, ["text": .string(text)])
        case .end: try answerInput(id, ["end": true])
        case nil: reading = input.watched
        }
      }
      if case .reply(let reply) = try wait(for: reading), reply.id?.integerValue == id { return reply }
    }
    return nil
  }

  private mutating func answerInput(_ id: Int, _ fields: JSON.Object) throws(ClientError) {
    isInputWanted = false
    var fields = fields
    fields["request"] = .integer(id)
    try wire.send(.input, fields)
  }

  /// Asks, and waits for the answer.
  private mutating func ask(_ operation: Operation, _ fields: JSON.Object) throws(ClientError) -> JSON.Object {
    let id = try wire.send(operation, fields)
    return try follow(id, readsInput: false).map { (reply) throws(ClientError) in try Connection.fields(of: reply) }
      ?? [:]
  }

  // MARK: waiting

  /// Waits for anything, and does what can be done about it here.
  @discardableResult
  private mutating func wait(for reading: Watched?) throws(ClientError) -> ServerMessage? {
    let watching = [signals?.watched, queue.watched, reading].compactMap(\.self)
    switch try wire.receive(until: .never, watching: watching) {
    case .message(let message):
      try take(message)
      return message
    case .ready(let ready):
      for watched in ready {
        if watched == signals?.watched {
          while let signal = signals?.nextNumber() { try obey(signal) }
        } else if watched == queue.watched {
          let count = try queue.writeSome()
          if count > 0, let request { try wire.take(count, of: request) }
        } else if watched == reading {
          input.read()
        }
      }
    case .late: break
    }
    return nil
  }

  private mutating func take(_ message: ServerMessage) throws(ClientError) {
    switch message {
    case .output(let frame) where frame.request == request:
      queue.add(frame.bytes, isError: frame.stream == .standardError, credit: frame.bytes.count)
    case .event(let event) where event.request == request:
      switch event.name {
      case .started:
        evaluation = event.fields["evaluation"]?.integerValue
        if isInterrupted { try sendInterrupt() }
      case .input: isInputWanted = true
      default: break
      }
    case .reply(let reply) where reply.id == nil: _ = try Connection.fields(of: reply)
    case .output, .event, .reply: break
    }
  }

  // MARK: signals

  private mutating func obey(_ signal: Int32) throws(ClientError) {
    guard signal == SIGINT, request != nil, !isInterrupted else {
      status = signal == SIGINT ? ExitCode.interrupted.rawValue : 128 + signal
      isOver = true
      return
    }
    isInterrupted = true
    try sendInterrupt()
  }

  private mutating func sendInterrupt() throws(ClientError) {
    guard !isInterruptSent, let evaluation else { return }
    isInterruptSent = true
    try wire.send(.interrupt, ["session": .integer(session), "evaluation": .integer(evaluation)])
  }
}
