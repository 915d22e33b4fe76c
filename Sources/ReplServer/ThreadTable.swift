// The thread table: the threads of this process, as the kernel has them.
internal import CProcessHooks
internal import Shared

/// The threads at one moment; two tables tell which of them ran in between. proc(5): /proc/self/task.
struct ThreadTable {
  private struct Entry {
    let name: String
    /// The kernel's letter: R, S, D, T.
    let state: String
    /// Processor time in all, in seconds.
    let cpu: Double
  }

  private let entries: [Int: Entry]
  private let taken = ContinuousClock.now

  init() {
    var entries: [Int: Entry] = [:]
    for thread in Self.threads() {
      let nanoseconds = process_hooks_thread_cpu_nanoseconds(Int32(truncatingIfNeeded: thread))
      guard nanoseconds >= 0, let (name, state) = Self.status(of: thread) else { continue }
      entries[thread] = Entry(name: name, state: state, cpu: Double(nanoseconds) / 1e9)
    }
    self.entries = entries
  }

  /// The rows, in the order of the threads' numbers.
  /// - Parameters:
  ///   - earlier: a table of a moment ago.
  ///   - stacks: what the engine knows; nil when it did not say.
  ///   - roles: what the server's own threads are for.
  func reports(since earlier: ThreadTable, stacks: [ThreadStack]?, roles: [Int: String]) -> [ThreadReport] {
    let passed = max((taken - earlier.taken).seconds, 1e-6)
    var known: [Int: ThreadStack] = [:]
    for stack in stacks ?? [] { known[stack.thread] = stack }
    return entries.sorted { $0.key < $1.key }.map { thread, entry in
      let load = (entry.cpu - (earlier.entries[thread]?.cpu ?? entry.cpu)) / passed
      return ThreadReport(
        thread: thread, name: known[thread]?.name ?? entry.name,
        role: roles[thread] ?? (entry.name == Self.loopName ? "server" : nil), state: entry.state,
        cpu: entry.cpu, load: min(max(load, 0), 1), frames: known[thread]?.frames)
    }
  }

  /// The kernel's name of the event loop's thread.
  static let loopName = "replserve-loop"

  private static func threads() -> [Int] {
    ProcessFiles.numbers(in: "/proc/self/task", upTo: ServerLimits.listedRows).map { Int($0) }
  }

  /// The name and the state in /proc/self/task/TID/stat: `TID (NAME) S ...`, where the name may hold anything.
  private static func status(of thread: Int) -> (name: String, state: String)? {
    guard let text = ProcessFiles.bytes(of: "/proc/self/task/\(thread)/stat", upTo: 1024) else { return nil }
    guard let open = text.firstIndex(of: UInt8(ascii: "(")), let close = text.lastIndex(of: UInt8(ascii: ")")),
      open < close, close + 2 < text.endIndex
    else { return nil }
    return (
      String(decoding: text[(open + 1)..<close], as: UTF8.self),
      String(decoding: [text[close + 2]], as: UTF8.self)
    )
  }
}
