// The relay: bytes between two descriptors and a server, as they come.

internal import Glibc
internal import Shared
internal import SystemPackage

/// Connects its own input and output with the control door of a server.
///
/// ssh runs it on the machine of the server: so whoever speaks the protocol need not be on that machine. The end of the
/// input is passed on; when nobody takes the output any more, there is nothing left to do.
public final class Relay {
  private let socket: OwnedDescriptor
  private let destination: Destination
  /// What the server has sent and the output has not taken.
  private var outgoing: [UInt8] = []
  /// What the input has given and the server has not taken.
  private var incoming: [UInt8] = []
  private var isInputOver = false
  private var isServerOver = false

  /// The most bytes that are kept in each direction.
  private static let capacity = 1 << 16
  /// PIPE_BUF of limits.h: what poll(2) calls ready takes so much without blocking, and others share the output.
  private static let pieceLength = 4096
  /// The `id` of our own request: no client of ours has one that is no number.
  private static let introductionID = JSON.string("relay")

  /// Connects, and introduces whoever the input comes from.
  ///
  /// - Parameters:
  ///   - caller: whose servers are trusted, and what they are told of who calls.
  ///   - deadline: by which the server has to have taken that.
  /// - Throws: `ClientError`; `.notPermitted` when the server refuses the introduction.
  public init(
    to destination: Destination, as caller: Caller, until deadline: Deadline
  ) throws(ClientError) {
    guard !destination.isRemote else {
      throw ClientError(.usage, "relay goes to a server on its own machine, not to \(destination)")
    }
    socket = try Connector.connect(to: destination, trusting: caller.trust, until: deadline)
    self.destination = destination
    if let introduction = caller.introduction { try introduce(introduction, until: deadline) }
  }

  private func introduce(_ fields: JSON.Object, until deadline: Deadline) throws(ClientError) {
    var request = ControlRequest(command: Operation.introduce.name, fields: fields)
    request.fields["id"] = Self.introductionID
    incoming = Frame.encode(request.body())
    var decoder = FrameDecoder(maximumBodyLength: Limits.maximumControlBodyLength)
    while true {
      if let event = decoder.next() {
        guard case .frame(let body) = event, case .reply(let reply)? = try? ServerMessage(parsing: body) else {
          throw ClientError(.protocolError, "\(destination) does not speak the protocol of a REPL server")
        }
        // Nobody else has asked anything yet.
        guard case .failed(let reason, _) = reply else { return }
        throw ClientError(.notPermitted, "the server refuses the introduction: \(reason)")
      }
      let ready = try Watched.wait(
        for: [Watched(socket.number, for: .reading)]
          + (incoming.isEmpty ? [] : [Watched(socket.number, for: .writing)]), until: deadline)
      guard !ready.isEmpty else { throw ClientError(.timedOut, "no answer from \(destination) in time") }
      try writeToServer()
      try readFromServer()
      guard !isServerOver else { throw ClientError(.noServer, "the server at \(destination) closed the connection") }
      decoder.append(outgoing)
      outgoing = []
    }
  }

  /// Relays until the server closes the connection, or nobody reads the output any more.
  ///
  /// - Parameters:
  ///   - input: a descriptor that is read from.
  ///   - output: one that is written to, and may be the same.
  public func run(input: Int32, output: Int32) throws(ClientError) {
    // A reader that has gone is seen below.
    signal(SIGPIPE, SIG_IGN)
    while !(isServerOver && outgoing.isEmpty) {
      let wanted = Int16((outgoing.count < Self.capacity ? POLLIN : 0) | (incoming.isEmpty ? 0 : POLLOUT))
      var items = [
        pollfd(fd: isInputOver || incoming.count >= Self.capacity ? -1 : input, events: Int16(POLLIN), revents: 0),
        pollfd(fd: output, events: outgoing.isEmpty ? 0 : Int16(POLLOUT), revents: 0),
        pollfd(fd: isServerOver || wanted == 0 ? -1 : socket.number, events: wanted, revents: 0),
      ]
      guard unsafe poll(&items, nfds_t(items.count), -1) > 0 else {
        guard errno == EINTR else { throw ClientError(.failed, "cannot wait: \(Errno(rawValue: errno))") }
        continue
      }
      if items[0].revents != 0 { try readInput(input) }
      if items[1].revents & Int16(POLLERR | POLLNVAL) != 0 { return }
      // A socket, which sshd may give instead of a pipe, says it so when its other end is closed altogether.
      if items[1].revents & Int16(POLLHUP) != 0 { return }
      if items[1].revents & Int16(POLLOUT) != 0, try !writeOutput(output) { return }
      if items[2].revents != 0 {
        try writeToServer()
        if outgoing.count < Self.capacity { try readFromServer() }
      }
    }
  }

  private func readInput(_ input: Int32) throws(ClientError) {
    var buffer = [UInt8](repeating: 0, count: Self.capacity - incoming.count)
    let count = unsafe buffer.withUnsafeMutableBytes { unsafe read(input, $0.baseAddress, $0.count) }
    if count > 0 {
      incoming += buffer.prefix(count)
    } else if count == 0 || (errno != EINTR && errno != EAGAIN) {
      isInputOver = true
    }
    try writeToServer()
  }

  /// - Returns: false when nobody takes it any more.
  private func writeOutput(_ output: Int32) throws(ClientError) -> Bool {
    let piece = outgoing.prefix(Self.pieceLength)
    let count = unsafe piece.withUnsafeBytes { unsafe write(output, $0.baseAddress, $0.count) }
    if count >= 0 {
      outgoing.removeFirst(count)
    } else if errno == EPIPE || errno == ECONNRESET {
      return false
    } else if errno != EINTR && errno != EAGAIN {
      throw ClientError(.failed, "cannot write: \(Errno(rawValue: errno))")
    }
    return true
  }

  private func writeToServer() throws(ClientError) {
    while !incoming.isEmpty, !isServerOver {
      do throws(Errno) {
        guard case .moved(let count) = try SystemCall.send(socket, incoming[...]) else { return }
        incoming.removeFirst(count)
      } catch {
        // It no longer listens; what it has said before is still to be read.
        incoming = []
      }
    }
    if isInputOver { shutdown(socket.number, Int32(SHUT_WR)) }
  }

  private func readFromServer() throws(ClientError) {
    var buffer = [UInt8](repeating: 0, count: max(1, Self.capacity - outgoing.count))
    do throws(Errno) {
      switch try SystemCall.receive(socket, &buffer) {
      case .moved(let count): outgoing += buffer.prefix(count)
      case .wouldBlock: break
      case .ended: isServerOver = true
      }
    } catch {
      isServerOver = true
    }
  }
}
