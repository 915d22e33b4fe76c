// The command lines that come by ssh.

import ReplClient
import Shared
import Testing

@testable import SecureShell

@Suite struct RemoteCommandTests {
  @Test(
    arguments: [
      (nil, .replconnect, []), ("replconnect", .replconnect, []),
      ("replconnect -c '1 + 1' --tee", .replconnect, ["-c", "1 + 1", "--tee"]),
      ("ping", .replctl, ["ping"]), ("replctl ping --json", .replctl, ["ping", "--json"]),
      ("--json ping", .replctl, ["--json", "ping"]),
      ("--timeout 3 jobs", .replctl, ["--timeout", "3", "jobs"]), ("eval 1 + 1", .replctl, ["eval", "--", "1 + 1"]),
      ("eval d[\"a\"] + f(\"b  c\")", .replctl, ["eval", "--", "d[\"a\"] + f(\"b  c\")"]),
      ("  replctl   eval   --json  x", .replctl, ["eval", "--json", "--", "x"]),
      ("eval -- -1", .replctl, ["eval", "--", "-1"]),
      ("eval -s 3 --timeout 5 'it''s'", .replctl, ["eval", "-s", "3", "--timeout", "5", "--", "'it''s'"]),
      ("eval -", .replctl, ["eval", "-"]), ("eval --json -", .replctl, ["eval", "--json", "-"]),
      ("eval", .replctl, ["eval"]),
      ("eval -f 'a b.py'", .replctl, ["eval", "-f", "a b.py"]), ("eval a\nb\n", .replctl, ["eval", "--", "a\nb\n"]),
      ("bg import time; time.sleep(1)", .replctl, ["bg", "--", "import time; time.sleep(1)"]),
      ("fg %1", .replctl, ["fg", "%1"]), ("doc \"a.b\"", .replctl, ["doc", "a.b"]), ("relay", .replctl, ["relay"]),
      ("replctl relay", .replctl, ["relay"]), ("--help", .replctl, ["--help"]),
      ("help eval", .replctl, ["help", "eval"]),
      ("replcomplete --line 'a b'", .replcomplete, ["--line", "a b"]),
    ] as [(String?, RemoteCommand.Tool, [String])])
  func understood(_ line: String?, _ tool: RemoteCommand.Tool, _ words: [String]) throws {
    let command = try RemoteCommand(line: line, permit: nil)
    #expect(command.tool == tool)
    #expect(command.words == words)
  }

  @Test(arguments: [
    "", " ", "sh", "sftp", "/usr/bin/replctl ping", "servers", "replserve", "connect", "complete", "ping; id x",
    "'ping", "\"ping", "ping\\",
    "ping -t x", "ping -tx", "ping --to x", "ping --to=x", "-t x ping", "--to x ping", "ping --each", "eval -t x 1",
    "eval -jt x",
    "replconnect x", "replconnect -- x", "replconnect 1 2 3", "replconnect -t x", "replconnect -c 1 x",
    "replcomplete -t x y",
    "replctl", "replctl --json", "-x", "$(ping)", "`ping`",
  ])
  func notUnderstood(_ line: String) {
    #expect {
      _ = try RemoteCommand(line: line, permit: nil)
    } throws: { ($0 as? ClientError)?.code == .usage }
  }

  @Test func limited() throws {
    let permit = ["ping", "eval", "complete"]
    for line in ["ping", "eval 1", "replctl --json ping", "replcomplete x", "relay", "--version", "eval -s 1 2"] {
      _ = try RemoteCommand(line: line, permit: permit)
    }
    for line in [
      nil, "replconnect", "jobs", "bg 1", "halt --now", "eval -f x", "eval --file x", "eval --file=x",
      "--timeout ping jobs",
    ] {
      #expect {
        _ = try RemoteCommand(line: line, permit: permit)
      } throws: { ($0 as? ClientError)?.code == .notPermitted }
    }
    #expect(throws: ClientError.self) { try RemoteCommand(line: "replcomplete x", permit: ["ping"]) }
    #expect(try RemoteCommand(line: nil, permit: ["connect"]) == .prompt)
  }

  @Test func everyPrefixIsTaken() {
    let line = "eval -s '3' --json \"a\\\"b\" -- \u{0}é\u{301} 'x"
    for length in 0...line.count { _ = try? RemoteCommand(line: String(line.prefix(length)), permit: ["eval"]) }
  }
}

@Suite struct ShellWordsTests {
  private func words(_ line: String) throws -> [String] {
    var words = ShellWords(line)
    var found: [String] = []
    while let word = try words.next() { found.append(word) }
    return found
  }

  @Test func asShCutsThem() throws {
    #expect(try words(" a  b\tc ") == ["a", "b", "c"])
    #expect(try words("'a b'c \"d e\"'' f\\ g '' \"\"") == ["a bc", "d e", "f g", "", ""])
    #expect(try words(#""a\"b\\c\d$e`f" '\' \'"#) == [#"a"b\c\d$e`f"#, "\\", "'"])
    #expect(try words("") == [])
  }

  @Test(arguments: ["", "a b", "it's", "''", "$x `y` \\z \"q\"", "é\n!"])
  func quotedForShIsOneWord(_ text: String) throws { #expect(try words(text.shellQuoted) == [text]) }
}
