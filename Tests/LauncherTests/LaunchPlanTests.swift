// The launch plan: what each command line comes to, and what is said of those that come to nothing.

import Shared
import SystemPackage
import Testing

@testable import Launcher

@Suite struct LaunchPlanTests {
  static let installation = Installation(executable: "/opt/repltools/bin/replserve")
  static let script: Word = "/opt/repltools/lib/repltools/python/replserve/_launch.py"

  static func plan(_ words: [Word], files: Set<FilePath>? = nil) throws -> LaunchPlan {
    let files = files ?? ["/bin/python3", "/bin/python3.9", installation.launchScript]
    let search = InterpreterSearch(virtualEnvironment: nil, directories: ["/bin"]) { path in
      files.contains(path) ? .program : .nothing
    }
    return try LaunchPlan(words, installation: installation, search: search)
  }

  /// The words of the command line that a plan comes to.
  static func command(_ words: [Word]) throws -> [Word] {
    guard case .run(_, let arguments) = try plan(words) else { return [] }
    return arguments
  }

  /// The configuration that a plan hands over, when there are no arguments for the interpreter.
  static func configuration(_ words: [Word]) throws -> JSON {
    let command = try command(words)
    #expect(command.first == "/bin/python3" && command.dropFirst().first == script)
    return try JSON(parsing: command[2].bytes)
  }

  static let standard: JSON = [
    "mode": "playground", "stay": false, "bind": "127.0.0.1", "repl_port": 1337, "control_port": 8128,
    "banner": nil, "name": nil, "announce": false, "socket": true, "allow_uid": [], "insecure_bind": false,
    "audit_log": nil, "require_reason": false, "log_level": "warning", "ssh": nil,
    "authorized_keys": nil, "host_key": nil,
  ]

  static let longestName = String(repeating: "n", count: 64)

  /// The standard configuration with one member changed.
  static func standard(_ key: String, _ value: JSON) -> JSON {
    guard case .object(var members) = standard else { return standard }
    members[key] = value
    return .object(members)
  }

  @Test func playgroundIsTheDefault() throws {
    #expect(try Self.plan([]) == .run("/bin/python3", arguments: try Self.command([])))
    #expect(try Self.configuration([]) == Self.standard)
    #expect(try Self.command([]).count == 3)
  }

  static let members: [(words: [Word], key: String, value: JSON)] = [
    (["-i"], "stay", true),
    (["--stay"], "stay", true),
    (["--bind", "127.0.0.2"], "bind", "127.0.0.2"),
    (["--bind=::1"], "bind", "::1"),
    (["--bind", "localhost"], "bind", "127.0.0.1"),
    (["--port", "0"], "repl_port", 0),
    (["--port=65535"], "repl_port", 65535),
    (["--control-port", "0"], "control_port", 0),
    (["--banner", ""], "banner", ""),
    (["--banner="], "banner", ""),
    (["--banner", "-- hé\n\"\u{1}"], "banner", "-- hé\n\"\u{1}"),
    (["--banner", "--port"], "banner", "--port"),
    (["--name", "a_B.9-z"], "name", "a_B.9-z"),
    (["--name", Word(longestName)], "name", .string(longestName)),
    (["--announce"], "announce", true),
    (["--no-socket"], "socket", false),
    (["--port", "1", "--port", "2"], "repl_port", 2),
    (["--allow-uid", "1000", "--allow-uid=alice"], "allow_uid", ["1000", "alice"]),
    (["--insecure-bind"], "insecure_bind", true),
    (["--audit-log", "a b.log"], "audit_log", "a b.log"),
    (["--require-reason"], "require_reason", true),
    (["--log-level", "critical"], "log_level", "critical"),
    (["--ssh", "2222"], "ssh", "2222"),
    (["--ssh=[::1]:0"], "ssh", "[::1]:0"),
  ]

  @Test(arguments: members)
  func optionBecomesMember(words: [Word], key: String, value: JSON) throws {
    #expect(try Self.configuration(words) == Self.standard(key, value))
  }

  static let programs: [(words: [Word], mode: JSON, rest: [Word])] = [
    (["a.py", "--port", "1"], "script", ["a.py", "--port", "1"]),
    (["-", "x"], "script", ["-", "x"]),
    (["-m", "a.b", "-i"], "module", ["a.b", "-i"]),
    (["-c", "1\n", "-c"], "code", ["1\n", "-c"]),
    ([Word(bytes: [0xFF]), Word(bytes: [0xFE])], "script", [Word(bytes: [0xFF]), Word(bytes: [0xFE])]),
  ]

  @Test(arguments: programs)
  func programFollowsConfiguration(words: [Word], mode: JSON, rest: [Word]) throws {
    #expect(try Self.configuration(words) == Self.standard("mode", mode))
    #expect(try Self.command(words).dropFirst(3) == rest[...])
  }

  @Test func theSshDoorHasItsFiles() throws {
    let configuration = try Self.configuration(["--ssh", "0", "--authorized-keys", "a b", "--host-key", "k"])
      .objectValue
    #expect(configuration?["authorized_keys"] == "a b" && configuration?["host_key"] == "k")
  }

  @Test func interpreterGetsItsArguments() throws {
    let command = try Self.command(
      ["--python", "python3.9", "--python-arg", "-X", "--python-arg", "dev", "--python-arg=-O", "a.py"])
    #expect(command.prefix(5) == ["/bin/python3.9", "-X", "dev", "-O", Self.script])
    #expect(command.last == "a.py")
  }

  static let mistakes: [(words: [Word], code: ExitCode, said: String)] = [
    (["--prot", "1"], .usage, "--port"),
    (["-x"], .usage, "-x"),
    (["--stay=yes"], .usage, "--stay"),
    (["--port"], .usage, "--port"),
    (["--port", "-1"], .usage, "--port"),
    (["--port", "65536"], .usage, "65536"),
    (["--port", "x"], .usage, "'x'"),
    (["--port="], .usage, "--port"),
    (["--control-port", "1.5"], .usage, "1.5"),
    (["--ssh", "x"], .usage, "ADDRESS:PORT"),
    (["--ssh", "::1:22"], .usage, "brackets"),
    (["--ssh", "22", "--no-socket"], .usage, "--no-socket"),
    (["--authorized-keys", "x"], .usage, "--ssh"),
    (["--host-key", "x"], .usage, "--ssh"),
    (["--name", ""], .usage, "letters"),
    (["--name", "a/b"], .usage, "letters"),
    (["--name", "a b"], .usage, "letters"),
    (["--name", ".hidden"], .usage, "letters"),
    (["--name", "-x"], .usage, "--name"),
    (["--name", "é"], .usage, "letters"),
    (["--name", Word(longestName + "n")], .usage, "64"),
    (["-m"], .usage, "module"),
    (["-c"], .usage, "code"),
    (["--bind", "x\ny"], .usage, "x?y"),
    (["--bind", "0.0.0.0"], .notPermitted, "ssh"),
    (["--log-level", "loud"], .usage, "loud"),
    (["--python", "python2"], .noServer, "python2"),
  ]

  @Test(arguments: mistakes)
  func mistakeIsExplainedInOneLine(words: [Word], code: ExitCode, said: String) {
    let error = #expect(throws: LaunchError.self) { try Self.plan(words) }
    #expect(error?.code == code)
    #expect(error?.message.contains(said) == true, "\(error?.message ?? "")")
    #expect(error?.message.contains(where: \.isNewline) == false)
  }

  @Test func packageIsMissing() {
    let error = #expect(throws: LaunchError.self) { try Self.plan([], files: ["/bin/python3"]) }
    #expect(error?.code == .noServer)
    #expect(error?.message.contains("/opt/repltools/lib/repltools/python") == true)
  }

  @Test func questionsAreAnswered() throws {
    // These need no interpreter.
    #expect(
      try Self.plan(["--print-python-path"], files: []) == .print("/opt/repltools/lib/repltools/python"))
    #expect(try Self.plan(["--version"], files: []) == .print("replserve (repltools) 0.1.0"))
    #expect(try Self.plan(["-h"], files: []) == Self.plan(["--help"], files: []))
    // Behind the script they are not ours.
    #expect(try Self.command(["a.py", "--version"]).last == "--version")
  }

  @Test func tableOfOptionsWithValueIsComplete() throws {
    guard case .print(let help) = try Self.plan(["--help"]) else {
      Issue.record("no help")
      return
    }
    // An option and its value stand in the help as `--name <value>`.
    let declared = help.split(separator: "\n").compactMap { line -> String? in
      let words = line.split(separator: " ")
      guard let option = words.first, option.starts(with: "--"), words.dropFirst().first?.first == "<" else {
        return nil
      }
      return String(option)
    }
    #expect(Set(declared) == CommandLineParts.optionsWithValue)
  }
}
