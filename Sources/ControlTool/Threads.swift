// Threads: what the process does, and who holds the interpreter.

internal import ArgumentParser
internal import ReplClient
internal import Shared

struct Threads: ControlCommand {
  static let word = "threads"
  static var configuration: CommandConfiguration { described("List the threads of the program, and where they are.") }

  @OptionGroup var common: CommonOptions

  @Flag(help: "Print the whole stack of each thread.")
  var stacks = false

  func prepare(_ surroundings: Surroundings) throws(ClientError) -> ServerWork {
    { (visit: Visit) throws(ClientError) in
      let reply = try visit.ask(.threads)
      let reports = (reply["threads"]?.arrayValue ?? []).compactMap { $0.objectValue.flatMap(ThreadReport.init) }
      let isHeld = reply["held"]?.boolValue == true
      if isHeld { visit.output.talk(Self.holding(reports, seconds: reply["waiting"]?.numberValue)) }
      if visit.output.isJSON {
        try visit.output.print([
          "held": .bool(isHeld), "waiting": reply["waiting"] ?? .null,
          "threads": .array(reports.map { .object($0.fields()) }),
        ])
      } else if stacks {
        try visit.output.print(reports.flatMap(Self.stack))
      } else {
        try visit.output.print(Self.table(reports), json: [])
      }
      return ExitCode.done.rawValue
    }
  }

  private static func table(_ reports: [ThreadReport]) -> Table {
    var table = Table("THREAD", "NAME", "ROLE", "STATE", "CPU", "LOAD", "WHERE")
    for report in reports {
      table.add(
        Table.Cell(report.thread), Table.Cell(report.name), Table.Cell(report.role ?? "-"), Table.Cell(report.state),
        .elapsed(report.cpu), Table.Cell(ElapsedTime.fixed(report.load, decimals: 2)),
        Table.Cell(report.frames?.last.map(\.inWords) ?? "-"))
    }
    return table
  }

  private static func stack(_ report: ThreadReport) -> [String] {
    let role = report.role.map { " (\($0))" } ?? ""
    let head = "thread \(report.thread) \(report.name)\(role): \(report.state)".escapedLine
    guard let frames = report.frames else { return [head, "  where it is, is not known", ""] }
    return [head] + frames.map { "  \($0.inWords)" } + [""]
  }

  /// Who most likely keeps everybody else from the interpreter: of those that run, the one that ran most lately.
  static func holding(_ reports: [ThreadReport], seconds: Double?) -> String {
    let time = seconds.map { " for \(ElapsedTime.fixed($0, decimals: 1)) s" } ?? ""
    let suspect = reports.filter { $0.state == "R" }.max { $0.load < $1.load }
    let who = suspect.map {
      "most likely by thread \($0.thread) \($0.name)" + ($0.role.map { " (\($0))" } ?? "")
    }
    return "the interpreter is held\(time), \(who ?? "by a thread that does not run")"
  }
}
