// The launch options: what replserve can be told, as its help has it.

internal import ArgumentParser
internal import Shared

/// The options of `replserve`. The program and its arguments have been cut off before: `CommandLineParts`.
struct LaunchOptions: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replserve",
    abstract: "Run a Python program, and serve a REPL inside it.",
    usage: """
      replserve [OPTIONS] [SCRIPT [ARGS...]]
      replserve [OPTIONS] -m MODULE [ARGS...]
      replserve [OPTIONS] -c CODE [ARGS...]
      """,
    discussion: """
      The program runs as under plain python, on the main thread, and its exit status is that of replserve. \
      Its top-level names are what a session sees. Without a program there is an empty namespace to play in.

      What stands behind SCRIPT, MODULE or CODE belongs to the program; '--' ends the options, too.
      """,
    version: "replserve (repltools) \(Self.version)")

  static let version = Release.version

  @Option(
    help: ArgumentHelp(
      "The interpreter, a path or a name. Default: the active virtual environment's, else python3.",
      valueName: "python"))
  var python: String?

  @Option(
    parsing: .unconditionalSingleValue,
    help: ArgumentHelp("An argument for the interpreter itself, such as -O; repeatable.", valueName: "arg"))
  var pythonArg: [String] = []

  @Flag(
    name: [.customShort("i"), .long],
    help: "Keep serving when the program has ended or raised, until Ctrl-C, SIGTERM or halt().")
  var stay = false

  @Option(help: ArgumentHelp("The address to listen on, one of this machine's own.", valueName: "addr"))
  var bind = Endpoint.defaultHost

  @Option(help: ArgumentHelp("The port for people; 0 lets the system choose.", valueName: "n"))
  var port = Endpoint.defaultPort

  @Option(help: ArgumentHelp("The port for tools; 0 lets the system choose.", valueName: "n"))
  var controlPort = Endpoint.defaultControlPort

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("What a new session is greeted with; '' for nothing.", valueName: "text"))
  var banner: String?

  @Option(help: ArgumentHelp("A name under which the tools find this server.", valueName: "name"))
  var name: String?

  @Flag(help: "Let --bind be an address that other machines can reach. Whoever reaches it, gets in.")
  var insecureBind = false

  @Option(
    parsing: .unconditionalSingleValue,
    help: ArgumentHelp("Another user who may connect, a number or a name; repeatable.", valueName: "user"))
  var allowUid: [String] = []

  @Option(help: ArgumentHelp("Write down who does what: one JSON object a line.", valueName: "file"))
  var auditLog: String?

  @Flag(help: "Ask everybody why they connect, and write it down.")
  var requireReason = false

  @Option(
    help: ArgumentHelp(
      "How much to log on standard error: trace, debug, info, notice, warning, error or critical.",
      valueName: "level"))
  var logLevel = LogLevel.warning

  @Option(
    help: ArgumentHelp(
      "Let authorized keys in by ssh, at PORT or ADDR:PORT; 0 lets the system choose.", valueName: "port"))
  var ssh: String?

  @Option(help: ArgumentHelp("The keys that may log in. Default: ~/.ssh/authorized_keys.", valueName: "file"))
  var authorizedKeys: String?

  @Option(
    help: ArgumentHelp(
      "The key of the ssh server, made if it is not there. Default: one of the user's own.", valueName: "file"))
  var hostKey: String?

  @Flag(help: "Do not make a unix socket.")
  var noSocket = false

  @Flag(help: "Write one line of JSON to standard output as soon as connections are accepted.")
  var announce = false

  @Flag(help: "Print the directory that PYTHONPATH needs for 'import replserve', and exit.")
  var printPythonPath = false
}

/// The levels of a log, from the one that tells all to the one that tells least.
enum LogLevel: String, CaseIterable, ExpressibleByArgument, Sendable {
  case trace
  case debug
  case info
  case notice
  case warning
  case error
  case critical
}

extension LaunchOptions {
  /// What these options tell `_launch.py`.
  ///
  /// - Throws: `LaunchError` for an address or a name that can not be used.
  func configuration(for program: Program) throws(LaunchError) -> LaunchConfiguration {
    LaunchConfiguration(
      mode: program.mode, stays: stay, bind: try BindAddress(bind, isOpen: insecureBind), port: port,
      controlPort: controlPort, banner: banner, name: try checkedName(), announces: announce, hasSocket: !noSocket,
      access: LaunchConfiguration.Access(
        allowedUsers: allowUid, isOpen: insecureBind, auditLog: auditLog, requiresReason: requireReason,
        logLevel: logLevel), secureShell: try secureShell())
  }

  private func secureShell() throws(LaunchError) -> LaunchConfiguration.SecureShell? {
    guard let ssh else {
      guard authorizedKeys == nil, hostKey == nil else {
        throw LaunchError(
          .usage, "--authorized-keys and --host-key are about --ssh, which is missing (see replserve --help)")
      }
      return nil
    }
    guard DoorAddress(parsing: ssh) != nil else {
      throw LaunchError(.usage, "--ssh cannot be '\(ssh)'; write \(DoorAddress.form)")
    }
    guard !noSocket else {
      throw LaunchError(.usage, "--ssh leads to the unix socket; leave --no-socket out")
    }
    return LaunchConfiguration.SecureShell(address: ssh, authorizedKeys: authorizedKeys, hostKey: hostKey)
  }

  /// The name, if the tools can ask for it: it has to make an endpoint.
  private func checkedName() throws(LaunchError) -> String? {
    guard let name else { return nil }
    do {
      _ = try Endpoint(parsing: "name:\(name)")
    } catch {
      // The error speaks of an endpoint, which is not what was asked for.
      throw LaunchError(
        .usage,
        "--name takes up to \(Limits.maximumNameLength) letters, digits, '.', '-' and '_', and neither '.' "
          + "nor '-' comes first: not '\(name)'")
    }
    return name
  }
}
