// The struck threads: whose call was made to fail under their evaluation, so that the exception which comes of it is known
// for an interrupt.
internal import Synchronization

/// Threads whose call has failed by a strike since their evaluation began. Written and read by whoever holds the
/// interpreter.
enum StruckThreads {
  private static let all = Mutex<Set<UInt>>([])

  static func note(_ thread: UInt) { all.withLock { _ = $0.insert(thread) } }

  static func forget(_ thread: UInt) { all.withLock { _ = $0.remove(thread) } }

  static func contains(_ thread: UInt) -> Bool { all.withLock { $0.contains(thread) } }
}
