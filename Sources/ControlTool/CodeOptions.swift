// The code options: what is to be run, from the command line, from files or from standard input.

internal import ArgumentParser
internal import ReplClient
internal import Shared
internal import SystemPackage

struct CodeOptions: ParsableArguments {
  @Option(
    name: [.customShort("f"), .long], parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      "A file with code, '-' for standard input; repeatable. Files come before CODE.", valueName: "file"))
  var file: [String] = []

  @Argument(help: ArgumentHelp("The code; '-' reads it from standard input.", valueName: "code"))
  var code: [String] = []

  func validate() throws {
    if file.isEmpty, code.isEmpty {
      throw ValidationError(
        "the code is missing: write it behind the command, or give -f FILE, or '-' for standard input; "
          + "code that starts with '-' goes behind '--'")
    }
    if file.count(where: { $0 == "-" }) + code.count(where: { $0 == "-" }) > 1 {
      throw ValidationError("standard input can be read only once; leave one '-' out")
    }
  }

  /// What is to be run.
  struct Sources {
    let texts: [String]
    /// Whether standard input is spent.
    let usesInput: Bool
  }

  /// Reads everything before any of it is run.
  func sources(_ surroundings: Surroundings) throws(ClientError) -> Sources {
    var texts: [String] = []
    var usesInput = false
    for (name, isFile) in file.map({ ($0, true) }) + code.map({ ($0, false) }) {
      if name == "-" {
        usesInput = true
        texts.append(try Self.text(of: FileDescriptor(rawValue: surroundings.input), name: "standard input"))
      } else if isFile {
        texts.append(try Self.text(ofFile: name))
      } else {
        texts.append(try Self.checked(name, name: "the code"))
      }
    }
    return Sources(texts: texts, usesInput: usesInput)
  }

  private static func text(ofFile name: String) throws(ClientError) -> String {
    do {
      let file = try FileDescriptor.open(FilePath(name), .readOnly, options: .closeOnExec)
      return try file.closeAfter { try text(of: file, name: "'\(name)'") }
    } catch let error as ClientError {
      throw error
    } catch {
      throw ClientError(.usage, "cannot read '\(name)': \(error)")
    }
  }

  private static func text(of file: FileDescriptor, name: String) throws(ClientError) -> String {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    do {
      while bytes.count <= Limits.maximumControlBodyLength {
        let count = try unsafe buffer.withUnsafeMutableBytes { try unsafe file.read(into: $0) }
        if count == 0 { break }
        bytes += buffer.prefix(count)
      }
    } catch {
      throw ClientError(.usage, "cannot read \(name): \(error)")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw ClientError(.usage, "\(name) is not UTF-8; convert it")
    }
    // The mark at the start of a file is not part of its text.
    return try checked(
      text.unicodeScalars.first == "\u{FEFF}" ? String(text.unicodeScalars.dropFirst()) : text, name: name)
  }

  private static func checked(_ text: String, name: String) throws(ClientError) -> String {
    // Escapes can make it longer still: that is seen when it is sent.
    guard text.utf8.count <= Limits.maximumControlBodyLength else {
      throw ClientError(
        .usage,
        "\(name) is too long to be sent: at most \(Limits.maximumControlBodyLength) bytes; have the program load it")
    }
    return text
  }
}
