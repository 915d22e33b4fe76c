// The limits are part of the wire format: a change here is a change of the protocol.

import Shared
import Testing

@Suite struct LimitsTests {
  @Test func values() {
    #expect(Limits.maximumControlBodyLength == 1_048_576)
    #expect(Limits.maximumOutputBodyLength == 65_536)
    #expect(Limits.maximumReplyToOldClientLength == 4_095)
    #expect(Limits.maximumCompletionTextLength == 4_096)
    #expect(Limits.maximumCandidateLength == 512)
    #expect(Limits.maximumCandidateCount == 4_096)
    #expect(Limits.maximumRequestIDLength == 256)
    #expect(Limits.protocolVersion == 1)
    #expect(Limits.defaultCredit == 65_536)
    #expect(Limits.maximumCredit == 1_073_741_824)
    #expect(Limits.maximumReplyTextLength == 262_144)
    #expect(Limits.maximumReplyListLength == 524_288)
    #expect(Limits.maximumNameLength == 64)
    #expect(Limits.maximumSocketPathLength == 107)
    #expect(Limits.maximumHostLength == 253)
    #expect(Limits.maximumUserLength == 64)
    #expect(Frame.maximumHeaderLength == 16)
    #expect(Frame.greatestBodyLength == 2_147_483_647)
  }

  /// One TabComplete reply carries one candidate; it must fit the old client's decoder even when every
  /// byte of it needs the longest escape.
  @Test func theLongestCandidateFitsAnOldClient() {
    let candidate = String(repeating: "\u{1}", count: Limits.maximumCandidateLength)
    let reply = ControlReply.ok(["result": .string(candidate)])
    #expect(Frame.encode(reply.body()).count <= Limits.maximumReplyToOldClientLength)
  }

  /// What a client of ours reads with one decoder holds every frame that a server may send.
  @Test func everyListAndEveryOutputFrameFitsOneFrame() {
    #expect(Limits.maximumOutputBodyLength <= Limits.maximumControlBodyLength)
    #expect(Limits.maximumReplyListLength < Limits.maximumControlBodyLength)
    // Each candidate is an object of up to three members, in an array, in the object of the reply.
    #expect(Limits.maximumCandidateCount * 4 + 8 <= JSON.Limits.default.maximumElementCount)
  }
}
