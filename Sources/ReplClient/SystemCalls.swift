// The system calls: sockets, poll and signals. EINTR is retried here, and nowhere else.

internal import CSignalDescriptor
internal import Glibc
internal import Shared
internal import SystemPackage

/// A descriptor that somebody waits for.
public struct Watched: Equatable, Sendable {
  public enum Readiness: Sendable {
    case reading
    case writing
  }

  public let descriptor: Int32
  public let readiness: Readiness

  public init(_ descriptor: Int32, for readiness: Readiness) {
    self.descriptor = descriptor
    self.readiness = readiness
  }

  /// Waits until something can be done without waiting. A descriptor that is closed or broken counts as ready, since
  /// the call that follows says what is wrong with it.
  ///
  /// - Returns: what is ready; nothing when the deadline has passed.
  public static func wait(for watched: [Watched], until deadline: Deadline) throws(ClientError) -> [Watched] {
    do {
      return try SystemCall.poll(watched, until: deadline)
    } catch {
      throw ClientError(.failed, "cannot wait: \(error)")
    }
  }
}

/// What the client asks of the kernel. Every failure is an `Errno`.
enum SystemCall {
  /// What a socket has to say to an attempt to move bytes.
  enum Transfer: Equatable {
    case moved(Int)
    case wouldBlock
    case ended
  }

  private static func check(_ result: Int32) throws(Errno) -> Int32 {
    guard result >= 0 else { throw Errno(rawValue: Glibc.errno) }
    return result
  }

  private static func retried(_ call: () -> Int) throws(Errno) -> Int {
    while true {
      let result = call()
      if result >= 0 { return result }
      let error = Errno(rawValue: Glibc.errno)
      guard error == .interrupted else { throw error }
    }
  }

  /// Puts something that can be neither read nor written in the place of each standard stream that is closed. A socket
  /// would take its number otherwise, and what is printed would be sent to the server.
  static func occupyStandardStreams() {
    for number in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(number, F_GETFD) < 0 {
      // It gets the least number that is free, which is this one.
      _ = unsafe open("/dev/null", number == STDIN_FILENO ? O_WRONLY : O_RDONLY)
    }
  }

  // MARK: sockets

  static func socket(family: Int32) throws(Errno) -> OwnedDescriptor {
    OwnedDescriptor(
      adopting: try check(
        Glibc.socket(family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)))
  }

  static func connect(_ socket: borrowing OwnedDescriptor, to address: SocketAddress) throws(Errno) {
    let number = socket.number
    _ = try retried {
      unsafe address.bytes.withUnsafeBytes { raw in
        unsafe Int(Glibc.connect(number, raw.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t(raw.count)))
      }
    }
  }

  static func makeNonBlocking(_ socket: borrowing OwnedDescriptor) throws(Errno) {
    let flags = try check(fcntl(socket.number, F_GETFL))
    _ = try check(fcntl(socket.number, F_SETFL, flags | O_NONBLOCK))
  }

  /// A path without symbolic links; nil when there is nothing.
  static func realPath(_ path: String) -> String? {
    guard let found = unsafe realpath(path, nil) else { return nil }
    defer { unsafe free(found) }
    return unsafe String(cString: found)
  }

  /// Sends small messages at once instead of waiting for more.
  static func sendWithoutDelay(_ socket: borrowing OwnedDescriptor) throws(Errno) {
    try setOption(socket, IPPROTO_TCP_LEVEL, TCP_NODELAY, Int32(1))
  }

  /// Bounds the time that a blocking `connect` of a unix socket may take: socket(7).
  static func setSendTimeout(_ socket: borrowing OwnedDescriptor, _ deadline: Deadline) throws(Errno) {
    // 0 is no bound.
    guard let secondsLeft = deadline.secondsLeft else { return }
    let left = max(secondsLeft, 0.001)
    let whole = left.rounded(.down)
    try setOption(
      socket, SOL_SOCKET, SO_SNDTIMEO,
      timeval(tv_sec: Int(whole), tv_usec: Int((left - whole) * 1e6)))
  }

  /// What became of a connection that was begun; nil when it stands.
  static func pendingError(_ socket: borrowing OwnedDescriptor) throws(Errno) -> Errno? {
    var number = Int32(0)
    try getOption(socket, SO_ERROR, &number)
    return number == 0 ? nil : Errno(rawValue: number)
  }

  /// The user at the other end of a unix socket.
  static func peerUser(_ socket: borrowing OwnedDescriptor) throws(Errno) -> UInt32 {
    // `ucred` of unix(7), which the Glibc module leaves out: pid, uid, gid.
    var credentials: (pid: Int32, uid: UInt32, gid: UInt32) = (0, 0, 0)
    try getOption(socket, SO_PEERCRED, &credentials)
    return credentials.uid
  }

  /// Whether the two ends are the same socket: a port without a listener may be given to the very socket that
  /// connects to it.
  static func isConnectedToItself(_ socket: borrowing OwnedDescriptor) throws(Errno) -> Bool {
    try ownName(socket) == peerName(socket)
  }

  /// The bytes of the `sockaddr` of our end of a connection.
  static func ownName(_ socket: borrowing OwnedDescriptor) throws(Errno) -> [UInt8] {
    let number = socket.number
    return try unsafe name { unsafe getsockname(number, $0, $1) }
  }

  /// The bytes of the `sockaddr` of the other end.
  static func peerName(_ socket: borrowing OwnedDescriptor) throws(Errno) -> [UInt8] {
    let number = socket.number
    return try unsafe name { unsafe getpeername(number, $0, $1) }
  }

  private static func name(
    _ call: (UnsafeMutablePointer<sockaddr>?, UnsafeMutablePointer<socklen_t>) -> Int32
  ) throws(Errno) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: MemoryLayout<sockaddr_storage>.size)
    var length = socklen_t(bytes.count)
    _ = try check(
      unsafe bytes.withUnsafeMutableBytes {
        unsafe call($0.baseAddress?.assumingMemoryBound(to: sockaddr.self), &length)
      })
    return Array(bytes.prefix(Int(length)))
  }

  /// Whether a connection is over for both sides, as it is when the peer has reset it.
  static func isOver(_ socket: borrowing OwnedDescriptor) -> Bool {
    var items = [pollfd(fd: socket.number, events: 0, revents: 0)]
    return unsafe Glibc.poll(&items, 1, 0) > 0
  }

  /// Asks the kernel about a socket of this machine. It has answered by the time that it has taken the question.
  static func diagnose(_ question: SocketDiagnosis) -> SocketDiagnosis.Answer {
    do throws(Errno) {
      let socket = OwnedDescriptor(
        adopting: try check(
          Glibc.socket(
            AF_NETLINK, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue),
            SocketDiagnosis.netlinkProtocol)))
      let request = question.request
      guard case .moved(request.count) = try send(socket, request[...]) else { return .unknown }
      var reply = [UInt8](repeating: 0, count: SocketDiagnosis.maximumReplyLength)
      guard case .moved(let count) = try receive(socket, &reply) else { return .unknown }
      return question.answer(Array(reply.prefix(count)))
    } catch {
      return .unknown
    }
  }

  private static let IPPROTO_TCP_LEVEL = Int32(IPPROTO_TCP)

  private static func setOption<Value: BitwiseCopyable>(
    _ socket: borrowing OwnedDescriptor, _ level: Int32, _ option: Int32, _ value: Value
  ) throws(Errno) {
    let number = socket.number
    _ = try check(
      unsafe withUnsafeBytes(of: value) {
        unsafe setsockopt(number, level, option, $0.baseAddress, socklen_t($0.count))
      })
  }

  private static func getOption<Value: BitwiseCopyable>(
    _ socket: borrowing OwnedDescriptor, _ option: Int32, _ value: inout Value
  ) throws(Errno) {
    var length = socklen_t(MemoryLayout<Value>.size)
    let number = socket.number
    _ = try check(
      unsafe withUnsafeMutableBytes(of: &value) {
        unsafe getsockopt(number, SOL_SOCKET, option, $0.baseAddress, &length)
      })
  }

  // MARK: bytes

  /// Sends what the socket takes; a peer that is gone raises no signal.
  static func send(_ socket: borrowing OwnedDescriptor, _ bytes: ArraySlice<UInt8>) throws(Errno) -> Transfer {
    let number = socket.number
    do throws(Errno) {
      return .moved(
        try retried {
          unsafe bytes.withUnsafeBytes { unsafe Glibc.send(number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        })
    } catch {
      if error == .wouldBlock { return .wouldBlock }
      throw error
    }
  }

  /// Receives what is there into the front of a buffer.
  static func receive(_ socket: borrowing OwnedDescriptor, _ buffer: inout [UInt8]) throws(Errno) -> Transfer {
    let number = socket.number
    do throws(Errno) {
      let count = try retried {
        unsafe buffer.withUnsafeMutableBytes { unsafe recv(number, $0.baseAddress, $0.count, 0) }
      }
      return count == 0 ? .ended : .moved(count)
    } catch {
      if error == .wouldBlock { return .wouldBlock }
      throw error
    }
  }

  // MARK: waiting

  static func poll(_ watched: [Watched], until deadline: Deadline) throws(Errno) -> [Watched] {
    var items = watched.map {
      pollfd(fd: $0.descriptor, events: Int16($0.readiness == .reading ? POLLIN : POLLOUT), revents: 0)
    }
    while true {
      let count = unsafe Glibc.poll(&items, nfds_t(items.count), deadline.pollMilliseconds)
      if count > 0 { return zip(watched, items).filter { $0.1.revents != 0 }.map(\.0) }
      if count == 0 {
        // poll counts in an int of milliseconds, which a far deadline does not fit.
        if deadline.hasPassed { return [] }
        continue
      }
      let error = Errno(rawValue: Glibc.errno)
      guard error == .interrupted else { throw error }
    }
  }

  // MARK: signals

  /// Blocks signals, so that they are read from a descriptor instead of ending the process: signalfd(2).
  ///
  /// - Parameter numbers: those that the process ignores are left alone: `nohup` means it.
  static func watchSignals(_ numbers: [Int32]) throws(Errno) -> OwnedDescriptor {
    var set = sigset_t()
    unsafe sigemptyset(&set)
    for number in numbers where !isIgnored(number) { unsafe sigaddset(&set, number) }
    let failure = unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
    guard failure == 0 else { throw Errno(rawValue: failure) }
    return OwnedDescriptor(
      adopting: try check(unsafe signalfd(-1, &set, Int32(SFD_CLOEXEC | SFD_NONBLOCK))))
  }

  /// Lets signals do again what they do by themselves.
  static func leaveSignals(_ numbers: [Int32]) {
    var set = sigset_t()
    unsafe sigemptyset(&set)
    for number in numbers { unsafe sigaddset(&set, number) }
    unsafe pthread_sigmask(SIG_UNBLOCK, &set, nil)
  }

  private static func isIgnored(_ number: Int32) -> Bool {
    var action = sigaction()
    guard unsafe sigaction(number, nil, &action) == 0 else { return false }
    return unsafe action.__sigaction_handler.sa_handler.map { unsafe unsafeBitCast($0, to: Int.self) } == 1
  }

  /// The number of a signal that came; nil when there is none.
  static func nextSignal(_ watch: borrowing OwnedDescriptor) throws(Errno) -> Int32? {
    var info = signalfd_siginfo()
    let number = watch.number
    do throws(Errno) {
      let count = try retried {
        unsafe withUnsafeMutableBytes(of: &info) { unsafe read(number, $0.baseAddress, $0.count) }
      }
      return count == MemoryLayout<signalfd_siginfo>.size ? Int32(truncatingIfNeeded: info.ssi_signo) : nil
    } catch {
      if error == .wouldBlock { return nil }
      throw error
    }
  }
}
