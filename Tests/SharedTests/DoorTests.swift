// The ssh door: where it listens, and the lines between a server and its supervisor.

import Shared
import Testing

@Suite struct DoorTests {
  @Test(
    arguments: [
      ("22", nil, 22), ("0", nil, 0), ("127.0.0.1:2222", "127.0.0.1", 2222), ("[::1]:0", "::1", 0),
      ("localhost:65535", "localhost", 65535),
    ] as [(String, String?, UInt16)])
  func anAddress(_ text: String, _ address: String?, _ port: UInt16) throws {
    let found = try #require(DoorAddress(parsing: text))
    #expect(found.address == address && found.port == port)
  }

  @Test(arguments: [
    "", ":", ":22", "x", "-1", "+1", "65536", "1.2.3.4", "1.2.3.4:", "::1:22", "[::1]", "[1.2.3.4]:22", "a b:22",
    "a\"b:22", "a\n:22",
    "a/b:22", "-a:22",
  ])
  func noAddress(_ text: String) { #expect(DoorAddress(parsing: text) == nil) }

  @Test(
    arguments: [
      .ready(address: "0.0.0.0", port: 22, fingerprint: "SHA256:x"), .failed(.notPermitted, "no \"key\"\n"),
      .failed(.unavailable, ""),
      .log("Server listening"), .log("é\u{1B}", isWarning: true),
    ] as [DoorReport])
  func aReportComesBack(_ report: DoorReport) {
    let line = report.line
    #expect(line.last == UInt8(ascii: "\n") && line.count { $0 == UInt8(ascii: "\n") } == 1)
    #expect(DoorReport(parsing: line) == report)
  }

  @Test(arguments: ["", "{", "[]", "{}", "{\"ready\":70000}", "{\"ready\":\"x\"}", "{\"log\":1}"])
  func noReport(_ line: String) { #expect(DoorReport(parsing: Array(line.utf8)) == nil) }

  @Test func aRequestComesBack() {
    let request = DoorRequest(
      address: "::1", port: 0, authorizedKeys: "/a \"b\"", hostKey: nil, socket: "/s", directory: "/d")
    #expect(DoorRequest(parsing: request.line) == request)
    #expect(DoorRequest(parsing: Array("{}".utf8)) == nil)
    #expect(DoorRequest(parsing: [UInt8](repeating: 0x20, count: DoorRequest.maximumLength + 1)) == nil)
  }

  @Test func theDirectoryIsBesideTheSocket() {
    let name = RuntimeEntryName(pid: 7, name: "a.sock")
    #expect(RuntimeEntryName.doorDirectory(besideSocket: "/r/\(name.socketFileName)") == "/r/\(name.doorDirectoryName)")
    #expect(RuntimeEntryName(lockFileName: name.doorDirectoryName) == nil)
  }
}
