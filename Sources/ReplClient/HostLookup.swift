// The host lookup: the numeric addresses of a host.

internal import Shared

/// Finds the addresses of a host. The tools are linked statically and so cannot ask the C library, whose resolver is
/// made of shared objects: getent(1) asks in their place.
enum HostLookup {
  /// - Parameter host: a numeric address or a name.
  /// - Returns: at least one address, in the order in which to try them.
  static func addresses(
    of host: String, port: UInt16, until deadline: Deadline
  ) throws(ClientError) -> [SocketAddress] {
    if let address = SocketAddress(numeric: host, port: port) { return [address] }
    if host == "localhost" {
      return ["127.0.0.1", "::1"].compactMap { SocketAddress(numeric: $0, port: port) }
    }
    let answer = try ChildOutput.read(
      ["getent", "ahosts", "--", host], maximumLength: maximumAnswerLength, until: deadline)
    let found = parse(answer?.output ?? [], port: port)
    guard !found.isEmpty else {
      throw ClientError(.noServer, "the host '\(host)' is not known; give its address in numbers, or check the name")
    }
    return found
  }

  private static let maximumAnswerLength = 1 << 16
  private static let maximumAddressCount = 16

  /// Takes the first word of each line; the lines repeat an address for every type of socket.
  static func parse(_ output: [UInt8], port: UInt16) -> [SocketAddress] {
    var found: [SocketAddress] = []
    for line in output.split(separator: UInt8(ascii: "\n")) {
      let word = String(decoding: line.prefix { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") }, as: UTF8.self)
      guard let address = SocketAddress(numeric: word, port: port), !found.contains(address) else { continue }
      found.append(address)
      if found.count == maximumAddressCount { break }
    }
    return found
  }
}
