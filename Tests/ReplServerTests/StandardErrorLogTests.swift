// The log on standard error: its lines, and that it waits for nobody and writes nowhere else.

import Glibc
import Logging
import Testing

@testable import ReplServer

extension ProcessWideTests {
  @Suite struct StandardErrorLogTests {
    private let ends: (reading: Int32, writing: Int32)

    init() throws {
      var pair: [Int32] = [-1, -1]
      try #require(unsafe pipe(&pair) == 0)
      for end in pair { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
      _ = fcntl(pair[0], F_SETFL, O_NONBLOCK)
      ends = (pair[0], pair[1])
    }

    private func closeBoth() {
      close(ends.reading)
      close(ends.writing)
    }

    /// What has been written so far.
    private func written() -> String {
      var bytes: [UInt8] = []
      var buffer = [UInt8](repeating: 0, count: 1 << 16)
      while case let count = unsafe read(ends.reading, &buffer, buffer.count), count > 0 {
        bytes += buffer.prefix(count)
      }
      return String(decoding: bytes, as: UTF8.self)
    }

    /// Fills the pipe to the last byte. It blocks a writer then, as that of a host does.
    private func fill() {
      _ = fcntl(ends.writing, F_SETFL, O_NONBLOCK)
      let bytes = [UInt8](repeating: 0x2E, count: 4096)
      for size in [4096, 1] { while unsafe write(ends.writing, bytes, size) > 0 {} }
      _ = fcntl(ends.writing, F_SETFL, 0)
    }

    private func logger(_ level: Logger.Level = .warning) -> Logger {
      let log = StandardErrorLog(level: level, descriptor: ends.writing)
      return Logger(label: "test") { _ in log }
    }

    // MARK: lines

    @Test func aLineHasATimeAndALevel() {
      let line = String(decoding: StandardErrorLog.line(level: "warning", "refused: é"), as: UTF8.self)
      #expect(line.hasPrefix("replserve: 2"))
      #expect(line.hasSuffix("Z warning: refused: é\n"))
      #expect(line.split(separator: " ").count == 5)
    }

    @Test func nothingInItIsObeyedByATerminal() {
      let line = StandardErrorLog.line(level: "error", "a\u{1B}[2J\nb\r\u{9B}c\u{202E}d\u{2028}e\u{0}\u{7F}\u{E000}")
      #expect(String(decoding: line, as: UTF8.self).hasSuffix(" error: a?[2J?b??c?d?e???\n"))
    }

    @Test func itsLengthIsBounded() {
      let line = StandardErrorLog.line(level: "error", String(repeating: "\u{10348}", count: 1 << 20))
      #expect(line.count <= Int(PIPE_BUF))
    }

    // MARK: writing

    @Test func whatIsBelowTheLevelIsNotWritten() {
      defer { closeBoth() }
      let log = logger()
      log.notice("no")
      log.info("no")
      log.warning("yes")
      log.error("and this")
      let lines = written().split(separator: "\n")
      #expect(lines.map { $0.split(separator: " ", maxSplits: 2).last } == ["warning: yes", "error: and this"])
    }

    @Test func aFullPipeHoldsNobodyUpAndWhatIsLostIsTold() throws {
      defer { closeBoth() }
      fill()
      let log = logger()
      let writing = Background { for number in 0..<3 { log.warning("lost \(number)") } }
      try writing.value()
      #expect(written().allSatisfy { $0 == "." })
      log.warning("heard")
      let lines = written().split(separator: "\n")
      #expect(lines.count == 2)
      #expect(lines.first?.hasSuffix("warning: heard") == true)
      #expect(lines.last == "replserve: lines of this log that were lost: 3")
      log.warning("again")
      #expect(written().split(separator: "\n").count == 1)
    }

    /// A terminal whose user has stopped it says that it takes something when it takes less than a line.
    @Test func aTerminalThatIsNotReadHoldsNobodyUp() throws {
      closeBoth()
      let terminal = unsafe open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
      // TIOCSPTLCK and TIOCGPTN: ioctl_tty(2).
      var number: Int32 = 0
      try #require(unsafe ioctl(terminal, 0x4004_5431, &number) == 0 && ioctl(terminal, 0x8004_5430, &number) == 0)
      let name = "/dev/pts/\(number)"
      let bytes = [UInt8](repeating: 0x2E, count: 1000)
      var buffer = [UInt8](repeating: 0, count: 4096)
      _ = fcntl(terminal, F_SETFL, O_NONBLOCK)
      for taken in [1, 100, 256, 300, 512, 1000, 2000] {
        let end = unsafe open(name, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)
        for size in [100, 1] { while unsafe write(end, bytes, size) > 0 {} }
        _ = fcntl(end, F_SETFL, 0)
        _ = unsafe read(terminal, &buffer, taken)
        let log = StandardErrorLog(level: .warning, descriptor: end)
        try Background { log.say(.warning, String(repeating: "\u{10348}", count: 999)) }.value()
        while unsafe read(terminal, &buffer, buffer.count) > 0 {}
        // What was taken of a line is one, whatever follows.
        log.say(.warning, "heard")
        var text = ""
        while case let count = unsafe read(terminal, &buffer, buffer.count), count > 0 {
          text += String(decoding: buffer.prefix(count), as: UTF8.self)
        }
        #expect(
          text.split(whereSeparator: \.isNewline).contains { $0.hasPrefix("replserve: ") && $0.hasSuffix("heard") })
        close(end)
      }
      close(terminal)
    }

    @Test func aSocketThatIsFullHoldsNobodyUp() throws {
      closeBoth()
      var pair: [Int32] = [-1, -1]
      try #require(unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair) == 0)
      let log = StandardErrorLog(level: .warning, descriptor: pair[0])
      log.say(.warning, "heard")
      var buffer = [UInt8](repeating: 0x2E, count: 4096)
      #expect(unsafe recv(pair[1], &buffer, buffer.count, 0) > 0)
      let isWaiting = Int32(MSG_DONTWAIT)
      while unsafe send(pair[0], buffer, buffer.count, isWaiting) > 0 {}
      try Background { [log] in log.say(.warning, "lost") }.value()
      // Its reader may be gone.
      close(pair[1])
      log.say(.warning, "to nobody")
      close(pair[0])
    }

    @Test func aFileIsAppendedToWhereItsDescriptorIs() throws {
      defer { closeBoth() }
      let directory = try ScratchDirectory()
      let file = unsafe open(directory["errors"], O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
      defer { close(file) }
      let log = StandardErrorLog(level: .warning, descriptor: file)
      for number in 0..<2 {
        _ = unsafe write(file, Array("host\n".utf8), 5)
        log.say(.warning, "ours \(number)")
      }
      let lines = directory.text(of: "errors").split(separator: "\n")
      #expect(lines.map { $0.split(separator: " ").last } == ["host", "0", "host", "1"])
    }

    @Test func aPipeThatNobodyReadsIsNoHarm() {
      // As on the loop's thread.
      var mask = sigset_t()
      var pending = sigset_t()
      unsafe sigemptyset(&pending)
      unsafe sigaddset(&pending, SIGPIPE)
      unsafe pthread_sigmask(SIG_BLOCK, &pending, &mask)
      close(ends.reading)
      logger().warning("to nobody")
      close(ends.writing)
      var none = timespec()
      while unsafe sigtimedwait(&pending, nil, &none) == SIGPIPE {}
      unsafe pthread_sigmask(SIG_SETMASK, &mask, nil)
    }

    @Test func aDescriptorThatIsAnotherFileNowIsLeftAlone() throws {
      defer { closeBoth() }
      let directory = try ScratchDirectory()
      try directory.write("", to: "database")
      let log = logger()
      let kept = dup(ends.writing)
      let file = unsafe open(directory["database"], O_WRONLY | O_CLOEXEC)
      dup2(file, ends.writing)
      log.warning("not in there")
      #expect(directory.text(of: "database").isEmpty)
      dup2(kept, ends.writing)
      log.warning("here")
      #expect(written().hasSuffix("here\n"))
      close(file)
      close(kept)
    }

    @Test func whatWasClosedAtTheStartIsNeverWrittenTo() throws {
      close(ends.writing)
      let log = logger()
      let directory = try ScratchDirectory()
      try directory.write("", to: "database")
      // The lowest number that is free, which is likely the one that was closed just now.
      let file = unsafe open(directory["database"], O_WRONLY | O_CLOEXEC)
      log.warning("not in there")
      #expect(directory.text(of: "database").isEmpty)
      close(file)
      close(ends.reading)
    }
  }
}
