// The doorkeeper: decides who is let in, and keeps count of those who are not.
internal import Logging
internal import NIOCore
internal import Shared

/// Lives on the event loop.
final class Doorkeeper {
  private let rule: AccessRule
  private let log: Logger
  private let auditor: Auditor
  private let loop: any EventLoop
  private var lastNumber = 0
  private var counts: [Refusal: Int] = [:]
  /// Those that the log has not told of yet, and the last of them.
  private var untold: [Refusal: Int] = [:]
  private var lastUntold = ""
  /// Ends the minute in which the log says no more of refusals.
  private var pause: Scheduled<Void>?

  init(rule: AccessRule, log: Logger, auditor: Auditor, loop: any EventLoop) {
    self.rule = rule
    self.log = log
    self.auditor = auditor
    self.loop = loop
  }

  /// Looks at who has connected.
  /// - Returns: the visitor, or why it is none; that is counted and logged by then.
  func receive(_ channel: any Channel, at door: Peer.Door) -> Result<Visitor, Refusal> {
    let peer = Peer.of(channel, at: door)
    if let refusal = rule.refusal(of: peer.owner) {
      refuse(Visitor(number: nextNumber(), peer: peer), refusal)
      return .failure(refusal)
    }
    let visitor = Visitor(number: nextNumber(), peer: auditor.completed(peer))
    auditor.note("connect", by: visitor)
    return .success(visitor)
  }

  /// A connection for which there is no room.
  func refuseUnseen(from address: String?, at door: Peer.Door) {
    refuse(Visitor(number: nextNumber(), peer: Peer(door: door, owner: .unknown, address: address)), .full)
  }

  /// Counts and logs that a connection is dropped.
  func refuse(_ visitor: Visitor, _ refusal: Refusal) {
    counts[refusal, default: 0] += 1
    auditor.refused(visitor, refusal)
    // Who only looks whether the port is open, as monitors do, is no news.
    let isNews = refusal != .gone && refusal != .silent
    guard isNews else {
      return log.info("connection \(visitor.number) from \(visitor.peer) was closed: \(refusal.rawValue)")
    }
    guard pause == nil else {
      untold[refusal, default: 0] += 1
      lastUntold = "\(visitor.peer)"
      return
    }
    log.warning(
      "refused a connection to the \(visitor.peer.door.rawValue) door: \(Self.inWords(refusal, visitor.peer))")
    beginPause()
  }

  /// How many were refused, by the reason's name.
  var report: JSON.Object {
    var fields: JSON.Object = [:]
    for refusal in Refusal.allCases { fields[refusal.rawValue] = .integer(counts[refusal] ?? 0) }
    return fields
  }

  /// Says what is left to say.
  func close() {
    pause?.cancel()
    pause = nil
    tell()
  }

  private func nextNumber() -> Int {
    lastNumber += 1
    return lastNumber
  }

  private func beginPause() {
    pause = loop.assumeIsolated().scheduleTask(in: .seconds(ServerLimits.refusalLogSeconds)) { [weak self] in
      guard let self else { return }
      pause = nil
      if tell() { beginPause() }
    }
  }

  /// - Returns: whether there was anything to tell.
  @discardableResult
  private func tell() -> Bool {
    guard !untold.isEmpty else { return false }
    let parts = Refusal.allCases.compactMap { refusal in untold[refusal].map { "\($0) \(refusal.rawValue)" } }
    log.warning("refused more connections: \(parts.joined(separator: ", ")); the last was from \(lastUntold)")
    untold = [:]
    return true
  }

  private static func inWords(_ refusal: Refusal, _ peer: Peer) -> String {
    switch refusal {
    case .user: "it is from \(peer.user.map { "the user \($0)" } ?? "another machine") (\(peer)); see --allow-uid"
    case .unidentified: "the kernel does not say whose it is (\(peer)); the unix socket can be used"
    case .foreign: "it does not speak our protocol, as a web page's would not (\(peer))"
    case .full: "there are too many, or too few descriptors"
    case .gone, .silent: "\(peer)"
    }
  }
}

/// What stands at the door for a connection that is not let in: it says why, and closes.
final class TurnedAway: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let text: [UInt8]

  init(_ refusal: Refusal, at door: Peer.Door) { text = Self.words(refusal, at: door) }

  /// What is said, as that door says it.
  static func words(_ refusal: Refusal, at door: Peer.Door) -> [UInt8] {
    switch door {
    case .text: return Array("replserve: \(refusal.reason)\n".utf8)
    case .control, .unix:
      let code: FailureCode = refusal == .full ? .busy : .notPermitted
      let reply = ControlReply.failed(reason: refusal.reason, extra: ["code": .string(code.rawValue)])
      return Frame.encode(reply.body(echoing: nil))
    }
  }

  func channelActive(context: ChannelHandlerContext) {
    // At once: a connection that lingers is a descriptor of the host that anybody can have.
    context.writeAndFlush(wrapOutboundOut(context.channel.allocator.buffer(bytes: text)), promise: nil)
    context.close(promise: nil)
  }
}
