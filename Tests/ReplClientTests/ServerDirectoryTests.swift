// The server directory and the resolver: which server is meant.

import ClientTestSupport
import Glibc
import Shared
import Testing

@testable import ReplClient

@Suite struct ServerDirectoryTests {
  private let runtime: FakeRuntime
  private var directory: ServerDirectory { .ofThisUser(runtime: runtime.root) }

  init() throws { runtime = try FakeRuntime() }

  private func resolve(_ text: String?, environment: String? = nil) throws(ClientError) -> Destination {
    try EndpointResolver(directory: directory, environmentEndpoint: environment).resolve(text)
  }

  private func refusal(_ text: String?, environment: String? = nil) -> ClientError? {
    do throws(ClientError) {
      _ = try resolve(text, environment: environment)
      return nil
    } catch {
      return error
    }
  }

  @Test func serversAreListedByPid() throws {
    let servers = try [FakeServer(in: runtime, name: "b", pid: 10), FakeServer(in: runtime, name: "a", pid: 9)]
    let found = try directory.servers()
    #expect(found.map(\.label) == ["a[9]", "b[10]"])
    #expect(found.map(\.socketPath) == servers.map(\.socketPath).reversed())
  }

  @Test func whatAKilledServerLeftIsRemoved() throws {
    try FakeServer(in: runtime, name: "a", pid: 9)
    for name in ["8-dead.sock", "8-dead.lock"] {
      close(unsafe creat(runtime.directory + "/" + name, 0o600))
    }
    #expect(try directory.servers().map(\.pid) == [9])
    #expect(runtime.fileNames() == ["9-a.lock", "9-a.sock"])
  }

  @Test func aServerThatDoesNotListenYetIsNotListed() throws {
    let path = runtime.directory + "/7-starting.lock"
    let lock = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    try #require(lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) == 0)
    defer { close(lock) }
    #expect(try directory.servers().isEmpty)
    // It is somebody's all the same.
    #expect(runtime.fileNames() == ["7-starting.lock"])
    close(unsafe creat(runtime.directory + "/7-starting.sock", 0o600))
    #expect(try directory.servers().map(\.pid) == [7])
  }

  @Test(arguments: [
    "x", "lock", ".lock", "0-a.lock", "-1-a.lock", "+1-a.lock", "01-a.lock", "1-.lock", "1-a.sock",
    "99999999999-a.lock",
  ])
  func otherFilesAreLeftAlone(name: String) throws {
    close(unsafe creat(runtime.directory + "/" + name, 0o600))
    #expect(try directory.servers().isEmpty)
    #expect(runtime.fileNames() == [name])
  }

  @Test func withoutADirectoryThereIsNoServer() throws {
    #expect(try ServerDirectory(RuntimeDirectory(path: runtime.root + "/none")).servers().isEmpty)
  }

  @Test(arguments: [0o770, 0o707] as [mode_t])
  func aDirectoryThatOthersCanWriteToIsRefused(permissions: mode_t) throws {
    try #require(unsafe chmod(runtime.directory, permissions) == 0)
    #expect(refusal(nil)?.code == .notPermitted)
  }

  @Test(arguments: [(0o770, false), (0o707, false), (0o1777, true), (0o755, true)] as [(mode_t, Bool)])
  func whatTheDirectoryIsInMustKeepOthersFromReplacingIt(permissions: mode_t, isSafe: Bool) throws {
    try FakeServer(in: runtime, name: "a", pid: 9)
    try #require(unsafe chmod(runtime.root, permissions) == 0)
    #expect(refusal(nil)?.code == (isSafe ? nil : .notPermitted))
  }

  @Test func theOnlyServerIsMeant() throws {
    #expect(refusal(nil)?.code == .noServer)
    let one = try FakeServer(in: runtime, name: "a", pid: 9)
    #expect(try resolve(nil).address == .unix(path: one.socketPath))
    #expect(try resolve(nil).label == "a[9]")
    let two = try FakeServer(in: runtime, name: "a", pid: 10)
    let three = try FakeServer(in: runtime, name: "c", pid: 10)
    let several = refusal(nil)
    #expect(several?.code == .usage)
    #expect(several?.details == ["pid:9", "unix:\(two.socketPath)", "name:c"])
    #expect(refusal("name:a")?.details == ["pid:9", "pid:10"])
    #expect(refusal("pid:10")?.details == ["name:a", "name:c"])
    #expect(try resolve("name:c").address == .unix(path: three.socketPath))
    #expect(try resolve("pid:9").address == .unix(path: one.socketPath))
    #expect(refusal("pid:11")?.code == .noServer)
    #expect(refusal("name:x")?.code == .noServer)
  }

  @Test func theVariableComesBeforeTheSearchAndBehindTheOption() throws {
    #expect(try resolve(nil, environment: "unix:/x").address == .unix(path: "/x"))
    #expect(try resolve("unix:/y", environment: "unix:/x").address == .unix(path: "/y"))
    #expect(refusal(nil, environment: "")?.code == .noServer)
    #expect(refusal(nil, environment: "a/b")?.code == .usage)
  }

  @Test func toolsUseTheControlPort() throws {
    #expect(try resolve("localhost:1:2").address == .tcp(host: "localhost", port: 2))
    #expect(try resolve("1").address == .tcp(host: "127.0.0.1", port: Endpoint.defaultControlPort))
  }
}

@Suite struct HostLookupTests {
  @Test func numericAddressesNeedNoLookup() throws {
    for host in ["127.0.0.1", "::1"] {
      #expect(try HostLookup.addresses(of: host, port: 1, until: .never) == [SocketAddress(numeric: host, port: 1)])
    }
    #expect(try HostLookup.addresses(of: "localhost", port: 1, until: .never).map(\.family) == [AF_INET, AF_INET6])
  }

  @Test func anAnswerOfGetentIsRead() {
    let answer = "10.0.0.1       STREAM example\n10.0.0.1       DGRAM  \nfe80::1 RAW\nnonsense\n"
    #expect(
      HostLookup.parse(Array(answer.utf8), port: 1337)
        == [SocketAddress(numeric: "10.0.0.1", port: 1337), SocketAddress(numeric: "fe80::1", port: 1337)])
  }

  @Test func anUnknownHostIsNoServer() {
    let error = #expect(throws: ClientError.self) {
      try HostLookup.addresses(of: "no-such-host.invalid", port: 1, until: .after(20))
    }
    #expect(error?.code == .noServer)
  }

  @Test func aProgramThatCannotBeRunSaysNothing() throws {
    #expect(try ChildOutput.read(["/no/such/program"], maximumLength: 10, until: .never) == nil)
    #expect(try ChildOutput.read(["printf", "abc"], maximumLength: 10, until: .after(20))?.text == "abc")
  }

  @Test func aProgramThatSaysNothingIsGivenUp() {
    let error = #expect(throws: ClientError.self) {
      try ChildOutput.read(["sleep", "1000"], maximumLength: 10, until: .after(0.01))
    }
    #expect(error?.code == .timedOut)
  }
}
