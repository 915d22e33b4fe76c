// Bind addresses: those of this machine alone, and nothing else.

import Shared
import Testing

@testable import Launcher

@Suite struct BindAddressTests {
  @Test(arguments: [
    ("127.0.0.1", "127.0.0.1"), ("127.1.2.3", "127.1.2.3"), ("127.255.255.255", "127.255.255.255"),
    ("::1", "::1"), ("0:0:0:0:0:0:0:1", "0:0:0:0:0:0:0:1"), ("localhost", "127.0.0.1"),
  ])
  func isAccepted(text: String, address: String) throws {
    #expect(try BindAddress(text).text == address)
  }

  @Test(arguments: [
    "0.0.0.0", "10.0.0.1", "128.0.0.1", "126.255.255.255", "255.255.255.255", "::", "::2", "fe80::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "1::1",
  ])
  func isRefused(text: String) {
    let error = #expect(throws: LaunchError.self) { try BindAddress(text) }
    #expect(error?.code == .notPermitted)
    #expect(error?.message.contains("ssh -L") == true)
  }

  @Test(arguments: [
    "", "127", "127.0.0", "127.0.0.1.1", "127.0.0.256", "127.0.0.1 ", " 127.0.0.1", "0x7f.0.0.1",
    "2130706433",
    "localhost.", "example.org", "[::1]", "::1%lo", "127.0.0.1:1337", "\n", "*",
  ])
  func isNoAddress(text: String) {
    let error = #expect(throws: LaunchError.self) { try BindAddress(text) }
    #expect(error?.code == .usage)
    #expect(error?.message.contains("127.0.0.1") == true)
  }
}
