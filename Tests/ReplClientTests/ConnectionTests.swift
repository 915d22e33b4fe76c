// The connection: what is asked, what arrives, and every way in which a peer is none of ours.

import ClientTestSupport
import Glibc
import Shared
import Testing

@testable import ReplClient

@Suite struct ConnectionTests {
  /// Far more than anything here takes.
  static let patience = 20.0

  private let runtime: FakeRuntime

  init() throws { runtime = try FakeRuntime() }

  private func connect(_ server: FakeServer, within seconds: Double = patience) throws -> Connection {
    try Connection(to: Destination(.unix(path: server.socketPath)), greetingWithin: seconds)
  }

  @Test func theServerDescribesItself() throws {
    let server = try FakeServer(in: runtime, name: "main", pid: 7)
    let description = try connect(server).describe()
    #expect(description.name == "main")
    #expect(description.pid == 7)
    #expect(description.label == "main[7]")
  }

  @Test func repliesMayComeInAnyOrder() throws {
    let first = Held()
    let server = try FakeServer(in: runtime) { request, peer in
      if request.command == "Sessions" {
        first.keep(request)
      } else {
        peer.reply(to: request, ["jobs": []])
        if let kept = first.take() { peer.reply(to: kept, ["sessions": [1, 2]]) }
      }
    }
    let connection = try connect(server)
    let sessions = try connection.send(.sessions)
    let jobs = try connection.send(.jobs)
    #expect(try connection.reply(to: sessions, until: .after(Self.patience))["sessions"] == [1, 2])
    #expect(try connection.reply(to: jobs, until: .after(Self.patience))["jobs"] == [])
  }

  @Test(
    arguments: [
      ("no-session", ExitCode.noSuchItem), ("no-job", .noSuchItem), ("busy", .failed), ("not-permitted", .notPermitted),
      ("timeout", .timedOut), ("something new", .failed), (nil, .failed),
    ] as [(String?, ExitCode)])
  func theCodeOfARefusalIsAnExitCode(code: String?, expected: ExitCode) throws {
    let server = try FakeServer(in: runtime) { request, peer in peer.refuse(request, "no,\nnever\u{1B}[2J", code: code)
    }
    let connection = try connect(server)
    let error = #expect(throws: ClientError.self) { try connection.ask(.sessions, until: .after(Self.patience)) }
    #expect(error?.code == expected)
    #expect(error?.message == "no,?never?[2J")
  }

  @Test func aServerOfAnotherKindIsRecognised() throws {
    let server = try FakeServer(in: runtime, answersDescription: false) { request, peer in
      // As the ancestor answers: in order, and without an id.
      peer.send(ControlReply.ok(["prompts": ["ps1": ">>>> "]]).body())
      peer.send(ControlReply.failed(reason: "Command 'Sessions' not understood by this server.").body())
    }
    let connection = try connect(server)
    let error = #expect(throws: ClientError.self) { try connection.ask(.sessions, until: .after(Self.patience)) }
    #expect(error?.code == .protocolError)
    #expect(error?.message.contains("of another kind") == true)
  }

  @Test(arguments: [
    ("REPL session 3 connected.\n", "is the text port of a REPL server"),
    ("SSH-2.0-OpenSSH_9.2\r\n", "does not speak the protocol of a REPL server"),
    ("\u{0}", "does not speak the protocol of a REPL server"),
  ])
  func whatSpeaksNoFramesIsRecognised(greeting: String, message: String) throws {
    let server = try FakeServer(in: runtime, answersDescription: false) { _, peer in peer.sendRaw(Array(greeting.utf8))
    }
    let connection = try connect(server)
    let error = #expect(throws: ClientError.self) { try connection.ask(.sessions, until: .after(Self.patience)) }
    #expect(error?.code == .protocolError)
    #expect(error?.message.contains(message) == true)
  }

  @Test(arguments: [
    Frame.encode(Array("not JSON".utf8)), Frame.encode(Array("[]".utf8)), Frame.encode(Array(#"{"status":1}"#.utf8)),
    Array("\u{FF}".utf16.map { UInt8(truncatingIfNeeded: $0) }) + Array("v01l99999999;".utf8),
  ])
  func whatIsNoMessageIsAnError(bytes: [UInt8]) throws {
    let server = try FakeServer(in: runtime) { _, peer in peer.sendRaw(bytes) }
    let connection = try connect(server)
    let error = #expect(throws: ClientError.self) { try connection.ask(.sessions, until: .after(Self.patience)) }
    #expect(error?.code == .protocolError)
  }

  @Test func aClosedConnectionIsNoServer() throws {
    let server = try FakeServer(in: runtime) { _, peer in peer.hangUp() }
    let connection = try connect(server)
    let error = #expect(throws: ClientError.self) { try connection.ask(.sessions, until: .after(Self.patience)) }
    #expect(error?.code == .noServer)
  }

  @Test func whatWasSaidBeforeTheEndIsStillRead() throws {
    let server = try FakeServer(in: runtime) { request, peer in
      peer.refuse(request, "not you", code: "not-permitted")
      peer.hangUp()
    }
    let connection = try connect(server)
    let error = #expect(throws: ClientError.self) { try connection.ask(.sessions, until: .after(Self.patience)) }
    #expect(error?.code == .notPermitted)
  }

  @Test func aSilentServerIsGivenUp() throws {
    let server = try FakeServer(in: runtime, answersDescription: false)
    let connection = try connect(server, within: 0.01)
    let error = #expect(throws: ClientError.self) { try connection.ask(.sessions, until: .never) }
    #expect(error?.code == .timedOut)
  }

  @Test func aRequestThatIsNotAnsweredIsGivenUp() throws {
    let server = try FakeServer(in: runtime)
    let connection = try connect(server)
    _ = try connection.describe()
    let error = #expect(throws: ClientError.self) { try connection.ask(.sessions, until: .after(0.01)) }
    #expect(error?.code == .timedOut)
  }

  @Test func aRequestThatIsTooLongIsNotSent() throws {
    let server = try FakeServer(in: runtime) { request, peer in
      peer.reply(to: request, ["command": .string(request.command)])
    }
    let connection = try connect(server)
    let source = String(repeating: "x", count: Limits.maximumControlBodyLength)
    let error = #expect(throws: ClientError.self) { try connection.send(.evaluate, ["source": .string(source)]) }
    #expect(error?.code == .usage)
    #expect(try connection.ask(.jobs, until: .after(Self.patience))["command"] == "Jobs")
  }

  @Test func aLongRequestArrivesWhole() throws {
    let server = try FakeServer(in: runtime) { request, peer in
      peer.reply(to: request, ["length": .integer(request.fields["source"]?.stringValue?.utf8.count ?? 0)])
    }
    let length = Limits.maximumControlBodyLength - 1000
    let reply = try connect(server).ask(
      .evaluate, ["source": .string(String(repeating: "x", count: length))], until: .after(Self.patience))
    #expect(reply["length"] == .integer(length))
  }

  @Test func creditIsGrantedInPortions() throws {
    let server = try FakeServer(in: runtime) { request, peer in
      if request.command == "Grant" { peer.event("granted", of: request, request.fields) }
    }
    let connection = try connect(server)
    _ = try connection.describe()
    try connection.take(1, of: 5)
    try connection.take(Limits.defaultCredit / 2 - 1, of: 5)
    guard case .message(.event(let event)) = try connection.receive(until: .after(Self.patience)) else {
      Issue.record("no event")
      return
    }
    #expect(event.fields["request"] == 5)
    #expect(event.fields["bytes"] == .integer(Limits.defaultCredit / 2))
  }

  @Test func aWatchedDescriptorComesBeforeMoreMessages() throws {
    let server = try FakeServer(in: runtime)
    let connection = try connect(server)
    _ = try connection.describe()
    var ends: [Int32] = [-1, -1]
    try #require(unsafe pipe(&ends) == 0)
    defer { for end in ends { close(end) } }
    let watched = Watched(ends[0], for: .reading)
    #expect(try connection.receive(until: .after(0.001), watching: [watched]) == .late)
    try #require(unsafe write(ends[1], "x", 1) == 1)
    #expect(try connection.receive(until: .after(Self.patience), watching: [watched]) == .ready([watched]))
  }

  @Test func aSocketInADirectoryThatOthersCanWriteToIsRefused() throws {
    let server = try FakeServer(in: runtime)
    try #require(unsafe chmod(runtime.directory, 0o777) == 0)
    let error = #expect(throws: ClientError.self) { try connect(server) }
    #expect(error?.code == .notPermitted)
  }

  @Test func nobodyThereIsNoServer() throws {
    for address in [Destination.Address.unix(path: runtime.directory + "/none.sock"), .tcp(host: "127.0.0.1", port: 1)]
    {
      let error = #expect(throws: ClientError.self) {
        try Connection(to: Destination(address), greetingWithin: Self.patience)
      }
      #expect(error?.code == .noServer)
    }
  }

  @Test func aPathThatIsTooLongIsRefused() throws {
    let path = "/" + String(repeating: "x", count: Limits.maximumSocketPathLength)
    let error = #expect(throws: ClientError.self) {
      try Connection(to: Destination(.unix(path: path)), greetingWithin: Self.patience)
    }
    #expect(error?.code == .usage)
  }
}

/// A request that is kept for later. Only the thread of one fake peer uses it.
private final class Held: @unchecked Sendable {
  private var request: ControlRequest?
  func keep(_ request: ControlRequest) { self.request = request }
  func take() -> ControlRequest? {
    defer { request = nil }
    return request
  }
}
