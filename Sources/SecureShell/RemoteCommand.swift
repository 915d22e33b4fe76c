// The remote command: what somebody who has come by ssh wants, as a command line of one of our tools.

internal import ReplClient
internal import Shared

/// The tool that is to be run, and its words.
struct RemoteCommand: Equatable, Sendable {
  enum Tool: String, CaseIterable, Sendable {
    case replctl, replconnect, replcomplete
  }

  let tool: Tool
  /// Without the server, which is always the one behind the door.
  let words: [String]

  /// The prompt, or a script where there is no terminal.
  static let prompt = RemoteCommand(tool: .replconnect, words: [])

  /// The commands that say nothing of a server.
  private static let free: Set<String> = ["help", "--help", "-h", "--version"]
  /// The commands whose operands are code.
  private static let withCode: Set<String> = ["eval", "bg"]
  /// Their options that take the next word. A test holds this against the tools.
  static let optionsWithValue: Set<String> = ["--timeout", "-f", "--file", "-s", "--session"]
  /// Those of replconnect.
  static let promptOptionsWithValue: Set<String> = ["--timeout", "-c", "--code", "--attach"]

  /// - Parameters:
  ///   - line: `$SSH_ORIGINAL_COMMAND`; nil when nothing stood behind the host.
  ///   - permit: names of permissions; nil is no limit.
  /// - Throws: `ClientError`: `.usage` for what is no command line of a tool, `.notPermitted` for what this key may not.
  init(line: String?, permit: [String]?) throws(ClientError) {
    guard let line else {
      try Self.check("connect", permit)
      self = .prompt
      return
    }
    var rest = ShellWords(line)
    let first = try rest.next()
    let named = first.flatMap(Tool.init(rawValue:))
    guard named != nil || first.map(Self.isCommand) == true else {
      throw ClientError(
        .usage,
        "only the tools can be run here, and not '\((first ?? "").prefix(40))': the commands of replctl, replconnect and "
          + "replcomplete, or nothing for the prompt")
    }
    let tool = named ?? .replctl
    let words: [String]
    switch tool {
    case .replctl: words = try Self.control(named == nil ? first : nil, &rest, permit)
    case .replconnect:
      try Self.check("connect", permit)
      words = try Self.rest(&rest)
      try Self.checkOperands(words)
    case .replcomplete:
      words = try Self.rest(&rest)
      if !words.allSatisfy(Self.free.contains) || words.isEmpty { try Self.check("complete", permit) }
    }
    self.init(tool: tool, words: words)
  }

  private init(tool: Tool, words: [String]) {
    self.tool = tool
    self.words = words
  }

  /// Whether a word may start a command line of replctl.
  private static func isCommand(_ word: String) -> Bool {
    free.contains(word) || word == "relay" || Permission.named(word) != nil && word != "connect" && word != "complete"
      || word.hasPrefix("--")
  }

  private static let noServer = ClientError(
    .usage, "the server is the one behind this door; leave -t, --to and --each out")

  private static func check(_ name: String, _ permit: [String]?) throws(ClientError) {
    guard let permit, !permit.contains(name) else { return }
    throw ClientError(.notPermitted, "this key may not '\(name)'; it may: \(permit.joined(separator: ", "))")
  }

  /// A command line of replctl.
  ///
  /// - Parameter word: what has been taken of it.
  private static func control(_ word: String?, _ rest: inout ShellWords, _ permit: [String]?) throws(ClientError)
    -> [String]
  {
    var words: [String] = []
    var command: String?
    var next = word
    if next == nil { next = try rest.next() }
    while let word = next {
      words.append(word)
      guard word.hasPrefix("-") else {
        command = word
        break
      }
      // The only common option that takes the next word, beside the server.
      if word == "--timeout", let value = try rest.next() { words.append(value) }
      next = try rest.next()
    }
    try checkServer(words)
    guard let command else {
      guard words.allSatisfy(free.contains), !words.isEmpty else { throw ClientError(.usage, "a command is missing") }
      return words
    }
    guard isCommand(command), !command.hasPrefix("-") else {
      throw ClientError(.usage, "there is no command '\(command.prefix(40))' here")
    }
    // What a relayed connection may do, the server sees to.
    if command != "relay", !free.contains(command) { try check(command, permit) }
    guard withCode.contains(command) else {
      let more = try Self.rest(&rest)
      return words + more
    }
    return words + (try code(&rest, permit))
  }

  /// Options and code. ssh has taken one layer of quotes away, so what is left is the code as it was written.
  private static func code(_ rest: inout ShellWords, _ permit: [String]?) throws(ClientError) -> [String] {
    var words: [String] = []
    while rest.startsWithDash {
      if rest.verbatim == "-" { return words + ["-"] }
      guard let word = try rest.next(), word != "--" else { break }
      words.append(word)
      if optionsWithValue.contains(word), let value = try rest.next() { words.append(value) }
    }
    try checkServer(words)
    if permit != nil, words.contains(where: { $0.hasPrefix("-f") || $0.hasPrefix("--file") }) {
      throw ClientError(.notPermitted, "this key may not have files of the server's machine read; leave -f out")
    }
    let code = rest.verbatim
    return code.isEmpty ? words : words + ["--", code]
  }

  private static func rest(_ rest: inout ShellWords) throws(ClientError) -> [String] {
    var words: [String] = []
    while let word = try rest.next() { words.append(word) }
    try checkServer(words)
    return words
  }

  /// The operands of replconnect are a server.
  private static func checkOperands(_ words: [String]) throws(ClientError) {
    var words = words[...]
    while let word = words.popFirst() {
      guard word.hasPrefix("-"), word != "--" else { throw noServer }
      if promptOptionsWithValue.contains(word) { _ = words.popFirst() }
    }
  }

  /// The tools would take another server from these.
  private static func checkServer(_ words: [String]) throws(ClientError) {
    for word in words {
      if word == "--" { return }
      let isShort = word.hasPrefix("-") && !word.hasPrefix("--")
      guard word != "--to", !word.hasPrefix("--to="), !word.hasPrefix("--each"), !(isShort && word.contains("t")) else {
        throw noServer
      }
    }
  }
}
