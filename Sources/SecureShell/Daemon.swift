// The daemon: a running sshd, and what it says.

internal import CSupervision
internal import Glibc
internal import ReplClient
internal import Shared
internal import SystemPackage

/// An sshd that stays in the foreground and writes to its standard error.
final class Daemon {
  let listens: ListenAddresses
  private let child: pid_t
  private let errors: OwnedDescriptor
  private var line: [UInt8] = []
  private var isTooLong = false
  /// Set when it has closed its standard error.
  private var isSilent = false
  private var listeningCount = 0
  private(set) var hasEnded = false
  /// The last line that it wrote.
  private(set) var lastWord = "it has said nothing"

  /// The most bytes of a line of it that are kept.
  private static let maximumLineLength = 4096
  /// What it says of each address.
  private static let listeningMark = "Server listening on "

  /// - Parameters:
  ///   - program: an absolute path, as sshd itself wants it.
  ///   - configuration: the path of its file.
  init(_ program: String, configuration: String, listens: ListenAddresses) throws(ClientError) {
    var ends: [Int32] = [-1, -1]
    guard unsafe pipe(&ends) == 0, let read = ends.first, let write = ends.last else {
      throw ClientError(.noServer, "cannot make a pipe: \(FileContent.lastError)")
    }
    for number in ends { _ = fcntl(number, F_SETFD, FD_CLOEXEC) }
    _ = fcntl(read, F_SETFL, O_NONBLOCK)
    errors = OwnedDescriptor(adopting: read)
    let writer = OwnedDescriptor(adopting: write)
    self.listens = listens
    let words = [try SecureShellDoor.ownPath().string, "daemon", "\(getpid())"]
    let spawn = Spawn(words: words + [program, "-D", "-e", "-f", configuration], errors: writer.number)
    guard let child = spawn.run() else {
      throw ClientError(.noServer, "cannot run \(program): \(FileContent.lastError)")
    }
    self.child = child
  }

  /// Whether it listens on every one of its addresses.
  var isListening: Bool { listeningCount >= listens.addresses.count }

  var watched: Watched? { hasEnded || isSilent ? nil : Watched(errors.number, for: .reading) }

  /// Takes what it has said, and its end.
  ///
  /// - Parameter ready: what is ready now.
  func lines(_ ready: [Watched]) -> [String] {
    var lines: [String] = []
    if let watched, ready.contains(watched) { lines = read() }
    if !hasEnded, waitpid(child, nil, WNOHANG) == child {
      hasEnded = true
      lines += read()
    }
    return lines
  }

  private func read() -> [String] {
    var lines: [String] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 14)
    let count = unsafe buffer.withUnsafeMutableBytes { unsafe Glibc.read(errors.number, $0.baseAddress, $0.count) }
    if count == 0 { isSilent = true }
    for byte in buffer.prefix(max(0, count)) {
      if byte == UInt8(ascii: "\n") {
        lines.append(take())
      } else if line.count < Self.maximumLineLength {
        line.append(byte)
      } else {
        isTooLong = true
      }
    }
    return lines.filter { !$0.isEmpty }
  }

  private func take() -> String {
    let text = String(decoding: line.last == 13 ? line.dropLast() : line[...], as: UTF8.self).printableLine
    line = []
    defer { isTooLong = false }
    if text.hasPrefix(Self.listeningMark) { listeningCount += 1 }
    if !text.isEmpty { lastWord = text }
    return isTooLong ? text + " ..." : text
  }

  /// Ends it, unless it has. Its connections live on.
  func end(until deadline: Deadline) {
    guard !hasEnded else { return }
    hasEnded = true
    let number = supervision_process_descriptor(child)
    kill(child, SIGTERM)
    // One that is stopped would not hear of it.
    kill(child, SIGCONT)
    if number >= 0 {
      let process = OwnedDescriptor(adopting: number)
      let ready = try? Watched.wait(for: [Watched(process.number, for: .reading)], until: deadline)
      if ready?.isEmpty ?? true { kill(child, SIGKILL) }
    }
    while waitpid(child, nil, 0) < 0, errno == EINTR {}
  }
}
