// Foreign protocols: first bytes that no client of ours sends, and a web page can.

/// Tells connections of web browsers and TLS clients from those that want a REPL.
///
/// A page that a developer visits can make the browser send a request to a loopback port, with a body the
/// page chose. Such a connection is dropped before a line of it is run.
enum ForeignProtocol {
  /// Longest first line that is looked at; a request line of HTTP is told by its two ends.
  private static let methods = [
    "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "PRI",
  ].map { Array("\($0) ".utf8) }
  private static let version = Array(" HTTP/".utf8)

  /// - Parameter line: the first line of a connection, whole.
  static func isHTTP(firstLine line: [UInt8]) -> Bool {
    guard let method = methods.first(where: { line.starts(with: $0) }) else { return false }
    let rest = line.dropFirst(method.count)
    return rest.indices.contains { rest[$0...].starts(with: version) }
  }

  /// - Parameter bytes: the first bytes of a connection, as many as have come.
  static func isTLS(firstBytes bytes: some Collection<UInt8>) -> Bool {
    // A record of type handshake (22), version 3.x: RFC 8446, section 5.1.
    bytes.starts(with: [0x16, 0x03])
  }
}
