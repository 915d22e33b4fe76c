// Servers: the servers of this user on this machine. Describe: all that one says of itself.

internal import ArgumentParser
internal import ReplClient
internal import Shared

struct Servers: ControlCommand {
  static let word = "servers"
  static var configuration: CommandConfiguration {
    described(
      "List your servers on this machine.",
      discussion: "A server is 'silent' when its process lives but does not answer within --timeout (2) seconds.")
  }

  @OptionGroup var common: CommonOptions

  /// How long a server may take to answer, in seconds.
  private static let defaultTimeout = 2.0

  func perform(_ output: Output, _ surroundings: Surroundings) throws(ClientError) -> Int32 {
    guard !common.each, common.to == nil else {
      throw ClientError(.usage, "servers lists every server of yours; leave out --to and --each")
    }
    let caller = try common.caller(surroundings)
    let found = try surroundings.directory.servers()
    let timeout = common.timeout ?? Self.defaultTimeout
    // All are asked before the first answer is waited for: several silent ones cost no more than one.
    let connections = found.map { try? Connection(to: $0.destination, as: caller, greetingWithin: timeout) }
    let deadline = Deadline.after(timeout)
    var table = Table("PID", "NAME", "STATE", "ENDPOINT", "PROGRAM")
    var rows: [JSON.Object] = []
    for (entry, connection) in zip(found, connections) {
      let server = try? connection?.describe(until: deadline)
      let state = server == nil ? "silent" : "live"
      let endpoint = EndpointResolver.endpoint(of: entry, among: found)
      // A server without a program has none to name; one that is silent cannot say.
      let program =
        server == nil ? ProcessName.commandLine(of: entry.pid) : server?.fields["program"]?.stringValue ?? ""
      table.add(
        Table.Cell(Int(entry.pid)), Table.Cell(entry.name), Table.Cell(state), Table.Cell(endpoint), Table.Cell(program)
      )
      rows.append([
        "pid": .integer(Int(entry.pid)), "name": .string(entry.name), "state": .string(state),
        "endpoint": .string(endpoint), "socket": .string(entry.socketPath), "program": .string(program),
      ])
    }
    try output.print(table, json: rows)
    return ExitCode.done.rawValue
  }
}

struct Describe: ControlCommand {
  static let word = "describe"
  static var configuration: CommandConfiguration { described("Print what the server says of itself.") }

  @OptionGroup var common: CommonOptions

  func prepare(_ surroundings: Surroundings) throws(ClientError) -> ServerWork {
    { (visit: Visit) throws(ClientError) in
      let server = try visit.connect().describe(until: visit.deadline)
      if visit.output.isJSON {
        try visit.output.print(server.fields)
      } else {
        try visit.output.print(Self.lines(server.fields))
      }
      return ExitCode.done.rawValue
    }
  }

  /// One line a member, the values aligned.
  static func lines(_ fields: JSON.Object) -> [String] {
    let width = fields.keys.map(\.count).max() ?? 0
    return fields.map { key, value in
      "\(key.escapedLine): " + String(repeating: " ", count: max(0, width - key.count)) + text(of: value)
    }
  }

  private static func text(of value: JSON) -> String {
    switch value {
    case .string(let text): text.escapedLine
    case .null: "-"
    case .array(let elements): elements.map { text(of: $0) }.joined(separator: ", ")
    case .number(let number): ElapsedTime.exact(number)
    default: String(decoding: value.serialized(), as: UTF8.self).escapedLine
    }
  }
}
