// The monitor: state that threads share and wait for.

import Testing

@testable import ReplServer

@Suite struct MonitorTests {
  @Test func aWaitEndsWhenTheStateIsWhatItWants() throws {
    let monitor = Monitor(0)
    let waiter = Background { monitor.wait { $0 >= 2 ? $0 : nil } }
    monitor.signal { $0 = 1 }
    #expect(waiter.isHeldUp)
    monitor.signal { $0 = 2 }
    #expect(try waiter.value() == 2)
  }

  @Test func everyWaiterIsWoken() throws {
    let monitor = Monitor((ready: 0, isOpen: false))
    let waiters = (0..<4).map { number in
      Background {
        monitor.signal { $0.ready += 1 }
        return monitor.wait { $0.isOpen ? number : nil }
      }
    }
    #expect(monitor.wait(milliseconds: Patience.milliseconds) { $0.ready == 4 ? true : nil } == true)
    monitor.signal { $0.isOpen = true }
    #expect(try waiters.map { try $0.value() } == [0, 1, 2, 3])
  }

  @Test func aWaitMayChangeTheState() {
    let monitor = Monitor([1, 2])
    #expect(monitor.wait { $0.popLast() } == 2)
    #expect(monitor.withLock { $0 } == [1])
    #expect(monitor.signal { $0.count } == 1)
  }

  @Test(arguments: [-1, 0, 1, 30]) func aTimedWaitGivesUp(_ milliseconds: Int) {
    let monitor = Monitor(0)
    let clock = ContinuousClock()
    let start = clock.now
    #expect(monitor.wait(milliseconds: milliseconds) { _ -> Int? in nil } == nil)
    #expect(clock.now - start >= .milliseconds(max(milliseconds, 0)))
  }

  @Test func aTimedWaitAsksOnceMoreWhenTimeIsUp() {
    let monitor = Monitor(0)
    let asked = monitor.wait(milliseconds: 1) { count -> Int? in
      count += 1
      return count >= 2 ? count : nil
    }
    #expect(asked == 2)
  }

  @Test func aTimedWaitIsWokenByASignal() throws {
    let monitor = Monitor(0)
    let waiter = Background { monitor.wait(milliseconds: Patience.milliseconds * 2) { $0 > 0 ? $0 : nil } }
    monitor.signal { $0 = 7 }
    #expect(try waiter.value() == 7)
  }

  @Test func anErrorLeavesTheMutexFree() {
    struct Fault: Error {}
    let monitor = Monitor(0)
    #expect(throws: Fault.self) { try monitor.withLock { _ throws(Fault) in throw Fault() } }
    #expect(monitor.withLock { $0 } == 0)
  }
}
