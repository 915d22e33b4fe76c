// The loop's descriptors: what NIO's event loop opens for itself and shows to nobody.
internal import CProcessHooks

/// Finds the epoll descriptor of an event loop, and the event and timer descriptors it waits on, so that a forked
/// child can close them.
///
/// The kernel tells them apart from those of other loops in the host: the one that watches our listener is ours.
/// proc(5): /proc/PID/fdinfo of an epoll descriptor has a line `tfd: NUMBER ...` for each descriptor it watches.
struct LoopDescriptors: ~Copyable {
  private var slots: [Int32] = []

  /// - Parameter listener: a descriptor that the loop watches.
  init(watching listener: Int32) {
    for descriptor in ProcessFiles.numbers(in: "/proc/self/fd")
    where Self.kind(of: descriptor) == "anon_inode:[eventpoll]" {
      let watched = Self.watched(by: descriptor)
      guard watched.contains(listener) else { continue }
      let own = watched.filter { Self.kind(of: $0)?.hasPrefix("anon_inode:") ?? false }
      slots = ([descriptor] + own).map { process_hooks_register_descriptor($0) }
      return
    }
  }

  /// Takes them off the table. To be called before the loop closes them: such descriptors cannot be told from
  /// another of the host that gets the same number.
  mutating func forget() {
    for slot in slots { process_hooks_forget_descriptor(slot) }
    slots = []
  }

  private static func kind(of descriptor: Int32) -> String? {
    ProcessFiles.target(ofLink: "/proc/self/fd/\(descriptor)")
  }

  private static func watched(by descriptor: Int32) -> [Int32] {
    let bytes = ProcessFiles.bytes(of: "/proc/self/fdinfo/\(descriptor)", upTo: 16 << 10) ?? []
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap { line in
      let words = line.split(separator: " ", omittingEmptySubsequences: true)
      guard words.first == "tfd:", let number = words.dropFirst().first else { return nil }
      return Int32(number)
    }
  }
}
