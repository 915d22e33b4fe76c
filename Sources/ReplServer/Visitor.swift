// The visitor: whoever is at one connection, and what they have said of themselves.
internal import Shared

/// One for each connection. On the event loop.
final class Visitor: CustomStringConvertible {
  /// For whom a connection is relayed: what an ssh server knows of its client.
  struct SecureShell: Equatable {
    var user: String
    var address: String
    /// The fingerprint of the key that logged in.
    var key: String
  }

  /// Counts the connections of the server from 1: it tells them apart in the audit log.
  let number: Int
  let peer: Peer
  /// Why they connect, in their words.
  var reason: String?
  var secureShell: SecureShell?
  /// What they may ask for; nil stands for everything.
  var permitted: PermittedOperations?
  /// Whether Introduce was taken, which can be once.
  var isIntroduced = false

  init(number: Int, peer: Peer) {
    self.number = number
    self.peer = peer
  }

  /// As others are shown it.
  var description: String {
    guard let secureShell else { return peer.description }
    return "ssh \(secureShell.user)@\(secureShell.address) \(secureShell.key)"
  }
}

extension String {
  /// What a peer says of itself, as one line of at most `count` code points without white space at its ends.
  func introducedLine(upTo count: Int) -> String {
    let scalars = unicodeScalars.prefix(count).map { scalar -> UnicodeScalar in
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator, .spaceSeparator: " "
      default: scalar
      }
    }
    let text = scalars.drop { $0 == " " }
    let end = text.lastIndex { $0 != " " }.map { $0 + 1 } ?? text.startIndex
    return String(String.UnicodeScalarView(text[..<end]))
  }
}
