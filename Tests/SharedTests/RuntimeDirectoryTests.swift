// The runtime directory: where it is, whether it is safe, and which names in it are a server's.

import Shared
import Testing

@Suite struct RuntimeDirectoryTests {
  static let places: [(runtime: String?, exists: Bool, path: String)] = [
    ("/run/user/1000", true, "/run/user/1000/repltools"), ("/", true, "//repltools"),
    ("/run/user/1000", false, "/tmp/repltools-1000"), (nil, true, "/tmp/repltools-1000"),
    ("", true, "/tmp/repltools-1000"), ("run", true, "/tmp/repltools-1000"), ("~/run", true, "/tmp/repltools-1000"),
  ]

  @Test(arguments: places)
  func isWhereTheVariableSaysIfThatIsThere(runtime: String?, exists: Bool, path: String) {
    #expect(RuntimeDirectory(runtime: runtime, user: 1000) { _ in exists }.path == path)
  }

  @Test func asksForTheDirectoryOfTheVariableAndForNoOther() {
    var asked: [String] = []
    _ = RuntimeDirectory(runtime: "/run/x", user: 0) {
      asked.append($0)
      return true
    }
    _ = RuntimeDirectory(runtime: nil, user: 0) {
      asked.append($0)
      return true
    }
    #expect(asked == ["/run/x"])
  }

  @Test func isSafeWhenNobodyElseOwnsItOrCanWriteToIt() {
    for permissions in UInt32(0)...0o7777 {
      let isWritableByOthers = permissions & 0o020 != 0 || permissions & 0o002 != 0
      #expect(RuntimeDirectory.isSafe(owner: 7, permissions: permissions, user: 7) == !isWritableByOthers)
    }
    #expect(!RuntimeDirectory.isSafe(owner: 0, permissions: 0o700, user: 7))
    #expect(!RuntimeDirectory.isSafe(owner: 7, permissions: 0o700, user: 0))
  }

  @Test func saysWhyItMustNotBeUsed() {
    typealias Ownership = RuntimeDirectory.Ownership
    let directory = RuntimeDirectory(path: "/run/x/repltools")
    #expect(directory.refusal(of: Ownership(owner: 7, permissions: 0o700, isDirectory: true), user: 7) == nil)
    for bad in [
      nil, Ownership(owner: 8, permissions: 0o700, isDirectory: true),
      Ownership(owner: 0, permissions: 0o700, isDirectory: true),
      Ownership(owner: 7, permissions: 0o1777, isDirectory: true),
      Ownership(owner: 7, permissions: 0o700, isDirectory: false),
    ] {
      #expect(directory.refusal(of: bad, user: 7)?.contains("/run/x/repltools is not") == true)
    }
  }

  @Test func isInADirectoryInWhichNobodyElseCanReplaceIt() {
    typealias Ownership = RuntimeDirectory.Ownership
    let directory = RuntimeDirectory(path: "/run/x/repltools")
    for owner in [0, 7, 8] as [UInt32] {
      for permissions in UInt32(0)...0o7777 {
        let refusal = directory.refusal(
          ofParent: Ownership(owner: owner, permissions: permissions, isDirectory: true), user: 7)
        #expect((refusal == nil) == (owner != 8 && (permissions & 0o022 == 0 || permissions & 0o1000 != 0)))
      }
    }
    #expect(directory.refusal(ofParent: nil, user: 7)?.contains("/run/x;") == true)
    #expect(
      directory.refusal(ofParent: Ownership(owner: 7, permissions: 0o700, isDirectory: false), user: 7) != nil)
    #expect(directory.parent == "/run/x")
    #expect(RuntimeDirectory(path: "/x").parent == "/")
    #expect(RuntimeDirectory(path: "x").parent == ".")
  }

  @Test(arguments: [(1, "a"), (Int32.max, "shop.py"), (4711, "a-b-1"), (2, "é"), (3, ".lock")] as [(Int32, String)])
  func anEntryIsFoundAgainByTheNameOfItsLock(pid: Int32, name: String) {
    let entry = RuntimeEntryName(pid: pid, name: name)
    #expect(RuntimeEntryName(lockFileName: entry.lockFileName) == entry)
    #expect(entry.socketFileName == "\(pid)-\(name).sock")
  }

  static let strangers = [
    "", ".", "..", "-", "-.lock", "1-.lock", "1.lock", ".lock", "lock", "1-a", "1-a.sock", "1-a.lock.sock", "1-a.lock ",
    "0-a.lock", "-1-a.lock", "+1-a.lock", "01-a.lock", "1 -a.lock", " 1-a.lock", "2147483648-a.lock", "x-a.lock",
    "１-a.lock", "99999999999999999999-a.lock", "1-a.LOCK",
    "1-" + String(repeating: "a", count: Limits.maximumSocketPathLength) + ".lock",
  ]

  @Test(arguments: strangers)
  func anotherNameIsNoEntry(fileName: String) {
    #expect(RuntimeEntryName(lockFileName: fileName) == nil)
  }

  @Test func randomNamesNeverTrap() {
    var random = SplitMix64(seed: 3)
    let pieces = ["1", "0", "-", ".lock", ".sock", "a", "é", "\u{301}", " ", "+", ".", "\0"]
    for _ in 0..<20_000 {
      let name = (0..<Int.random(in: 0..<6, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "" }
        .joined()
      guard let entry = RuntimeEntryName(lockFileName: name) else { continue }
      #expect(entry.lockFileName == name)
      #expect(entry.pid > 0 && !entry.name.isEmpty)
    }
  }
}
