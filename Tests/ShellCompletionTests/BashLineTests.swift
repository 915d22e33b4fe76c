// The bash line: quotes, the breaks of readline, redirections, and what is put in place of a word.

import Testing

@testable import ShellCompletion

@Suite struct BashLineTests {
  private static let usual = " \t\n\"'><=;|&(:"

  private func read(_ line: String, wordBreaks: String = usual) -> BashLine { BashLine(line, wordBreaks: wordBreaks) }

  @Test(arguments: [
    ("replctl ", ["replctl"], ""),
    ("replctl  eval\tx", ["replctl", "eval"], "x"),
    (#"replctl 'a b' "c d" e\ f g"#, ["replctl", "a b", "c d", "e f"], "g"),
    (#"replctl "a\"b\n" 'c\' "#, ["replctl", #"a"b\n"#, #"c\"#], ""),
    ("replctl '' x", ["replctl", ""], "x"),
    ("replctl jobs 2>/dev/null -", ["replctl", "jobs"], "-"),
    ("replctl a>b c", ["replctl", "a"], "c"),
    ("", [], ""),
    ("replctl trailing\\", ["replctl"], "trailing"),
  ])
  func words(line: String, words: [String], current: String) {
    let read = read(line)
    #expect(read.words == words)
    #expect(read.current == current)
    #expect(!read.isRedirection)
  }

  @Test func aRedirectionTakesAFile() {
    #expect(read("replctl jobs > fi").isRedirection)
    #expect(read("replctl jobs 2>").isRedirection)
    #expect(!read("replctl jobs > file -").isRedirection)
    #expect(!read("replctl eval '1 > ").isRedirection)
  }

  @Test(arguments: [
    ("replctl -t na", "name:app", "name:app"),
    ("replctl -t name:a", "name:app", "app"),
    ("replctl -t name:", "name:app", "app"),
    ("replctl --to=na", "--to=name:app", "name:app"),
    ("replctl --to=name:a", "--to=name:app", "app"),
    ("replctl -t 'na", "name:app", "name:app"),
    ("replctl -t 'name:a", "name:app", "name:app"),
    ("replctl -t name:'a", "name:app", "app"),
    (#"replctl -t name\:a"#, "name:app", "name:app"),
    ("replctl x ", "a b$c", #"a\ b\$c"#),
    ("replctl x 'a", "a b'c", #"a b'\''c"#),
    ("replctl x \"a", "a \"$c", #"a \"\$c"#),
    ("replctl kill %", "%12", "%12"),
  ])
  func replacements(line: String, word: String, text: String) {
    #expect(read(line).replacement(word) == text)
  }

  @Test func onlyWhatGoesOnFromTheWord() {
    #expect(read("replctl pi").replacement("eval") == nil)
    #expect(read("replctl -t name:a").replacement("name:batch") == nil)
  }

  @Test func aColonThatDoesNotBreakStays() {
    #expect(read("replctl -t name:a", wordBreaks: " \t\n").replacement("name:app") == "name:app")
  }
}
