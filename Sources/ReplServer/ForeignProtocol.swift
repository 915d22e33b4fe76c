// Foreign protocols: first bytes that no client of ours sends, and a web page can.
internal import Shared

/// Tells connections of web browsers and TLS clients from those that want a REPL.
///
/// A page that a developer visits can make the browser send a request to a loopback port, with a body the
/// page chose. Such a connection is dropped before a line of it is run.
enum ForeignProtocol {
  /// Methods of RFC 9110 and RFC 9113, of which HTTP/0.9 had the first, without a version behind the target.
  private static let methods = [
    "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "PRI",
  ].map { Array("\($0) ".utf8) }
  private static let version = Array(" HTTP/".utf8)
  private static let targetStarts = ["/", "http:", "https:"].map { Array($0.utf8) }

  /// - Parameter line: the first line of a connection, whole.
  static func isHTTP(firstLine line: [UInt8]) -> Bool {
    if let method = methods.first(where: { line.starts(with: $0) }) {
      let rest = line.dropFirst(method.count)
      let isUnversioned = method == methods.first && targetStarts.contains { rest.starts(with: $0) }
      if isUnversioned || rest.contains(version) { return true }
    }
    return isRequestLine(line)
  }

  /// RFC 9112, section 3: `METHOD SP TARGET SP HTTP/DIGIT...`, where any token can be a method, and a page may make one up.
  /// The name of the protocol is told in any case, as lenient clients write it.
  private static func isRequestLine(_ line: [UInt8]) -> Bool {
    let parts = line.split(separator: UInt8(ascii: " "), maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 3, !parts[0].isEmpty, parts[0].allSatisfy(isToken), !parts[1].isEmpty else { return false }
    let end = parts[2]
    return end.starts(with: version.dropFirst()) { $0 & caseMask == $1 & caseMask }
      && end.dropFirst(version.count - 1).first.map { (0x30...0x39).contains($0) } ?? false
  }

  /// What is left of an ASCII letter when its case is taken away.
  private static let caseMask: UInt8 = 0xDF

  /// RFC 9110, section 5.6.2.
  private static func isToken(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
    default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }
  }

  /// Whether a connection to the text door cannot be text of anybody who types or pastes.
  /// - Parameter bytes: the first bytes, at least one.
  static func isBinary(firstBytes bytes: some Collection<UInt8>) -> Bool {
    switch bytes.first ?? UInt8(ascii: " ") {
    // A record of type handshake of TLS: RFC 8446, section 5.1. A STUN message, or in ICE its length, which a page can
    // have sent to any address: RFC 4571; the two user names in it, which the page chooses, have up to 256 bytes each. A
    // hello of SSL 2; no UTF-8 begins so.
    case 0x16, 0x00...0x02, 0x80...0xBF: true
    default: false
    }
  }

  /// Whether a connection to a control door is not one of ours, all of which begin with a sync byte. Behind bytes of
  /// another protocol may come frames that whoever made a web page has put there.
  /// - Parameter bytes: the first bytes, at least one.
  static func isNoFrame(firstBytes bytes: some Collection<UInt8>) -> Bool {
    bytes.first.map { $0 != Frame.syncByte } ?? false
  }
}
