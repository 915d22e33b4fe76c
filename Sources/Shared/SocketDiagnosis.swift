// The socket diagnosis: what the kernel is asked about a TCP socket of this machine, and what it answers, as
// netlink(7) and sock_diag(7) have it. Whoever asks does the sending.

/// A question about one TCP socket: which user's process holds it.
public struct SocketDiagnosis: Equatable, Sendable {
  /// An end of a connection.
  public struct Address: Hashable, Sendable {
    /// In network order: 4 bytes, or 16 of an IPv6 address that stands for no IPv4 one.
    public let host: [UInt8]
    public let port: UInt16

    /// - Parameters:
    ///   - host: 4 or 16 bytes in network order; nil for another number of them. `::ffff:a.b.c.d` counts as `a.b.c.d`:
    ///     the two ends of one connection may differ in how they write it.
    ///   - port: 0 for none.
    public init?(host: [UInt8], port: UInt16) {
      guard host.count == 4 || host.count == 16 else { return nil }
      self.host = host.count == 16 && host.starts(with: Self.mappedPrefix) ? Array(host.suffix(4)) : host
      self.port = port
    }

    private static let mappedPrefix = [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF]

    /// Whether only this machine can reach it: 127.0.0.0/8, also when it is written in IPv6, or ::1.
    public var isLoopback: Bool {
      host.count == 4 ? host.first == 127 : host.dropLast().allSatisfy { $0 == 0 } && host.last == 1
    }

    /// Whether it stands for every address.
    fileprivate var isAny: Bool { host.allSatisfy { $0 == 0 } }
  }

  public enum Answer: Equatable, Sendable {
    /// A process of that user holds it. The inode tells one socket from another: socket:[inode] of proc(5).
    case open(uid: UInt32, inode: UInt32)
    /// It is there, but in no process: nobody has accepted it yet, or whoever had it has closed it.
    case unheld
    /// This machine has no such socket.
    case gone
    /// The kernel did not say.
    case unknown
  }

  private let local: Address
  /// The other end; nil for a listener, which has none.
  private let remote: Address?
  private let sequence: UInt32

  /// Asks for a socket that is connected.
  ///
  /// - Parameters:
  ///   - local: its own end.
  ///   - remote: the other one. Nil when there can be no connection between the two.
  public init?(connectionFrom local: Address, to remote: Address, sequence: UInt32 = 1) {
    guard local.host.count == remote.host.count else { return nil }
    self.local = local
    self.remote = remote
    self.sequence = sequence
  }

  /// Asks for the socket that takes the connections to an address. It may listen on every address.
  public init(listenerAt local: Address, sequence: UInt32 = 1) {
    self.local = local
    remote = nil
    self.sequence = sequence
  }

  // MARK: the request

  /// A `nlmsghdr` and an `inet_diag_req_v2`, for one message to a socket of `netlinkProtocol`.
  public var request: [UInt8] {
    var bytes: [UInt8] = []
    bytes += Self.native(UInt32(Self.requestLength)) + Self.native(Self.diagnosticsByFamily)
    bytes += Self.native(Self.requestFlag) + Self.native(sequence) + Self.native(UInt32(0))
    bytes += [local.host.count == 4 ? Self.internet : Self.internet6, Self.transmissionControl, 0, 0]
    // In whatever state it is.
    bytes += Self.native(UInt32.max)
    bytes += Self.digits(local.port) + Self.digits(remote?.port ?? 0)
    for host in [local.host, remote?.host ?? []] { bytes += host + [UInt8](repeating: 0, count: 16 - host.count) }
    // A socket that any user has bound to the loopback interface is found only by who names it; one that is bound to
    // none is found so, too.
    bytes += Self.native(Self.loopbackInterface)
    // No cookie of an earlier answer.
    bytes += Self.native(UInt32.max) + Self.native(UInt32.max)
    return bytes
  }

  // Numbers of linux/netlink.h, linux/sock_diag.h, linux/inet_diag.h, and net/net_namespace.h.
  /// The third argument of socket(2), with AF_NETLINK.
  public static let netlinkProtocol: Int32 = 4
  /// More than a reply to one question has.
  public static let maximumReplyLength = 4096
  private static let messageError: UInt16 = 2
  private static let diagnosticsByFamily: UInt16 = 20
  private static let requestFlag: UInt16 = 1
  private static let loopbackInterface: UInt32 = 1
  private static let internet: UInt8 = 2
  private static let internet6: UInt8 = 10
  private static let transmissionControl: UInt8 = 6
  private static let headerLength = 16
  private static let requestLength = 72
  /// The header, then `inet_diag_msg`.
  private static let replyLength = headerLength + 72
  private static let noEntry: Int32 = 2
  private static let listening: UInt8 = 10

  // MARK: the reply

  /// - Parameter reply: what the kernel sent. It counts only when it answers this question: without a connection the
  ///   kernel gives the listener on its port, whoever's that is.
  public func answer(_ reply: [UInt8]) -> Answer {
    guard let length = Self.word32(reply, at: 0), length >= UInt32(Self.headerLength), length <= UInt32(reply.count),
      let kind = Self.word16(reply, at: 4), Self.word32(reply, at: 8) == sequence
    else { return .unknown }
    if kind == Self.messageError {
      guard length >= UInt32(Self.headerLength + 4), let code = Self.word32(reply, at: Self.headerLength) else {
        return .unknown
      }
      return Int32(bitPattern: code) == -Self.noEntry ? .gone : .unknown
    }
    guard kind == Self.diagnosticsByFamily, length >= UInt32(Self.replyLength) else { return .unknown }
    let body = reply.dropFirst(Self.headerLength).prefix(Self.replyLength - Self.headerLength)
    return answer(body: Array(body))
  }

  /// - Parameter body: an `inet_diag_msg`: family, state, timer, retransmissions, the two ports, the two addresses of
  ///   16 bytes each, interface, cookie, then five words, of which the last are the user and the inode.
  private func answer(body: [UInt8]) -> Answer {
    guard let family = body.first, family == Self.internet || family == Self.internet6, body.count >= 72,
      let own = Self.address(body, family: family, hostAt: 8, portAt: 4),
      let other = Self.address(body, family: family, hostAt: 24, portAt: 6),
      let uid = Self.word32(body, at: 64), let inode = Self.word32(body, at: 68)
    else { return .unknown }
    let isListening = body[1] == Self.listening
    guard let remote else {
      // One that listens on every IPv6 address takes connections to IPv4 ones, too.
      guard isListening, own.port == local.port, own.host == local.host || own.isAny, other.port == 0, other.isAny
      else { return .gone }
      return inode == 0 ? .unheld : .open(uid: uid, inode: inode)
    }
    guard !isListening, own == local, other == remote else { return .gone }
    return inode == 0 ? .unheld : .open(uid: uid, inode: inode)
  }

  private static func address(_ body: [UInt8], family: UInt8, hostAt start: Int, portAt: Int) -> Address? {
    let length = family == internet ? 4 : 16
    guard start + length <= body.count, portAt + 2 <= body.count else { return nil }
    return Address(
      host: Array(body[start..<start + length]), port: UInt16(body[portAt]) << 8 | UInt16(body[portAt + 1]))
  }

  // MARK: words

  /// The bytes of a number, the most significant first.
  private static func digits(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 0xFF)] }

  /// The bytes of a number in the order of this machine.
  private static func native(_ value: UInt16) -> [UInt8] { digits(value.bigEndian) }

  private static func native(_ value: UInt32) -> [UInt8] {
    let ordered = value.bigEndian
    return digits(UInt16(ordered >> 16)) + digits(UInt16(ordered & 0xFFFF))
  }

  private static func word16(_ bytes: [UInt8], at offset: Int) -> UInt16? {
    guard offset + 2 <= bytes.count else { return nil }
    return UInt16(bigEndian: UInt16(bytes[offset]) << 8 | UInt16(bytes[offset + 1]))
  }

  private static func word32(_ bytes: [UInt8], at offset: Int) -> UInt32? {
    guard offset + 4 <= bytes.count else { return nil }
    return UInt32(bigEndian: bytes[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) })
  }
}
