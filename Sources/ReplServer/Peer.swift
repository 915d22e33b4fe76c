// The peer: who is at the other end of a connection, as far as the system tells.
internal import Glibc
internal import NIOCore

/// The other end of a connection that was just accepted.
struct Peer: Equatable, CustomStringConvertible {
  /// Which door it came in by.
  enum Door: String {
    case text
    case control
    case unix
  }

  /// Whose it is.
  enum Owner: Equatable {
    /// A user of this machine, by number.
    case user(UInt32)
    /// Somebody on this machine who has closed the connection already, so that nobody can tell who it was.
    case gone
    /// Somebody on this machine, and the kernel does not say who.
    case unknown
    /// Another machine.
    case elsewhere
  }

  /// A process of this machine.
  struct Process: Equatable {
    var pid: Int32
    /// What it is called; whoever owns it chose that.
    var name: String
  }

  var door: Door
  var owner: Owner
  var process: Process?
  /// Address and port; nil on a unix socket.
  var address: String?
  /// The kernel's number of its TCP socket; 0 when that is not known.
  var socketInode: UInt32 = 0

  /// The peer of a channel that was just accepted. On the channel's loop.
  static func of(_ channel: any Channel, at door: Door) -> Peer {
    door == .unix ? ofUnixSocket(channel) : ofTCP(channel, door)
  }

  /// unix(7): SO_PEERCRED says who called connect(2).
  private static func ofUnixSocket(_ channel: any Channel) -> Peer {
    let credentials = try? channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: CInt.self) { descriptor in
      // `struct ucred` is three words: the process, its user, its group.
      var words: [UInt32] = [0, 0, 0]
      var length = socklen_t(words.count * MemoryLayout<UInt32>.size)
      let status = unsafe getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &words, &length)
      return status == 0 && Int(length) == words.count * MemoryLayout<UInt32>.size ? words : nil
    }
    guard let words = credentials ?? nil, let pid = words.first, words.count == 3 else {
      return Peer(door: .unix, owner: .unknown)
    }
    // A process in another pid namespace has the number 0 here.
    let number = Int32(bitPattern: pid)
    let process = number > 0 ? Process(pid: number, name: ProcessTable.name(of: number)) : nil
    return Peer(door: .unix, owner: .user(words[1]), process: process)
  }

  /// The kernel is asked whose socket is at the other end; who has closed it by then stays unknown.
  private static func ofTCP(_ channel: any Channel, _ door: Door) -> Peer {
    let (local, remote) = (channel.localAddress, channel.remoteAddress)
    let address = remote.flatMap { remote in
      remote.ipAddress.map { host in
        let port = remote.port ?? 0
        return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
      }
    }
    var peer = Peer(door: door, owner: .unknown, address: address)
    let socket = PeerSocket.look(local: local, remote: remote, isAnywhere: true)
    let isLocal = local?.isOnlyHere ?? true
    switch socket {
    case .open(let user, let inode):
      // As long as our own socket is connected, no other can have had the same two addresses when we asked.
      guard isConnected(channel) else {
        peer.owner = .gone
        break
      }
      peer.owner = UserNamespace.isAmbiguous(user) ? .unknown : .user(user)
      peer.socketInode = inode
    case .gone: peer.owner = isLocal ? .gone : .elsewhere
    case .unknown: peer.owner = isLocal ? .unknown : .elsewhere
    }
    return peer
  }

  /// Whether the connection stands, though its peer may send no more: TCP_INFO of tcp(7).
  private static func isConnected(_ channel: any Channel) -> Bool {
    let state = try? channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: CInt.self) { descriptor in
      var state: UInt8 = 0
      var length = socklen_t(1)
      return unsafe getsockopt(descriptor, Int32(IPPROTO_TCP), TCP_INFO, &state, &length) == 0 ? state : nil
    }
    // TCP_ESTABLISHED and TCP_CLOSE_WAIT of netinet/tcp.h.
    return [1, 8].contains(state ?? nil)
  }

  var user: UInt32? { if case .user(let number) = owner { number } else { nil } }

  var description: String {
    if let address { return address }
    guard let user else { return "unknown" }
    guard let process else { return "uid \(user)" }
    return process.name.isEmpty
      ? "pid \(process.pid) uid \(user)" : "\(process.name) pid \(process.pid) uid \(user)"
  }
}
