// The control connection: one socket that speaks frames, and what is answered on it.
internal import NIOCore
internal import Shared

/// Decodes requests, has them done and sends the replies. Lives on the event loop. What each operation does is in the
/// extensions, one file for each family of them.
///
/// A request without an `id` is answered in the order it came in, as a client of the ancestor expects; one
/// with an `id` is answered as soon as it is done.
final class ControlConnection: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  let core: ServerCore
  let visitor: Visitor
  /// The session that an old client's interrupts are aimed at, and the candidates of its last completion.
  var pairedSession: SessionID?
  var candidates: (text: String, list: [String])?
  /// The sessions that live as long as this connection.
  var ownSessions: [SessionID: Session] = [:]
  /// The evaluations that were asked for here and have not ended.
  var evaluations: [Int: ToolEvaluation] = [:]
  /// The requests that wait for a job to end.
  var waits: [Int: JobWatch] = [:]
  /// What tells this connection of jobs that end.
  var tableWatchers: [Int] = []
  /// What the process itself prints, if this connection wants it.
  var teeStreams: SessionStreams?
  /// The output of each request that has some.
  private var pumps: [Int: OutputPump] = [:]
  /// This connection, for closures that come back to the event loop; nil once it is closed.
  let selfOnLoop: NIOLoopBoundBox<ControlConnection?>
  private var decoder = FrameDecoder(maximumBodyLength: Limits.maximumControlBodyLength)
  private var context: ChannelHandlerContext?
  private var outstanding: [PendingReply] = []
  private var isReadPending = false
  private(set) var isInputClosed = false
  private var isStopping = false
  private var halfClosedWatch: HalfClosedWatch?
  /// Ends a connection that sends nothing.
  private var firstByteDeadline: Scheduled<Void>?
  private var isFirstRead = true
  /// Set from a frame that was cut short by a sync byte until the next whole frame.
  private var isBehindCutFrame = false
  /// Set while requests are taken, so that a reply that is known at once does not nest another round.
  private var isAdvancing = false

  init(visitor: Visitor, core: ServerCore) {
    self.visitor = visitor
    self.core = core
    selfOnLoop = NIOLoopBoundBox(nil, eventLoop: core.eventLoop)
    selfOnLoop.value = self
  }

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }

  func channelActive(context: ChannelHandlerContext) {
    core.add(self)
    let box = selfOnLoop
    firstByteDeadline = core.eventLoop.assumeIsolated().scheduleTask(
      in: .milliseconds(core.configuration.controlFirstByteMilliseconds)
    ) {
      guard let connection = box.value else { return }
      connection.core.doorkeeper.refuse(connection.visitor, .silent)
      connection.drop()
    }
    readIfWanted()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    isReadPending = false
    let bytes = unwrapInboundIn(data).readableBytesView
    if isFirstRead {
      isFirstRead = false
      firstByteDeadline?.cancel()
      if ForeignProtocol.isNoFrame(firstBytes: bytes) {
        core.doorkeeper.refuse(visitor, .foreign)
        isStopping = true
        return context.close(promise: nil)
      }
    }
    decoder.append(bytes)
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    isReadPending = false
    advance()
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    // That it is full is told in the midst of a write.
    guard context.channel.isWritable else { return }
    pumpAll()
    advance()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    guard case .some(.inputClosed) = event as? ChannelEvent else { return context.fireUserInboundEventTriggered(event) }
    isInputClosed = true
    advance()
    // Nobody grants credit any more, or gives input.
    for pump in pumps.values { pump.grant(Limits.maximumCredit) }
    for evaluation in evaluations.values where !evaluation.session.isKept { evaluation.streams.endInput() }
    pumpAll()
    if context.channel.isActive, halfClosedWatch == nil {
      halfClosedWatch = HalfClosedWatch(context.channel, core: core)
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  func channelInactive(context: ChannelHandlerContext) {
    halfClosedWatch?.cancel()
    halfClosedWatch = nil
    firstByteDeadline?.cancel()
    let left = Array(evaluations.values)
    evaluations = [:]
    let keeps = !isStopping && !core.isStopping
    for evaluation in left where !(keeps && evaluation.session.isKept && ownSessions[evaluation.session.id] != nil) {
      evaluation.abandon()
    }
    for session in ownSessions.values {
      if keeps, session.isKept, !session.isEnded {
        session.leave(with: left.first { $0.session === session })
      } else {
        session.end()
      }
    }
    ownSessions = [:]
    for watcher in tableWatchers { core.jobs.unwatch(watcher) }
    tableWatchers = []
    for pump in pumps.values { pump.close() }
    pumps = [:]
    if let teeStreams, core.tee.remove(teeStreams) { core.engine.listen(false) }
    teeStreams = nil
    for watch in waits.values { watch.cancel() }
    waits = [:]
    outstanding = []
    core.auditor.note("disconnect", by: visitor)
    core.remove(self)
    selfOnLoop.value = nil
    self.context = nil
  }

  func drop() { context?.close(promise: nil) }

  /// The server stops: what can still be answered is, at once.
  func stop() {
    isStopping = true
    for pending in outstanding { pending.fail("The server has stopped.") }
    closeWhenFlushed()
  }

  // MARK: requests

  /// Takes requests while there is room for their replies.
  private func advance() {
    guard !isAdvancing else { return }
    isAdvancing = true
    defer { isAdvancing = false }
    var isAllTaken = false
    while let context, hasRoom(context) {
      guard let event = decoder.next() else {
        isAllTaken = true
        break
      }
      switch event {
      case .junk: continue
      case .rejected(let error):
        // What is left of a message that was cut short may look like the start of more: one message, one reply.
        if !isBehindCutFrame { answer(nil, .failed(reason: "Request is a \(error).")) }
        isBehindCutFrame = isBehindCutFrame || error.code == .truncatedBody
      case .frame(let body):
        isBehindCutFrame = false
        handle(body)
      }
    }
    // What is still undecoded, because replies cannot leave, is answered before the end.
    if isInputClosed || isStopping, isAllTaken, outstanding.isEmpty { closeWhenFlushed() }
    readIfWanted()
  }

  private func handle(_ body: [UInt8]) {
    do throws(ControlRequestError) {
      perform(try ControlRequest(parsing: body))
    } catch {
      answer(error.id, .failed(reason: error.reason))
    }
  }

  func answer(_ id: JSON?, _ reply: ControlReply) { pending(for: id).send(reply) }

  private func perform(_ request: ControlRequest) {
    if let id = request.id, JSON.object(["id": id]).serialized().count > Limits.maximumRequestIDLength {
      return answer(nil, .failed(reason: "The 'id' field is too long."))
    }
    guard let operation = Operation.named(request.command) else {
      let isLong = request.command.unicodeScalars.count > Self.shownCommandLength
      let name = isLong ? String(request.command.prefix(Self.shownCommandLength)) + "..." : request.command
      return answer(request.id, .failed(reason: "Command '\(name)' not understood by this server."))
    }
    if let reason = operation.refusal(of: request.fields) {
      return answer(request.id, .failed(reason: reason))
    }
    if let (reason, code) = refusal(of: operation, request) {
      core.auditor.note(
        "deny", by: visitor, ["operation": .string(operation.name), "code": .string(code.rawValue)])
      return operation.hasReply ? pending(for: request.id).fail(reason, code) : ()
    }
    // What has no reply takes no place among the replies.
    switch operation {
    case .grant: return grant(request)
    case .input: return input(request)
    default: break
    }
    let isLong =
      operation == .evaluate || operation == .jobOutput || operation == .awaitJob || operation == .attach
      || operation == .tee
    guard !isLong || longCount < ServerLimits.longRequests else {
      return answer(request.id, .failed(reason: "Too many requests of this connection wait for their ends."))
    }
    let reply = pending(for: request.id, isOrdered: request.id == nil || operation == .pairWithSession, isLong: isLong)
    switch operation {
    case .describeServer: describe(request, reply)
    case .introduce: introduce(request, reply)
    case .pairWithSession: pair(request, reply)
    case .tabComplete: completeWord(request, reply)
    case .keyboardInterrupt: interruptPaired(reply)
    case .openSession: openSession(request, reply)
    case .closeSession: closeSession(request, reply)
    case .evaluate: evaluate(request, reply)
    case .interrupt: interrupt(request, reply)
    case .sessions: listSessions(reply)
    case .disconnect: disconnect(request, reply)
    case .startJob: startJob(request, reply)
    case .jobs: listJobs(reply)
    case .jobOutput: sendJobOutput(request, reply)
    case .awaitJob: awaitJob(request, reply)
    case .killJob: killJob(request, reply)
    case .check: check(request, reply)
    case .background: background(request, reply)
    case .watch: watch(reply)
    case .resize: resize(request, reply)
    case .tee: tee(request, reply)
    case .attach: attach(request, reply)
    case .complete: complete(request, reply)
    case .document: document(request, reply)
    case .threads: listThreads(reply)
    case .halt: halt(request, reply)
    default: reply.fail("Command '\(operation.name)' is not served.")
    }
  }

  /// How many characters of a command that does not exist are repeated in the reply.
  private static let shownCommandLength = 64

  private func describe(_ request: ControlRequest, _ reply: PendingReply) {
    reply.ok(
      core.description(
        withOperations: request.fields["operations"]?.boolValue ?? false,
        isWhole: request.fields["protocol"] != nil))
  }

  // MARK: output

  /// Makes the pump of a request that has output.
  /// - Returns: nil, the request being refused, when it has no `id` to tell its output by.
  func makePump(_ request: ControlRequest, _ reply: PendingReply, source: any OutputSource) -> OutputPump? {
    guard let id = streamID(request, reply) else { return nil }
    // Whoever sends nothing more can't grant any.
    let wanted = request.fields["credit"]?.integerValue ?? Limits.defaultCredit
    let credit = isInputClosed ? Limits.maximumCredit : wanted
    let pump = OutputPump(request: id, credit: credit, source: source, reply: reply)
    pumps[id] = pump
    return pump
  }

  /// The `id` of a request that has output; nil, the request being refused, when it has none that can be used.
  func streamID(_ request: ControlRequest, _ reply: PendingReply) -> Int? {
    guard let id = request.id?.integerValue, id >= 0 else {
      reply.fail("\(request.command) needs an 'id' that is an integer from 0 on.")
      return nil
    }
    guard pumps[id] == nil else {
      reply.fail("Another request with the 'id' \(id) is not answered yet.")
      return nil
    }
    return id
  }

  /// What to call, from any thread, when there is output for the pump of a request.
  func drainer(of id: Int) -> @Sendable () -> Void {
    let (thread, box) = (core.thread, selfOnLoop)
    return { thread.execute { box.value?.pump(id) } }
  }

  /// Sends what the pump of a request has.
  func pump(_ id: Int) {
    guard let context, let pump = pumps[id], context.channel.isWritable else { return }
    let isDone = pump.pump { body in
      write(body, context)
      return context.channel.isWritable
    }
    context.flush()
    guard isDone else { return }
    pump.close()
    pumps[id] = nil
  }

  func pump(of id: Int) -> OutputPump? { pumps[id] }

  private func pumpAll() {
    for id in pumps.keys.sorted() { pump(id) }
  }

  private func grant(_ request: ControlRequest) {
    // One that came too late, for a request that has been answered, is no error.
    guard let id = request.fields["request"]?.integerValue, let pump = pumps[id] else { return }
    pump.grant(request.fields["bytes"]?.integerValue ?? 0)
    self.pump(id)
  }

  // MARK: replies

  private func pending(for id: JSON?, isOrdered: Bool = true, isLong: Bool = false) -> PendingReply {
    let pending = PendingReply(id: id, isOrdered: isOrdered, isLong: isLong, connection: self)
    outstanding.append(pending)
    return pending
  }

  /// How many requests wait for the end of something that may take for ever. They keep nobody from being answered.
  private var longCount: Int { outstanding.count { $0.isLong } }

  /// Sends every reply that is known and may be sent.
  func sendReplies() {
    guard let context else { return }
    var isBehindUnanswered = false
    var bodies: [[UInt8]] = []
    outstanding.removeAll { pending in
      guard let reply = pending.reply, !(pending.isOrdered && isBehindUnanswered) else {
        if pending.isOrdered { isBehindUnanswered = true }
        return false
      }
      bodies.append(Self.body(of: reply, echoing: pending.id))
      return true
    }
    // Only now, when nobody is in the midst of the list: a long reply fills the channel, which calls us at once.
    for body in bodies { write(body, context) }
    context.flush()
    advance()
  }

  /// The body of a reply, which no escape may make longer than a frame may be.
  private static func body(of reply: ControlReply, echoing id: JSON?) -> [UInt8] {
    let body = reply.body(echoing: id)
    guard body.count > Limits.maximumControlBodyLength else { return body }
    return ControlReply.failed(reason: "The reply is too long to be sent.").body(echoing: id)
  }

  /// Sends an event about a request at once. A client that does not read gets none.
  func send(_ event: ServerEvent) {
    guard let context, context.channel.isWritable || event.name != .job else { return }
    write(event.body(), context)
    context.flush()
  }

  private func write(_ body: [UInt8], _ context: ChannelHandlerContext) {
    context.write(wrapOutboundOut(context.channel.allocator.buffer(bytes: Frame.encode(body))), promise: nil)
  }

  private func readIfWanted() {
    guard let context, !isReadPending, !isInputClosed, !isStopping else { return }
    guard hasRoom(context) else { return }
    isReadPending = true
    context.read()
  }

  /// Whether one more request may be taken: there is room for its reply beside what has not left yet. Output stops earlier, when the channel is full:
  /// a client that has not taken it must still be able to grant and to interrupt, or both sides wait for ever.
  private func hasRoom(_ context: ChannelHandlerContext) -> Bool {
    guard context.channel.isActive, outstanding.count - longCount < ServerLimits.outstandingRequests else {
      return false
    }
    let unsent = try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)
    return (unsent ?? 0) < ServerLimits.unsentReplyBytes
  }

  /// Closes the connection when what was written has left.
  func closeWhenFlushed() {
    guard let context else { return }
    let channel = context.channel
    context.writeAndFlush(wrapOutboundOut(channel.allocator.buffer(capacity: 0))).whenComplete { _ in
      channel.close(promise: nil)
    }
  }
}
