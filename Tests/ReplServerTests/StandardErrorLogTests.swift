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
