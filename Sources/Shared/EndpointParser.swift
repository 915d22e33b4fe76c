// The endpoint parser: one text in, an endpoint or one clear line out.

/// Parses one endpoint. What it accepts as a host, a user or a name never starts with '-' and never
/// holds a slash, because the first two become arguments of ssh and the last a file name.
struct EndpointParser {
  private let text: String

  init(_ text: String) { self.text = text }

  func parse() throws(EndpointError) -> Endpoint {
    guard !text.isEmpty else {
      throw fault(.empty, "write HOST[:PORT[:CONTROL]], PORT, unix:PATH, pid:N, name:NAME or ssh://HOST")
    }
    if let rest = after("unix:") { return try .unix(path: path(rest)) }
    if let rest = after("pid:") { return try .pid(process(rest)) }
    if let rest = after("name:") { return try .name(name(rest)) }
    if let rest = after("ssh://") { return try ssh(rest) }
    guard text.utf8.firstIndex(of: UInt8(ascii: "/")) == nil else {
      throw fault(
        .unknownScheme, "write HOST:PORT for TCP, unix:PATH for a socket; the only scheme is ssh://")
    }
    if text.utf8.allSatisfy(isDigit) {
      return .tcp(
        host: Endpoint.defaultHost, port: try port(text[...]), control: Endpoint.defaultControlPort)
    }
    return try tcp()
  }

  // MARK: Forms

  private func tcp() throws(EndpointError) -> Endpoint {
    let (host, rest) = try hostAndRest(
      of: text[...], form: "HOST:PORT, or a PORT alone for this machine")
    // With its ports behind it, such a host would be taken for something else.
    guard !["unix", "pid", "name"].contains(host) else {
      throw fault(.badHost, "write unix:PATH, pid:N or name:NAME, or the full name of the host")
    }
    let ports = rest.isEmpty ? [] : rest.dropFirst().split(separator: ":", omittingEmptySubsequences: false)
    guard ports.count <= 2 else {
      throw fault(.tooManyParts, "write at most HOST:PORT:CONTROL, and an IPv6 address in brackets")
    }
    return .tcp(
      host: host,
      port: try ports.first.map(port) ?? Endpoint.defaultPort,
      control: try ports.dropFirst().first.map(port) ?? Endpoint.defaultControlPort)
  }

  private func ssh(_ rest: Substring) throws(EndpointError) -> Endpoint {
    guard !rest.utf8.contains(UInt8(ascii: "/")) else {
      throw fault(.badHost, "write ssh://[USER@]HOST[:PORT] and nothing behind it")
    }
    var user: String?
    var address = rest
    if let at = rest.lastIndex(of: "@") {
      user = try self.user(rest[..<at])
      address = rest[rest.index(after: at)...]
    }
    let (host, ports) = try hostAndRest(of: address, form: "ssh://[USER@]HOST[:PORT]")
    guard ports.dropFirst().firstIndex(of: ":") == nil else {
      throw fault(.tooManyParts, "ssh:// takes one port, and an IPv6 address in brackets")
    }
    return .ssh(user: user, host: host, port: ports.isEmpty ? nil : try port(ports.dropFirst()))
  }

  // MARK: Parts

  /// Splits HOST or [ADDRESS] from what follows: nothing, or a colon and more. `form` is what to
  /// write when there is no host.
  private func hostAndRest(of address: Substring, form: String) throws(EndpointError) -> (String, Substring) {
    if address.first == "[" {
      guard let end = address.firstIndex(of: "]") else {
        throw fault(.badHost, "the bracket of the IPv6 address is not closed; write [ADDRESS]:PORT")
      }
      let inside = address[address.index(after: address.startIndex)..<end]
      let rest = address[address.index(after: end)...]
      guard isIPv6(inside) else {
        throw fault(.badHost, "the brackets hold no IPv6 address; write for example [::1]:1337")
      }
      guard rest.isEmpty || rest.first == ":" else {
        throw fault(.badHost, "only :PORT may follow the bracket")
      }
      return (String(inside), rest)
    }
    guard !isBareIPv6(address) else {
      throw fault(.bareIPv6Address, "an IPv6 address stands in brackets; write for example [::1]:1337")
    }
    let host = address.prefix { $0 != ":" }
    guard !host.isEmpty else {
      throw fault(.badHost, "the host is missing; write \(form)")
    }
    guard !host.utf8.allSatisfy(isDigit) else {
      throw fault(.badHost, "a number alone is a port; write HOST:PORT:CONTROL to give both ports")
    }
    guard host.first != "-", host.utf8.count <= Limits.maximumHostLength, host.utf8.allSatisfy(isHost)
    else {
      throw fault(.badHost, "a host is a name or an address of letters, digits, '.', '-' and '_'")
    }
    return (String(host), address[host.endIndex...])
  }

  private func port(_ digits: Substring) throws(EndpointError) -> UInt16 {
    // Digits are asked for, because the conversion would also take a sign.
    guard digits.utf8.allSatisfy(isDigit), let port = UInt16(digits), port > 0 else {
      throw fault(.badPort, "a port is a number from 1 to 65535")
    }
    return port
  }

  private func path(_ path: Substring) throws(EndpointError) -> String {
    guard !path.isEmpty, path.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
      throw fault(.badPath, "write unix:PATH with the path of a socket, without control characters")
    }
    guard path.utf8.count <= Limits.maximumSocketPathLength else {
      throw fault(
        .badPath,
        "the path of a socket has at most \(Limits.maximumSocketPathLength) bytes; use a shorter one")
    }
    return String(path)
  }

  private func process(_ digits: Substring) throws(EndpointError) -> Int32 {
    guard digits.utf8.allSatisfy(isDigit), let process = Int32(digits), process > 0 else {
      throw fault(.badProcess, "write pid:N with the number of a process")
    }
    return process
  }

  private func name(_ name: Substring) throws(EndpointError) -> String {
    guard let first = name.first, first != "-", first != ".", name.utf8.count <= Limits.maximumNameLength,
      name.utf8.allSatisfy(isHost)
    else {
      throw fault(
        .badName,
        "a name is up to \(Limits.maximumNameLength) letters, digits, '.', '-' and '_', "
          + "the first a letter, digit or '_'"
      )
    }
    return String(name)
  }

  private func user(_ user: Substring) throws(EndpointError) -> String {
    guard !user.utf8.contains(UInt8(ascii: ":")) else {
      throw fault(.badUser, "no password belongs here; write ssh://USER@HOST, and ssh asks for what it needs")
    }
    guard !user.isEmpty, user.first != "-", user.utf8.count <= Limits.maximumUserLength,
      user.utf8.allSatisfy({ isHost($0) || $0 == UInt8(ascii: "+") })
    else {
      throw fault(.badUser, "a user is a name of letters, digits, '.', '-', '_' and '+'")
    }
    return String(user)
  }

  // MARK: Bytes

  private func after(_ prefix: String) -> Substring? {
    // By bytes: by characters, a combining mark behind the colon would make it another character.
    text.utf8.starts(with: prefix.utf8) ? Substring(text.utf8.dropFirst(prefix.utf8.count)) : nil
  }

  /// True for what has the form of an IPv6 address, with or without a zone: `fe80::1%eth0`.
  private func isIPv6(_ address: Substring) -> Bool {
    let digits = address.utf8.prefix { $0 != UInt8(ascii: "%") }
    let zone = address.utf8[digits.endIndex...].dropFirst()
    return address.utf8.count <= Limits.maximumHostLength && digits.contains(UInt8(ascii: ":"))
      && digits.allSatisfy(isHexOrPunctuation) && zone.allSatisfy(isHost)
      && zone.isEmpty == (digits.endIndex == address.endIndex)
  }

  /// True for an IPv6 address without brackets, which would be cut at its own colons.
  private func isBareIPv6(_ address: Substring) -> Bool {
    let colon = UInt8(ascii: ":")
    let isDoubled = zip(address.utf8, address.utf8.dropFirst()).contains { $0 == colon && $1 == colon }
    return isIPv6(address) && (isDoubled || address.utf8.count { $0 == colon } > 2)
  }

  private func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

  private func isLetter(_ byte: UInt8) -> Bool {
    byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z")
  }

  private func isHost(_ byte: UInt8) -> Bool {
    isDigit(byte) || isLetter(byte) || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-")
      || byte == UInt8(ascii: "_")
  }

  /// A byte of an IPv6 address without a zone, also with an IPv4 address at its end.
  private func isHexOrPunctuation(_ byte: UInt8) -> Bool {
    isDigit(byte) || (byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "f"))
      || byte == UInt8(ascii: ":") || byte == UInt8(ascii: ".")
  }

  private func fault(_ code: EndpointError.Code, _ advice: String) -> EndpointError {
    EndpointError(code, in: text, advice)
  }
}
