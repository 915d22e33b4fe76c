// The doorkeeper: what it counts, and how often it speaks of it.

import Logging
import NIOCore
import NIOEmbedded
import Shared
import Synchronization
import Testing

@testable import ReplServer

/// A log whose lines a test looks at.
final class LineLog: Sendable {
  private let lines = Mutex<[String]>([])

  /// The lines since the last look, `LEVEL TEXT`.
  func take() -> [String] {
    lines.withLock { lines in
      defer { lines = [] }; return lines
    }
  }

  var logger: Logger { Logger(label: "test") { _ in Handler(log: self) } }

  private struct Handler: LogHandler {
    let log: LineLog
    var logLevel = Logger.Level.trace
    var metadata: Logger.Metadata = [:]

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { log.lines.withLock { $0.append("\(event.level) \(event.message)") } }
  }
}

@Suite struct DoorkeeperTests {
  private let loop = EmbeddedEventLoop()
  private let log = LineLog()
  private let doorkeeper: Doorkeeper

  init() {
    let auditor = Auditor(nil, serverName: "unit", names: UserNames(), log: log.logger)
    doorkeeper = Doorkeeper(rule: AccessRule(), log: log.logger, auditor: auditor, loop: loop)
  }

  private func visitor(_ port: Int = 9, _ owner: Peer.Owner = .user(8)) -> Visitor {
    Visitor(number: 3, peer: Peer(door: .text, owner: owner, address: "127.0.0.1:\(port)"))
  }

  @Test func everythingIsCounted() {
    #expect(doorkeeper.report.count == Refusal.allCases.count)
    for (count, refusal) in Refusal.allCases.enumerated() {
      for _ in 0..<count { doorkeeper.refuse(visitor(), refusal) }
    }
    for (count, refusal) in Refusal.allCases.enumerated() {
      #expect(doorkeeper.report[refusal.rawValue] == .integer(count))
    }
  }

  @Test func theFirstIsToldOfAtOnceAndTheOthersOnceAMinute() {
    doorkeeper.refuse(visitor(), .user)
    #expect(
      log.take() == [
        "warning refused a connection to the text door: it is from the user 8 (127.0.0.1:9); see --allow-uid"
      ])
    for port in 1...5 { doorkeeper.refuse(visitor(port), port < 3 ? .user : .foreign) }
    loop.advanceTime(by: .seconds(59))
    #expect(log.take() == [])
    loop.advanceTime(by: .seconds(1))
    #expect(log.take() == ["warning refused more connections: 2 user, 3 foreign; the last was from 127.0.0.1:5"])
    // That line begins another minute.
    doorkeeper.refuse(visitor(), .full)
    #expect(log.take() == [])
    loop.advanceTime(by: .seconds(60))
    #expect(log.take() == ["warning refused more connections: 1 full; the last was from 127.0.0.1:9"])
    loop.advanceTime(by: .seconds(60))
    #expect(log.take() == [])
    doorkeeper.refuse(visitor(), .foreign)
    #expect(log.take().count == 1)
  }

  @Test func nothingIsLeftToWakeUpForWhenNothingHappens() {
    doorkeeper.refuse(visitor(), .user)
    loop.advanceTime(by: .seconds(60))
    _ = log.take()
    loop.advanceTime(by: .hours(24))
    #expect(log.take() == [])
    #expect(throws: Never.self) { try loop.syncShutdownGracefully() }
  }

  @Test(arguments: [Refusal.gone, .silent]) func whoOnlyLooksIsNoNews(_ refusal: Refusal) {
    for _ in 0..<3 { doorkeeper.refuse(visitor(), refusal) }
    #expect(log.take() == Array(repeating: "info connection 3 from 127.0.0.1:9 was closed: \(refusal)", count: 3))
    doorkeeper.refuse(visitor(), .user)
    #expect(log.take().first?.hasPrefix("warning refused a connection") == true)
  }

  @Test func whatIsLeftIsToldAtTheEnd() {
    for _ in 0..<3 { doorkeeper.refuse(visitor(), .foreign) }
    #expect(log.take().count == 1)
    doorkeeper.close()
    #expect(log.take() == ["warning refused more connections: 2 foreign; the last was from 127.0.0.1:9"])
    loop.advanceTime(by: .hours(1))
    #expect(log.take() == [])
  }

  @Test(arguments: Refusal.allCases) func eachReasonHasItsWords(_ refusal: Refusal) {
    doorkeeper.refuse(visitor(9, .elsewhere), refusal)
    let lines = log.take()
    #expect(lines.count == 1)
    #expect(lines.first?.contains("127.0.0.1:9") == true || refusal == .full)
  }
}
