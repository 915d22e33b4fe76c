// The thread table: what the kernel says of the threads of this process.

import CProcessHooks
import Shared
import Testing

@testable import ReplServer

@Suite struct ThreadTableTests {
  /// A thread that runs until it is told to stop.
  private final class Worker: Sendable {
    let number: Int
    private let isStopped: Monitor<Bool>
    private let thread: Background<Int>

    init(named name: StaticString, isBusy: Bool) {
      let started = Monitor<Int?>(nil)
      let isStopped = Monitor(false)
      self.isStopped = isStopped
      thread = Background {
        // Its thread goes back to a pool, and must not keep the name.
        defer { unsafe process_hooks_name_thread("background") }
        name.withUTF8Buffer { text in
          unsafe text.withMemoryRebound(to: CChar.self) { unsafe process_hooks_name_thread($0.baseAddress) }
        }
        let number = Int(process_hooks_thread_id())
        started.signal { $0 = number }
        if isBusy {
          var count = 0
          while !isStopped.withLock({ $0 }) { count &+= 1 }
          return count
        }
        isStopped.wait { $0 ? () : nil }
        return 0
      }
      number = started.wait { $0 }
    }

    func stop() throws {
      isStopped.signal { $0 = true }
      _ = try thread.value()
    }
  }

  private func reports(
    _ stacks: [ThreadStack]? = [], since first: ThreadTable = ThreadTable(), roles: [Int: String] = [:]
  ) -> [Int: ThreadReport] {
    var found: [Int: ThreadReport] = [:]
    for report in ThreadTable().reports(since: first, stacks: stacks, roles: roles) { found[report.thread] = report }
    return found
  }

  @Test func everyThreadIsListedInOrder() throws {
    let workers = (0..<3).map { _ in Worker(named: "idle (1) R ", isBusy: false) }
    let rows = ThreadTable().reports(since: ThreadTable(), stacks: nil, roles: [:])
    #expect(rows.map(\.thread) == rows.map(\.thread).sorted())
    #expect(Set(rows.map(\.thread)).isSuperset(of: workers.map(\.number) + [Int(process_hooks_thread_id())]))
    #expect(rows.allSatisfy { (0...1).contains($0.load) && $0.cpu >= 0 && $0.state.utf8.count == 1 })
    #expect(rows.allSatisfy { $0.frames == nil })
    for worker in workers { try worker.stop() }
  }

  @Test func aNameMayLookLikeTheEndOfItself() throws {
    let worker = Worker(named: "x) R (y", isBusy: false)
    let row = try #require(reports(nil)[worker.number])
    #expect(row.name == "x) R (y")
    #expect(row.state == "S" || row.state == "R")
    #expect(row.role == nil)
    try worker.stop()
  }

  @Test func whoRunsIsToldFromWhoWaits() throws {
    let busy = Worker(named: "busy", isBusy: true)
    let idle = Worker(named: "idle", isBusy: false)
    let first = ThreadTable()
    // Until the thread has run: how long that takes is the machine's affair.
    let before = reports(since: first)[busy.number]?.cpu ?? 0
    var rows = reports(since: first)
    while (rows[busy.number]?.cpu ?? .infinity) <= before { rows = reports(since: first) }
    #expect((rows[busy.number]?.load ?? 0) > 0)
    #expect(try #require(rows[idle.number]).load < 0.5)
    try busy.stop()
    try idle.stop()
  }

  @Test func theEngineNamesThreadsAndTheServerTheirRoles() throws {
    let worker = Worker(named: "kernel's", isBusy: false)
    let place = SourcePlace(file: "f", line: 1, function: "g", text: "h()")
    let stack = ThreadStack(thread: worker.number, name: "language's", frames: [place])
    let ghost = ThreadStack(thread: -1, name: "nobody", frames: [])
    let row = try #require(reports([ghost, stack, stack], roles: [worker.number: "job %3"])[worker.number])
    #expect(row.name == "language's")
    #expect(row.role == "job %3")
    #expect(row.frames == [place])
    try worker.stop()
  }

  @Test func theLoopsThreadIsTheServers() throws {
    let worker = Worker(named: "replserve-loop", isBusy: false)
    #expect(reports()[worker.number]?.role == "server")
    try worker.stop()
  }
}
