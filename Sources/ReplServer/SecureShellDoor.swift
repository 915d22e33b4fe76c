// The ssh door: sshd, which a supervisor beside this process runs, and ends with it.
internal import CProcessHooks
internal import Glibc
internal import Logging
internal import NIOCore
internal import NIOPosix
public import Shared

/// The ssh door of a server: the socket to its supervisor, `replssh`.
///
/// The supervisor is no child of the host, which may wait for any child of its own; it is told by the end of this
/// socket, and by that of the process, that it is over. Both ends it learns from the kernel, so a SIGKILL is no way
/// around.
final class SecureShellDoor: Sendable {
  let address: SecureShellAddress
  private let channel: any Channel

  private init(_ address: SecureShellAddress, _ channel: any Channel) {
    self.address = address
    self.channel = channel
  }

  /// Starts the supervisor, and waits until keys can log in.
  /// - Parameters:
  ///   - socketPath: of the server, to which every session goes.
  ///   - log: gets what sshd says.
  ///   - audit: gets, on the loop, each line about a login that sshd has refused.
  /// - Throws: `ServerError`, with the one line that says what keeps sshd from it.
  static func open(
    _ configuration: SecureShellConfiguration, socketPath: String, loop: any EventLoop, log: Logger,
    audit: @escaping @Sendable (_ line: String) -> Void
  ) throws(ServerError) -> SecureShellDoor {
    guard unsafe access(configuration.program, X_OK) == 0 else {
      throw ServerError(.noResources, "there is no \(configuration.program); install repltools again")
    }
    let link = try Link(running: configuration.program)
    let (address, rest) = try link.request(
      configuration.request(socketPath: socketPath), log: { Reports.write($0, to: log) })
    let (number, slot) = link.release()
    do {
      let channel = try NIOPipeBootstrap(group: loop)
        .channelInitializer { channel in
          channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(Reports(rest, of: number, log: log, audit: audit))
          }
        }
        .takingOwnershipOfDescriptor(input: number).wait()
      channel.closeFuture.whenComplete { _ in process_hooks_forget_descriptor(slot) }
      return SecureShellDoor(address, channel)
    } catch {
      process_hooks_forget_descriptor(slot)
      Glibc.close(number)
      throw ServerError(.noResources, "cannot watch the ssh door: \(error)")
    }
  }

  /// Ends sshd, and waits until its port is free, for a bounded time. Not on the event loop.
  func close() {
    let channel = channel
    try? channel.eventLoop.flatSubmit {
      channel.pipeline.fireUserInboundEventTriggered(Closing())
      _ = channel.eventLoop.scheduleTask(in: .milliseconds(ServerLimits.doorFarewellMilliseconds)) {
        channel.close(promise: nil)
      }
      return channel.closeFuture
    }.wait()
  }

  /// Tells the supervisor that it is over. Its end of the socket closes when the port is free.
  fileprivate struct Closing {}
}

/// What the ssh door of a server is started with.
public struct SecureShellConfiguration: Equatable, Sendable {
  public var address: DoorAddress
  /// The file with the keys that may log in, and that with the key of the door; nil for the usual ones.
  public var authorizedKeys: String?
  public var hostKey: String?
  /// The path of `replssh`.
  public var program: String

  public init(address: DoorAddress, authorizedKeys: String?, hostKey: String?, program: String) {
    self.address = address
    self.authorizedKeys = authorizedKeys
    self.hostKey = hostKey
    self.program = program
  }

  /// What the supervisor is told.
  func request(socketPath: String) -> DoorRequest {
    DoorRequest(
      address: address.address, port: address.port, authorizedKeys: authorizedKeys, hostKey: hostKey,
      socket: socketPath, directory: RuntimeEntryName.doorDirectory(besideSocket: socketPath))
  }
}

/// Where the ssh door of a server is.
public struct SecureShellAddress: Equatable, Sendable {
  public var address: String
  public var port: Int
  /// The fingerprint of its host key, as clients show it.
  public var fingerprint: String

  /// In the notation of endpoints, as seen from this machine.
  var endpoint: String {
    let host = ["0.0.0.0", "::"].contains(address) ? "127.0.0.1" : address
    return "ssh://" + (host.contains(":") ? "[\(host)]" : host) + ":\(port)"
  }
}

/// The host's end of the socket, until the event loop has it.
private final class Link {
  private let number: Int32
  private let slot: Int32
  private var isReleased = false

  /// Starts the supervisor.
  init(running program: String) throws(ServerError) {
    var ends: [Int32] = [-1, -1]
    let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    guard unsafe socketpair(AF_UNIX, kind, 0, &ends) == 0, let near = ends.first, let far = ends.last else {
      throw ServerError(.noResources, "cannot make a socket: \(ServerError.text(of: errno))", errno: errno)
    }
    number = near
    // A forked child that kept it would keep the door open.
    slot = process_hooks_register_descriptor(near)
    defer { Glibc.close(far) }
    let child = try Self.start(program, over: far)
    // It ends at once, leaving the supervisor to itself. The host may have taken its status first.
    while waitpid(child, nil, 0) < 0, errno == EINTR {}
  }

  deinit {
    guard !isReleased else { return }
    process_hooks_forget_descriptor(slot)
    Glibc.close(number)
  }

  /// Gives the descriptor and its slot to another owner.
  func release() -> (Int32, Int32) {
    isReleased = true
    return (number, slot)
  }

  /// The variables that the supervisor and sshd get: the host's own, such as LD_PRELOAD, are not for them.
  private static let variables = ["PATH", "HOME", "XDG_STATE_HOME", "TZ", "LANG"]
  /// POSIX_SPAWN_SETSID of spawn.h, which the Glibc module leaves out.
  private static let setSession: Int32 = 0x80

  private static func start(_ program: String, over far: Int32) throws(ServerError) -> pid_t {
    var actions = unsafe posix_spawn_file_actions_t()
    var attributes = posix_spawnattr_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawnattr_init(&attributes)
    defer { unsafe posix_spawnattr_destroy(&attributes) }
    unsafe posix_spawn_file_actions_adddup2(&actions, far, STDIN_FILENO)
    unsafe posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)
    unsafe posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
    var none = sigset_t()
    var all = sigset_t()
    unsafe sigemptyset(&none)
    unsafe sigfillset(&all)
    unsafe posix_spawnattr_setsigmask(&attributes, &none)
    unsafe posix_spawnattr_setsigdefault(&attributes, &all)
    unsafe posix_spawnattr_setflags(
      &attributes, Int16(Int32(POSIX_SPAWN_SETSIGMASK) | Int32(POSIX_SPAWN_SETSIGDEF) | setSession))
    var words: [UnsafeMutablePointer<CChar>?] = unsafe [strdup(program), strdup("supervise"), nil]
    var environment: [UnsafeMutablePointer<CChar>?] = unsafe variables.compactMap { name in
      unsafe getenv(name).map { unsafe strdup("\(name)=" + String(cString: $0)) }
    }
    unsafe environment.append(nil)
    defer { unsafe (words + environment).forEach { unsafe free($0) } }
    var child = pid_t()
    let failure = unsafe posix_spawn(&child, program, &actions, &attributes, &words, &environment)
    guard failure == 0 else {
      throw ServerError(.noResources, "cannot run \(program): \(ServerError.text(of: failure))", errno: failure)
    }
    return child
  }

  /// Asks for the door, and waits for it.
  /// - Returns: where it is, and what was read behind that.
  func request(
    _ request: DoorRequest, log: (DoorReport) -> Void
  ) throws(ServerError) -> (SecureShellAddress, [UInt8]) {
    let line = request.line
    guard unsafe send(number, line, line.count, Int32(MSG_NOSIGNAL)) == line.count else {
      throw ServerError(.noResources, "cannot tell replssh what to do: \(ServerError.text(of: errno))", errno: errno)
    }
    var lines = ReportLines()
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      while let report = lines.next() {
        switch report {
        case .ready(let address, let port, let fingerprint):
          return (SecureShellAddress(address: address, port: Int(port), fingerprint: fingerprint), lines.rest)
        case .failed(let reason, let text):
          throw ServerError(reason == .notPermitted ? .notPermitted : .addressUnavailable, text)
        case .log: log(report)
        }
      }
      var item = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
      let status = unsafe poll(&item, 1, ServerLimits.doorStartMilliseconds)
      if status < 0, errno == EINTR { continue }
      guard status > 0 else { throw ServerError(.noResources, "the ssh door does not open in time") }
      let count = unsafe recv(number, &buffer, buffer.count, 0)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw ServerError(.noResources, "replssh has ended without a word") }
      lines.append(buffer.prefix(count))
    }
  }
}

/// Cuts what the supervisor sends into its reports; what is none is left out.
private struct ReportLines {
  private(set) var rest: [UInt8] = []

  mutating func append(_ bytes: some Collection<UInt8>) {
    rest += bytes
    if rest.count > 2 * DoorReport.maximumLength { rest = [] }
  }

  mutating func next() -> DoorReport? {
    while let newline = rest.firstIndex(of: UInt8(ascii: "\n")) {
      let line = Array(rest[..<newline])
      rest.removeFirst(newline + 1)
      if let report = DoorReport(parsing: line) { return report }
    }
    return nil
  }
}

/// Passes on to the log what the supervisor says while the door is open.
private final class Reports: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  private var lines = ReportLines()
  private var isExpected = false
  /// Open for as long as the channel is active.
  private let descriptor: Int32
  private let log: Logger
  private let audit: (_ line: String) -> Void

  init(_ rest: [UInt8], of descriptor: Int32, log: Logger, audit: @escaping (_ line: String) -> Void) {
    self.audit = audit
    lines.append(rest)
    self.descriptor = descriptor
    self.log = log
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    lines.append(unwrapInboundIn(data).readableBytesView)
    while let report = lines.next() {
      Self.write(report, to: log)
      if case .log(let line, _) = report, Self.isRefusal(line) { audit(line) }
    }
  }

  /// Parts of what sshd has said in all of its versions about somebody whom it did not let in.
  private static let refusals = [
    "Failed ", "Invalid user ", "Illegal user ", " not allowed because ", "Authentication refused",
    "maximum authentication attempts", "Certificate invalid", "Authentication key ",
  ]

  private static func isRefusal(_ line: String) -> Bool { refusals.contains { line.contains($0) } }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if event is SecureShellDoor.Closing, context.channel.isActive {
      isExpected = true
      shutdown(descriptor, Int32(SHUT_WR))
    }
    context.fireUserInboundEventTriggered(event)
  }

  func channelInactive(context: ChannelHandlerContext) {
    if !isExpected { log.warning("the ssh door has closed: its supervisor is gone") }
  }

  static func write(_ report: DoorReport, to log: Logger) {
    guard case .log(let text, let isWarning) = report else { return }
    log.log(level: isWarning ? .warning : .info, "ssh: \(text)")
  }
}
