// The job and the job table: states, ends, watchers, and which jobs are kept for how long.

import CProcessHooks
import Glibc
import Shared
import Testing

@testable import ReplServer

@Suite struct JobTests {
  private let table = JobTable()

  private func add(_ source: String = "work()", owner: String = "session 1") -> Job {
    table.add(source: source, owner: owner)
  }

  /// Ends a job as the engine does.
  private func finish(_ job: Job, _ outcome: JobReport.State = .done) {
    job.end(outcome)
    table.finish(job)
  }

  // MARK: One job

  @Test func aJobThatHasNotBegunRuns() {
    let report = add("work()", owner: "session 7").report
    #expect(report.job == 1)
    #expect(report.state == .running)
    #expect(report.source == "work()")
    #expect(report.owner == "session 7")
    #expect(report.cpu == nil)
    #expect((report.output, report.dropped) == (0, 0))
    #expect(report.age >= 0 && report.duration >= 0)
  }

  @Test func theFirstEndCounts() {
    let job = add()
    #expect(!job.hasEnded)
    job.end(.failed)
    #expect(job.hasEnded)
    let duration = job.report.duration
    job.end(.done)
    #expect(job.current == .failed)
    #expect(job.report.duration == duration)
  }

  @Test func anAbandonedJobStaysThat() {
    let job = add()
    job.write(Array("before".utf8), to: .standardOutput)
    #expect(job.abandon())
    #expect(job.current == .abandoned)
    #expect(!job.hasEnded)
    job.write(Array("after".utf8), to: .standardOutput)
    #expect(job.output.isEmpty)
    #expect(job.report.dropped == 6)
    #expect(!job.abandon())
    job.end(.done)
    #expect(job.current == .abandoned)
    #expect(job.hasEnded)
  }

  @Test func aJobThatHasEndedIsNotAbandoned() {
    let job = add()
    job.write(Array("said".utf8), to: .standardOutput)
    job.end(.interrupted)
    #expect(!job.abandon())
    #expect(job.current == .interrupted)
    #expect(job.output == Array("said".utf8))
  }

  @Test func processorTimeIsThatOfItsThread() throws {
    let job = add()
    let spent = try Background {
      job.begin()
      let before = job.report.cpu ?? -1
      var now = timespec()
      // Until the thread has used a measurable amount of it: no clock on the wall is asked.
      repeat { unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) } while now.tv_sec == 0 && now.tv_nsec < 20_000_000
      let during = job.report.cpu ?? -1
      job.end(.done)
      return [before, during, job.report.cpu ?? -1]
    }.value()
    #expect(spent[0] >= 0)
    #expect(spent[1] >= 0.02)
    #expect(spent[2] >= spent[1])
    #expect(job.report.cpu == spent[2])
  }

  @Test func aLongSourceIsCutInTheReport() {
    let source = String(repeating: "s", count: ServerLimits.shownSourceCharacters + 1)
    #expect(add(source).report.source == String(source.dropLast()))
  }

  /// A character may be made of any number of code points; a row must stay short.
  @Test func aSourceOfOneEndlessCharacterIsCut() {
    let source = "e" + String(repeating: "\u{301}", count: 100_000)
    #expect(add(source).report.source.utf8.count <= 4 * ServerLimits.shownSourceCharacters)
  }

  // MARK: Watchers

  @Test func watchersAreToldOfEveryChangeUntilTheyLeave() {
    let job = add()
    let told = Monitor(0)
    let other = Monitor(0)
    let watcher = job.watch { told.signal { $0 += 1 } }
    _ = job.watch { other.signal { $0 += 1 } }
    #expect(told.withLock { $0 } == 0)
    job.write([1], to: .standardOutput)
    job.write([2], to: .standardError)
    #expect(told.withLock { $0 } == 2)
    job.unwatch(watcher)
    job.end(.done)
    #expect(told.withLock { $0 } == 2)
    #expect(other.withLock { $0 } == 3)
    job.unwatch(watcher)
    job.unwatch(99)
  }

  @Test func aWatcherMayLookAtTheJobAndLeave() {
    let job = add()
    let seen = Monitor<[JobReport.State]>([])
    let number = Monitor(0)
    let watcher = job.watch {
      seen.signal { $0.append(job.current) }
      job.unwatch(number.withLock { $0 })
    }
    number.signal { $0 = watcher }
    job.end(.failed)
    job.write([1], to: .standardOutput)
    #expect(seen.withLock { $0 } == [.failed])
  }

  // MARK: The table

  @Test func jobsAreNumberedFromOneAndListedInThatOrder() {
    let jobs = (0..<5).map { _ in add() }
    #expect(jobs.map(\.number) == [1, 2, 3, 4, 5])
    finish(jobs[3])
    finish(jobs[1])
    #expect(table.listed.map(\.number) == [1, 2, 3, 4, 5])
    #expect(table.runningCount == 3)
    #expect(table.listed(2) === jobs[1])
    #expect(table.listed(6) == nil)
    #expect(table.job(5) === jobs[4])
  }

  @Test func aJobThatWasNeverStartedIsForgottenWithoutATrace() {
    let job = add()
    table.remove(job)
    #expect(table.listed.isEmpty)
    #expect(table.job(1) == nil)
    #expect(add().number == 2)
    table.finish(job)
    #expect(table.listed.map(\.number) == [2])
  }

  @Test func theLastFinishedOnesAreKept() {
    let jobs = (0..<(ServerLimits.finishedJobs + 3)).map { _ in add() }
    let running = add()
    for job in jobs { finish(job) }
    #expect(table.listed.map(\.number) == jobs.dropFirst(3).map(\.number) + [running.number])
    #expect(table.listed(jobs[0].number) == nil)
    // The host holds all of them.
    #expect(table.job(jobs[0].number) === jobs[0])
    for job in jobs { table.release(job.number) }
    #expect(table.job(jobs[0].number) == nil)
    #expect(table.job(jobs[3].number) === jobs[3])
    table.release(running.number)
    #expect(table.job(running.number) === running)
  }

  @Test func theOutputOfTheFinishedOnesIsBoundedTogether() {
    let count = ServerLimits.finishedJobsOutputBytes / ServerLimits.jobOutputBytes + 2
    let output = [UInt8](repeating: 0x2E, count: ServerLimits.jobOutputBytes)
    for _ in 0..<count {
      let job = add()
      job.write(output, to: .standardOutput)
      finish(job)
    }
    #expect(table.listed.map(\.number) == Array(3...count))
    #expect(table.listed.reduce(0) { $0 + $1.keptByteCount } == ServerLimits.finishedJobsOutputBytes)
  }

  @Test func aJobIsFinishedOnce() {
    let (first, second) = (add(), add())
    finish(first)
    table.finish(first)
    finish(second)
    #expect(table.listed.map(\.number) == [1, 2])
  }

  @Test func manyThreadsAddAndFinish() throws {
    let table = table
    let threads = (0..<8).map { _ in
      Background {
        for _ in 0..<200 {
          let job = table.add(source: "s", owner: "o")
          job.write([1], to: .standardOutput)
          job.end(.done)
          table.finish(job)
          table.release(job.number)
        }
      }
    }
    for thread in threads { try thread.value() }
    #expect(table.runningCount == 0)
    #expect(table.listed.count == ServerLimits.finishedJobs)
    #expect(add().number == 1601)
  }
}
