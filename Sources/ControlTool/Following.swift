// The following: a request whose output streams, from when it is sent until its reply.

internal import ReplClient
internal import Shared
internal import SystemPackage

/// Brings the output of one request out, its input in, and the user's Ctrl-C to it.
struct Following {
  /// What Ctrl-C and a timeout do.
  enum Manner: Equatable {
    /// They interrupt the evaluation, which belongs to this tool.
    case owns
    /// They leave it alone and end the tool.
    case watches
  }

  /// Why it came to an end before its own.
  enum Cause: Equatable {
    case signal(SignalWatch.Signal)
    case timeout
  }

  /// How it ended.
  struct End {
    /// The fields of the reply; nil when it was not waited for.
    let reply: JSON.Object?
    let cause: Cause?
    /// What an interrupt did; nil when none was answered.
    let interrupt: InterruptOutcome?
    let session: Int?
    let evaluation: Int?
  }

  private let connection: Connection
  private let request: Int
  private let manner: Manner
  private let output: Output
  private let signals: SignalWatch?
  private var deadline: Deadline
  private var queue: OutputQueue
  /// How much more output the server may send.
  private var credit = Limits.defaultCredit
  private var reply: ControlReply?
  private var session: Int?
  private var evaluation: Int?
  private var isInputWanted = false
  private var cause: Cause?
  private var interruptRequest: Int?
  private var interrupt: InterruptOutcome?
  /// Set when the end is not waited for any longer.
  private var isLeft = false

  /// The output, when it is wanted as a document.
  private(set) var collection: OutputCollection?

  /// How much output beyond its credit is taken from a server, in bytes: what waits to be written stays bounded.
  private static let toleratedExcess = 1 << 22

  /// How long an evaluation that was told to end may take to do so, in seconds: an interrupt is answered within one.
  private static let grace = 3.0

  /// - Parameters:
  ///   - request: the id of an Evaluate, a JobOutput or an AwaitJob.
  ///   - signals: nil when they are left alone.
  ///   - deadline: when it times out.
  init(
    _ connection: Connection, request: Int, _ manner: Manner, _ output: Output, signals: SignalWatch?,
    deadline: Deadline
  ) {
    self.connection = connection
    self.request = request
    self.manner = manner
    self.output = output
    self.signals = signals
    self.deadline = deadline
    queue = OutputQueue(
      output: output.output.rawValue, errors: output.errors.rawValue, prefix: output.linePrefix)
    collection = output.isJSON ? OutputCollection() : nil
  }

  /// Follows it to its end. Only here does anything wait.
  ///
  /// - Parameter input: what the evaluation reads; nil when there is nothing to read.
  mutating func run(input: inout InputLines?) throws(ClientError) -> End {
    while !isLeft, reply == nil || !queue.isEmpty {
      var watching: [Watched] = []
      if let signals { watching.append(signals.watched) }
      if let writing = queue.watched { watching.append(writing) }
      if let reading = try give(&input) { watching.append(reading) }
      let ready: [Watched]
      if reply == nil {
        switch try connection.receive(until: deadline, watching: watching) {
        case .message(let message):
          try take(message)
          continue
        case .ready(let others): ready = others
        case .late: ready = []
        }
      } else {
        ready = try Watched.wait(for: watching, until: deadline)
      }
      if ready.isEmpty { try timeOut() }
      try act(on: ready, &input)
    }
    return End(
      reply: try reply.map { (reply) throws(ClientError) in try Connection.fields(of: reply) }, cause: cause,
      interrupt: interrupt, session: session, evaluation: evaluation)
  }

  // MARK: what arrives

  private mutating func take(_ message: ServerMessage) throws(ClientError) {
    switch message {
    case .output(let frame) where frame.request == request:
      credit -= frame.bytes.count
      guard credit >= -Self.toleratedExcess else {
        throw ClientError(.protocolError, "\(connection.destination) sent more output than it was granted")
      }
      guard collection == nil else {
        collection?.add(frame)
        credit += try connection.take(frame.bytes.count, of: request)
        return
      }
      queue.add(frame)
    case .event(let event) where event.request == request:
      switch event.name {
      case .started:
        session = event.fields["session"]?.integerValue
        evaluation = event.fields["evaluation"]?.integerValue
      case .input: isInputWanted = true
      default: break
      }
    case .reply(let reply):
      guard let id = reply.id?.integerValue else {
        // A request that could not be read has no id to answer to.
        _ = try Connection.fields(of: reply)
        return
      }
      if id == request {
        self.reply = reply
        // The value comes without its newline; and a line that is begun would run into that of the next server.
        if collection == nil { queue.endLine(always: reply.fields["type"] != nil) }
      } else if id == interruptRequest {
        takeInterrupt(reply)
      }
    case .output, .event: break
    }
  }

  private mutating func takeInterrupt(_ reply: ControlReply) {
    if case .ok(let fields) = reply { interrupt = InterruptOutcome(reply: fields) }
    guard interrupt?.isOver != true else { return }
    if case .signal(.interrupt) = cause {
      output.talk("\(interrupt?.inWords ?? "it cannot be interrupted"); Ctrl-C again leaves it")
    } else {
      isLeft = true
    }
  }

  // MARK: what is ready

  private mutating func act(on ready: [Watched], _ input: inout InputLines?) throws(ClientError) {
    for watched in ready {
      if watched == signals?.watched {
        while let signal = signals?.next() { try end(by: .signal(signal)) }
      } else if watched == queue.watched {
        let count = try queue.writeSome()
        if count > 0 { credit += try connection.take(count, of: request) }
      } else if watched == input?.watched {
        input?.read()
      }
    }
  }

  /// Gives a line to an evaluation that waits for one.
  ///
  /// - Returns: what to wait for when there is none yet.
  private mutating func give(_ input: inout InputLines?) throws(ClientError) -> Watched? {
    guard isInputWanted else { return nil }
    let next = input == nil ? InputLines.Next.end : input?.next()
    guard let next else { return input?.watched }
    isInputWanted = false
    switch next {
    case .text(let text): try connection.send(.input, ["request": .integer(request), "text": .string(text)])
    case .end: try connection.send(.input, ["request": .integer(request), "end": true])
    }
    return nil
  }

  // MARK: the end before the end

  private mutating func timeOut() throws(ClientError) {
    guard cause == nil else {
      isLeft = true
      return
    }
    try end(by: .timeout)
  }

  private mutating func end(by cause: Cause) throws(ClientError) {
    guard self.cause == nil else {
      output.talk(interrupt?.isOver == true ? "left" : "left; the evaluation goes on until it can be interrupted")
      isLeft = true
      return
    }
    self.cause = cause
    // What has ended or is not ours is not interrupted; what has not begun ends with the connection.
    guard manner == .owns, reply == nil, let session, let evaluation else {
      isLeft = true
      return
    }
    // For Ctrl-C the user decides how long to wait.
    deadline = cause == .signal(.interrupt) ? .never : .after(Self.grace)
    interruptRequest = try connection.send(
      .interrupt, InterruptTarget.session(session, evaluation: evaluation).fields)
  }
}
