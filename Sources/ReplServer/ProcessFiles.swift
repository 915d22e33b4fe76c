// The files of proc(5): what the kernel says of processes, threads and descriptors, as bytes, numbers and links.
internal import Glibc

enum ProcessFiles {
  /// The first bytes of a file, by one read: the kernel makes such a file anew for each.
  /// - Returns: nil when it cannot be read, or is empty.
  static func bytes(of path: String, upTo count: Int) -> [UInt8]? {
    let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: count)
    let length = unsafe read(file, &bytes, bytes.count)
    return length > 0 ? Array(bytes.prefix(length)) : nil
  }

  /// The names in a directory that are numbers.
  static func numbers(in path: String, upTo count: Int = .max) -> [Int32] {
    guard let directory = unsafe opendir(path) else { return [] }
    defer { unsafe closedir(directory) }
    var found: [Int32] = []
    while found.count < count, let entry = unsafe readdir(directory) {
      let name = unsafe withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if let number = Int32(name) { found.append(number) }
    }
    return found
  }

  /// What a symbolic link holds, its first 64 bytes: enough for what names a socket, a pipe or the like.
  static func target(ofLink path: String) -> String? {
    var target = [UInt8](repeating: 0, count: 64)
    let length = unsafe target.withUnsafeMutableBytes { buffer in
      guard let start = unsafe buffer.bindMemory(to: CChar.self).baseAddress else { return -1 }
      return unsafe readlink(path, start, buffer.count)
    }
    return length > 0 ? String(decoding: target.prefix(length), as: UTF8.self) : nil
  }
}
