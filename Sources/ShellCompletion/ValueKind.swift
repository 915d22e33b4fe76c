// The value kind: what stands behind an option, or in an argument's place.

/// What a value is, which decides what is suggested for it.
enum ValueKind: Equatable, Sendable {
  /// One of these words.
  case choice([String])
  case endpoint
  case session
  case job
  /// A session or a job.
  case target
  /// A name in the served program.
  case name
  case file
  /// A command of the same tool.
  case command
  /// The start of another program's command line.
  case program
  /// Nothing can be suggested: numbers, texts, code.
  case free

  /// - Returns: nil for a value that is not known here. A test finds that no declared one is.
  init?(_ argument: ArgumentDeclaration) {
    if !argument.choices.isEmpty {
      self = .choice(argument.choices)
      return
    }
    let key = argument.names.first { $0.hasPrefix("--") } ?? argument.names.first ?? argument.value ?? ""
    switch key {
    case "--to", "endpoint": self = .endpoint
    case "--session", "session": self = .session
    case "job": self = .job
    case "target": self = .target
    case "name", "prefix": self = .name
    case "--file", "--python", "--audit-log", "--authorized-keys", "--host-key": self = .file
    case "subcommands": self = .command
    case "--bind": self = .choice(["127.0.0.1", "::1"])
    case "-m", "-c": self = .program
    case "--timeout", "--trust-user", "--reason", "--line", "--cursor", "--python-arg", "--port", "--control-port",
      "--banner", "--name", "--allow-uid", "--loop", "--ssh", "code":
      self = .free
    default: return nil
    }
  }
}
