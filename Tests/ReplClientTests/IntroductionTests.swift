// The introduction: what is said of who calls, where it comes from, and what a server makes of it.

import ClientTestSupport
import Glibc
import Shared
import Synchronization
import Testing

@testable import ReplClient

@Suite struct IntroductionTests {
  private static let patience = 20.0

  private let runtime: FakeRuntime

  init() throws { runtime = try FakeRuntime() }

  private func surroundings(_ reason: String?, _ introduction: String?) -> Surroundings {
    Surroundings(
      runtimeDirectory: nil, endpoint: nil, reason: reason, introduction: introduction, input: -1, output: -1,
      errors: -1, width: nil, takesSignals: false)
  }

  @Test func theNearestReasonCounts() throws {
    #expect(try surroundings(nil, nil).introduction() == nil)
    #expect(try surroundings("", "").introduction() == nil)
    #expect(try surroundings("b", nil).introduction() == ["reason": "b"])
    #expect(try surroundings("b", nil).introduction(reason: "a") == ["reason": "a"])
    let relayed = #"{"ssh": {"user": "u"}, "permit": ["ping"], "reason": "c"}"#
    var expected: JSON.Object = ["ssh": ["user": "u"], "permit": ["ping"], "reason": "c"]
    #expect(try surroundings(nil, relayed).introduction() == expected)
    expected["reason"] = "b"
    #expect(try surroundings("b", relayed).introduction() == expected)
  }

  @Test(arguments: [
    "x", "[]", "1", "{", #"{"permit": "ping"}"#, #"{"permit": [1]}"#, #"{"ssh": []}"#, #"{"reason": 1}"#,
  ])
  func aMalformedVariableIsAnErrorInOneLine(text: String) {
    let error = #expect(throws: ClientError.self) { try surroundings(nil, text).introduction() }
    #expect(error?.code == .usage)
    #expect(error?.message.hasPrefix("REPL_INTRODUCTION ") == true)
    #expect(error?.details == [])
  }

  /// What a server got, in order.
  private final class Requests: Sendable {
    private let list = Mutex<[ControlRequest]>([])

    func add(_ request: ControlRequest) { list.withLock { $0.append(request) } }

    var names: [String] { list.withLock { $0.map(\.command) } }
    var first: ControlRequest? { list.withLock { $0.first } }
  }

  /// - Parameter answer: what the server does with Introduce; nil to take it.
  private func server(
    _ requests: Requests, describing more: JSON.Object = [:],
    _ answer: (@Sendable (ControlRequest, FakePeer) -> Void)? = nil
  ) throws -> Destination {
    let server = try FakeServer(in: runtime, describing: more) { request, peer in
      requests.add(request)
      guard request.command == "Introduce", let answer else { return peer.reply(to: request, ["jobs": []]) }
      answer(request, peer)
    }
    return Destination(.unix(path: server.socketPath))
  }

  private func jobs(of destination: Destination, _ introduction: JSON.Object?) throws(ClientError) -> JSON.Object {
    try Connection(to: destination, as: Caller(introduction: introduction), greetingWithin: Self.patience)
      .ask(.jobs, until: .after(Self.patience))
  }

  @Test func itComesBeforeEverythingElse() throws {
    let requests = Requests()
    let destination = try server(requests)
    _ = try jobs(of: destination, ["reason": "why"])
    #expect(requests.names == ["Introduce", "Jobs"])
    #expect(requests.first?.fields["reason"] == "why")
  }

  @Test func withNothingToSayThereIsNone() throws {
    let requests = Requests()
    _ = try jobs(of: try server(requests), nil)
    #expect(requests.names == ["Jobs"])
  }

  @Test func aServerFromBeforeItIsTalkedToAnyway() throws {
    let requests = Requests()
    let destination = try server(requests) { request, peer in peer.refuse(request, "not understood") }
    _ = try jobs(of: destination, ["reason": "why"])
    #expect(requests.names == ["Introduce", "Jobs"])
  }

  @Test(arguments: [["permit": ["ping"]], ["ssh": ["user": "u"]]] as [JSON.Object])
  func whoIsRestrictedOrRelayedIsSentNowhereElse(introduction: JSON.Object) throws {
    let requests = Requests()
    let destination = try server(requests) { request, peer in peer.refuse(request, "not understood") }
    #expect(throws: ClientError.self) { try jobs(of: destination, introduction) }
    #expect(requests.names == ["Introduce"])
  }

  @Test func whoIsRestrictedAndTakenGoesOn() throws {
    let requests = Requests()
    _ = try jobs(of: try server(requests), ["permit": ["jobs"]])
    #expect(requests.names == ["Introduce", "Jobs"])
  }

  @Test func aRefusalIsTold() throws {
    let destination = try server(Requests()) { request, peer in
      peer.refuse(request, "not you", code: "not-permitted")
    }
    let error = #expect(throws: ClientError.self) { try jobs(of: destination, ["reason": "why"]) }
    #expect(error?.code == .notPermitted)
    #expect(error?.message == "not you")
  }

  @Test func aServerThatAsksWhySaysSo() throws {
    let destination = try server(Requests(), describing: ["requires_reason": true]) { request, peer in
      peer.refuse(request, "that is no reason")
    }
    let connection = try Connection(to: destination, greetingWithin: Self.patience)
    #expect(try connection.describe().requiresReason)
    #expect(throws: ClientError.self) { try jobs(of: destination, ["reason": "why"]) }
    let asked = ClientError(refusal: "no", fields: ["code": "reason-required"])
    #expect(asked.code == .notPermitted)
    #expect(asked.message == "this server asks for a reason: give --reason TEXT, or set REPL_REASON")
  }
}
