// The connection: requests to a server, and what comes back.

internal import Glibc
public import Shared
internal import SystemPackage

/// A connection to one server. It belongs to one thread.
///
/// The first request is always DescribeServer, and the second one Introduce if there is something to say of who calls;
/// nothing waits for their replies, but a server that turns out to be another one than ours, or does not take the
/// introduction, is an error of whatever is waited for next.
public final class Connection {
  /// What a wait came to.
  public enum Arrival: Equatable, Sendable {
    case message(ServerMessage)
    /// These of the descriptors that were watched beside the connection.
    case ready([Watched])
    /// The deadline has passed.
    case late
  }

  public let destination: Destination

  /// What the server says of itself; nil until it has.
  public private(set) var server: ServerDescription?

  /// What another server said of itself when it was taken for ours; its tools are told with an error.
  public private(set) var foreignDescription: JSON.Object?

  private let socket: OwnedDescriptor
  /// What carries the connection when it goes to another machine.
  private let shell: RemoteShell?
  private var decoder = FrameDecoder(maximumBodyLength: Limits.maximumControlBodyLength, content: .binary)
  private var buffer = [UInt8](repeating: 0, count: 1 << 16)
  private var unsent: ArraySlice<UInt8> = []
  private var nextID = 0
  private var replies: [Int: ControlReply] = [:]
  /// How many bytes of output were taken and not granted again, by request.
  private var taken: [Int: Int] = [:]
  /// The start of the stream, until its first frame: it tells what answers instead of a server.
  private var firstBytes: [UInt8] = []
  /// The request for Introduce, as long as it is not answered.
  private var introduction: Int?
  /// Whether the introduction is about somebody else than whoever runs the tool.
  private var isForAnother = false
  private let greetingSeconds: Double
  private let greetingDeadline: Deadline

  /// Connects, and sends the first requests.
  ///
  /// - Parameters:
  ///   - caller: whose servers are trusted, and what they are told of who calls.
  ///   - seconds: how long connecting and the first reply may take together.
  /// - Throws: `ClientError`: nobody there, not in time, or not a server of a user that is trusted.
  public convenience init(
    to destination: Destination, as caller: Caller = Caller(), greetingWithin seconds: Double
  ) throws(ClientError) {
    let deadline = Deadline.after(seconds)
    if case .ssh(let user, let host, let port) = destination.address {
      // Before there is an ssh that asks for something.
      let signals = try SignalWatch(Self.fatalSignals)
      let shell = try RemoteShell(user: user, host: host, port: port, connectWithin: seconds)
      guard let socket = shell.takeSocket() else { throw shell.failure() }
      try self.init(socket, over: shell, destination: destination, seconds: seconds, deadline: deadline)
      if let number = try awaitGreeting(or: signals) { try end(shell, by: number) }
    } else {
      try self.init(
        Connector.connect(to: destination, trusting: caller.trust, until: deadline), over: nil,
        destination: destination, seconds: seconds, deadline: deadline)
    }
    if let introduction = caller.introduction { try introduce(introduction) }
  }

  private init(
    _ socket: consuming OwnedDescriptor, over shell: RemoteShell?, destination: Destination, seconds: Double,
    deadline: Deadline
  ) throws(ClientError) {
    self.socket = socket
    self.shell = shell
    self.destination = destination
    greetingSeconds = seconds
    greetingDeadline = deadline
    _ = try send(.describeServer, ["protocol": .integer(Limits.protocolVersion)])
  }

  /// What ends a tool that only waits for its server.
  private static let fatalSignals = [SIGINT, SIGTERM, SIGHUP, SIGQUIT]

  /// Ends ssh, which may be asking for a passphrase, so that it gives back a terminal that echoes; then ends this process
  /// by the signal that has come.
  private func end(_ shell: RemoteShell, by number: Int32) throws(ClientError) {
    shell.end()
    SystemCall.leaveSignals(Self.fatalSignals)
    raise(number)
    throw ClientError(.interrupted, "interrupted")
  }

  /// Waits until the server has answered through ssh.
  ///
  /// - Returns: the signal that came before the answer; nil when there was none.
  private func awaitGreeting(or signals: borrowing SignalWatch) throws(ClientError) -> Int32? {
    while server == nil {
      switch try receive(until: .never, watching: [signals.watched]) {
      case .ready: if let number = signals.nextNumber() { return number }
      case .late: throw silent()
      case .message(.reply(let reply)):
        if server == nil { _ = try Self.fields(of: reply) }
      case .message: continue
      }
    }
    return nil
  }

  // MARK: requests

  /// Sends a request, or as much of it as the socket takes; the rest goes while something is waited for.
  ///
  /// - Returns: its id.
  /// - Throws: `ClientError`, `.usage` when it is too long for a frame.
  @discardableResult
  public func send(_ operation: Operation, _ fields: JSON.Object = [:]) throws(ClientError) -> Int {
    let id = nextID
    var request = ControlRequest(command: operation.name, fields: fields)
    request.fields["id"] = .integer(id)
    let body = request.body()
    guard body.count <= Limits.maximumControlBodyLength else {
      throw ClientError(
        .usage, "this is too long to be sent: \(body.count) bytes, of at most \(Limits.maximumControlBodyLength)")
    }
    nextID += 1
    unsent += Frame.encode(body)
    try flush()
    return id
  }

  /// Says who calls and why; once, and before anything that depends on it.
  ///
  /// - Parameter fields: of Introduce. When somebody is relayed or restricted, nothing else is sent before the server
  ///   has taken it: one that does not know of restrictions must get nothing that is to be restricted.
  public func introduce(_ fields: JSON.Object) throws(ClientError) {
    isForAnother = fields["permit"] != nil || fields["ssh"] != nil
    introduction = try send(.introduce, fields)
    while isForAnother, introduction != nil {
      if case .late = try receive(until: greetingDeadline) { throw late() }
    }
  }

  private func takeAnswerToIntroduction(_ reply: ControlReply) throws(ClientError) {
    introduction = nil
    guard case .failed(_, let extra) = reply else { return }
    // A server from before Introduce does not understand it, and asks nobody who they are.
    if extra["code"] == nil, !isForAnother, server?.requiresReason != true { return }
    _ = try Self.fields(of: reply)
  }

  /// Sends a request, and waits for its reply.
  ///
  /// - Returns: the fields of the reply.
  /// - Throws: `ClientError`, also for a refusal.
  public func ask(
    _ operation: Operation, _ fields: JSON.Object = [:], until deadline: Deadline
  ) throws(ClientError) -> JSON.Object {
    try reply(to: send(operation, fields), until: deadline)
  }

  /// Waits for the reply to a request; other replies are kept for their turn.
  public func reply(to id: Int, until deadline: Deadline) throws(ClientError) -> JSON.Object {
    while true {
      if let reply = replies.removeValue(forKey: id) { return try Self.fields(of: reply) }
      switch try receive(until: deadline) {
      case .message(.reply(let reply)):
        guard let id = reply.id?.integerValue else { _ = try Self.fields(of: reply); continue }
        replies[id] = reply
      case .message, .ready: continue
      case .late: throw late()
      }
    }
  }

  /// Waits until the server has said what it is.
  public func describe(until deadline: Deadline = .never) throws(ClientError) -> ServerDescription {
    while true {
      if let server { return server }
      if case .late = try receive(until: deadline) { throw late() }
    }
  }

  /// Lets the server send as many bytes of a request's output as have been taken, in portions.
  ///
  /// - Returns: how many more it may send from now on.
  @discardableResult
  public func take(_ count: Int, of request: Int) throws(ClientError) -> Int {
    let total = (taken[request] ?? 0) + count
    guard total >= Limits.defaultCredit / 2 else {
      taken[request] = total
      return 0
    }
    taken[request] = 0
    try send(.grant, ["request": .integer(request), "bytes": .integer(total)])
    return total
  }

  /// The fields of a reply.
  /// - Throws: `ClientError` for a refusal.
  public static func fields(of reply: ControlReply) throws(ClientError) -> JSON.Object {
    switch reply {
    case .ok(let fields): return fields
    case .failed(let reason, let extra): throw ClientError(refusal: reason, fields: extra)
    }
  }

  private func late() -> ClientError { ClientError(.timedOut, "no answer from \(destination) in time") }

  // MARK: waiting

  /// Waits for the next message, or until one of the watched descriptors is ready.
  ///
  /// The watched descriptors come first, so that a flood of messages does not keep anybody from them.
  /// - Throws: `ClientError`: the server closed the connection, is another one, or is silent.
  public func receive(until deadline: Deadline, watching: [Watched] = []) throws(ClientError) -> Arrival {
    while true {
      if let message = try nextMessage() { return .message(message) }
      try flush()
      let limit = server == nil ? min(deadline, greetingDeadline) : deadline
      let own =
        [Watched(socket.number, for: .reading)] + (unsent.isEmpty ? [] : [Watched(socket.number, for: .writing)])
      let ready = try Watched.wait(for: watching + own, until: limit)
      if ready.isEmpty {
        guard deadline.hasPassed || server != nil else { throw silent() }
        return .late
      }
      if ready.contains(where: { $0.descriptor == socket.number && $0.readiness == .reading }) { try read() }
      let others = ready.filter { $0.descriptor != socket.number }
      if !others.isEmpty { return .ready(others) }
    }
  }

  private func silent() -> ClientError {
    if shell != nil {
      return ClientError(.timedOut, "no answer from \(destination) within \(Int(greetingSeconds.rounded(.up))) s")
    }
    return ClientError(
      .timedOut, "\(destination) took the connection but does not answer: it is silent or no REPL server")
  }

  private func read() throws(ClientError) {
    do throws(Errno) {
      switch try SystemCall.receive(socket, &buffer) {
      case .moved(let count):
        if server == nil { firstBytes += buffer.prefix(min(count, max(0, Self.firstByteCount - firstBytes.count))) }
        decoder.append(buffer.prefix(count))
      case .wouldBlock: break
      case .ended: throw Errno.connectionReset
      }
    } catch {
      throw shell?.failure() ?? ClientError(.noServer, "the server at \(destination) closed the connection")
    }
  }

  private func flush() throws(ClientError) {
    while !unsent.isEmpty {
      do throws(Errno) {
        guard case .moved(let count) = try SystemCall.send(socket, unsent) else { return }
        unsent = unsent.dropFirst(count)
      } catch {
        // It no longer listens, but may have said why: that is still to be read.
        unsent = []
      }
    }
    unsent = []
  }

  private func nextMessage() throws(ClientError) -> ServerMessage? {
    while let event = decoder.next() {
      guard case .frame(let body) = event else { throw notAServer() }
      let message: ServerMessage
      do {
        message = try ServerMessage(parsing: body)
      } catch {
        throw ClientError(.protocolError, "\(destination) sent what is no message: \(error.message)")
      }
      guard case .reply(let reply) = message else { return message }
      if let introduction, reply.id?.integerValue == introduction { try takeAnswerToIntroduction(reply) }
      guard server == nil, reply.id == nil || reply.id?.integerValue == 0 else { return message }
      // The ancestor echoes no id, and answers in order: its first reply is this one.
      guard let server = ServerDescription(reply: reply.fields) else {
        foreignDescription = reply.fields
        throw ClientError(
          .protocolError, "\(destination) is a REPL server of another kind, which these tools cannot talk to")
      }
      self.server = server
      firstBytes = []
      return message
    }
    return nil
  }

  /// Enough to recognise the greeting of the text port.
  private static let firstByteCount = 64

  private func notAServer() -> ClientError {
    if firstBytes.starts(with: "REPL session ".utf8) {
      return ClientError(
        .protocolError, "\(destination) is the text port of a REPL server; give its control port: -t HOST:PORT:CONTROL")
    }
    return ClientError(.protocolError, "\(destination) does not speak the protocol of a REPL server")
  }
}
