// The exit codes are an interface: each number is written down here a second time.

import Shared
import Testing

@Suite struct ExitCodeTests {
  @Test(arguments: [
    (ExitCode.done, Int32(0), "done"),
    (.failed, 1, "the evaluated code raised, or the server refused the request"),
    (.usage, 64, "usage: the command line is wrong"),
    (.noSuchItem, 66, "no such session or job"),
    (.noServer, 69, "no server there"),
    (.timedOut, 75, "timed out"),
    (.protocolError, 76, "the peer does not speak the protocol"),
    (.notPermitted, 77, "not permitted"),
    (.interrupted, 130, "interrupted"),
  ])
  func valueAndMeaning(code: ExitCode, value: Int32, meaning: String) {
    #expect(code.rawValue == value)
    #expect(code.meaning == meaning)
    #expect(ExitCode(rawValue: value) == code)
  }

  @Test func thereAreNoOthers() {
    #expect(ExitCode.allCases.map(\.rawValue) == [0, 1, 64, 66, 69, 75, 76, 77, 130])
  }
}
