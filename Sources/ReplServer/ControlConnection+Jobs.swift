// The operations on jobs, as a tool uses them.
internal import NIOCore
internal import Shared

extension ControlConnection {
  func startJob(_ request: ControlRequest, _ reply: PendingReply) {
    let source = request.fields["source"]?.stringValue ?? ""
    guard core.jobs.runningCount < ServerLimits.runningJobs else {
      return reply.fail("There are too many jobs.", .busy)
    }
    let job = core.jobs.add(source: source, requestedBy: "\(visitor)")
    do throws(AuditLog.Failure) {
      try core.auditor.record(
        "job", by: visitor, ["job": .integer(job.number), "change": "started", "source": .string(source)])
    } catch {
      core.jobs.remove(job)
      return reply.fail(Session.Refusal(auditLog: error).reason, .notPermitted)
    }
    // Answered before its thread has begun, for which the interpreter is needed: whoever holds that may be what is to
    // be looked at by it, or interrupted instead of it.
    reply.ok(["job": .integer(job.number)])
    let jobs = core.jobs
    core.engine.start(job, source: source, loop: request.fields["loop"]?.integerValue) { failure in
      guard let failure else { return }
      job.write(Array("\(failure.reason)\n".utf8), to: .standardError)
      job.end(.failed)
      jobs.finish(job)
    }
  }

  func listJobs(_ reply: PendingReply) {
    // When there are too many it is the newest that are of interest.
    let rows = core.jobs.listed.reversed().lazy.map { JSON.object($0.report.fields()) }
    reply.ok(["jobs": .array(Self.bounded(rows).reversed())])
  }

  // MARK: output and result

  /// A job's output as the source of a pump.
  private struct JobSource: OutputSource {
    let job: Job
    let reader: JobReader

    mutating func take(upTo limit: Int) -> (stream: OutputStream, bytes: [UInt8])? {
      guard let reading = job.read(at: reader.place, upTo: limit) else { return nil }
      reader.missed += reading.missed
      reader.place = reading.next
      return (reading.stream, reading.bytes)
    }

    var isEmpty: Bool { job.read(at: reader.place, upTo: 1) == nil }
  }

  /// How far the output has been read, and what of it was not to be had.
  private final class JobReader {
    var place = 0
    var missed = 0
  }

  func sendJobOutput(_ request: ControlRequest, _ reply: PendingReply) {
    guard let job = job(of: request, reply) else { return }
    let reader = JobReader()
    guard let pump = makePump(request, reply, source: JobSource(job: job, reader: reader)) else { return }
    func end() {
      pump.end {
        // Bytes may be gone without any after them to tell of it: nothing is kept of a job that was abandoned.
        let missed = reader.missed + max(0, job.dropped - reader.place)
        return .ok(["state": .string(job.current.rawValue), "dropped": .integer(missed)])
      }
    }
    let id = pump.request
    guard request.fields["follow"]?.boolValue ?? false else {
      end()
      return self.pump(id)
    }
    let watch = JobWatch(job, core: core) { [weak self] in
      if job.current != .running { end() }
      self?.pump(id)
    }
    pump.onClose = { watch.cancel() }
  }

  func awaitJob(_ request: ControlRequest, _ reply: PendingReply) {
    guard let job = job(of: request, reply), let id = streamID(request, reply) else { return }
    guard waits[id] == nil else { return reply.fail("Another request with the 'id' \(id) is not answered yet.") }
    waits[id] = JobWatch(job, core: core) { [weak self] in
      guard job.current != .running, let self, let watch = waits.removeValue(forKey: id) else { return }
      watch.cancel()
      sendResult(of: job, request, reply)
    }
  }

  /// The result is shown by an evaluation in a session of its own: however long that takes, it can be interrupted,
  /// and its output has credit like any other.
  private func sendResult(of job: Job, _ request: ControlRequest, _ reply: PendingReply) {
    let duration = job.report.duration
    if job.current == .abandoned {
      return reply.ok(EvaluationReport(.abandoned, duration: duration).fields())
    }
    guard let session = addSession(reply) else { return }
    run(.result(ofJob: job.number), in: session, isAlone: true, request, reply) { report in
      var report = report
      report.duration = duration
      if job.current == .interrupted { report.outcome = .interrupted }
      return report.fields()
    }
  }

  // MARK: ends

  /// Interrupts a job.
  /// - Parameter completion: told the fields of a reply to Interrupt.
  func interrupt(_ job: Job, completion: @escaping (JSON.Object) -> Void) {
    guard job.current == .running else { return completion(["outcome": "idle"]) }
    let audit = jobAudit(job)
    climb(job) { end in
      audit("interrupted", ["outcome": end.fields()["outcome"] ?? .null])
      completion(end.fields())
    }
  }

  /// What writes down that this visitor has done something to a job, though the connection may be gone by then.
  private func jobAudit(_ job: Job) -> (_ change: String, _ more: JSON.Object) -> Void {
    let (auditor, visitor) = (core.auditor, visitor)
    return { change, more in
      var fields: JSON.Object = ["job": .integer(job.number), "change": .string(change)]
      for (name, value) in more { fields[name] = value }
      auditor.note("job", by: visitor, fields)
    }
  }

  private func climb(_ job: Job, completion: @escaping (InterruptLadder.End) -> Void) {
    var watch: JobWatch?
    let ladder = InterruptLadder(core: core, target: .job(job.number)) { end in
      watch?.cancel()
      watch = nil
      completion(end)
    }
    watch = JobWatch(job, core: core) {
      if job.current != .running { ladder.targetHasEnded() }
    }
    ladder.climb()
  }

  func killJob(_ request: ControlRequest, _ reply: PendingReply) {
    guard let job = job(of: request, reply) else { return }
    let audit = jobAudit(job)
    climb(job) { end in
      let isAbandoned = job.abandon()
      audit("killed", ["state": .string(job.current.rawValue)])
      guard isAbandoned else { return reply.ok(["state": .string(job.current.rawValue)]) }
      var fields: JSON.Object = ["state": .string(JobReport.State.abandoned.rawValue)]
      if case .blocked(let place?) = end { fields["where"] = .object(place.fields()) }
      reply.ok(fields)
    }
  }

  private func job(of request: ControlRequest, _ reply: PendingReply) -> Job? {
    let number = request.fields["job"]?.integerValue ?? 0
    guard let job = core.jobs.listed(number) else {
      reply.fail("There is no job %\(number).", .noJob)
      return nil
    }
    return job
  }
}
