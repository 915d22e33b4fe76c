// The trust: whose servers a tool talks to.

internal import Glibc

/// The users whose servers are good enough to be sent something: whoever runs the tool, and those it was told.
public struct Trust: Equatable, Sendable {
  private let others: Set<UInt32>

  /// - Parameter others: by number.
  public init(also others: Set<UInt32> = []) { self.others = others }

  /// - Parameters:
  ///   - users: numbers or names, as `--trust-user` has them.
  ///   - deadline: until when a name may be looked up.
  /// - Throws: `ClientError`, `.usage` for a user that there is not.
  public init(also users: [String], until deadline: Deadline) throws(ClientError) {
    var others: Set<UInt32> = []
    for user in users { others.insert(try UserLookup.number(of: user, until: deadline)) }
    self.others = others
  }

  /// The user who runs the tool. It is the real one everywhere: these tools are not made to be set-user-ID.
  static var ownUser: UInt32 { getuid() }

  func includes(_ user: UInt32) -> Bool { user == Self.ownUser || others.contains(user) }

  /// All of them, and root, who can do anything anyway.
  var usersOfDirectories: Set<UInt32> { others.union([Self.ownUser, 0]) }
}
