// The access rule: who may come in, and what those are told who may not.

import NIOCore
import NIOEmbedded
import Shared
import Testing

@testable import ReplServer

@Suite struct AccessRuleTests {
  private let own: UInt32 = 1000

  @Test func theOwnUserMayComeIn() {
    #expect(AccessRule().refusal(of: .user(own), ownUser: own) == nil)
    // Root has no privilege here: the kernel gives it other ways.
    for other: UInt32 in [0, 1001, .max] { #expect(AccessRule().refusal(of: .user(other), ownUser: own) == .user) }
  }

  @Test func whoeverIsNamedMayComeIn() {
    let rule = AccessRule(allowedUsers: [7, 8])
    for user: UInt32 in [7, 8, own] { #expect(rule.refusal(of: .user(user), ownUser: own) == nil) }
    #expect(rule.refusal(of: .user(9), ownUser: own) == .user)
  }

  @Test(arguments: [false, true]) func whoIsNotKnownMayNot(_ isOpen: Bool) {
    let rule = AccessRule(allowedUsers: [7], isOpenToNetwork: isOpen)
    #expect(rule.refusal(of: .unknown, ownUser: own) == .unidentified)
    #expect(rule.refusal(of: .gone, ownUser: own) == .gone)
    #expect(rule.refusal(of: .elsewhere, ownUser: own) == (isOpen ? nil : .user))
    // A user of this machine is one wherever the connection came in.
    #expect(rule.refusal(of: .user(9), ownUser: own) == .user)
  }

  @Test(arguments: Refusal.allCases) func aReasonIsOneLine(_ refusal: Refusal) {
    #expect(!refusal.reason.isEmpty)
    #expect(!refusal.reason.contains("\n"))
  }

  /// What a connection is told before it is closed.
  private func lastWords(_ refusal: Refusal, at door: Peer.Door) throws -> [UInt8] {
    let channel = EmbeddedChannel(handler: TurnedAway(refusal, at: door))
    try channel.connect(to: SocketAddress(unixDomainSocketPath: "/peer")).wait()
    let words = try channel.readOutbound(as: ByteBuffer.self)
    #expect(!channel.isActive)
    return words.map { Array($0.readableBytesView) } ?? []
  }

  @Test(arguments: Refusal.allCases) func aPersonIsToldWhy(_ refusal: Refusal) throws {
    #expect(try lastWords(refusal, at: .text) == Array("replserve: \(refusal.reason)\n".utf8))
  }

  @Test(arguments: [Peer.Door.control, .unix], Refusal.allCases)
  func aToolIsToldWhy(_ door: Peer.Door, _ refusal: Refusal) throws {
    var decoder = FrameDecoder(maximumBodyLength: Limits.maximumControlBodyLength)
    decoder.append(try lastWords(refusal, at: door))
    guard case .frame(let body) = decoder.next() else { throw Patience.Exhausted(description: "no frame") }
    let code: JSON = refusal == .full ? "busy" : "not-permitted"
    #expect(try ControlReply(parsing: body) == .failed(reason: refusal.reason, extra: ["code": code]))
    #expect(decoder.next() == nil)
  }
}
