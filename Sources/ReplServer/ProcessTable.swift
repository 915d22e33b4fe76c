// The process table: what proc(5) says of other processes.

enum ProcessTable {
  /// The name of a process, as /proc/PID/comm has it. Whoever owns the process chose it: what is not printable is left
  /// out.
  static func name(of pid: Int32) -> String {
    let bytes = ProcessFiles.bytes(of: "/proc/\(pid)/comm", upTo: 64) ?? []
    return String(decoding: bytes.filter { $0 > 0x20 && $0 < 0x7F }, as: UTF8.self)
  }

  /// The process that has a socket open, as far as we may look; the newest processes are looked at first.
  ///
  /// - Parameter inode: the kernel's number of the socket.
  static func holder(ofSocket inode: UInt32) -> Int32? {
    guard inode > 0 else { return nil }
    let wanted = "socket:[\(inode)]"
    var looks = 0
    for pid in ProcessFiles.numbers(in: "/proc", upTo: ServerLimits.searchedDescriptors).sorted(by: >) {
      let folder = "/proc/\(pid)/fd"
      for descriptor in ProcessFiles.numbers(in: folder, upTo: ServerLimits.searchedDescriptors) {
        looks += 1
        guard looks <= ServerLimits.searchedDescriptors else { return nil }
        if ProcessFiles.target(ofLink: "\(folder)/\(descriptor)") == wanted { return pid }
      }
    }
    return nil
  }
}
