// Blocked calls: what a thread waits in, and that a strike ends that call and no other.

import CProcessHooks
import Glibc
import Synchronization
import Testing

@testable import ReplServer

/// A thread in a call that only a strike ends, and what the call has returned.
private final class Waiter: Sendable {
  struct Result: Equatable {
    var value: Int
    var error: Int32
  }

  private let state = Monitor<(thread: Int?, result: Result?)>((nil, nil))

  init(_ call: @escaping @Sendable () -> Int) {
    let body = { @Sendable [state] in
      // The threads that run tests block every signal, and those they start do, too.
      var none = sigset_t()
      unsafe sigemptyset(&none)
      unsafe pthread_sigmask(SIG_SETMASK, &none, nil)
      state.signal { $0.thread = Int(process_hooks_thread_id()) }
      let value = call()
      let error = errno
      state.signal { $0.result = Result(value: value, error: error) }
    }
    let boxed = unsafe Unmanaged.passRetained(Box(body))
    var thread = pthread_t()
    unsafe pthread_create(
      &thread, nil,
      { argument in
        guard let argument = unsafe argument else { return nil }
        unsafe Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body()
        return nil
      }, unsafe boxed.toOpaque())
    pthread_detach(thread)
  }

  private final class Box: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }

  var thread: Int? { state.wait(milliseconds: 30_000) { $0.thread } }
  var result: Result? { state.wait(milliseconds: 30_000) { $0.result } }
  var hasEnded: Bool { state.withLock { $0.result != nil } }

  /// The call, once the thread is in it.
  func call(_ name: String) throws -> BlockedCall {
    let thread = try #require(thread)
    let deadline = ContinuousClock.now + .seconds(30)
    while ContinuousClock.now < deadline {
      if let call = BlockedCall(ofThread: thread), call.name == name { return call }
      sched_yield()
    }
    throw Never()
  }

  struct Never: Error {}
}

/// Whether a signal has its default action, for all real-time signals.
private func handledSignals() -> [Int32] {
  (SIGRTMIN()...SIGRTMAX()).filter { number in
    var now = sigaction()
    unsafe sigaction(number, nil, &now)
    return unsafe now.__sigaction_handler.sa_handler != nil
  }
}

private func SIGRTMIN() -> Int32 { __libc_current_sigrtmin() }
private func SIGRTMAX() -> Int32 { __libc_current_sigrtmax() }

extension ProcessWideTests {
  @Suite struct BlockedCallTests {
    private static func pipe() throws -> (Int32, Int32) {
      var (reader, writer): (Int32, Int32) = (-1, -1)
      try #require(unsafe process_hooks_make_pipe(&reader, &writer))
      // Blocking, as a program's own pipes are.
      _ = fcntl(reader, F_SETFL, 0)
      return (reader, writer)
    }

    @Test func aReadFails() throws {
      let (reader, writer) = try Self.pipe()
      defer { close(reader); close(writer) }
      let before = handledSignals()
      let waiter = Waiter {
        var byte: UInt8 = 0
        return unsafe read(reader, &byte, 1)
      }
      let call = try waiter.call("read")
      #expect(call.ending == .failure)
      #expect(call.strike(.failure) == .struck)
      #expect(waiter.result == .init(value: -1, error: ECANCELED))
      #expect(handledSignals() == before)
    }

    @Test func aSleepIsOver() throws {
      let waiter = Waiter {
        var long = timespec(tv_sec: 3600, tv_nsec: 0)
        return Int(unsafe clock_nanosleep(CLOCK_MONOTONIC, 0, &long, nil))
      }
      let call = try waiter.call("clock_nanosleep")
      #expect(call.ending == .timeOut)
      #expect(call.strike(.timeOut) == .struck)
      #expect(waiter.result?.value == 0)
    }

    @Test func pollAndSelectAreOverOnlyWithoutDescriptors() throws {
      let nothing = Waiter { Int(poll(nil, 0, 3_600_000)) }
      let call = try nothing.call("poll")
      #expect(call.ending == .timeOut && call.isPoll)
      #expect(call.strike(.timeOut) == .struck)
      #expect(nothing.result?.value == 0)

      let (reader, writer) = try Self.pipe()
      defer { close(reader); close(writer) }
      let something = Waiter {
        var entry = pollfd(fd: reader, events: Int16(POLLIN), revents: 0)
        return Int(unsafe poll(&entry, 1, 3_600_000))
      }
      let other = try something.call("poll")
      #expect(other.ending == .failure)
      #expect(other.strike(.failure) == .struck)
      #expect(something.result == .init(value: -1, error: ECANCELED))
    }

    @Test func aLockIsWaitedForAgain() throws {
      let gate = Monitor(false)
      let waiter = Waiter { gate.wait { $0 ? 7 : nil } }
      let call = try waiter.call("futex")
      #expect(call.ending == .lock)
      #expect(call.strike(.lock) == .struck)
      #expect(!waiter.hasEnded)
      gate.signal { $0 = true }
      #expect(waiter.result?.value == 7)
    }

    @Test func aCallThatIsOverIsMissed() throws {
      let (reader, writer) = try Self.pipe()
      defer { close(reader); close(writer) }
      let gate = Monitor(false)
      let waiter = Waiter {
        var byte: UInt8 = 0
        let count = unsafe read(reader, &byte, 1)
        gate.wait { $0 ? () : nil }
        return count
      }
      let call = try waiter.call("read")
      var byte: UInt8 = 1
      _ = unsafe write(writer, &byte, 1)
      _ = try waiter.call("futex")
      #expect(call.strike(.failure) == .missed)
      gate.signal { $0 = true }
      #expect(waiter.result?.value == 1)
    }

    @Test func aThreadThatBlocksEverySignalIsLeftAlone() throws {
      let (reader, writer) = try Self.pipe()
      defer { close(reader); close(writer) }
      let before = handledSignals()
      let waiter = Waiter {
        var previous = sigset_t()
        unsafe process_hooks_block_signals(&previous)
        var byte: UInt8 = 0
        return unsafe read(reader, &byte, 1)
      }
      #expect(try waiter.call("read").strike(.failure) == .impossible)
      #expect(handledSignals() == before)
      #expect(!waiter.hasEnded)
      var byte: UInt8 = 1
      _ = unsafe write(writer, &byte, 1)
      #expect(waiter.result?.value == 1)
    }

    @Test func aSignalThatTheCallWaitsForIsNotUsed() throws {
      let waiter = Waiter {
        var all = sigset_t()
        unsafe sigemptyset(&all)
        for number in (SIGRTMIN() + 1)...SIGRTMAX() { unsafe sigaddset(&all, number) }
        return Int(unsafe sigwaitinfo(&all, nil))
      }
      let call = try waiter.call("rt_sigtimedwait")
      #expect(call.strike(.failure) == .struck)
      #expect(waiter.result == .init(value: -1, error: ECANCELED))
    }

    /// A byte that arrives at the moment of the strike is either returned or still there: never both, never neither.
    @Test func nothingIsLost() throws {
      let (reader, writer) = try Self.pipe()
      defer { close(reader); close(writer) }
      var random = SplitMix64(seed: 11)
      var counts = (struck: 0, returned: 0)
      for _ in 0..<400 {
        let waiter = Waiter {
          var byte: UInt8 = 0
          return unsafe read(reader, &byte, 1)
        }
        let call = try waiter.call("read")
        let spins = Int(random.next() % 200_000)
        let writing = Waiter {
          for _ in 0..<spins { pass() }
          var byte: UInt8 = 1
          return unsafe write(writer, &byte, 1)
        }
        _ = writing.thread
        let strike = call.strike(.failure)
        let result = try #require(waiter.result)
        _ = writing.result
        if result.value == 1 {
          counts.returned += 1
          #expect(strike != .struck)
        } else {
          counts.struck += 1
          #expect(strike == .struck && result.error == ECANCELED)
          var byte: UInt8 = 0
          #expect(unsafe read(reader, &byte, 1) == 1)
        }
      }
      #expect(counts.struck > 0 && counts.returned > 0)
    }

    @Test func whatIsNoCallIsNone() {
      for text in [
        "", "running\n", "-1 0x7ffc 0x7f\n", "0 0x1 0x2", "0 1 2 3 4 5 6 7 8", "x 0x1 0x1 0x1 0x1 0x1 0x1 0x1 0x1",
      ] {
        #expect(BlockedCall(thread: 1, text: text) == nil)
      }
      #expect(BlockedCall(ofThread: -5) == nil)
      let call = BlockedCall(thread: 1, text: "99999 0x0 0x0 0x0 0x0 0x0 0x0 0x10 0x20\n")
      #expect(call?.name == nil && call?.ending == .signal && call?.stack == 0x10)
    }
  }
}

/// Takes a moment.
@inline(never) private func pass() {}
