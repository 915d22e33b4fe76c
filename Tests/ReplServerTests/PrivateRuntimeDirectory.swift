// The private runtime directory: where a server of a test puts its unix socket.

import Glibc

@testable import ReplServer

/// A new XDG_RUNTIME_DIR, until the test lets go of it. Only for suites that run one at a time.
final class PrivateRuntimeDirectory {
  private let root: String
  private let previous: String?

  init() throws {
    var template = Array("/tmp/repltools-unit-XXXXXX".utf8CString)
    guard unsafe mkdtemp(&template) != nil else {
      throw Patience.Exhausted(description: "cannot make a directory: \(ServerError.text(of: errno))")
    }
    root = String(decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let value = unsafe getenv("XDG_RUNTIME_DIR")
    previous = unsafe value.map { unsafe String(cString: $0) }
    unsafe setenv("XDG_RUNTIME_DIR", root, 1)
  }

  deinit {
    if let previous { unsafe setenv("XDG_RUNTIME_DIR", previous, 1) } else { unsafe unsetenv("XDG_RUNTIME_DIR") }
    unsafe rmdir(root + "/repltools")
    unsafe rmdir(root)
  }
}
