// The runtime directory: entries of servers under a private XDG_RUNTIME_DIR.

import Glibc
import Shared
import Testing

@testable import ReplServer

extension ProcessWideTests {
  @Suite final class RuntimeDirectoryTests {
    private let root: String
    private let previous: String?
    private var directory: String { root + "/repltools" }

    init() throws {
      var template = Array("/tmp/repltools-unit-XXXXXX".utf8CString)
      let made = unsafe mkdtemp(&template)
      try #require(unsafe made != nil)
      root = String(decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      let value = unsafe getenv("XDG_RUNTIME_DIR")
      previous = unsafe value.map { unsafe String(cString: $0) }
      unsafe setenv("XDG_RUNTIME_DIR", root, 1)
    }

    deinit {
      if let previous { unsafe setenv("XDG_RUNTIME_DIR", previous, 1) } else { unsafe unsetenv("XDG_RUNTIME_DIR") }
      unsafe unlink(directory)
      unsafe rmdir(directory)
      unsafe rmdir(root + "/elsewhere")
      unsafe rmdir(root)
    }

    /// The kind and the permissions of a file; nil when there is none.
    private func mode(_ path: String) -> mode_t? {
      var status = stat()
      return unsafe lstat(path, &status) == 0 ? status.st_mode : nil
    }

    private func makeEntry(name: String = "n", pid: Int32 = 1) throws {
      _ = try RuntimeEntry.make(name: name, pid: pid)
    }

    @Test func anEntryIsALockInAPrivateDirectory() throws {
      let entry = try RuntimeEntry.make(name: "main", pid: 42)
      #expect(entry.socketPath == directory + "/42-main.sock")
      #expect(mode(directory) == S_IFDIR | 0o700)
      #expect(mode(directory + "/42-main.lock") == S_IFREG | 0o600)
      let other = unsafe open(directory + "/42-main.lock", O_RDWR | O_CLOEXEC)
      defer { close(other) }
      #expect(flock(other, LOCK_EX | LOCK_NB) == -1)
    }

    @Test func anEntryRemovesItsFiles() throws {
      let entry = try RuntimeEntry.make(name: "main", pid: 42)
      let path = entry.socketPath
      close(unsafe creat(path, 0o600))
      #expect(mode(path) != nil)
      _ = consume entry
      #expect(mode(path) == nil)
      #expect(mode(directory + "/42-main.lock") == nil)
    }

    @Test func aNameIsTakenOnce() throws {
      let entry = try RuntimeEntry.make(name: "main", pid: 42)
      close(unsafe creat(entry.socketPath, 0o600))
      let error = #expect(throws: ServerError.self) { try self.makeEntry(name: "main", pid: 42) }
      #expect(error?.code == .addressUnavailable)
      #expect(mode(entry.socketPath) != nil)
      #expect(mode(directory + "/42-main.lock") != nil)
      try makeEntry(name: "other", pid: 42)
      try makeEntry(name: "main", pid: 43)
    }

    @Test func whatAKilledServerLeftIsTakenOver() throws {
      try makeEntry()
      for end in ["sock", "lock"] { close(unsafe creat(directory + "/42-main." + end, 0o600)) }
      let entry = try RuntimeEntry.make(name: "main", pid: 42)
      #expect(mode(entry.socketPath) == nil)
    }

    @Test func aSymbolicLinkInPlaceOfTheDirectoryIsRefused() throws {
      try #require(unsafe mkdir(root + "/elsewhere", 0o700) == 0)
      try #require(unsafe symlink(root + "/elsewhere", directory) == 0)
      let error = #expect(throws: ServerError.self) { try self.makeEntry() }
      #expect(error?.code == .notPermitted)
      #expect(mode(root + "/elsewhere/1-n.lock") == nil)
    }

    @Test(arguments: [0o720, 0o702, 0o777] as [mode_t])
    func aDirectoryThatOthersCanWriteToIsRefused(_ permissions: mode_t) throws {
      try #require(unsafe mkdir(directory, 0o700) == 0)
      try #require(unsafe chmod(directory, permissions) == 0)
      let error = #expect(throws: ServerError.self) { try self.makeEntry() }
      #expect(error?.code == .notPermitted)
      #expect(error?.message.contains(directory) == true)
    }

    @Test(arguments: [(0o770, false), (0o707, false), (0o1777, true), (0o755, true)] as [(mode_t, Bool)])
    func whatItIsInMustKeepOthersFromReplacingIt(_ permissions: mode_t, _ isSafe: Bool) throws {
      try #require(unsafe chmod(root, permissions) == 0)
      guard !isSafe else { return try makeEntry() }
      let error = #expect(throws: ServerError.self) { try self.makeEntry() }
      #expect(error?.code == .notPermitted)
      #expect(error?.message.contains(root) == true)
      #expect(mode(directory) == nil)
    }

    @Test func aSymbolicLinkInPlaceOfTheLockIsRefused() throws {
      try makeEntry()
      try #require(unsafe symlink(root + "/victim", directory + "/1-n.lock") == 0)
      defer { unsafe unlink(directory + "/1-n.lock") }
      let error = #expect(throws: ServerError.self) { try self.makeEntry() }
      #expect(error?.code == .noResources)
      #expect(error?.errno == ELOOP)
      #expect(mode(root + "/victim") == nil)
    }

    @Test func aPathTooLongForASocketIsRefusedBeforeAnythingIsMade() throws {
      let room = Limits.maximumSocketPathLength - (directory + "/1-.sock").utf8.count
      try makeEntry(name: String(repeating: "n", count: room))
      let name = String(repeating: "n", count: room + 1)
      let error = #expect(throws: ServerError.self) { try self.makeEntry(name: name) }
      #expect(error?.code == .addressUnavailable)
      #expect(mode(directory + "/1-\(name).lock") == nil)
    }

    @Test func aServerListensOnItsSocketUntilItStops() throws {
      let running = try RunningServer(hasUnixSocket: true)
      let path = try #require(running.server.address.unixSocket)
      #expect(path == directory + "/\(getpid())-unit.sock")
      #expect(mode(path) == S_IFSOCK | 0o600)
      let client = try ControlClient(unixSocket: path)
      #expect(try client.ask("DescribeServer", ["id": 1])?.id == 1)
      let error = #expect(throws: ServerError.self) { try RunningServer(hasUnixSocket: true) }
      #expect(error?.code == .addressUnavailable)
      #expect(mode(path) == S_IFSOCK | 0o600)
      running.server.stop()
      #expect(try client.reply() == nil)
      #expect(mode(path) == nil)
      #expect(mode(directory + "/\(getpid())-unit.lock") == nil)
    }
  }
}
