// Endpoints: every form, and for every mistake the line that says what to write instead.

import Shared
import Testing

@Suite struct EndpointTests {
  static let understood: [(text: String, endpoint: Endpoint, description: String)] = [
    // TCP.
    ("localhost", .tcp(host: "localhost", port: 1337, control: 8128), "localhost:1337"),
    ("localhost:1400", .tcp(host: "localhost", port: 1400, control: 8128), "localhost:1400"),
    ("localhost:1400:8200", .tcp(host: "localhost", port: 1400, control: 8200), "localhost:1400:8200"),
    ("127.0.0.1:1:65535", .tcp(host: "127.0.0.1", port: 1, control: 65535), "127.0.0.1:1:65535"),
    ("1400", .tcp(host: "127.0.0.1", port: 1400, control: 8128), "127.0.0.1:1400"),
    ("01400", .tcp(host: "127.0.0.1", port: 1400, control: 8128), "127.0.0.1:1400"),
    (
      "my-host_2.example.org", .tcp(host: "my-host_2.example.org", port: 1337, control: 8128),
      "my-host_2.example.org:1337"
    ),
    ("[::1]", .tcp(host: "::1", port: 1337, control: 8128), "[::1]:1337"),
    ("[::1]:1400", .tcp(host: "::1", port: 1400, control: 8128), "[::1]:1400"),
    ("[::1]:1400:8200", .tcp(host: "::1", port: 1400, control: 8200), "[::1]:1400:8200"),
    ("[fe80::1%eth0]:1", .tcp(host: "fe80::1%eth0", port: 1, control: 8128), "[fe80::1%eth0]:1"),
    ("[::ffff:10.0.0.1]", .tcp(host: "::ffff:10.0.0.1", port: 1337, control: 8128), "[::ffff:10.0.0.1]:1337"),
    ("pid.example.org", .tcp(host: "pid.example.org", port: 1337, control: 8128), "pid.example.org:1337"),
    // The rest.
    (
      "unix:/run/user/1000/repltools/42", .unix(path: "/run/user/1000/repltools/42"),
      "unix:/run/user/1000/repltools/42"
    ),
    ("unix:here", .unix(path: "here"), "unix:here"), ("unix:a b:é", .unix(path: "a b:é"), "unix:a b:é"),
    (
      "unix:" + String(repeating: "p", count: 107), .unix(path: String(repeating: "p", count: 107)),
      "unix:" + String(repeating: "p", count: 107)
    ),
    ("unix:\u{301}x", .unix(path: "\u{301}x"), "unix:\u{301}x"),
    ("pid:1", .pid(1), "pid:1"), ("pid:2147483647", .pid(.max), "pid:2147483647"),
    ("pid:007", .pid(7), "pid:7"),
    ("name:web-1", .name("web-1"), "name:web-1"), ("name:_x.y", .name("_x.y"), "name:_x.y"),
    (
      "name:" + String(repeating: "n", count: 64), .name(String(repeating: "n", count: 64)),
      "name:" + String(repeating: "n", count: 64)
    ),
    ("ssh://host", .ssh(user: nil, host: "host", port: nil), "ssh://host"),
    ("ssh://me@host:2222", .ssh(user: "me", host: "host", port: 2222), "ssh://me@host:2222"),
    (
      "ssh://a.b+c-d_1@10.0.0.1", .ssh(user: "a.b+c-d_1", host: "10.0.0.1", port: nil),
      "ssh://a.b+c-d_1@10.0.0.1"
    ),
    ("ssh://pid:22", .ssh(user: nil, host: "pid", port: 22), "ssh://pid:22"),
    ("ssh://[::1]", .ssh(user: nil, host: "::1", port: nil), "ssh://[::1]"),
    ("ssh://me@[::1]:22", .ssh(user: "me", host: "::1", port: 22), "ssh://me@[::1]:22"),
  ]

  @Test(arguments: understood)
  func isUnderstood(text: String, endpoint: Endpoint, description: String) throws {
    #expect(try Endpoint(parsing: text) == endpoint)
    #expect(endpoint.description == description)
    #expect(try Endpoint(parsing: description) == endpoint)
  }

  /// What to write instead, where several mistakes have the same answer.
  private enum Advice {
    static let host = "a host is a name or an address of letters, digits, '.', '-' and '_'"
    static let bareIPv6 = "an IPv6 address stands in brackets; write for example [::1]:1337"
    static let brackets = "the brackets hold no IPv6 address; write for example [::1]:1337"
    static let port = "a port is a number from 1 to 65535"
    static let scheme = "write HOST:PORT for TCP, unix:PATH for a socket; the only scheme is ssh://"
    static let path = "write unix:PATH with the path of a socket, without control characters"
    static let process = "write pid:N with the number of a process"
    static let name = "a name is up to 64 letters, digits, '.', '-' and '_', the first a letter, digit or '_'"
    static let user = "a user is a name of letters, digits, '.', '-', '_' and '+'"
    static let prefix = "write unix:PATH, pid:N or name:NAME, or the full name of the host"
  }

  static let refused: [(text: String, code: EndpointError.Code, advice: String)] = [
    ("", .empty, "write HOST[:PORT[:CONTROL]], PORT, unix:PATH, pid:N, name:NAME or ssh://HOST"),
    // Hosts.
    (" ", .badHost, Advice.host),
    ("my host", .badHost, Advice.host),
    ("-oProxyCommand=x", .badHost, Advice.host),
    ("-v", .badHost, Advice.host),
    ("me@host", .badHost, Advice.host),
    ("host\n", .badHost, Advice.host),
    ("bücher", .badHost, Advice.host),
    ("UNIX:/x", .unknownScheme, Advice.scheme),
    (String(repeating: "h", count: 254), .badHost, Advice.host),
    (":1337", .badHost, "the host is missing; write HOST:PORT, or a PORT alone for this machine"),
    (":", .badHost, "the host is missing; write HOST:PORT, or a PORT alone for this machine"),
    ("pid", .badHost, Advice.prefix),
    ("name", .badHost, Advice.prefix),
    ("unix", .badHost, Advice.prefix),
    ("1337:8128", .badHost, "a number alone is a port; write HOST:PORT:CONTROL to give both ports"),
    // IPv6.
    ("::1", .bareIPv6Address, Advice.bareIPv6),
    ("::", .bareIPv6Address, Advice.bareIPv6),
    ("fe80::1:1337", .bareIPv6Address, Advice.bareIPv6),
    ("fe80::1%eth0", .bareIPv6Address, Advice.bareIPv6),
    ("::ffff:10.0.0.1", .bareIPv6Address, Advice.bareIPv6),
    ("host::1", .badPort, Advice.port),
    ("1:2:3:4:5:6:7:8", .bareIPv6Address, Advice.bareIPv6),
    ("[::1", .badHost, "the bracket of the IPv6 address is not closed; write [ADDRESS]:PORT"),
    ("[]", .badHost, Advice.brackets),
    ("[host]:1", .badHost, Advice.brackets),
    ("[:: 1]", .badHost, Advice.brackets),
    ("[::1%]", .badHost, Advice.brackets),
    ("[::1%a:b]", .badHost, Advice.brackets),
    ("[1.2.3.4]", .badHost, Advice.brackets),
    ("[" + String(repeating: ":", count: 254) + "]", .badHost, Advice.brackets),
    ("[::1]1337", .badHost, "only :PORT may follow the bracket"),
    ("[::1]]", .badHost, "only :PORT may follow the bracket"),
    // Ports.
    ("0", .badPort, Advice.port),
    ("65536", .badPort, Advice.port),
    ("99999999999999999999", .badPort, Advice.port),
    ("host:", .badPort, Advice.port),
    ("host:0", .badPort, Advice.port),
    ("host:http", .badPort, Advice.port),
    ("host:-1", .badPort, Advice.port),
    ("host:+1", .badPort, Advice.port),
    ("host: 1", .badPort, Advice.port),
    ("host:1:", .badPort, Advice.port),
    ("host:1:0", .badPort, Advice.port),
    ("host:1:65536", .badPort, Advice.port),
    ("host:１", .badPort, Advice.port),
    ("[::1]:", .badPort, Advice.port),
    ("host:1:2:3", .tooManyParts, "write at most HOST:PORT:CONTROL, and an IPv6 address in brackets"),
    // Schemes and paths.
    ("http://host:80", .unknownScheme, Advice.scheme),
    ("/run/x", .unknownScheme, Advice.scheme),
    ("host/", .unknownScheme, Advice.scheme),
    ("SSH://host", .unknownScheme, Advice.scheme),
    ("unix:", .badPath, Advice.path),
    ("unix:a\0b", .badPath, Advice.path),
    ("unix:a\nb", .badPath, Advice.path),
    (
      "unix:" + String(repeating: "p", count: 108), .badPath,
      "the path of a socket has at most 107 bytes; use a shorter one"
    ),
    // Processes and names.
    ("pid:", .badProcess, Advice.process),
    ("pid:0", .badProcess, Advice.process),
    ("pid:-1", .badProcess, Advice.process),
    ("pid:1x", .badProcess, Advice.process),
    ("pid:2147483648", .badProcess, Advice.process),
    ("pid:self", .badProcess, Advice.process),
    ("name:", .badName, Advice.name),
    ("name:../x", .badName, Advice.name),
    ("name:.x", .badName, Advice.name),
    ("name:-x", .badName, Advice.name),
    ("name:a b", .badName, Advice.name),
    ("name:" + String(repeating: "n", count: 65), .badName, Advice.name),
    // ssh: nothing may become an option of it.
    ("ssh://", .badHost, "the host is missing; write ssh://[USER@]HOST[:PORT]"),
    ("ssh://me@", .badHost, "the host is missing; write ssh://[USER@]HOST[:PORT]"),
    ("ssh://@host", .badUser, Advice.user),
    ("ssh://-oProxyCommand=id", .badHost, Advice.host),
    ("ssh://[-v::1]", .badHost, Advice.brackets),
    ("[-v:1]", .badHost, Advice.brackets),
    ("ssh://-l@host", .badUser, Advice.user),
    ("ssh://a b@host", .badUser, Advice.user),
    ("ssh://$(id)@host", .badUser, Advice.user),
    ("ssh://a@b@host", .badUser, Advice.user),
    ("ssh://" + String(repeating: "u", count: 65) + "@host", .badUser, Advice.user),
    (
      "ssh://me:secret@host", .badUser,
      "no password belongs here; write ssh://USER@HOST, and ssh asks for what it needs"
    ),
    ("ssh://host/", .badHost, "write ssh://[USER@]HOST[:PORT] and nothing behind it"),
    ("ssh://host:22:8128", .tooManyParts, "ssh:// takes one port, and an IPv6 address in brackets"),
    ("ssh://host:", .badPort, Advice.port),
    ("ssh://host:0", .badPort, Advice.port),
    ("ssh://::1", .bareIPv6Address, Advice.bareIPv6),
  ]

  @Test(arguments: refused)
  func isRefusedWithAdvice(text: String, code: EndpointError.Code, advice: String) {
    do throws(EndpointError) {
      Issue.record("parsed as \(try Endpoint(parsing: text))")
    } catch {
      #expect(error.code == code)
      #expect(error.message.hasSuffix("': \(advice)"))
      #expect(error.description == error.message)
      #expect(ParserProperties.endpoint(Array(text.utf8)) == nil)
    }
  }

  @Test func theMessageQuotesTheTextWithoutItsControls() {
    #expect(
      #expect(throws: EndpointError.self) { try Endpoint(parsing: "ho\u{1B}[31mst") }?.message.hasPrefix(
        "'ho?[31mst': ") == true)
    let long = String(repeating: "!", count: 10_000)
    #expect(
      #expect(throws: EndpointError.self) { try Endpoint(parsing: long) }?.message.utf8.count ?? 1_000 < 200)
  }

  @Test func theDefaultsAreTheAncestors() {
    #expect(Endpoint.defaultHost == "127.0.0.1")
    #expect(Endpoint.defaultPort == 1337)
    #expect(Endpoint.defaultControlPort == 8128)
  }

  @Test func randomTextNeverTraps() {
    var random = SplitMix64(seed: 6)
    let parts = [
      "unix:", "pid:", "name:", "ssh://", "[", "]", "::", ":", "@", "1", "65535", "host", "-", ".", "/", " ",
      "é", "\u{301}", "\0",
    ]
    for _ in 0..<20_000 {
      let text = (0..<Int.random(in: 0...6, using: &random)).compactMap { _ in
        parts.randomElement(using: &random)
      }.joined()
      #expect(ParserProperties.endpoint(Array(text.utf8)) == nil, "\(text)")
    }
  }
}
