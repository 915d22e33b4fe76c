// The server: starts the listeners, and is what a host holds.
internal import CProcessHooks
internal import Glibc
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// A running server. Its methods may be called from any thread but the event loop's, and none of them
/// waits for the engine.
public final class Server: Sendable {
  public let address: ServerAddress

  /// What the process itself prints goes in here.
  public let tee: Tee
  private let thread: EventLoopThread
  private let core: NIOLoopBound<ServerCore>
  private let listeners: [any Channel]
  private let door: SecureShellDoor?
  private let entry: RuntimeEntryBox?
  private let gate = LoopGate()
  private let termination: TerminationWatch
  private let isStopped = Atomic<Bool>(false)
  private let loopDescriptors: Mutex<LoopDescriptors?>

  private init(
    address: ServerAddress, thread: EventLoopThread, core: NIOLoopBound<ServerCore>, listeners: [any Channel],
    door: SecureShellDoor?, entry: RuntimeEntryBox?, tee: Tee
  ) {
    self.address = address
    self.thread = thread
    self.core = core
    self.listeners = listeners
    self.door = door
    self.entry = entry
    self.tee = tee
    self.termination = TerminationWatch(thread.eventLoop)
    let listener = try? thread.eventLoop.submit { [listeners] in
      try listeners.first?.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: CInt.self) { $0 } ?? nil
    }.wait()
    loopDescriptors = Mutex((listener ?? nil).map { LoopDescriptors(watching: $0) })
  }

  /// Starts listening.
  /// - Parameters:
  ///   - banner: what a text client is shown, made when the ports are known.
  ///   - sessionCounter: one for the whole process.
  ///   - jobs: those of the whole process.
  /// - Throws: `ServerError`; nothing is left behind then.
  public static func start(
    _ configuration: ServerConfiguration, engine: any Engine, sessionCounter: SessionCounter, jobs: JobTable,
    banner: (ServerAddress) -> String
  ) throws(ServerError) -> Server {
    // NIO ignores SIGPIPE for the whole process when it makes its first socket. Our own thread blocks every
    // signal and so needs no such thing: the host gets its setting back.
    var sigpipe = sigaction()
    unsafe process_hooks_save_sigpipe(&sigpipe)
    defer { unsafe process_hooks_restore_sigpipe(&sigpipe) }

    var entry: RuntimeEntryBox?
    if configuration.hasUnixSocket {
      entry = RuntimeEntryBox(try RuntimeEntry.make(name: configuration.name, pid: getpid()))
    }
    let thread = try EventLoopThread.start()
    let tee = Tee()
    var listeners: [any Channel] = []
    var door: SecureShellDoor?
    let output = StandardErrorLog(level: Logger.Level(rawValue: configuration.logLevel) ?? .warning)
    let log = Logger(label: "replserve") { _ in output }
    do {
      let loop = thread.eventLoop
      let core = try loop.submit {
        NIOLoopBound(
          try ServerCore(
            thread: thread, engine: engine, configuration: configuration, sessionCounter: sessionCounter,
            jobs: jobs, tee: tee, log: log),
          eventLoop: loop)
      }.wait()
      let listen = Listeners(loop: loop, core: core, isOpenToNetwork: configuration.access.isOpenToNetwork)
      listeners.append(try listen.text(on: configuration.bind, port: configuration.textPort))
      listeners.append(try listen.control(on: configuration.bind, port: configuration.controlPort))
      if let entry {
        listeners.append(try listen.control(unixSocket: entry.socketPath))
        entry.openSocketToOwner()
      }
      if let secureShell = configuration.secureShell {
        guard let entry else {
          throw ServerError(
            .notPermitted, "an ssh door leads to the unix socket, which this server is told to do without")
        }
        door = try SecureShellDoor.open(
          secureShell, socketPath: entry.socketPath, loop: loop, log: log
        ) { core.value.auditor.refused(loginBy: $0) }
      }
      let address = ServerAddress(
        bind: configuration.bind,
        textPort: listeners.first?.localAddress?.port ?? configuration.textPort,
        controlPort: listeners.dropFirst().first?.localAddress?.port ?? configuration.controlPort,
        unixSocket: entry?.socketPath, secureShell: door?.address)
      let text = banner(address)
      let channels = listeners
      let isOpen = listeners.first?.localAddress.map { !$0.isLoopback } ?? false
      try loop.submit {
        // On this thread a broken pipe is no signal.
        if isOpen {
          output.say(
            .warning,
            "listening on \(configuration.bind), which other machines can reach: whoever can, runs code as this user")
        }
        core.value.begin(banner: text, endpoints: address.endpoints)
        for channel in channels { _ = channel.setOption(.autoRead, value: true) }
      }.wait()
      return Server(
        address: address, thread: thread, core: core, listeners: listeners, door: door, entry: entry, tee: tee)
    } catch {
      door?.close()
      for channel in listeners { try? channel.close().wait() }
      thread.stop()
      throw error as? ServerError ?? ServerError(.noResources, "cannot start the server: \(error)")
    }
  }

  /// Asks for a stop when the last session has ended, or takes that back.
  public func halt(_ doIt: Bool) {
    let core = core
    thread.execute { core.value.halt(doIt) }
  }

  /// Says farewell to every client and gives every descriptor and the thread back. A second call does nothing.
  public func stop() {
    guard !isStopped.exchange(true, ordering: .acquiringAndReleasing) else { return }
    termination.cancel()
    for channel in listeners { try? channel.close().wait() }
    let core = core
    let loop = thread.eventLoop
    try? loop.flatSubmit {
      let emptied = loop.makePromise(of: Void.self)
      core.value.stop(completion: emptied)
      loop.scheduleTask(in: .milliseconds(ServerLimits.farewellMilliseconds)) { emptied.succeed() }
      return emptied.futureResult
    }.wait()
    try? loop.submit { core.value.dropAll() }.wait()
    door?.close()
    loopDescriptors.withLock { $0?.forget() }
    thread.stop()
    entry?.remove()
  }

  /// From now on SIGTERM stops the server first and then does what it did before.
  /// - Returns: false when the host handles or ignores the signal itself; nothing is changed then.
  public func endOnSIGTERM() -> Bool {
    let core = core
    let entry = entry
    return termination.begin(listeners: listeners) {
      core.value.dropAll()
      entry?.remove()
    }
  }

  // MARK: fork

  /// Parks the event loop where it holds no lock, so that a fork copies nothing half done.
  public func pauseForFork() {
    gate.close(on: thread)
  }

  /// Lets the event loop go on, in the parent.
  public func resumeAfterFork() { gate.open() }

  /// In a forked child: closes what it inherited and forgets the server, whose thread the child does not have.
  /// Nothing of it is freed, since that would ask the event loop that is not there.
  public func abandonInForkedChild() {
    process_hooks_close_descriptors_in_child()
    _ = unsafe Unmanaged.passRetained(self)
  }
}

/// Where a loop waits while the process forks.
private final class LoopGate: Sendable {
  private enum State { case open, requested, parked }
  private let monitor = Monitor(State.open)
  /// A loop that is not at the gate by then is busy with something that does not end; the fork goes on.
  private static let parkMilliseconds = 1000

  func close(on loop: EventLoopThread) {
    monitor.withLock { $0 = .requested }
    loop.execute { [monitor] in
      monitor.signal { if case .requested = $0 { $0 = .parked } }
      monitor.wait { state -> Void? in if case .open = state { () } else { nil } }
    }
    _ = monitor.wait(milliseconds: Self.parkMilliseconds) { state -> Void? in
      if case .parked = state { () } else { nil }
    }
  }

  func open() { monitor.signal { $0 = .open } }
}

/// A `RuntimeEntry` that several owners can refer to.
private final class RuntimeEntryBox: Sendable {
  private let entry: Mutex<RuntimeEntry?>
  let socketPath: String

  init(_ entry: consuming RuntimeEntry) {
    socketPath = entry.socketPath
    self.entry = Mutex(consume entry)
  }

  func openSocketToOwner() { entry.withLock { $0?.openSocketToOwner() } }

  func remove() { entry.withLock { $0 = nil } }
}
