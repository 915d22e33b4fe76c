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
  }

  private let descriptor: Int32
  private let identity: Identity?
  private let lostCount = Mutex(0)

  init(descriptor: Int32) {
    self.descriptor = descriptor
    identity = Self.identity(of: descriptor)
  }

  /// Writes a line, or counts it when the descriptor does not take it at once.
  func write(_ line: [UInt8]) {
    guard let identity, Self.identity(of: descriptor) == identity else { return }
    lostCount.withLock { lost in
      var whole = line
      if lost > 0 { whole += Array("replserve: lines of this log that were lost: \(lost)\n".utf8) }
      // A pipe that poll(2) calls writable takes PIPE_BUF bytes without waiting: pipe(7).
      var watched = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
      let isReady = unsafe poll(&watched, 1, 0) == 1 && watched.revents & Int16(POLLOUT) != 0
      guard isReady, whole.count <= Int(PIPE_BUF), unsafe Glibc.write(descriptor, whole, whole.count) > 0 else {
        lost += 1
        return
      }
      lost = 0
    }
  }

  private static func identity(of descriptor: Int32) -> Identity? {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { return nil }
    return Identity(device: status.st_dev, inode: status.st_ino)
  }
}
