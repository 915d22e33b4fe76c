// The text connection: one socket of the text port, its session, and the plain dialogue on it.
internal import NIOCore
internal import Shared

/// Moves bytes between a channel, a session's streams and a `TextDialogue`. Lives on the event loop.
///
/// Nothing is read while too much input waits, and nothing is taken from the streams while the channel is
/// not writable: what a slow or silent peer costs is bounded by `ServerLimits`.
final class TextConnection: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  let session: Session
  private let visitor: Visitor
  private let core: ServerCore
  private let streams: SessionStreams
  private let loopSelf: NIOLoopBoundBox<TextConnection?>
  private var dialogue: TextDialogue
  private var splitter = LineSplitter()
  private var context: ChannelHandlerContext?
  private var isFirstRead = true
  private var isFirstLine = true
  private var isReadPending = false
  private var isInputClosed = false
  private var isFarewellSent = false
  private var halfClosedWatch: HalfClosedWatch?

  /// What the block that is being typed is a part of, for the audit log.
  private var incomplete: Int?
  /// Ends a connection that sends nothing.
  private var firstByteDeadline: Scheduled<Void>?

  init(session: Session, visitor: Visitor, core: ServerCore) {
    self.session = session
    self.visitor = visitor
    self.core = core
    let thread = core.thread
    let box = NIOLoopBoundBox<TextConnection?>(nil, eventLoop: core.eventLoop)
    loopSelf = box
    streams = SessionStreams(
      scheduleDrain: { thread.execute { box.value?.drain() } },
      inputTaken: { thread.execute { box.value?.readIfWanted() } })
    dialogue = TextDialogue(
      identity: core.engine.identity, asksForReason: core.configuration.audit.requiresReason)
    box.value = self
    session.onIdle = {
      box.value?.advance()
      box.value?.readIfWanted()
    }
    session.onDisconnect = { box.value?.end(saying: "\nThis session was ended by another client.\n") }
  }

  /// Whether the session has ended, though its socket may not be closed yet.
  var isEnded: Bool { dialogue.isEnded }

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }

  func channelActive(context: ChannelHandlerContext) {
    core.add(self)
    core.add(session)
    streams.say(dialogue.greeting(session: session.id, banner: core.banner))
    let box = loopSelf
    firstByteDeadline = core.eventLoop.assumeIsolated().scheduleTask(
      in: .milliseconds(core.configuration.textFirstByteMilliseconds)
    ) {
      guard let connection = box.value else { return }
      connection.core.doorkeeper.refuse(connection.visitor, .silent)
      connection.end(saying: "\nNothing was typed for a long time: the session ends.\n")
    }
    readIfWanted()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let bytes = unwrapInboundIn(data)
    isReadPending = false
    guard !dialogue.isEnded else { return }
    if isFirstRead {
      isFirstRead = false
      firstByteDeadline?.cancel()
      if ForeignProtocol.isBinary(firstBytes: bytes.readableBytesView) { return refuseForeign(context) }
    }
    do throws(LineSplitter.LineTooLong) {
      for line in try splitter.append(bytes.readableBytesView) {
        if isFirstLine {
          isFirstLine = false
          if ForeignProtocol.isHTTP(firstLine: line) { return refuseForeign(context) }
        }
        streams.append(line: line)
      }
    } catch {
      end(saying: "\nreplserve: a line is longer than \(ServerLimits.textLineLength) bytes\n")
    }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    isReadPending = false
    advance()
    readIfWanted()
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) { drain() }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    guard case .some(.inputClosed) = event as? ChannelEvent else { return context.fireUserInboundEventTriggered(event) }
    isInputClosed = true
    if dialogue.isEnded { return context.close(promise: nil) }
    if let last = splitter.finish() {
      if isFirstLine, ForeignProtocol.isHTTP(firstLine: last) { return refuseForeign(context) }
      streams.append(line: last)
    }
    streams.endInput()
    advance()
    // Something may still run, and nobody may be there for the answer.
    if !dialogue.isEnded { halfClosedWatch = HalfClosedWatch(context.channel, core: core) }
  }

  /// What a web page can send is dropped with all that follows.
  private func refuseForeign(_ context: ChannelHandlerContext) {
    core.doorkeeper.refuse(visitor, .foreign)
    dialogue.end()
    context.close(promise: nil)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  func channelInactive(context: ChannelHandlerContext) {
    halfClosedWatch?.cancel()
    halfClosedWatch = nil
    firstByteDeadline?.cancel()
    streams.close()
    session.end()
    core.auditor.note("disconnect", by: visitor)
    core.remove(self)
    loopSelf.value = nil
    self.context = nil
  }

  // MARK: requests of the control port

  /// Interrupts what the session does now: the running evaluation, or the block that is being typed.
  /// - Parameter completion: told on the event loop what the interrupt did.
  func interrupt(completion: @escaping (InterruptOutcome) -> Void) {
    guard session.running == nil else { return session.interrupt(completion: completion) }
    streams.say(dialogue.interruptAtPrompt())
    completion(.stale)
  }

  /// Ends the session with a last word, after what it still has to say.
  func end(saying farewell: String) {
    guard !dialogue.isEnded else { return }
    dialogue.end()
    streams.say(farewell)
    session.end()
    finishWhenDrained()
  }

  /// Drops the connection with whatever it still had to say.
  func drop() { context?.close(promise: nil) }

  // MARK: the dialogue

  private func advance() {
    // Somebody else may be evaluating in this session: what is typed waits until that has ended.
    while dialogue.wantsLine, session.running == nil {
      if let line = streams.takeLine() {
        perform(dialogue.take(line: line))
      } else if isInputClosed {
        perform(dialogue.endOfInput())
      } else {
        return
      }
    }
  }

  private func perform(_ action: (text: String, step: TextDialogue.Step)) {
    if !action.text.isEmpty { streams.say(action.text) }
    switch action.step {
    case .wait:
      break
    case .end:
      session.end()
      finishWhenDrained()
    case .introduce(let reason):
      visitor.reason = reason
      core.auditor.note("introduce", by: visitor, ["reason": .string(reason)])
    case .evaluate(let source, let isFinal, let added):
      let audited = added.map { EvaluatedSource(text: $0, continues: incomplete) }
      do throws(Session.Refusal) {
        incomplete = try session.evaluate(
          .block(source, isFinal: isFinal), by: visitor, audited: audited, streams: streams
        ) { [loopSelf] result in
          loopSelf.value?.finish(result)
        }
      } catch {
        perform(dialogue.refuse(error.reason))
      }
    }
  }

  private func finish(_ result: EvaluationResult) {
    switch result {
    case .success(let report): perform(dialogue.finish(report.outcome))
    case .failure(let error): perform(dialogue.refuse(error.reason))
    }
  }

  // MARK: input

  private func readIfWanted() {
    guard let context, !isReadPending, !isInputClosed else { return }
    guard dialogue.isEnded || streams.pendingInputByteCount < ServerLimits.inputHighWater else { return }
    isReadPending = true
    context.read()
  }

  // MARK: output

  private func drain() {
    guard let context else { return }
    var isWritten = false
    while context.channel.isWritable, let piece = streams.takeOutput() {
      context.write(wrapOutboundOut(context.channel.allocator.buffer(bytes: piece)), promise: nil)
      isWritten = true
    }
    if isWritten { context.flush() }
    if dialogue.isEnded { finishWhenDrained() }
  }

  /// Once everything has left, says that nothing follows; what the peer still sends is read and thrown away
  /// for a moment, since closing with unread input would make the kernel take the last words back.
  private func finishWhenDrained() {
    guard let context, !isFarewellSent, !streams.hasOutput else { return }
    isFarewellSent = true
    let empty = wrapOutboundOut(context.channel.allocator.buffer(capacity: 0))
    let box = loopSelf
    let loop = core.eventLoop
    context.writeAndFlush(empty).whenComplete { _ in
      loop.assumeIsolated().execute {
        guard let connection = box.value, let context = connection.context else { return }
        if connection.isInputClosed || connection.core.isStopping { return context.close(promise: nil) }
        context.close(mode: .output, promise: nil)
        connection.isReadPending = false
        connection.readIfWanted()
        loop.scheduleTask(in: .milliseconds(ServerLimits.lingerMilliseconds)) { box.value?.drop() }
      }
    }
  }
}
