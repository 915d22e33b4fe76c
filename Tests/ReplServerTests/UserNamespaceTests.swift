// The user namespace: a number that may be anybody's is told from one that is somebody's.

import Testing

@testable import ReplServer

@Suite struct UserNamespaceTests {
  @Test(arguments: [
    "         0          0 4294967295\n", "0 0 4294967295", "0 100000 65536\n65536 165536 4294901759\n",
  ])
  func hasEverybody(_ map: String) {
    #expect(UserNamespace.isWhole(map: map))
  }

  @Test(arguments: [
    "", "\n", "         0          0          1\n", "0 100000 65536\n", "0 0 4294967294\n", "0 0\n", "0 0 4294967296\n",
    "0 0 -1\n", "everybody\n",
  ])
  func lacksSomebody(_ map: String) {
    #expect(!UserNamespace.isWhole(map: map))
  }

  @Test func onlyTheOverflowUserIsAmbiguous() {
    #expect(!UserNamespace.isAmbiguous(0))
    #expect(!UserNamespace.isAmbiguous(1000))
  }
}
