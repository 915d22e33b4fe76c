// The cut of the command line: where python would make it.

import Testing

@testable import Launcher

extension Word: CustomTestStringConvertible {
  public var testDescription: String { "'\(text)'" }
}

@Suite struct CommandLinePartsTests {
  /// A command line, the options that are ours, and the program.
  typealias Cut = (words: [Word], options: [Word], program: Program)

  static let cuts: [Cut] = [
    ([], [], .playground),
    (["-i", "--port", "0"], ["-i", "--port", "0"], .playground),
    (["--"], [], .playground),
    (["-i", "--"], ["-i"], .playground),
    // A script.
    (["a.py"], [], Program(scriptAndArguments: ["a.py"])),
    (["a.py", "-i", "--port", "1"], [], Program(scriptAndArguments: ["a.py", "-i", "--port", "1"])),
    (["a.py", "--help"], [], Program(scriptAndArguments: ["a.py", "--help"])),
    (["a.py", "--", "-m", "b"], [], Program(scriptAndArguments: ["a.py", "--", "-m", "b"])),
    (["--", "a.py"], [], Program(scriptAndArguments: ["a.py"])),
    (["--", "-m", "b"], [], Program(scriptAndArguments: ["-m", "b"])),
    (["--", "--", "b"], [], Program(scriptAndArguments: ["--", "b"])),
    (["-"], [], Program(scriptAndArguments: ["-"])),
    (["-i", "-", "x"], ["-i"], Program(scriptAndArguments: ["-", "x"])),
    ([""], [], Program(scriptAndArguments: [""])),
    (["--port", "0", "a.py", "0"], ["--port", "0"], Program(scriptAndArguments: ["a.py", "0"])),
    (["--banner=", "a.py"], ["--banner", ""], Program(scriptAndArguments: ["a.py"])),
    (["--stay=", "a.py"], ["--stay="], Program(scriptAndArguments: ["a.py"])),
    (["--port=0", "a.py"], ["--port=0"], Program(scriptAndArguments: ["a.py"])),
    (["--announce", "a.py"], ["--announce"], Program(scriptAndArguments: ["a.py"])),
    (["--banner", "-m", "a.py"], ["--banner", "-m"], Program(scriptAndArguments: ["a.py"])),
    (["--banner", "", "a.py"], ["--banner", ""], Program(scriptAndArguments: ["a.py"])),
    (
      ["--python-arg", "-X", "--python-arg", "dev", "a.py"], ["--python-arg", "-X", "--python-arg", "dev"],
      Program(scriptAndArguments: ["a.py"])
    ),
    // A module.
    (["-m", "a"], [], .module("a")),
    (["-m", "a", "-i", "--name", "b"], [], .module("a", arguments: ["-i", "--name", "b"])),
    (["-ma", "-m"], [], .module("a", arguments: ["-m"])),
    (["-im", "a"], ["-i"], .module("a")),
    (["-ima", "b"], ["-i"], .module("a", arguments: ["b"])),
    (["-i", "-m", "a"], ["-i"], .module("a")),
    (["-m", "--", "a"], [], .module("--", arguments: ["a"])),
    (["-m", ""], [], .module("")),
    // Code.
    (["-c", "x = 1"], [], .code("x = 1")),
    (["-c", "", "--help"], [], .code("", arguments: ["--help"])),
    (["-cx", "-c"], [], .code("x", arguments: ["-c"])),
    (["-ic-x"], ["-i"], .code("-x")),
    (["--port", "0", "-c", "x", "-m", "y"], ["--port", "0"], .code("x", arguments: ["-m", "y"])),
    // What is not known goes to the parser of options, which says so.
    (["--prot", "1", "a.py"], ["--prot"], Program(scriptAndArguments: ["1", "a.py"])),
    (["-x", "a.py"], ["-x"], Program(scriptAndArguments: ["a.py"])),
    (["-xm", "a.py"], ["-xm"], Program(scriptAndArguments: ["a.py"])),
    (["--port"], ["--port"], .playground),
  ]

  @Test(arguments: cuts)
  func isCut(words: [Word], options: [Word], program: Program) throws {
    let parts = try CommandLineParts(words)
    #expect(parts.options == options)
    #expect(parts.program == program)
  }

  @Test(arguments: [["-m"], ["-c"], ["-im"], ["-i", "-c"], ["--port", "0", "-m"]] as [[Word]])
  func targetIsMissing(words: [Word]) {
    #expect(throws: LaunchError.self) { try CommandLineParts(words) }
  }

  @Test func bytesAreKept() throws {
    let name = Word(bytes: [0x6E, 0xFF])
    #expect(try CommandLineParts([name, name]).program == Program(scriptAndArguments: [name, name]))
    let joined = Word(bytes: Array("-m".utf8) + [0xFF])
    #expect(try CommandLineParts([joined]).program == .module(Word(bytes: [0xFF])))
  }
}
