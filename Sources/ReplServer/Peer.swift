// The peer: who is at the other end of a connection, as far as the system tells.
internal import Glibc
internal import NIOCore

/// The other end of a connection, as it is shown to other clients.
enum Peer: Equatable, CustomStringConvertible {
  /// A process of this machine, by its unix socket: unix(7), SO_PEERCRED.
  case process(pid: Int32, uid: UInt32, name: String)
  /// An address and a port.
  case address(String)
  case unknown

  /// The peer of a channel that was just accepted. On the channel's loop.
  static func of(_ channel: any Channel) -> Peer {
    if let remote = channel.remoteAddress, let host = remote.ipAddress, let port = remote.port {
      return .address(host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)")
    }
    let credentials = try? channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: CInt.self) { descriptor in
      // `struct ucred` is three words: the process, its user, its group.
      var words: [UInt32] = [0, 0, 0]
      var length = socklen_t(words.count * MemoryLayout<UInt32>.size)
      let status = unsafe getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &words, &length)
      return status == 0 ? words : nil
    }
    guard let words = credentials ?? nil, let pid = words.first, pid > 0 else { return .unknown }
    let process = Int32(bitPattern: pid)
    return .process(pid: process, uid: words[1], name: name(of: process))
  }

  var description: String {
    switch self {
    case .process(let pid, let uid, let name): name.isEmpty ? "pid \(pid) uid \(uid)" : "\(name) pid \(pid) uid \(uid)"
    case .address(let text): text
    case .unknown: "unknown"
    }
  }

  /// The name of a process, as proc(5) has it in /proc/PID/comm. Whoever owns the process chose it: what is not
  /// printable is left out.
  private static func name(of pid: Int32) -> String {
    let file = unsafe open("/proc/\(pid)/comm", O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return "" }
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: 64)
    let length = unsafe read(file, &bytes, bytes.count)
    guard length > 0 else { return "" }
    return String(decoding: bytes.prefix(length).filter { $0 > 0x20 && $0 < 0x7F }, as: UTF8.self)
  }
}
