// The tool run: a command line of a tool, done in this process, and what came of it.

import ClientTestSupport
import Glibc
import ReplClient

@testable import CompletionTool
@testable import ControlTool

/// What a tool did.
struct ToolRun: Equatable {
  let status: Int32
  let output: String
  let errors: String

  /// Runs replctl.
  static func control(
    _ words: String..., runtime: FakeRuntime, endpoint: String? = nil, input: String = "", width: Int? = nil
  ) throws -> ToolRun {
    try control(words: words, runtime: runtime, endpoint: endpoint, input: input, width: width)
  }

  static func control(
    words: [String], runtime: FakeRuntime, endpoint: String? = nil, input: String = "", width: Int? = nil,
    reason: String? = nil, introduction: String? = nil
  ) throws -> ToolRun {
    try run(runtime, endpoint, input, width, reason, introduction) { ControlTool.run(words, $0) }
  }

  /// Runs replcomplete.
  static func completion(_ words: String..., runtime: FakeRuntime) throws -> ToolRun {
    try run(runtime, nil, "", nil) { CompletionTool.run(words, $0) }
  }

  private static func run(
    _ runtime: FakeRuntime, _ endpoint: String?, _ input: String, _ width: Int?, _ reason: String? = nil,
    _ introduction: String? = nil, _ body: (Surroundings) -> Int32
  ) throws -> ToolRun {
    let files = try (0..<3).map { _ in try ScratchFile() }
    try files[0].write(input)
    let surroundings = Surroundings(
      runtimeDirectory: runtime.root, endpoint: endpoint, reason: reason, introduction: introduction,
      input: files[0].descriptor, output: files[1].descriptor,
      errors: files[2].descriptor, width: width, takesSignals: false)
    let status = body(surroundings)
    return ToolRun(status: status, output: files[1].text(), errors: files[2].text())
  }

  /// The lines of the output.
  var lines: [Substring] { output.split(separator: "\n") }
}

/// A file without a name.
private final class ScratchFile {
  let descriptor: Int32

  init() throws {
    var template = Array("/tmp/repltools-unit-XXXXXX".utf8CString)
    descriptor = unsafe mkstemp(&template)
    guard descriptor >= 0 else { throw FakeRuntime.Failure(description: "cannot make a file") }
    _ = unsafe template.withUnsafeBufferPointer { unsafe $0.baseAddress.map { unsafe unlink($0) } }
  }

  deinit { close(descriptor) }

  /// Fills it, to be read from its start.
  func write(_ text: String) throws {
    let bytes = Array(text.utf8)
    guard unsafe Glibc.write(descriptor, bytes, bytes.count) == bytes.count, lseek(descriptor, 0, SEEK_SET) == 0 else {
      throw FakeRuntime.Failure(description: "cannot fill a file")
    }
  }

  /// All of it.
  func text() -> String {
    var bytes = [UInt8](repeating: 0, count: max(0, Int(lseek(descriptor, 0, SEEK_END))))
    let count = unsafe bytes.withUnsafeMutableBytes { unsafe pread(descriptor, $0.baseAddress, $0.count, 0) }
    return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
  }
}
