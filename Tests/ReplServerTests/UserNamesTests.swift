// The user names: passwd(5) as it may be found, and how often it is read.

import Testing

@testable import ReplServer

@Suite struct UserNamesTests {
  @Test func aFileOfUsersIsRead() {
    let file = """
      root:x:0:0:root:/root:/bin/bash
      ada:x:1000:1000:Ada,,,:/home/ada:/bin/sh
      alias:x:1000:1000::/:/bin/sh

      # a comment
      :x:5:5::/:
      short:x
      no:x:12a:1::/:
      minus:x:-1:1::/:
      large:x:4294967296:1::/:
      largest:x:4294967295
      +nis::::::
      last:x:7:7::/:/bin/sh
      """
    #expect(UserNames.parse(Array(file.utf8)) == [0: "root", 1000: "ada", 4_294_967_295: "largest", 7: "last"])
    #expect(UserNames.parse([]) == [:])
    // What is not UTF-8 is no reason to stop.
    #expect(UserNames.parse([0x61, 0xFF, 0x3A, 0x3A, 0x38, 0x3A]) == [8: "a\u{FFFD}"])
  }

  @Test func theSystemHasRoot() {
    var names = UserNames()
    #expect(names.name(of: 0) == "root")
  }

  @Test func whatIsKnownIsNotLookedUp() {
    var names = UserNames(known: [0: "zero"]) {
      Issue.record("the file was read"); return []
    }
    #expect(names.name(of: 0) == "zero")
  }

  /// Each record of the log names its peer.
  @Test func theFileIsReadOnceForEachUser() {
    let reads = Monitor(0)
    var names = UserNames {
      reads.withLock { $0 += 1 }
      return Array("ada:x:5:".utf8)
    }
    for _ in 0..<3 { #expect(names.name(of: 5) == "ada") }
    #expect(reads.withLock { $0 } == 1)
    for _ in 0..<3 { #expect(names.name(of: 6) == nil) }
    #expect(reads.withLock { $0 } == 2)
  }

  @Test func notAnyNumberOfThemIsKept() {
    let reads = Monitor(0)
    var names = UserNames {
      reads.withLock { $0 += 1 }
      return []
    }
    for user in 0..<UInt32(ServerLimits.knownUserNames + 100) { #expect(names.name(of: user) == nil) }
    #expect(reads.withLock { $0 } == ServerLimits.knownUserNames)
  }
}
