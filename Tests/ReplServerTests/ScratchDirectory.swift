// The scratch directory: where a test has its files.

import Glibc

@testable import ReplServer

/// A new directory, until the test lets go of it.
final class ScratchDirectory {
  let path: String

  init() throws {
    var template = Array("/tmp/repltools-unit-XXXXXX".utf8CString)
    guard unsafe mkdtemp(&template) != nil else {
      throw Patience.Exhausted(description: "cannot make a directory: \(ServerError.text(of: errno))")
    }
    path = String(decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit {
    for name in names { if unsafe unlink(self[name]) != 0 { unsafe rmdir(self[name]) } }
    unsafe rmdir(path)
  }

  /// The path of a file in it.
  subscript(name: String) -> String { "\(path)/\(name)" }

  var names: [String] {
    guard let stream = unsafe opendir(path) else { return [] }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { raw in
        unsafe String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names
  }

  /// Makes a file, or writes it anew.
  func write(_ text: String, to name: String, mode: mode_t = 0o600) throws {
    let file = unsafe open(self[name], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
    defer { close(file) }
    let bytes = Array(text.utf8)
    guard file >= 0, unsafe Glibc.write(file, bytes, bytes.count) == bytes.count,
      unsafe chmod(self[name], mode) == 0
    else {
      throw Patience.Exhausted(description: "cannot write \(name): \(ServerError.text(of: errno))")
    }
  }

  /// All of a file; empty when there is none.
  func text(of name: String) -> String {
    let file = unsafe open(self[name], O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return "" }
    defer { close(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = unsafe read(file, &buffer, buffer.count), count > 0 { bytes += buffer.prefix(count) }
    return String(decoding: bytes, as: UTF8.self)
  }

  func rename(_ old: String, to new: String) { _ = unsafe Glibc.rename(self[old], self[new]) }
}
