// The blocked call: the system call that a thread of this process waits in, and what ends it.
internal import CProcessHooks
internal import Glibc

/// A system call that another thread is in, as the kernel tells. proc(5): /proc/self/task/TID/syscall.
public struct BlockedCall: Equatable, Sendable {
  /// What may be put in the place of its result.
  public enum Ending: Equatable, Sendable {
    /// 0, as if its time were over.
    case timeOut
    /// An error that it does not give by itself: ECANCELED.
    case failure
    /// What a signal makes of it, and nothing else: EINTR.
    case signal
    /// As `signal`, and it is a lock: whoever waits for it looks again by itself.
    case lock
  }

  /// What an attempt to end it came to.
  public enum Strike: Equatable, Sendable {
    /// It has ended in the way that was asked for.
    case struck
    /// The thread had left it, or is in another one.
    case missed
    /// There is no way on this system, or none to this thread.
    case impossible
  }

  public let thread: Int
  public let number: Int
  let arguments: [UInt]
  /// The stack pointer, and where the thread goes on after the call.
  public let stack: UInt
  let instruction: UInt

  /// Milliseconds that a thread has to take the signal. It is not waited for if it cannot, as in a call to a disk.
  static let answerMilliseconds: Int32 = 50

  /// Looks at a thread of this process; nil when it runs, or that cannot be known.
  public init?(ofThread thread: Int) {
    guard let text = Self.read("/proc/self/task/\(thread)/syscall", length: 512) else { return nil }
    self.init(thread: thread, text: text)
  }

  /// - Parameter text: `NUMBER 0xARGUMENT x 6 0xSTACK 0xINSTRUCTION`, or a word when it is in no call.
  init?(thread: Int, text: String) {
    let words = text.split { $0 == " " || $0 == "\n" }
    let numbers = words.dropFirst().map { $0.hasPrefix("0x") ? UInt($0.dropFirst(2), radix: 16) : nil }
    guard words.count == 9, let number = Int(words[0]), number >= 0, let stack = numbers[6],
      let instruction = numbers[7]
    else { return nil }
    self.thread = thread
    self.number = number
    arguments = numbers.prefix(6).compactMap { $0 }
    self.stack = stack
    self.instruction = instruction
    guard arguments.count == 6 else { return nil }
  }

  /// The name of the call; nil when it is none that is known to wait.
  public var name: String? {
    guard let name = unsafe process_hooks_call_name(number) else { return nil }
    return unsafe String(cString: name)
  }

  /// How it may end.
  public var ending: Ending {
    switch process_hooks_call_kind_of(number) {
    case process_hooks_call_sleeps: .timeOut
    // Without a descriptor to tell of, a time-out is the only thing that can have happened.
    case process_hooks_call_polls: arguments[1] == 0 ? .timeOut : .failure
    case process_hooks_call_selects: arguments[0] == 0 ? .timeOut : .failure
    case process_hooks_call_fails: .failure
    case process_hooks_call_locks: .lock
    default: .signal
    }
  }

  /// Whether it waits for descriptors by poll(2), whose end of time says nothing that could be wrong.
  public var isPoll: Bool { process_hooks_call_kind_of(number) == process_hooks_call_polls }

  /// Ends the call. The caller sees to it that there is one strike at a time.
  public func strike(_ ending: Ending) -> Strike {
    guard let unusable = unusableSignals else { return .impossible }
    let result: Int =
      switch ending {
      case .timeOut: 0
      case .failure: -Int(ECANCELED)
      case .signal, .lock: -Int(EINTR)
      }
    let outcome = process_hooks_strike(
      Int32(truncatingIfNeeded: thread), instruction, stack, result, unusable, Self.answerMilliseconds)
    return switch outcome {
    case process_hooks_strike_struck: .struck
    case process_hooks_strike_impossible: .impossible
    default: .missed
    }
  }

  /// The signals that would not end the call: those that the thread has blocked, or has waiting already, and those
  /// that the call itself waits for, which it would return. Nil when that cannot be known.
  private var unusableSignals: UInt64? {
    guard let status = Self.read("/proc/self/task/\(thread)/status", length: 8192) else { return nil }
    var masks: [Substring: UInt64] = [:]
    for line in status.split(separator: "\n") {
      guard let colon = line.firstIndex(of: ":"), line.hasPrefix("Sig") else { continue }
      masks[line[..<colon]] = UInt64(line[line.index(after: colon)...].drop { $0 == "\t" }, radix: 16)
    }
    guard let blocked = masks["SigBlk"], let pending = masks["SigPnd"] else { return nil }
    guard number == process_hooks_signal_wait_call() else { return blocked | pending }
    guard let awaited = Self.word(at: arguments[0]) else { return nil }
    return blocked | pending | UInt64(awaited)
  }

  /// A word of this process's own memory, read in a way that cannot fault whatever the address is.
  public static func word(at address: UInt) -> UInt? { words(at: address, count: 1)?.first }

  /// As `word(at:)`, for several; fewer where the memory ends.
  public static func words(at address: UInt, count: Int) -> [UInt]? {
    guard let offset = Int(exactly: address), count > 0 else { return nil }
    let file = unsafe open("/proc/self/mem", O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var words = [UInt](repeating: 0, count: count)
    let length = unsafe words.withUnsafeMutableBytes { unsafe pread(file, $0.baseAddress, $0.count, offset) }
    guard length > 0 else { return nil }
    return Array(words.prefix(length / MemoryLayout<UInt>.size))
  }

  private static func read(_ path: String, length: Int) -> String? {
    ProcessFiles.bytes(of: path, upTo: length).map { String(decoding: $0, as: UTF8.self) }
  }
}
