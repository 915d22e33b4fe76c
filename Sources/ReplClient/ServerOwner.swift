// The server's owner: whose server it is at the other end of a TCP connection, before anything is sent to it.

internal import Shared

/// What the kernel tells of the server's end of a connection.
enum ServerOwner: Equatable {
  /// It is on this machine, and a process of that user has it or is about to.
  case user(UInt32)
  /// It is on another machine.
  case elsewhere
  /// It is on this machine, and was closed.
  case closed
  /// It is on this machine, and that is all that is known.
  case untold

  /// - Parameters:
  ///   - own: our end of the connection.
  ///   - server: the other one.
  ///   - ask: what the kernel says to a question.
  static func find(
    own: SocketDiagnosis.Address, server: SocketDiagnosis.Address, ask: (SocketDiagnosis) -> SocketDiagnosis.Answer
  ) -> ServerOwner {
    // A machine reaches an address of its own from that same address. The kernel may then say that there is no such
    // socket: a listener that is bound to another interface than loopback is not found.
    let isHere = server.isLoopback || server.host == own.host
    guard let connection = SocketDiagnosis(connectionFrom: server, to: own) else { return .untold }
    switch ask(connection) {
    case .open(let user, _): return .user(user)
    case .gone, .unknown: return isHere ? .untold : .elsewhere
    case .unheld: break
    }
    // Nobody has accepted the connection: until somebody does, it belongs to the socket that listens. That question
    // takes a moment, in which a stranger's listener can accept the connection, close, and make room for one of ours.
    // So the connection is asked about again. If it is accepted by now, whoever has it decides. If it is not, the
    // listener was there all the time: closing one resets what it has not accepted.
    let listener = ask(SocketDiagnosis(listenerAt: server))
    switch ask(connection) {
    case .open(let user, _): return .user(user)
    case .unheld:
      switch listener {
      case .open(let user, _): return .user(user)
      case .gone: return .closed
      case .unheld, .unknown: return .untold
      }
    case .gone: return .closed
    case .unknown: return .untold
    }
  }
}
