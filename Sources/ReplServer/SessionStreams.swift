// A session's streams: the two bounded queues between a connection and the thread that evaluates for it.
internal import DequeModule

/// The input and output of one session. An engine's thread writes and reads and may be made to wait;
/// the event loop appends lines and takes output and never waits.
public final class SessionStreams: EvaluationStreams {
  /// Output of one stream, in one piece.
  struct Piece: Equatable, Sendable {
    var stream: OutputStream
    var bytes: [UInt8]
  }

  struct State {
    /// A piece of a page without bytes is the end of the page.
    var output: Deque<Piece> = []
    var outputByteCount = 0
    var isDrainScheduled = false
    var lines: Deque<[UInt8]> = []
    var lineByteCount = 0
    var isEndOfInput = false
    var isClosed = false
    /// An interrupt asks for the end of one wait, and is used up by it.
    var isInterrupted = false
    /// The evaluation that runs has been sent an interrupt, whether a wait has used it up or not.
    var hasBeenInterrupted = false
    var listener: Listener
    /// Nobody reads: the newest output is kept, and nobody waits to write.
    var isLeft = false
    var droppedByteCount = 0
    /// Whether a read waits, and then whether what is typed must not be seen.
    var isReadingHidden: Bool?
    /// The evaluation writes and reads elsewhere now: whoever waits here is sent there.
    var isMoved = false
  }

  /// What the event loop is told. Each is called without the lock held.
  public struct Listener: Sendable {
    /// There is output, and none was announced since the last of it was taken.
    var scheduleDrain: @Sendable () -> Void
    /// Lines were taken, so that more may be read.
    var inputTaken: @Sendable () -> Void
    /// A read is about to wait, because there is no line; true when what is typed must not be seen.
    var inputWanted: @Sendable (_ isHidden: Bool) -> Void

    static let nobody = Listener(scheduleDrain: {}, inputTaken: {}, inputWanted: { _ in })
  }

  private let monitor: Monitor<State>
  public let takesPages: Bool
  public init(
    takesPages: Bool = false, scheduleDrain: @escaping @Sendable () -> Void,
    inputTaken: @escaping @Sendable () -> Void, inputWanted: @escaping @Sendable (Bool) -> Void = { _ in }
  ) {
    self.takesPages = takesPages
    monitor = Monitor(
      State(
        listener: Listener(scheduleDrain: scheduleDrain, inputTaken: inputTaken, inputWanted: inputWanted)))
  }

  private var listener: Listener { monitor.withLock { $0.listener } }

  // MARK: the engine's side

  /// Appends output; waits while more than `ServerLimits.outputBytes` have not been taken.
  ///
  /// Once the session is closed output goes nowhere, without an error: what the evaluation does on its way
  /// out, for example in a `finally`, must not fail because nobody listens any more.
  /// - Returns: how many bytes were accepted; fewer than given when an interrupt cut the wait short. The
  ///   caller sees to the interrupt and then writes the rest.
  public func write(_ bytes: some Collection<UInt8>, to stream: OutputStream) -> Int {
    var rest = bytes[...]
    while !rest.isEmpty {
      let piece = Array(rest.prefix(ServerLimits.outputChunk))
      let (isAccepted, mustSchedule) = monitor.wait { state -> (Bool, Bool)? in
        if state.isClosed { return (true, false) }
        if state.isMoved { return (false, false) }
        if state.isLeft { state.dropOutput(toFit: piece.count) }
        guard state.outputByteCount < ServerLimits.outputBytes else {
          guard state.isInterrupted else { return nil }
          state.isInterrupted = false
          return (false, false)
        }
        state.append(Piece(stream: stream, bytes: piece))
        defer { state.isDrainScheduled = true }
        return (true, !state.isDrainScheduled)
      }
      if mustSchedule { listener.scheduleDrain() }
      if !isAccepted { break }
      rest = rest.dropFirst(piece.count)
    }
    return bytes.count - rest.count
  }

  /// Takes the next line of input; waits until there is one.
  public func readLine(isHidden: Bool) -> InputLine {
    var hasAsked = false
    while true {
      // Asked without the lock, and once: what comes of it is a line, an end or an interrupt, and each wakes us.
      let line = monitor.withLock { state in
        let line = state.nextInput()
        state.isReadingHidden = line == nil ? isHidden : nil
        return line
      }
      if let line {
        listener.inputTaken()
        return line
      }
      guard hasAsked else {
        hasAsked = true
        listener.inputWanted(isHidden)
        continue
      }
      monitor.wait { $0.hasInput ? () : nil }
    }
  }

  /// An evaluation starts: an interrupt that reached an earlier one has no meaning for it.
  public func beginEvaluation() {
    monitor.withLock { state in
      state.isInterrupted = false
      state.hasBeenInterrupted = false
    }
  }

  /// Ends a wait in `write` or `readLine` of the running evaluation.
  public func interrupt() {
    monitor.signal { state in
      state.isInterrupted = true
      state.hasBeenInterrupted = true
    }
  }

  /// From now on reads see the end of input: the evaluation closed its own standard input.
  public func endInput() {
    monitor.signal { $0.isEndOfInput = true }
  }

  public func endPage() {
    let mustSchedule = monitor.withLock { state -> Bool in
      guard !state.isClosed, !state.isMoved else { return false }
      state.output.append(Piece(stream: .page, bytes: []))
      defer { state.isDrainScheduled = true }
      return !state.isDrainScheduled
    }
    if mustSchedule { listener.scheduleDrain() }
  }

  /// The evaluation writes and reads elsewhere from now on.
  public func moveAway() { monitor.signal { $0.isMoved = true } }

  // MARK: the event loop's side

  /// Nobody reads any more: from now on the newest output is kept, for whoever comes.
  func leave() {
    monitor.signal { state in
      state.listener = .nobody
      state.isLeft = true
      state.isDrainScheduled = true
    }
  }

  /// From now on the newest output is kept, and nobody waits to write; somebody reads all the same.
  func keepNewest() { monitor.signal { $0.isLeft = true } }

  /// Somebody reads again, takes what there is, and is told if a read waits.
  /// - Returns: how many bytes of output were lost meanwhile.
  func resume(_ listener: Listener) -> Int {
    let (dropped, isReadingHidden) = monitor.signal { state in
      state.listener = listener
      state.isLeft = false
      defer { state.droppedByteCount = 0 }
      return (state.droppedByteCount, state.isReadingHidden)
    }
    if let isReadingHidden { listener.inputWanted(isReadingHidden) }
    return dropped
  }

  /// Appends output of the server itself, which never waits.
  func say(_ text: String) {
    let mustSchedule = monitor.withLock { state -> Bool in
      guard !state.isClosed else { return false }
      state.append(Piece(stream: .standardOutput, bytes: Array(text.utf8)))
      defer { state.isDrainScheduled = true }
      return !state.isDrainScheduled
    }
    if mustSchedule { listener.scheduleDrain() }
  }

  /// Takes a piece of output; nil when there is none, and the next write then schedules a drain.
  /// - Parameter limit: the most bytes of it, at least 1.
  func takePiece(upTo limit: Int = .max) -> Piece? {
    monitor.signal { state in
      guard var piece = state.output.popFirst() else {
        state.isDrainScheduled = false
        return nil
      }
      if piece.bytes.count > limit {
        let rest = Piece(stream: piece.stream, bytes: Array(piece.bytes.dropFirst(limit)))
        state.output.prepend(rest)
        piece.bytes.removeLast(rest.bytes.count)
      }
      state.outputByteCount -= piece.bytes.count
      return piece
    }
  }

  /// As `takePiece`, for a client that does not tell the streams apart.
  func takeOutput() -> [UInt8]? { takePiece()?.bytes }

  /// Forgets what was written and not taken.
  func dropOutput() {
    monitor.signal { state in
      state.output = []
      state.outputByteCount = 0
    }
  }

  var hasOutput: Bool { monitor.withLock { !$0.output.isEmpty } }

  /// Appends a received line, newline included.
  func append(line: [UInt8]) {
    monitor.signal { state in
      guard !state.isClosed else { return }
      state.lines.append(line)
      state.lineByteCount += line.count
    }
  }

  /// Appends what a client has sent, all of it at once: a read that waits must not take the first line and ask for more.
  func append(lines: [[UInt8]], isEnd: Bool) {
    monitor.signal { state in
      guard !state.isClosed else { return }
      for line in lines {
        state.lines.append(line)
        state.lineByteCount += line.count
      }
      if isEnd { state.isEndOfInput = true }
    }
  }

  /// Whether a read would have to wait.
  var wantsInput: Bool { monitor.withLock { !$0.hasInput } }

  /// Takes the next line for an evaluation of its own; nil when none has arrived.
  func takeLine() -> [UInt8]? { monitor.withLock { $0.takeLine() } }

  /// Bytes of lines that nobody has taken yet.
  var pendingInputByteCount: Int { monitor.withLock { $0.lineByteCount } }

  var isEndOfInput: Bool { monitor.withLock { $0.isEndOfInput } }

  /// Nothing is kept, and nobody waits to write, from now on. A read waits for the interrupt that follows.
  func close() {
    monitor.signal { state in
      // The interrupt that ends a read may have come first.
      let (isInterrupted, hasBeenInterrupted) = (state.isInterrupted, state.hasBeenInterrupted)
      state = State(listener: .nobody)
      state.isClosed = true
      state.isInterrupted = isInterrupted
      state.hasBeenInterrupted = hasBeenInterrupted
    }
  }
}

extension SessionStreams.State {
  /// Appends to the last piece while that is small and of the same stream, so that many short writes leave as one.
  mutating func append(_ piece: SessionStreams.Piece) {
    outputByteCount += piece.bytes.count
    guard var last = output.popLast() else { return output.append(piece) }
    if last.stream == piece.stream, last.bytes.count + piece.bytes.count <= ServerLimits.outputChunk {
      last.bytes += piece.bytes
      output.append(last)
    } else {
      output.append(last)
      output.append(piece)
    }
  }

  mutating func takeLine() -> [UInt8]? {
    guard let line = lines.popFirst() else { return nil }
    lineByteCount -= line.count
    return line
  }

  /// Whether a read has something to return.
  var hasInput: Bool {
    !lines.isEmpty || isEndOfInput || isInterrupted || isMoved || isClosed && hasBeenInterrupted
  }

  /// Drops the oldest output until there is room for more.
  mutating func dropOutput(toFit count: Int) {
    while outputByteCount + count > ServerLimits.outputBytes, let oldest = output.popFirst() {
      outputByteCount -= oldest.bytes.count
      droppedByteCount += oldest.bytes.count
    }
  }

  /// What a read returns; nil when it has to wait.
  mutating func nextInput() -> InputLine? {
    if isMoved { return .interrupted }
    if let line = takeLine() { return .line(line) }
    if isEndOfInput { return .endOfInput }
    if isInterrupted {
      isInterrupted = false
      return .interrupted
    }
    // A session that was closed sends its evaluation one interrupt. An end of input beside it would be a second
    // thing to go wrong, in the middle of what the evaluation does about the first; so it comes after it.
    return isClosed && hasBeenInterrupted ? .endOfInput : nil
  }
}
