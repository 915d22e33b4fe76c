// The output pump: moves the output of one request to its client, as far as the client's credit reaches.
internal import NIOCore
internal import Shared

/// What a pump takes from. Touched on the event loop only.
protocol OutputSource {
  /// A piece of output of at most `limit` bytes; nil when there is none now.
  mutating func take(upTo limit: Int) -> (stream: OutputStream, bytes: [UInt8])?

  /// Whether there is none now.
  var isEmpty: Bool { get }
}

/// The output of one request, and what follows it: an event, and in the end the reply. Output takes credit, which the
/// client grants; events and the reply wait for the output before them, and for nothing else.
final class OutputPump {
  let request: Int
  private let reply: PendingReply
  private var source: any OutputSource
  private var credit: Int
  private var event: ServerEvent?
  private var ending: (() -> ControlReply)?
  /// Called when the pump is not needed any more.
  var onClose: (() -> Void)?

  init(request: Int, credit: Int, source: any OutputSource, reply: PendingReply) {
    self.request = request
    self.credit = min(max(0, credit), Limits.maximumCredit)
    self.source = source
    self.reply = reply
  }

  func grant(_ bytes: Int) {
    credit = min(credit + min(max(0, bytes), Limits.maximumCredit), Limits.maximumCredit)
  }

  /// Sends an event when all output before it has left; a later one takes its place.
  func send(_ event: ServerEvent) { self.event = event }

  /// Takes an event back that has not been sent.
  func withdrawEvent() { event = nil }

  /// Sends the reply when all output has left.
  func end(_ reply: @escaping () -> ControlReply) { ending = reply }

  /// The request is done, or its client is gone.
  func close() {
    onClose?()
    onClose = nil
    ending = nil
  }

  /// Sends what can be sent now.
  /// - Parameter send: sends the body of a frame; false when nothing more should be sent for now.
  /// - Returns: whether the request is done.
  func pump(_ send: ([UInt8]) -> Bool) -> Bool {
    while true {
      guard credit > 0 else {
        // What follows the output needs no credit, once there is no output before it.
        if source.isEmpty { break }
        return false
      }
      let limit = min(credit, ServerLimits.outputChunk)
      guard let (stream, bytes) = source.take(upTo: limit) else { break }
      if stream == .page, bytes.isEmpty {
        guard send(ServerEvent(.page, request: request).body()) else { return false }
        continue
      }
      credit -= bytes.count
      guard send(OutputFrame(stream.wire, request: request, bytes: bytes).body()) else { return false }
    }
    if let event {
      self.event = nil
      _ = send(event.body())
    }
    guard let ending else { return false }
    reply.send(ending())
    return true
  }
}

extension OutputStream {
  /// As it travels.
  var wire: OutputFrame.Stream {
    switch self {
    case .standardOutput: .standardOutput
    case .standardError: .standardError
    case .value: .value
    case .page: .page
    case .processOutput: .processOutput
    case .processError: .processError
    }
  }
}

extension SessionStreams {
  /// The output of an evaluation as the source of a pump.
  struct Source: OutputSource {
    let streams: SessionStreams

    mutating func take(upTo limit: Int) -> (stream: OutputStream, bytes: [UInt8])? {
      streams.takePiece(upTo: limit).map { ($0.stream, $0.bytes) }
    }

    var isEmpty: Bool { !streams.hasOutput }
  }
}
