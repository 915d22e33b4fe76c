// The process name: what a process of this machine was started as, by proc(5).

internal import ReplClient
internal import SystemPackage

enum ProcessName {
  /// The words of its command line, with spaces between them; empty when it cannot be had.
  static func commandLine(of pid: Int32) -> String {
    guard let file = try? FileDescriptor.open(FilePath("/proc/\(pid)/cmdline"), .readOnly, options: .closeOnExec)
    else { return "" }
    let text = try? file.closeAfter {
      var bytes = [UInt8](repeating: 0, count: maximumLength)
      let count = try unsafe bytes.withUnsafeMutableBytes { try unsafe file.read(into: $0) }
      return bytes.prefix(count).split(separator: 0).map { String(decoding: $0, as: UTF8.self) }.joined(separator: " ")
    }
    return text ?? ""
  }

  private static let maximumLength = 4096
}
