// The access rule: who may connect, as values.
internal import Glibc

/// Which users a server is for.
public struct AccessRule: Equatable, Sendable {
  /// Users beside that of the process itself, by number.
  public var allowedUsers: Set<UInt32>
  /// Whether addresses that other machines can reach may be listened on; whoever is there gets in.
  public var isOpenToNetwork: Bool

  public init(allowedUsers: Set<UInt32> = [], isOpenToNetwork: Bool = false) {
    self.allowedUsers = allowedUsers
    self.isOpenToNetwork = isOpenToNetwork
  }

  /// Whether a peer may come in.
  /// - Parameter ownUser: that of the process as it is now: a service may have given up its first one.
  /// - Returns: why not; nil when it may.
  func refusal(of owner: Peer.Owner, ownUser: UInt32 = geteuid()) -> Refusal? {
    switch owner {
    case .user(let user): user == ownUser || allowedUsers.contains(user) ? nil : .user
    case .elsewhere: isOpenToNetwork ? nil : .user
    case .unknown: .unidentified
    case .gone: .gone
    }
  }
}

/// Why a connection was not let in, or was dropped before anything was done for it.
enum Refusal: String, CaseIterable, Error {
  /// It is another user's.
  case user
  /// The kernel does not say whose it is.
  case unidentified
  /// It was closed before it could be said whose it is.
  case gone
  /// It speaks another protocol, such as HTTP.
  case foreign
  /// There are too many connections, or no descriptors for one more.
  case full
  /// It sent nothing in time.
  case silent

  /// For the peer: one line.
  var reason: String {
    switch self {
    case .user: "not permitted: this server is for other users"
    case .unidentified: "not permitted: the system does not say whose connection this is; use the unix socket"
    case .gone: "not permitted: the connection was closed before it was known whose it is"
    case .foreign: "this is no server for that protocol"
    case .full: "there are too many connections; try again later"
    case .silent: "nothing was sent in time"
    }
  }
}
