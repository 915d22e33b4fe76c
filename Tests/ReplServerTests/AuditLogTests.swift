// The audit log: which files it takes, and what becomes of them under its hands.

import CProcessHooks
import Glibc
import Shared
import Testing

@testable import ReplServer

extension ProcessWideTests {
  @Suite struct AuditLogTests {
    private let directory: ScratchDirectory
    private var path: String { directory["log"] }
    private var text: String { directory.text(of: "log") }

    init() throws { directory = try ScratchDirectory() }

    /// Why a file cannot be the log; nil when it can.
    private func refusal() -> String? {
      do throws(ServerError) {
        _ = try AuditLog(path: path)
        return nil
      } catch {
        #expect(error.code == .notPermitted)
        #expect(error.message.hasPrefix("cannot write to the audit log \(path): "))
        return String(error.message.dropFirst("cannot write to the audit log \(path): ".count))
      }
    }

    // MARK: the file

    @Test func isMadeForItsOwnerAlone() throws {
      let log = try AuditLog(path: path)
      try log.write(["a": 1])
      var status = stat()
      #expect(unsafe stat(path, &status) == 0)
      #expect(status.st_mode & 0o7777 == 0o600)
      #expect(text == "{\"a\":1}\n")
    }

    @Test func isAppendedTo() throws {
      try directory.write("{}\n", to: "log")
      try AuditLog(path: path).write(["a": 1])
      try AuditLog(path: path).write(["a": 2])
      #expect(text == "{}\n{\"a\":1}\n{\"a\":2}\n")
    }

    @Test func severalMayWriteToOne() throws {
      let logs = try (0..<3).map { _ in try AuditLog(path: path) }
      for round in 0..<3 { for (index, log) in logs.enumerated() { try log.write(["a": .integer(round * 3 + index)]) } }
      #expect(text == (0..<9).map { "{\"a\":\($0)}\n" }.joined())
    }

    @Test func givesItsDescriptorBack() throws {
      let before = openDescriptorCount()
      let registered = process_hooks_descriptor_count()
      var log: AuditLog? = try AuditLog(path: path)
      #expect(openDescriptorCount() == before + 1)
      #expect(process_hooks_descriptor_count() == registered + 1)
      withExtendedLifetime(log) {}
      log = nil
      try directory.write("", to: "log", mode: 0o622)
      #expect(refusal() != nil)
      #expect(openDescriptorCount() == before)
      #expect(process_hooks_descriptor_count() == registered)
    }

    private func openDescriptorCount() -> Int {
      (0..<1024).count { fcntl($0, F_GETFD) >= 0 }
    }

    // MARK: what is no log

    @Test func aLinkIsRefused() throws {
      try directory.write("", to: "other")
      #expect(unsafe symlink(directory["other"], path) == 0)
      #expect(refusal() == "it is a symbolic link; name the file itself")
      unsafe unlink(path)
      #expect(unsafe symlink(directory["none"], path) == 0)
      #expect(refusal() == "it is a symbolic link; name the file itself")
      #expect(directory.text(of: "other").isEmpty)
      #expect(!directory.names.contains("none"))
    }

    @Test func aDirectoryIsRefused() throws {
      #expect(unsafe mkdir(path, 0o700) == 0)
      #expect(refusal() == "Is a directory")
    }

    @Test(arguments: [false, true]) func aPipeIsRefusedAtOnce(_ hasReader: Bool) throws {
      #expect(unsafe mkfifo(path, 0o600) == 0)
      let reader = hasReader ? unsafe open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC) : -1
      defer { if hasReader { close(reader) } }
      #expect(refusal() == "it is not a regular file")
    }

    @Test(arguments: [0o620, 0o602, 0o666] as [mode_t]) func whatOthersCanWriteToIsRefused(_ mode: mode_t) throws {
      try directory.write("", to: "log", mode: mode)
      #expect(refusal() == "others can write to it; chmod go-w it")
    }

    @Test func whatOthersCanReadIsTheirOwnersAffair() throws {
      try directory.write("", to: "log", mode: 0o644)
      #expect(refusal() == nil)
    }

    @Test(.enabled(if: geteuid() == 0, "only root can give a file away")) func anotherUsersFileIsRefused() throws {
      try directory.write("", to: "log")
      #expect(unsafe chown(path, 65_534, 65_534) == 0)
      #expect(refusal() == "it belongs to the user 65534")
    }

    @Test func aPathThatLeadsNowhereIsRefused() throws {
      #expect(throws: ServerError.self) { try AuditLog(path: directory["none"] + "/log") }
    }

    // MARK: while it is open

    @Test func aRenamedFileIsFollowedByAnother() throws {
      let log = try AuditLog(path: path)
      try log.write(["a": 1])
      directory.rename("log", to: "log.1")
      try log.write(["a": 2])
      #expect(directory.text(of: "log.1") == "{\"a\":1}\n")
      #expect(text == "{\"a\":2}\n")
    }

    @Test func aRemovedFileIsMadeAgain() throws {
      let log = try AuditLog(path: path)
      try log.write(["a": 1])
      unsafe unlink(path)
      try log.write(["a": 2])
      #expect(text == "{\"a\":2}\n")
    }

    @Test func aTruncatedFileIsFilledFromItsStart() throws {
      let log = try AuditLog(path: path)
      try log.write(["a": 1])
      unsafe truncate(path, 0)
      try log.write(["a": 2])
      #expect(text == "{\"a\":2}\n")
    }

    /// What stands at the path by then; the record is not written there, and the next one is, when all is well again.
    enum Replacement: CaseIterable {
      case link, directory, writable
    }

    @Test(arguments: Replacement.allCases) func whatTakesItsPlaceIsLookedAt(_ replacement: Replacement) throws {
      let log = try AuditLog(path: path)
      try log.write(["a": 1])
      switch replacement {
      case .link:
        directory.rename("log", to: "log.1")
        // Even when it leads to the very file.
        #expect(unsafe symlink(directory["log.1"], path) == 0)
      case .directory:
        directory.rename("log", to: "log.1")
        #expect(unsafe mkdir(path, 0o700) == 0)
      case .writable: #expect(unsafe chmod(path, 0o666) == 0)
      }
      #expect(throws: AuditLog.Failure.self) { try log.write(["a": 2]) }
      #expect(throws: AuditLog.Failure.self) { try log.write(["a": 3]) }
      if unsafe unlink(path) != 0 { unsafe rmdir(path) }
      try log.write(["a": 4])
      #expect(text == "{\"a\":4}\n")
    }

    // MARK: lines

    /// Another process may have been killed, or have had no room, in the midst of a line.
    @Test func whatWasCutShortIsALineOfItsOwn() throws {
      try directory.write("{}\n{\"a\":", to: "log")
      let log = try AuditLog(path: path)
      try log.write(["a": 1])
      try log.write(["a": 2])
      #expect(text == "{}\n{\"a\":\n{\"a\":1}\n{\"a\":2}\n")
    }

    /// For everybody who reads it; some end a line at other characters, too, and terminals obey some.
    @Test func aRecordIsOneLine() throws {
      let log = try AuditLog(path: path)
      let record: JSON.Object = ["a\u{9B}": "x\ny\r\u{85}\u{2028}\u{2029}\u{0}\u{7F}\u{202E}\u{E0041}\\é\u{1F600}"]
      try log.write(record)
      #expect(
        text == #"{"a\u009b":"x\ny\r\u0085\u2028\u2029\u0000\u007f\u202e\udb40\udc41\\é\#u{1F600}"}"# + "\n")
      #expect(try JSON(parsing: text.utf8.dropLast()) == .object(record))
    }
  }
}
