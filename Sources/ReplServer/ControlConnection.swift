// The control connection: one socket that speaks frames, and what is answered on it.
internal import NIOCore
internal import Shared

/// Decodes requests, has them done and sends the replies. Lives on the event loop.
///
/// A request without an `id` is answered in the order it came in, as a client of the ancestor expects; one
/// with an `id` is answered as soon as it is done.
final class ControlConnection: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  /// A request's place in the order of replies.
  private final class Slot {
    let id: JSON?
    let isOrdered: Bool
    var reply: ControlReply?

    init(id: JSON?, isOrdered: Bool) {
      self.id = id
      self.isOrdered = isOrdered
    }
  }

  private let core: ServerCore
  private var decoder = FrameDecoder(maximumBodyLength: Limits.maximumControlBodyLength)
  private var context: ChannelHandlerContext?
  private var outstanding: [Slot] = []
  private var pairedSession: SessionID?
  private var candidates: (text: String, list: [String])?
  private var isReadPending = false
  private var isInputClosed = false
  /// Set from a frame that was cut short by a sync byte until the next whole frame.
  private var isBehindCutFrame = false
  /// Set while requests are taken, so that a reply that is known at once does not nest another round.
  private var isAdvancing = false

  init(core: ServerCore) { self.core = core }

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }

  func channelActive(context: ChannelHandlerContext) {
    core.add(self)
    readIfWanted()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    isReadPending = false
    decoder.append(unwrapInboundIn(data).readableBytesView)
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    isReadPending = false
    advance()
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) { advance() }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    guard case .some(.inputClosed) = event as? ChannelEvent else { return context.fireUserInboundEventTriggered(event) }
    isInputClosed = true
    advance()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  func channelInactive(context: ChannelHandlerContext) {
    core.remove(self)
    outstanding = []
    self.context = nil
  }

  func drop() { context?.close(promise: nil) }

  // MARK: requests

  /// Takes requests while there is room for their replies.
  private func advance() {
    guard !isAdvancing else { return }
    isAdvancing = true
    defer { isAdvancing = false }
    var isAllTaken = false
    while let context, context.channel.isWritable, outstanding.count < ServerLimits.outstandingRequests {
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
    if isInputClosed, isAllTaken, outstanding.isEmpty { closeWhenFlushed() }
    readIfWanted()
  }

  private func handle(_ body: [UInt8]) {
    do throws(ControlRequestError) {
      perform(try ControlRequest(parsing: body))
    } catch {
      answer(error.id, .failed(reason: error.reason))
    }
  }

  private func answer(_ id: JSON?, _ reply: ControlReply) { finish(slot(for: id), reply) }

  private func perform(_ request: ControlRequest) {
    if let id = request.id, JSON.object(["id": id]).serialized().count > Limits.maximumRequestIDLength {
      return answer(nil, .failed(reason: "The 'id' field is too long."))
    }
    let slot = slot(for: request.id, isOrdered: request.id == nil || request.command == "PairWithSession")
    guard let operation = Operation.named(request.command) else {
      let isLong = request.command.unicodeScalars.count > Self.shownCommandLength
      let name = isLong ? String(request.command.prefix(Self.shownCommandLength)) + "..." : request.command
      return finish(slot, .failed(reason: "Command '\(name)' not understood by this server."))
    }
    if let reason = operation.refusal(of: request.fields) { return finish(slot, .failed(reason: reason)) }
    switch operation {
    case .pairWithSession: finish(slot, pair(request))
    case .tabComplete: complete(request, slot)
    case .keyboardInterrupt: interrupt(slot)
    default:
      finish(slot, .ok(core.description(withOperations: request.fields["operations"]?.boolValue ?? false)))
    }
  }

  /// How many characters of a command that does not exist are repeated in the reply.
  private static let shownCommandLength = 64

  private func pair(_ request: ControlRequest) -> ControlReply {
    let session = request.fields["id"]?.integerValue ?? 0
    guard core.text(session) != nil else {
      return .failed(reason: "Pairing failed: session \(session) does not exist.")
    }
    pairedSession = session
    return .ok([:])
  }

  /// The ancestor's clients ask for candidate 0, 1, 2 ... of the same word until there is none.
  private func complete(_ request: ControlRequest, _ slot: Slot) {
    let text = request.fields["text"]?.stringValue ?? ""
    let state = request.fields["state"]?.integerValue ?? 0
    guard text.utf8.count <= Limits.maximumCompletionTextLength else {
      return finish(slot, .failed(reason: "The TabComplete parameter 'text' is too long."))
    }
    if state > 0, let candidates, candidates.text == text {
      return finish(slot, candidate(state, of: candidates.list))
    }
    let box = NIOLoopBoundBox<(ControlConnection, Slot)?>((self, slot), eventLoop: core.eventLoop)
    let loop = core.eventLoop
    let deadline = loop.scheduleTask(in: .milliseconds(ServerLimits.engineReplyMilliseconds)) {
      guard let (connection, slot) = box.value else { return }
      box.value = nil
      connection.finish(slot, .failed(reason: "The interpreter is busy; no completions in time."))
    }
    let thread = core.thread
    core.engine.complete(text) { list in
      thread.execute {
        guard let (connection, slot) = box.value else { return }
        box.value = nil
        deadline.cancel()
        let short = Array(
          list.lazy.filter { $0.utf8.count <= Limits.maximumCandidateLength }.prefix(Limits.maximumCandidateCount))
        connection.candidates = (text, short)
        connection.finish(slot, connection.candidate(state, of: short))
      }
    }
  }

  private func candidate(_ state: Int, of list: [String]) -> ControlReply {
    .ok(["result": list.indices.contains(state) ? .string(list[state]) : .null])
  }

  private func interrupt(_ slot: Slot) {
    guard let pairedSession else {
      return finish(slot, .failed(reason: "This control channel is not currently paired with a REPL session."))
    }
    guard let connection = core.text(pairedSession) else {
      return finish(slot, .failed(reason: "REPL session \(pairedSession) no longer active."))
    }
    connection.interrupt { outcome in
      switch outcome {
      case .interrupted: self.finish(slot, .ok(["outcome": "interrupted"]))
      case .stale: self.finish(slot, .ok(["outcome": "idle"]))
      case .uninterruptible(let reason): self.finish(slot, .failed(reason: reason))
      }
    }
  }

  // MARK: replies

  private func slot(for id: JSON?, isOrdered: Bool = true) -> Slot {
    let slot = Slot(id: id, isOrdered: isOrdered)
    outstanding.append(slot)
    return slot
  }

  private func finish(_ slot: Slot, _ reply: ControlReply) {
    guard slot.reply == nil, let context else { return }
    slot.reply = reply
    var isBehindUnanswered = false
    outstanding.removeAll { slot in
      guard let reply = slot.reply, !(slot.isOrdered && isBehindUnanswered) else {
        if slot.isOrdered { isBehindUnanswered = true }
        return false
      }
      send(reply, echoing: slot.id, context)
      return true
    }
    context.flush()
    advance()
  }

  private func send(_ reply: ControlReply, echoing id: JSON?, _ context: ChannelHandlerContext) {
    let body = reply.body(echoing: id)
    context.write(wrapOutboundOut(context.channel.allocator.buffer(bytes: Frame.encode(body))), promise: nil)
  }

  private func readIfWanted() {
    guard let context, !isReadPending, !isInputClosed else { return }
    guard context.channel.isWritable, outstanding.count < ServerLimits.outstandingRequests else { return }
    isReadPending = true
    context.read()
  }

  private func closeWhenFlushed() {
    guard let context else { return }
    let channel = context.channel
    context.writeAndFlush(wrapOutboundOut(channel.allocator.buffer(capacity: 0))).whenComplete { _ in
      channel.close(promise: nil)
    }
  }
}
