// The core of a server: its connections and sessions, on the event loop.
internal import CProcessHooks
internal import Glibc
internal import Logging
internal import NIOCore
internal import Shared

/// What the connections of one server share. Everything but the constants is touched on the event loop only.
final class ServerCore {
  let thread: EventLoopThread
  let engine: any Engine
  let configuration: ServerConfiguration
  /// What a text client is shown after the first line; known once the ports are.
  private(set) var banner = ""
  let jobs: JobTable
  let tee: Tee
  let log: Logger
  let auditor: Auditor
  let doorkeeper: Doorkeeper
  private let sessionCounter: SessionCounter
  private let started = ContinuousClock.now
  private var texts: [SessionID: TextConnection] = [:]
  private var controls: [ObjectIdentifier: ControlConnection] = [:]
  private var sessions: [SessionID: Session] = [:]
  private var isHaltPending = false
  private(set) var isStopping = false
  private var emptied: EventLoopPromise<Void>?
  /// What is told of jobs for the audit log.
  private var jobWatch: (number: Int, core: NIOLoopBoundBox<ServerCore?>)?

  /// - Throws: `ServerError` when the audit log cannot be written.
  init(
    thread: EventLoopThread, engine: any Engine, configuration: ServerConfiguration,
    sessionCounter: SessionCounter, jobs: JobTable, tee: Tee, log: Logger
  ) throws(ServerError) {
    let file = try configuration.audit.path.map { (path) throws(ServerError) in try AuditLog(path: path) }
    self.log = log
    auditor = Auditor(
      file, serverName: configuration.name, names: UserNames(known: configuration.audit.userNames), log: log)
    doorkeeper = Doorkeeper(rule: configuration.access, log: log, auditor: auditor, loop: thread.eventLoop)
    self.thread = thread
    self.engine = engine
    self.configuration = configuration
    self.sessionCounter = sessionCounter
    self.jobs = jobs
    self.tee = tee
  }

  var eventLoop: any EventLoop { thread.eventLoop }

  /// The server listens, and is about to accept connections.
  func begin(banner: String, endpoints: [String]) {
    self.banner = banner
    self.endpoints = endpoints
    auditor.note("start", by: nil, ["endpoints": .array(endpoints.map { .string($0) })])
    if auditor.isOn { watchJobs() }
  }

  /// What jobs do by themselves is written down, too.
  private func watchJobs() {
    let thread = thread
    let box = NIOLoopBoundBox<ServerCore?>(self, eventLoop: eventLoop)
    jobWatch = (
      jobs.watch { job, change in
        thread.execute {
          var fields: JSON.Object = ["job": .integer(job.number)]
          switch change {
          case .started:
            fields["change"] = "started"
            fields["owner"] = .string(job.owner)
            fields["source"] = .string(job.source)
          case .ended:
            fields["change"] = "ended"
            fields["state"] = .string(job.current.rawValue)
            fields["duration"] = .number(job.report.duration)
          }
          box.value?.auditor.note("job", by: nil, fields)
        }
      }, box
    )
  }

  // MARK: connections

  var connectionCount: Int { texts.count + controls.count }

  /// The connection of a session that has not ended; what lingers on its socket is not one any more.
  func text(_ session: SessionID) -> TextConnection? { texts[session].flatMap { $0.isEnded ? nil : $0 } }

  func add(_ connection: TextConnection) { texts[connection.session.id] = connection }

  func add(_ connection: ControlConnection) { controls[ObjectIdentifier(connection)] = connection }

  func remove(_ connection: TextConnection) {
    texts[connection.session.id] = nil
    completeIfEmpty()
    haltIfDue()
  }

  func remove(_ connection: ControlConnection) {
    controls[ObjectIdentifier(connection)] = nil
    completeIfEmpty()
  }

  /// Lets a connection in, or has it turned away. Its descriptor is then on the table a forked child closes.
  func receive(_ channel: any Channel, at door: Peer.Door) throws -> Visitor? {
    guard !isStopping else { throw ServerError(.noResources, "the server stops") }
    guard connectionCount < ServerLimits.connections, DescriptorRegistration.register(channel) else {
      doorkeeper.refuseUnseen(from: channel.remoteAddress?.ipAddress, at: door)
      try channel.pipeline.syncOperations.addHandler(TurnedAway(.full, at: door))
      return nil
    }
    switch doorkeeper.receive(channel, at: door) {
    case .success(let visitor): return visitor
    case .failure(let refusal):
      try channel.pipeline.syncOperations.addHandler(TurnedAway(refusal, at: door))
      return nil
    }
  }

  // MARK: sessions

  /// Makes a session, which is none of the server's before `add`.
  func makeSession(_ kind: Session.Kind, of visitor: Visitor) -> Session {
    Session(id: sessionCounter.next(), kind: kind, visitor: visitor, core: self)
  }

  /// A session begins; it lives until its `end`.
  func add(_ session: Session) {
    sessions[session.id] = session
    auditor.note("session", by: session.visitor, ["session": .integer(session.id), "change": "opened"])
  }

  func session(_ id: SessionID) -> Session? { sessions[id] }

  /// The sessions, in the order in which they were opened.
  var listedSessions: [Session] { sessions.values.sorted { $0.id < $1.id } }

  var sessionCount: Int { sessions.count }

  /// A session has ended.
  func remove(_ session: Session) {
    sessions[session.id] = nil
    auditor.note("session", by: session.visitor, ["session": .integer(session.id), "change": "ended"])
    haltIfDue()
  }

  /// Has the engine interrupt something.
  /// - Parameter completion: told on the event loop, within `ServerLimits.interruptReplyMilliseconds`.
  func interrupt(_ target: EvaluationTarget, completion: @escaping (InterruptOutcome) -> Void) {
    let answer = firstAnswer(within: ServerLimits.interruptReplyMilliseconds, completion) {
      .uninterruptible(
        "The interpreter is held and cannot be reached; the interrupt is delivered as soon as it is released.")
    }
    engine.interrupt(target, completion: answer)
  }

  /// Waits for an answer of the engine, for a bounded time.
  /// - Parameters:
  ///   - completion: told on the event loop: the answer, or after that time what `otherwise` gives.
  /// - Returns: what to give to the engine; it may be called from any thread.
  func firstAnswer<Answer: Sendable>(
    within milliseconds: Int64, _ completion: @escaping (Answer) -> Void, otherwise: @escaping () -> Answer
  ) -> @Sendable (Answer) -> Void {
    let box = NIOLoopBoundBox<(tell: (Answer) -> Void, otherwise: () -> Answer)?>(
      (completion, otherwise), eventLoop: eventLoop)
    let deadline = eventLoop.scheduleTask(in: .milliseconds(milliseconds)) {
      guard let waiting = box.value else { return }
      box.value = nil
      waiting.tell(waiting.otherwise())
    }
    let thread = thread
    return { answer in
      thread.execute {
        guard let waiting = box.value else { return }
        box.value = nil
        deadline.cancel()
        waiting.tell(answer)
      }
    }
  }

  // MARK: halt and stop

  /// Asks for the server to be stopped once no session is left, or takes that back.
  func halt(_ doIt: Bool) {
    isHaltPending = doIt
    haltIfDue()
  }

  /// Asks for the server to be stopped now, whoever is connected.
  func haltNow() {
    guard !isStopping else { return }
    isHaltPending = false
    engine.serverHalted()
  }

  private func haltIfDue() {
    guard isHaltPending, texts.isEmpty, sessions.isEmpty, !isStopping else { return }
    isHaltPending = false
    engine.serverHalted()
  }

  /// Ends every session with a last word and refuses new connections.
  /// - Parameter completion: succeeded when no connection is left.
  func stop(completion: EventLoopPromise<Void>) {
    isStopping = true
    emptied = completion
    for connection in texts.values { connection.end(saying: "\nThe server has stopped.\n") }
    for connection in controls.values { connection.stop() }
    completeIfEmpty()
  }

  /// Drops every connection that is left, with what it still had to say; nothing is written down after it.
  func dropAll() {
    isStopping = true
    for connection in texts.values { connection.drop() }
    for connection in controls.values { connection.drop() }
    doorkeeper.close()
    auditor.close()
    if let jobWatch {
      jobs.unwatch(jobWatch.number)
      jobWatch.core.value = nil
    }
    jobWatch = nil
  }

  private func completeIfEmpty() {
    guard isStopping, connectionCount == 0 else { return }
    emptied?.succeed()
    emptied = nil
  }

  // MARK: description

  /// Where the server can be reached; known when it listens.
  private var endpoints: [String] = []

  /// The fields of the reply to DescribeServer: the ancestor's, then ours.
  /// - Parameters:
  ///   - withOperations: whether to describe the operations.
  ///   - isWhole: whether the client is one of ours, which takes a reply of any length.
  func description(withOperations: Bool, isWhole: Bool) -> JSON.Object {
    let identity = engine.identity
    var server: JSON.Object = [
      "name": "repltools",
      "version": .string(configuration.version),
      "protocol": .integer(Limits.protocolVersion),
      "features": [
        "sessions", "jobs", "completion", "documentation", "threads", "blocks", "background", "watch", "attach",
        "paging", "resize", "tee", "introduction",
      ],
      "language": .string(identity.language),
      "language_version": .string(identity.languageVersion),
      "pid": .integer(Int(getpid())),
      "instance": .string(configuration.name),
      "sessions": .integer(sessions.count),
    ]
    if isWhole {
      server["uptime"] = .number((.now - started).seconds)
      server["endpoints"] = .array(endpoints.map { .string($0) })
      server["executable"] = .string(identity.executable)
      server["program"] = .string(identity.program)
      server["limits"] = .object(ServerLimits.described)
      server["refused"] = .object(doorkeeper.report)
      server["requires_reason"] = .bool(configuration.audit.requiresReason)
    }
    var fields: JSON.Object = [
      "prompts": ["ps1": .string(identity.primaryPrompt), "ps2": .string(identity.continuationPrompt)],
      "control_protocol_version": "1.0",
      "supported_commands": .array(Operation.all.map { .string($0.name) }),
      "server": .object(server),
    ]
    if withOperations { fields["operations"] = .array(Operation.all.map { $0.json() }) }
    return fields
  }
}

/// Puts the descriptors of channels on the table that a forked child closes.
enum DescriptorRegistration {
  /// Registers a channel's socket for as long as it is open. On the channel's loop.
  /// - Returns: false when the table is full.
  static func register(_ channel: any Channel) -> Bool {
    let slot = try? channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: CInt.self) { descriptor in
      process_hooks_register_descriptor(descriptor)
    }
    guard let slot = slot ?? nil, slot >= 0 else { return false }
    channel.closeFuture.whenComplete { _ in process_hooks_forget_descriptor(slot) }
    return true
  }
}
