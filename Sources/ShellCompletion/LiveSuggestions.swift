// The live suggestions: what only a running server knows, asked for while somebody waits for the Tab key.

internal import ReplClient
internal import Shared

/// Asks the servers of this user, or the one that the command line names.
struct LiveSuggestions {
  /// How long all of it may take, in seconds: the shell does nothing else meanwhile.
  private static let timeout = 1.0
  /// The length of a description, in characters.
  private static let maximumDescriptionLength = 80

  private let surroundings: Surroundings
  private let endpoint: String?
  private let withDescriptions: Bool
  private let deadline = Deadline.after(timeout)

  /// - Parameter endpoint: of the command line; nil when it has none.
  init(_ surroundings: Surroundings, endpoint: String?, withDescriptions: Bool) {
    self.surroundings = surroundings
    self.endpoint = endpoint
    self.withDescriptions = withDescriptions
  }

  /// - Parameters:
  ///   - partial: what is there of the value.
  ///   - command: the command that is to get it.
  func suggestions(_ kind: ValueKind, partial: String, command: String) throws(ClientError) -> [Suggestion] {
    switch kind {
    case .endpoint: return try endpoints()
    case .session: return try sessions(connect())
    case .job: return try jobs(connect(), runningOnly: command == "kill")
    case .target:
      let connection = try connect()
      return try sessions(connection) + jobs(connection, runningOnly: true)
    case .name: return try names(connect(), partial)
    case .choice, .file, .command, .program, .free: return []
    }
  }

  private var secondsLeft: Double { deadline.secondsLeft ?? Self.timeout }

  /// It knows no option but the endpoint.
  private func caller() throws(ClientError) -> Caller { Caller(introduction: try surroundings.introduction()) }

  private func connect() throws(ClientError) -> Connection {
    let destination = try surroundings.resolver.resolve(endpoint)
    // ssh would ask for a passphrase in the midst of the command line that is being typed.
    guard !destination.isRemote else { throw ClientError(.noServer, "nothing is completed by way of ssh") }
    return try Connection(to: destination, as: caller(), greetingWithin: secondsLeft)
  }

  /// By name, unless several have it, and by pid.
  private func endpoints() throws(ClientError) -> [Suggestion] {
    let found = try surroundings.directory.servers()
    let programs = withDescriptions ? programs(of: found) : found.map { _ in "" }
    var names: [Suggestion] = []
    var pids: [Suggestion] = []
    for (entry, program) in zip(found, programs) {
      let place = EndpointResolver.endpoint(of: entry, among: found)
      if !place.hasPrefix("pid:") {
        names.append(Suggestion(text: place, description: described("pid \(entry.pid)", program)))
      }
      if found.count(where: { $0.pid == entry.pid }) == 1 {
        pids.append(Suggestion(text: "pid:\(entry.pid)", description: described(entry.name, program)))
      }
    }
    return names + pids
  }

  /// What each server serves. All are asked before the first answer is waited for.
  private func programs(of servers: [ServerDirectory.Entry]) -> [String] {
    let connections = servers.map { try? Connection(to: $0.destination, as: caller(), greetingWithin: secondsLeft) }
    return connections.map { connection in
      guard let server = try? connection?.describe(until: deadline) else { return "silent" }
      return server.fields["program"]?.stringValue ?? ""
    }
  }

  private func sessions(_ connection: Connection) throws(ClientError) -> [Suggestion] {
    let rows = try connection.ask(.sessions, until: deadline)["sessions"]?.arrayValue ?? []
    return rows.compactMap { $0.objectValue.flatMap(SessionReport.init) }.map { report in
      Suggestion(
        text: "\(report.session)",
        description: described(report.running == nil ? "idle, \(report.peer)" : "evaluating", report.running ?? ""))
    }
  }

  private func jobs(_ connection: Connection, runningOnly: Bool) throws(ClientError) -> [Suggestion] {
    let rows = try connection.ask(.jobs, until: deadline)["jobs"]?.arrayValue ?? []
    return rows.compactMap { $0.objectValue.flatMap(JobReport.init) }
      .filter { !runningOnly || $0.state == .running }
      .map { Suggestion(text: "%\($0.job)", description: described($0.state.rawValue, $0.source)) }
  }

  /// Names and attributes; what else a source may go on with is nothing that has documentation.
  private func names(_ connection: Connection, _ partial: String) throws(ClientError) -> [Suggestion] {
    let reply = try connection.ask(
      .complete, ["line": .string(partial), "docs": .bool(withDescriptions)], until: deadline)
    let start = max(0, reply["start"]?.integerValue ?? 0)
    let head = String(String.UnicodeScalarView(partial.unicodeScalars.prefix(start)))
    return (reply["candidates"]?.arrayValue ?? []).compactMap { $0.objectValue.flatMap(Candidate.init) }
      .filter { !Self.kindsWithoutName.contains($0.kind) }
      .map { Suggestion(text: head + $0.text, description: described($0.kind, $0.doc ?? "")) }
  }

  private static let kindsWithoutName: Set<String> = ["parameter", "key", "file"]

  /// `WHAT: DETAIL` in one line.
  private func described(_ what: String, _ detail: String) -> String {
    let line = detail.prefix { !$0.isNewline }
    return String((line.isEmpty ? what : "\(what): \(line)").printableLine.prefix(Self.maximumDescriptionLength))
  }
}
