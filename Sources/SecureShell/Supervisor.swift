// The supervisor: one sshd, for as long as one process lives.

internal import CSupervision
internal import Glibc
internal import ReplClient
internal import Shared
internal import SystemPackage

/// Runs the sshd of a server, and ends it with the server.
///
/// It waits for four things at once and does nothing otherwise: the socket to the server, which closes when it stops its
/// door; the process of the server, since a child that it has forked behind everybody's back may hold that socket open;
/// what sshd says; and signals.
final class Supervisor {
  private let server = ServerLink(descriptor: STDIN_FILENO)
  /// The process of the server; nil where the kernel has no such descriptors. It stays open.
  private let watchedProcess: Watched?
  private let signals: SignalWatch
  /// Set when a signal has told this process to end.
  private var isTold = false

  /// How long the server may take to say what it wants, in seconds.
  private static let requestPatience = 10.0
  /// How long sshd may take to listen.
  private static let startPatience = 10.0
  /// How long the sessions may take to end by themselves once their server is gone, and then once they are told.
  private static let farewell = 2.0
  /// How often another free port is tried when somebody takes the one that was found.
  private static let startAttempts = 5

  /// Does all of it.
  static func hold() throws(ClientError) {
    guard unsafe chdir("/") == 0 else { throw ClientError(.failed, "cannot change to /") }
    supervision_adopt_orphans()
    try Supervisor().run()
  }

  private init() throws(ClientError) {
    let number = server.peer.map { supervision_process_descriptor($0) } ?? -1
    watchedProcess = number >= 0 ? Watched(number, for: .reading) : nil
    signals = try SignalWatch([SIGCHLD, SIGTERM, SIGINT, SIGHUP])
  }

  private func run() throws(ClientError) {
    guard let request = try server.request(until: .after(Self.requestPatience)) else { return }
    do throws(ClientError) {
      let door = try DoorPreparation(request)
      defer { door.remove() }
      try serve(door)
    } catch {
      server.tell(.failed(error.code == .notPermitted ? .notPermitted : .unavailable, error.message))
      try server.flush(until: .after(Self.farewell))
    }
  }

  private func serve(_ door: DoorPreparation) throws(ClientError) {
    for attempt in 1... {
      let listens = try ListenAddresses.find(door.request.address, port: door.request.port)
      let daemon = try Daemon(door.sshd, configuration: door.write(listens), listens: listens)
      guard let reason = try start(daemon, door) else { return try watch(daemon, door) }
      daemon.end(until: .after(Self.farewell))
      // Somebody was faster, or the port has been taken from the start.
      let isTaken = (try? ListenAddresses.find(door.request.address, port: listens.port)) == nil
      guard door.request.port == 0, isTaken, attempt < Self.startAttempts else {
        throw ClientError(.noServer, "sshd does not start: \(reason)")
      }
    }
  }

  /// - Returns: why sshd does not listen; nil when it does, or nobody needs it any more.
  private func start(_ daemon: Daemon, _ door: DoorPreparation) throws(ClientError) -> String? {
    let deadline = Deadline.after(Self.startPatience)
    while !daemon.isListening {
      guard let ready = try wait(daemon, until: deadline) else { return "it took too long" }
      guard !isOver(ready) else { return nil }
      for line in daemon.lines(ready) { server.tell(.log(line)) }
      if daemon.hasEnded { return daemon.lastWord }
    }
    server.tell(
      .ready(
        address: daemon.listens.addresses.first ?? "", port: daemon.listens.port, fingerprint: door.fingerprint))
    if try door.keys.keyCount() == 0 {
      server.tell(.log("there is no key in \(door.keys.path) yet: nobody can log in", isWarning: true))
    }
    return nil
  }

  /// Serves until the server is gone or sshd has ended.
  private func watch(_ daemon: Daemon, _ door: DoorPreparation) throws(ClientError) {
    while true {
      guard let ready = try wait(daemon, until: .never), !isOver(ready) else { break }
      for line in daemon.lines(ready) { server.tell(.log(line)) }
      if daemon.hasEnded {
        server.tell(.log("sshd has ended: \(daemon.lastWord)", isWarning: true))
        break
      }
    }
    daemon.end(until: .after(Self.farewell))
    door.remove()
    try server.flush(until: .after(Self.farewell))
    // Whoever waits for the port can have it.
    server.close()
    // What is left are its connections; they end with their sessions, which see that their server is gone.
    try Orphans.end(signals, within: Self.farewell)
  }

  /// - Returns: what is ready; nil when the deadline has passed.
  private func wait(_ daemon: Daemon, until deadline: Deadline) throws(ClientError) -> [Watched]? {
    let own = [server.watched, watchedProcess, signals.watched, daemon.watched, server.watchedForWriting]
    let ready = try Watched.wait(for: own.compactMap { $0 }, until: deadline)
    if ready.contains(where: { $0 == server.watchedForWriting }) { server.writeSome() }
    return ready.isEmpty ? nil : ready
  }

  /// Whether there is nobody any more to serve for.
  private func isOver(_ ready: [Watched]) -> Bool {
    if let watched = watchedProcess, ready.contains(watched) { return true }
    if ready.contains(server.watched), server.hasEnded() { return true }
    while let number = signals.nextNumber() { if number != SIGCHLD { isTold = true } }
    return isTold
  }
}

/// The connections that sshd leaves behind.
enum Orphans {
  /// Waits for the children of this process to end, and tells those to end that do not.
  static func end(_ signals: borrowing SignalWatch, within seconds: Double) throws(ClientError) {
    for told in [false, true] {
      let deadline = Deadline.after(seconds)
      while true {
        var status: Int32 = 0
        let ended = unsafe waitpid(-1, &status, WNOHANG)
        if ended < 0, errno == ECHILD { return }
        if ended > 0 { continue }
        guard try !Watched.wait(for: [signals.watched], until: deadline).isEmpty else { break }
        while signals.nextNumber() != nil {}
      }
      if !told { for child in children() { kill(child, SIGTERM) } }
    }
  }

  private static func children() -> [pid_t] {
    let bytes = FileContent.read("/proc/self/task/\(getpid())/children", maximumLength: 1 << 20) ?? []
    return String(decoding: bytes, as: UTF8.self).split(separator: " ").compactMap { pid_t($0) }
  }
}
