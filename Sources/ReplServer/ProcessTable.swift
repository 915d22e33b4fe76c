// The process table: what proc(5) says of other processes.
internal import Glibc

enum ProcessTable {
  /// The name of a process, as /proc/PID/comm has it. Whoever owns the process chose it: what is not printable is left
  /// out.
  static func name(of pid: Int32) -> String {
    let file = unsafe open("/proc/\(pid)/comm", O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return "" }
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: 64)
    let length = unsafe read(file, &bytes, bytes.count)
    guard length > 0 else { return "" }
    return String(decoding: bytes.prefix(length).filter { $0 > 0x20 && $0 < 0x7F }, as: UTF8.self)
  }

  /// The process that has a socket open, as far as we may look; the newest processes are looked at first.
  ///
  /// - Parameter inode: the kernel's number of the socket.
  static func holder(ofSocket inode: UInt32) -> Int32? {
    guard inode > 0 else { return nil }
    let wanted = Array("socket:[\(inode)]".utf8)
    var looks = 0
    for pid in numbers(in: "/proc").sorted(by: >) {
      for descriptor in numbers(in: "/proc/\(pid)/fd") {
        looks += 1
        guard looks <= ServerLimits.searchedDescriptors else { return nil }
        if target(of: "/proc/\(pid)/fd/\(descriptor)") == wanted { return pid }
      }
    }
    return nil
  }

  private static func numbers(in path: String) -> [Int32] {
    guard let directory = unsafe opendir(path) else { return [] }
    defer { unsafe closedir(directory) }
    var found: [Int32] = []
    while found.count < ServerLimits.searchedDescriptors, let entry = unsafe readdir(directory) {
      let name = unsafe withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if let number = Int32(name) { found.append(number) }
    }
    return found
  }

  private static func target(of link: String) -> [UInt8] {
    var target = [UInt8](repeating: 0, count: 64)
    let length = unsafe target.withUnsafeMutableBytes { buffer in
      guard let start = unsafe buffer.bindMemory(to: CChar.self).baseAddress else { return -1 }
      return unsafe readlink(link, start, buffer.count)
    }
    return Array(target.prefix(max(0, length)))
  }
}
