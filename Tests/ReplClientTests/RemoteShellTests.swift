// ssh as a transport: its command line, and what its end means.

import Shared
import Testing

@testable import ReplClient

@Suite struct RemoteShellTests {
  @Test func theCommandLine() {
    #expect(
      RemoteShell.words(user: nil, host: "there", port: nil, connectWithin: 120) == [
        "ssh", "-T", "-o", "ConnectTimeout=120", "-o", "ClearAllForwardings=yes", "-o", "RemoteCommand=none", "--",
        "there",
        "replctl relay",
      ])
    let words = RemoteShell.words(user: "me", host: "::1", port: 2022, connectWithin: 0.1)
    #expect(words.starts(with: ["ssh", "-T", "-p", "2022", "-l", "me", "-o", "ConnectTimeout=1"]))
    #expect(
      RemoteShell.words(user: nil, host: "x", port: nil, connectWithin: .infinity).contains("ConnectTimeout=86400"))
  }

  @Test(
    arguments: [
      (255 << 8, .noServer), (127 << 8, .noServer), (0, .noServer), (9, .noServer), (77 << 8, .notPermitted),
      (64 << 8, .usage),
      (75 << 8, .timedOut), (3 << 8, .noServer),
    ] as [(Int32, ExitCode)])
  func theEnd(_ status: Int32, _ code: ExitCode) {
    #expect(RemoteShell.failure(host: "there", status: status).code == code)
  }

  @Test func theEndpoint() throws {
    let resolver = EndpointResolver(
      directory: ServerDirectory(RuntimeDirectory(path: "/nowhere")), environmentEndpoint: nil)
    let destination = try resolver.resolve("ssh://me@there:22")
    #expect(destination.isRemote && destination.description == "ssh://me@there:22")
    #expect(destination.patience(nil, usual: 2) == RemoteShell.patience && destination.patience(3, usual: 2) == 3)
    #expect(Destination(.unix(path: "/x")).patience(nil, usual: 2) == 2)
  }

  @Test func anotherProgramsOutput() throws {
    let limit = Deadline.after(30)
    #expect(try ChildOutput.read(["cat"], input: Array("ab".utf8), maximumLength: 9, until: limit)?.text == "ab")
    let failed = try ChildOutput.read(
      ["sh", "-c", "echo x >&2; exit 3"], withErrors: true, maximumLength: 9, until: limit)
    #expect(failed?.status == 3 && failed?.text == "x")
    #expect(
      try ChildOutput.read(["yes"], maximumLength: 5, until: limit)
        == ChildOutput(output: Array("y\ny\ny".utf8), status: nil))
    #expect(throws: ClientError.self) { try ChildOutput.read(["sleep", "100"], maximumLength: 5, until: .after(0.05)) }
  }
}
