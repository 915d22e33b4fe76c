// The operations of a client that a person sits at.
internal import NIOCore
internal import Shared

extension ControlConnection {
  func check(_ request: ControlRequest, _ reply: PendingReply) {
    let answer = core.firstAnswer(within: ServerLimits.engineReplyMilliseconds) { (fields: JSON.Object?) in
      guard let fields else { return reply.fail("The interpreter is busy; the block cannot be checked.", .timeout) }
      reply.ok(fields)
    } otherwise: {
      nil
    }
    core.engine.check(request.fields["source"]?.stringValue ?? "") { answer($0) }
  }

  func background(_ request: ControlRequest, _ reply: PendingReply) {
    let id = request.fields["session"]?.integerValue ?? 0
    guard let session = core.session(id) else { return reply.fail("There is no session \(id).", .noSession) }
    guard let running = session.running,
      (request.fields["evaluation"]?.integerValue ?? running.number) == running.number
    else { return reply.fail("Session \(id) does not evaluate that.") }
    guard let entry = evaluations.first(where: { $0.value.session === session }) else {
      return reply.fail("What session \(id) evaluates was asked for by another client.", .notPermitted)
    }
    let job = core.jobs.add(source: running.shown, requestedBy: "session \(id)")
    if let failure = core.engine.background(session: id, evaluation: running.number, as: job) {
      core.jobs.remove(job)
      return reply.fail(failure.reason, failure.isTimeout ? .timeout : .busy)
    }
    core.auditor.note(
      "job", by: visitor,
      [
        "job": .integer(job.number), "change": "backgrounded", "session": .integer(id),
        "evaluation": .integer(running.number),
      ])
    reply.ok(["job": .integer(job.number)])
    entry.value.finish(.success(EvaluationReport(.backgrounded, job: job.number)))
    entry.value.streams.moveAway()
    session.release(running.number)
    // One that was made for this evaluation alone has nothing more to do.
    if entry.value.isAlone { session.end() }
  }

  func resize(_ request: ControlRequest, _ reply: PendingReply) {
    let id = request.fields["session"]?.integerValue ?? 0
    guard ownSessions[id] != nil else { return reply.fail("This connection has no session \(id).", .noSession) }
    let size = WindowSize(
      columns: request.fields["columns"]?.integerValue ?? 0, rows: request.fields["rows"]?.integerValue ?? 0)
    guard max(size.columns, size.rows) <= ServerLimits.windowLength else {
      return reply.fail("A window has at most \(ServerLimits.windowLength) columns and rows.")
    }
    core.engine.resize(session: id, to: size)
    reply.ok()
  }

  func tee(_ request: ControlRequest, _ reply: PendingReply) {
    guard teeStreams == nil else { return reply.fail("This connection has the output of the process already.") }
    guard let id = streamID(request, reply) else { return }
    let streams = SessionStreams(scheduleDrain: drainer(of: id), inputTaken: {})
    streams.keepNewest()
    guard makePump(request, reply, source: SessionStreams.Source(streams: streams)) != nil else { return }
    teeStreams = streams
    core.auditor.note("tee", by: visitor)
    if core.tee.add(streams) { core.engine.listen(true) }
  }

  func watch(_ reply: PendingReply) {
    guard let id = reply.id?.integerValue, id >= 0 else {
      return reply.fail("Watch needs an 'id' that is an integer from 0 on.")
    }
    guard tableWatchers.isEmpty else { return reply.fail("This connection watches already.") }
    let (thread, box) = (core.thread, selfOnLoop)
    tableWatchers.append(
      core.jobs.watch { job, change in
        guard change == .ended else { return }
        thread.execute {
          box.value?.send(
            ServerEvent(
              .job, request: id,
              fields: [
                "job": .integer(job.number), "state": .string(job.current.rawValue), "source": .string(job.source),
              ]))
        }
      })
    reply.ok()
  }

  func attach(_ request: ControlRequest, _ reply: PendingReply) {
    let number = request.fields["session"]?.integerValue ?? 0
    guard let session = core.session(number) else { return reply.fail("There is no session \(number).", .noSession) }
    guard session.left != nil else {
      return reply.fail("Session \(number) belongs to another client, which is still connected.", .busy)
    }
    guard let id = streamID(request, reply), let left = session.takeUp(by: visitor) else { return }
    session.onDisconnect = { [weak self] in self?.closeWhenFlushed() }
    ownSessions[number] = session
    guard let evaluation = left.evaluation else {
      return reply.ok(["outcome": "idle", "session": .integer(number)])
    }
    guard let pump = makePump(request, reply, source: SessionStreams.Source(streams: evaluation.streams)) else {
      return
    }
    let dropped = evaluation.streams.resume(listener(of: id))
    if dropped > 0 { send(ServerEvent(.dropped, request: id, fields: ["bytes": .integer(dropped)])) }
    follow(evaluation, id, pump)
  }
}
