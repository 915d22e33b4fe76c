// The log on standard error: one readable line for each event, which never makes the host or the server wait.
internal import Glibc
internal import Logging
internal import Synchronization

/// A log handler that writes to the host's standard error.
///
/// The descriptor is the host's, and so the line is written only when it takes it at once, and only while it is what
/// it was when the server started: a daemon may have closed it since, and its number be that of a database's file.
struct StandardErrorLog: LogHandler {
  var logLevel: Logger.Level
  var metadata: Logger.Metadata = [:]
  private let standardError: StandardError

  init(level: Logger.Level, descriptor: Int32 = STDERR_FILENO) {
    logLevel = level
    standardError = StandardError(descriptor: descriptor)
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    standardError.write(Self.line(level: event.level.rawValue, "\(event.message)"))
  }

  /// Says something whatever the level of the log is.
  func say(_ level: Logger.Level, _ message: String) {
    standardError.write(Self.line(level: level.rawValue, message))
  }

  /// - Parameter message: it may quote a peer; what a terminal could obey is replaced.
  static func line(level: String, _ message: String) -> [UInt8] {
    let printable = String(
      String.UnicodeScalarView(
        message.unicodeScalars.prefix(ServerLimits.logLineCharacters).map { scalar in
          switch scalar.properties.generalCategory {
          case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: "?"
          default: scalar
          }
        }))
    return Array("replserve: \(Timestamp.now.text) \(level): \(printable)\n".utf8)
  }
}

/// The file that was standard error when this was made.
private final class StandardError: Sendable {
  private struct Identity: Equatable {
    var device: UInt
    var inode: UInt
    var type: mode_t
  }

  private struct State {
    /// Lines that were not taken, and not told of yet.
    var lost = 0
    /// Whether only the beginning of the last line was taken.
    var isCut = false
  }

  private let descriptor: Int32
  private let identity: Identity?
  private let state = Mutex(State())

  init(descriptor: Int32) {
    self.descriptor = descriptor
    identity = Self.identity(of: descriptor)
  }

  /// Writes a line, or counts it when it is not taken at once.
  func write(_ line: [UInt8]) {
    guard let identity, Self.identity(of: descriptor) == identity else { return }
    state.withLock { state in
      var whole = state.isCut ? [UInt8(ascii: "\n")] + line : line
      let told = Array("replserve: lines of this log that were lost: \(state.lost)\n".utf8)
      // A pipe takes so much as a whole, or nothing: pipe(7).
      let tells = state.lost > 0 && whole.count + told.count <= Int(PIPE_BUF)
      if tells { whole += told }
      let count = send(whole, to: identity)
      guard count > 0 else {
        state.lost += 1
        return
      }
      if tells { state.lost = 0 }
      state.isCut = count < whole.count
    }
  }

  /// Writes what is taken without waiting. The descriptor is the host's, and blocks; it has to stay so, for all who share it.
  /// - Returns: how many bytes were taken; 0 or less for none.
  private func send(_ bytes: [UInt8], to identity: Identity) -> Int {
    switch identity.type {
    case S_IFREG: return unsafe Glibc.write(descriptor, bytes, bytes.count)
    case S_IFSOCK:
      return unsafe Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL))
    default:
      // A pipe or a terminal can be opened once more, as proc(5) says, and does not block then.
      let own = unsafe open("/proc/self/fd/\(descriptor)", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
      guard own >= 0 else { return sendIfReady(bytes) }
      defer { close(own) }
      return Self.identity(of: own) == identity ? unsafe Glibc.write(own, bytes, bytes.count) : 0
    }
  }

  /// As good as it can be done where the file may not be opened again: another writer may be faster, and a terminal take
  /// less than it said.
  private func sendIfReady(_ bytes: [UInt8]) -> Int {
    var watched = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    let isReady = unsafe poll(&watched, 1, 0) == 1 && watched.revents & Int16(POLLOUT) != 0
    return isReady ? unsafe Glibc.write(descriptor, bytes, bytes.count) : 0
  }

  private static func identity(of descriptor: Int32) -> Identity? {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { return nil }
    return Identity(device: status.st_dev, inode: status.st_ino, type: status.st_mode & S_IFMT)
  }
}
