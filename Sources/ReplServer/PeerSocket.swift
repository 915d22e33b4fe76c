// The peer's socket, as the kernel of this machine knows it: netlink(7), sock_diag(7).
internal import Glibc
internal import NIOCore
internal import Shared

/// Asks the kernel about the other end of a TCP connection whose both ends are on this machine.
///
/// A FIN says only that the peer sends no more: it may have half-closed the connection and wait for its
/// answers, or it may be gone. Only the kernel can tell the two apart before something is written.
enum PeerSocket: Equatable {
  /// A process of that user holds it; the inode tells it from every other socket of this machine.
  case open(uid: UInt32, inode: UInt32)
  /// It was closed by its process, or its process has ended.
  case gone
  /// The peer is not on this machine, or the kernel did not say.
  case unknown

  /// - Parameters:
  ///   - local: our end of the connection.
  ///   - remote: the peer's end.
  ///   - isAnywhere: whether to ask also for an address that other machines can have, for which `gone` then stands, too.
  static func look(local: SocketAddress?, remote: SocketAddress?, isAnywhere: Bool = false) -> PeerSocket {
    guard let local = address(of: local), let remote = address(of: remote), remote.isLoopback || isAnywhere,
      let question = SocketDiagnosis(connectionFrom: remote, to: local)
    else { return .unknown }
    switch ask(question) {
    case .open(let uid, let inode): return .open(uid: uid, inode: inode)
    // The peer has made the connection, so it has had its socket: it is no longer there.
    case .unheld, .gone: return .gone
    case .unknown: return .unknown
    }
  }

  private static func address(of address: SocketAddress?) -> SocketDiagnosis.Address? {
    guard let port = address?.port.flatMap(UInt16.init(exactly:)), let host = address?.hostBytes else { return nil }
    return SocketDiagnosis.Address(host: host, port: port)
  }

  private static func ask(_ question: SocketDiagnosis) -> SocketDiagnosis.Answer {
    let descriptor = socket(
      AF_NETLINK, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), SocketDiagnosis.netlinkProtocol)
    guard descriptor >= 0 else { return .unknown }
    defer { close(descriptor) }
    let request = question.request
    guard unsafe send(descriptor, request, request.count, 0) == request.count else { return .unknown }
    var reply = [UInt8](repeating: 0, count: SocketDiagnosis.maximumReplyLength)
    // The kernel has answered by the time that it has taken the question.
    let length = unsafe recv(descriptor, &reply, reply.count, Int32(MSG_DONTWAIT))
    guard length > 0 else { return .unknown }
    return question.answer(Array(reply.prefix(length)))
  }
}
