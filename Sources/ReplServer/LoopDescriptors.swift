// The loop's descriptors: what NIO's event loop opens for itself and shows to nobody.
internal import CProcessHooks
internal import Glibc

/// Finds the epoll descriptor of an event loop, and the event and timer descriptors it waits on, so that a forked
/// child can close them.
///
/// The kernel tells them apart from those of other loops in the host: the one that watches our listener is ours.
/// proc(5): /proc/PID/fdinfo of an epoll descriptor has a line `tfd: NUMBER ...` for each descriptor it watches.
struct LoopDescriptors: ~Copyable {
  private var slots: [Int32] = []

  /// - Parameter listener: a descriptor that the loop watches.
  init(watching listener: Int32) {
    for descriptor in Self.openDescriptors() where Self.kind(of: descriptor) == "anon_inode:[eventpoll]" {
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

  private static func openDescriptors() -> [Int32] {
    guard let directory = unsafe opendir("/proc/self/fd") else { return [] }
    defer { unsafe closedir(directory) }
    var found: [Int32] = []
    while let entry = unsafe readdir(directory) {
      let name = unsafe withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if let number = Int32(name) { found.append(number) }
    }
    return found
  }

  private static func kind(of descriptor: Int32) -> String? {
    var target = [UInt8](repeating: 0, count: 64)
    let length = unsafe target.withUnsafeMutableBytes { buffer in
      guard let start = unsafe buffer.bindMemory(to: CChar.self).baseAddress else { return -1 }
      return unsafe readlink("/proc/self/fd/\(descriptor)", start, buffer.count)
    }
    return length > 0 ? String(decoding: target.prefix(length), as: UTF8.self) : nil
  }

  private static func watched(by descriptor: Int32) -> [Int32] {
    let file = unsafe open("/proc/self/fdinfo/\(descriptor)", O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return [] }
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: 16 << 10)
    let length = unsafe read(file, &bytes, bytes.count)
    guard length > 0 else { return [] }
    return String(decoding: bytes.prefix(length), as: UTF8.self).split(separator: "\n").compactMap { line in
      let words = line.split(separator: " ", omittingEmptySubsequences: true)
      guard words.first == "tfd:", let number = words.dropFirst().first else { return nil }
      return Int32(number)
    }
  }
}
