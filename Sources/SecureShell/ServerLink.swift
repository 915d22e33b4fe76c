// The server link: the socket between a supervisor and the server for which it runs sshd.

internal import Glibc
internal import ReplClient
internal import Shared

/// Takes one request, and then sends reports. A server that does not read them holds up nobody.
final class ServerLink {
  private let descriptor: Int32
  private var unsent: [UInt8] = []
  private var lostCount = 0

  /// The most bytes of reports that wait for the server; what comes then is counted, and lost.
  private static let capacity = 1 << 18

  /// - Parameter descriptor: a socket, which stays open.
  init(descriptor: Int32) {
    self.descriptor = descriptor
    let flags = fcntl(descriptor, F_GETFL)
    if flags >= 0 { _ = fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) }
  }

  var watched: Watched { Watched(descriptor, for: .reading) }

  /// Nil when nothing waits to be sent.
  var watchedForWriting: Watched? { unsent.isEmpty ? nil : Watched(descriptor, for: .writing) }

  /// The process at the other end.
  var peer: pid_t? {
    // `ucred` of unix(7): pid, uid, gid.
    var credentials: (pid: Int32, uid: UInt32, gid: UInt32) = (0, 0, 0)
    var length = socklen_t(MemoryLayout.size(ofValue: credentials))
    let status = unsafe withUnsafeMutableBytes(of: &credentials) {
      unsafe getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, $0.baseAddress, &length)
    }
    return status == 0 && credentials.pid > 0 ? credentials.pid : nil
  }

  /// - Returns: nil when the server is gone before it has said what it wants.
  func request(until deadline: Deadline) throws(ClientError) -> DoorRequest? {
    var line: [UInt8] = []
    while line.last != UInt8(ascii: "\n") {
      guard line.count <= DoorRequest.maximumLength, try !Watched.wait(for: [watched], until: deadline).isEmpty else {
        throw ClientError(.protocolError, "the server does not say what its door is to be like")
      }
      var buffer = [UInt8](repeating: 0, count: 4096)
      let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
      if count == 0 { return nil }
      if count > 0 { line += buffer.prefix(count) }
    }
    guard let request = DoorRequest(parsing: line) else {
      throw ClientError(
        .protocolError, "what the server says of its door is of another version; install repltools again")
    }
    return request
  }

  /// Whether the server has closed its end. It sends nothing more, so everything else is thrown away.
  func hasEnded() -> Bool {
    var buffer = [UInt8](repeating: 0, count: 256)
    let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
    return count == 0 || (count < 0 && errno != EINTR && errno != EAGAIN)
  }

  /// Sends a report, now or when the server takes it.
  func tell(_ report: DoorReport) {
    var lines: [UInt8] = []
    if lostCount > 0 { lines += DoorReport.log("\(lostCount) lines of sshd are lost").line }
    lines += report.line
    guard unsent.count + lines.count <= Self.capacity else {
      lostCount += 1
      return
    }
    lostCount = 0
    unsent += lines
    writeSome()
  }

  func writeSome() {
    while !unsent.isEmpty {
      let count = unsafe unsent.withUnsafeBytes {
        unsafe send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      if count > 0 {
        unsent.removeFirst(count)
      } else if errno == EAGAIN {
        return
      } else if errno != EINTR {
        unsent = []
      }
    }
  }

  /// Sends nothing more, and lets the server see that.
  func close() {
    unsent = []
    shutdown(descriptor, Int32(SHUT_RDWR))
  }

  /// Sends what is left.
  func flush(until deadline: Deadline) throws(ClientError) {
    while let watched = watchedForWriting, try !Watched.wait(for: [watched], until: deadline).isEmpty { writeSome() }
  }
}
