// The operations on sessions, as a tool uses them.
internal import NIOCore
internal import Shared

extension ControlConnection {
  func openSession(_ request: ControlRequest, _ reply: PendingReply) {
    guard let session = addSession(reply) else { return }
    session.isKept = request.fields["detach"]?.boolValue ?? false
    ownSessions[session.id] = session
    reply.ok(["session": .integer(session.id)])
  }

  /// A new session, which ends with this connection unless it ends before; nil, the request being refused, when there
  /// are too many.
  func addSession(_ reply: PendingReply) -> Session? {
    guard core.sessionCount < ServerLimits.sessions else {
      reply.fail("There are too many sessions.", .busy)
      return nil
    }
    let session = core.makeSession(.tool, of: visitor)
    session.onDisconnect = { [weak self] in self?.closeWhenFlushed() }
    core.add(session)
    return session
  }

  func closeSession(_ request: ControlRequest, _ reply: PendingReply) {
    let id = request.fields["session"]?.integerValue ?? 0
    guard let session = ownSessions.removeValue(forKey: id) else {
      return reply.fail("This connection has no session \(id).", .noSession)
    }
    session.end()
    reply.ok()
  }

  // MARK: evaluations

  func evaluate(_ request: ControlRequest, _ reply: PendingReply) {
    let text = request.fields["source"]?.stringValue ?? ""
    let source: Evaluation.Source
    switch request.fields["mode"]?.stringValue ?? "script" {
    case "script": source = .script(text)
    case "block": source = .block(text, isFinal: true)
    case let mode: return reply.fail("There is no mode '\(mode.prefix(20))'; it is 'script' or 'block'.")
    }
    let place = request.fields["place"]?.stringValue ?? "session"
    guard let place = Evaluation.Place(rawValue: place) else {
      return reply.fail("There is no place '\(place.prefix(20))'; it is 'session' or 'main'.")
    }
    if let id = request.fields["session"]?.integerValue {
      guard let session = core.session(id) else { return reply.fail("There is no session \(id).", .noSession) }
      run(source, place, in: session, isAlone: false, request, reply)
    } else if let session = addSession(reply) {
      run(source, place, in: session, isAlone: true, request, reply)
    }
  }

  /// Runs source in a session and sends its output and then how it ended.
  /// - Parameter wrapUp: makes the fields of the reply.
  func run(
    _ source: Evaluation.Source, _ place: Evaluation.Place = .session, in session: Session, isAlone: Bool,
    _ request: ControlRequest, _ reply: PendingReply,
    wrapUp: @escaping (EvaluationReport) -> JSON.Object = { $0.fields() }
  ) {
    func giveUp() { if isAlone { session.end() } }
    guard session.running == nil, !session.isEnded else {
      return reply.fail("Session \(session.id) is busy.", .busy)
    }
    guard let id = streamID(request, reply) else { return giveUp() }
    let listener = listener(of: id)
    let streams = SessionStreams(
      takesPages: request.fields["pages"]?.boolValue ?? false, scheduleDrain: listener.scheduleDrain,
      inputTaken: listener.inputTaken, inputWanted: listener.inputWanted)
    guard let pump = makePump(request, reply, source: SessionStreams.Source(streams: streams)) else { return giveUp() }
    var evaluation: ToolEvaluation?
    let number: Int
    do throws(Session.Refusal) {
      number = try session.evaluate(
        source, by: visitor, presentation: .structured, place: place,
        loop: request.fields["loop"]?.integerValue, streams: streams
      ) { result in
        evaluation?.finish(result)
        if isAlone { session.end() }
      }
    } catch {
      pump.end { .failed(reason: error.reason, extra: ["code": .string(FailureCode.notPermitted.rawValue)]) }
      self.pump(id)
      return giveUp()
    }
    let started = ToolEvaluation(session: session, number: number, streams: streams, isAlone: isAlone)
    evaluation = started
    follow(started, id, pump, wrapUp)
  }

  /// What the streams of an evaluation tell the request of that `id`.
  func listener(of id: Int) -> SessionStreams.Listener {
    let (thread, drain) = (core.thread, drainer(of: id))
    let box = selfOnLoop
    return SessionStreams.Listener(
      scheduleDrain: drain, inputTaken: {},
      inputWanted: { isHidden in
        thread.execute {
          // Input may have come just now.
          guard let connection = box.value, connection.evaluations[id]?.streams.wantsInput ?? true else { return }
          connection.pump(of: id)?.send(ServerEvent(.input, request: id, fields: ["echo": .bool(!isHidden)]))
          connection.pump(id)
        }
      })
  }

  /// Sends what an evaluation writes and then how it ended.
  func follow(
    _ evaluation: ToolEvaluation, _ id: Int, _ pump: OutputPump,
    _ wrapUp: @escaping (EvaluationReport) -> JSON.Object = { $0.fields() }
  ) {
    evaluations[id] = evaluation
    if isInputClosed, !evaluation.session.isKept { evaluation.streams.endInput() }
    let (session, number) = (evaluation.session, evaluation.number)
    send(
      ServerEvent(
        .started, request: id, fields: ["session": .integer(session.id), "evaluation": .integer(number)]))
    evaluation.whenEnded { [weak self] result in self?.finish(id, pump, result, wrapUp) }
    // A session that ends under its evaluation takes the client's hope for a result with it.
    if evaluation.result == nil { session.whenEnded(number) { [weak self] in self?.lose(id, evaluation) } }
    self.pump(id)
  }

  private func finish(
    _ id: Int, _ pump: OutputPump, _ result: EvaluationResult, _ wrapUp: @escaping (EvaluationReport) -> JSON.Object
  ) {
    guard let evaluation = evaluations.removeValue(forKey: id) else { return }
    pump.withdrawEvent()
    switch result {
    case .success(let report):
      var fields = wrapUp(report)
      fields["session"] = .integer(evaluation.session.id)
      fields["evaluation"] = .integer(evaluation.number)
      pump.end { .ok(fields) }
      self.pump(id)
      guard report.outcome == .ended else { return }
      if ownSessions.removeValue(forKey: evaluation.session.id) != nil {
        evaluation.session.end()
      } else if !evaluation.isAlone {
        evaluation.session.disconnect()
      }
    case .failure(let error):
      let code: FailureCode = error.isTimeout ? .timeout : .busy
      pump.end { .failed(reason: error.reason, extra: ["code": .string(code.rawValue)]) }
      self.pump(id)
    }
  }

  private func lose(_ id: Int, _ evaluation: ToolEvaluation) {
    guard let mine = evaluations[id], mine === evaluation else { return }
    evaluations[id] = nil
    evaluation.streams.close()
    pump(of: id)?.end {
      .failed(
        reason: "Session \(evaluation.session.id) was ended.",
        extra: ["code": .string(FailureCode.noSession.rawValue)])
    }
    pump(id)
  }

  /// Text for an evaluation that reads. What comes for one that has ended is too late, and no error.
  func input(_ request: ControlRequest) {
    guard let id = request.fields["request"]?.integerValue, let evaluation = evaluations[id] else { return }
    let streams = evaluation.streams
    let text = Array((request.fields["text"]?.stringValue ?? "").utf8)
    let hasRoom = streams.pendingInputByteCount + text.count <= ServerLimits.pendingInputBytes
    streams.append(
      lines: hasRoom ? text.split(after: UInt8(ascii: "\n")) : [], isEnd: request.fields["end"]?.boolValue ?? false)
    if !hasRoom { answer(request.id, .failed(reason: "Too much input has not been read.", extra: ["code": "busy"])) }
  }

  // MARK: interrupts

  func interrupt(_ request: ControlRequest, _ reply: PendingReply) {
    if let number = request.fields["job"]?.integerValue {
      guard let job = core.jobs.listed(number) else { return reply.fail("There is no job %\(number).", .noJob) }
      interrupt(job) { reply.ok($0) }
      return
    }
    guard let id = request.fields["session"]?.integerValue else {
      return reply.fail("Request is missing the Interrupt parameter 'session' or 'job'.")
    }
    guard let session = core.session(id) else { return reply.fail("There is no session \(id).", .noSession) }
    guard let running = session.running else { return reply.ok(["outcome": "idle"]) }
    if let number = request.fields["evaluation"]?.integerValue, number != running.number {
      return reply.ok(["outcome": "stale"])
    }
    let (auditor, visitor) = (core.auditor, visitor)
    let ladder = InterruptLadder(core: core, target: .session(id, evaluation: running.number)) { end in
      auditor.note(
        "interrupt", by: visitor,
        ["session": .integer(id), "evaluation": .integer(running.number), "outcome": end.fields()["outcome"] ?? .null])
      reply.ok(end.fields())
    }
    session.whenEnded(running.number) { ladder.targetHasEnded() }
    ladder.climb()
  }

  // MARK: lists and ends

  func listSessions(_ reply: PendingReply) {
    let rows = core.listedSessions.lazy.map { JSON.object($0.report.fields()) }
    reply.ok(["sessions": .array(Self.bounded(rows))])
  }

  func disconnect(_ request: ControlRequest, _ reply: PendingReply) {
    let doomed: [Session]
    if let id = request.fields["session"]?.integerValue {
      guard let session = core.session(id) else { return reply.fail("There is no session \(id).", .noSession) }
      doomed = [session]
    } else {
      let alone = evaluations.values.filter(\.isAlone).map(\.session.id)
      doomed = core.listedSessions.filter { ownSessions[$0.id] == nil && !alone.contains($0.id) }
    }
    for session in doomed {
      core.auditor.note("session", by: visitor, ["session": .integer(session.id), "change": "disconnected"])
    }
    // The reply goes first: one of them may be of this connection.
    reply.ok(["sessions": .array(doomed.map { .integer($0.id) })])
    for session in doomed { session.disconnect() }
  }
}

extension Array where Element == UInt8 {
  /// Cuts it behind every `separator`.
  fileprivate func split(after separator: UInt8) -> [[UInt8]] {
    var parts: [[UInt8]] = []
    var rest = self[...]
    while let end = rest.firstIndex(of: separator) {
      parts.append(Array(rest[...end]))
      rest = rest[(end + 1)...]
    }
    if !rest.isEmpty { parts.append(Array(rest)) }
    return parts
  }
}
