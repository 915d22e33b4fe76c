// The reason question: asks the person at the terminal why they connect, when the server wants to know.

internal import ReplClient
internal import Shared
internal import SystemPackage

/// It is asked before the prompt, and so before readline: the terminal edits the line, and Ctrl-C ends the tool.
enum ReasonQuestion {
  private static let prompt = "Reason for connecting: "

  /// - Parameters:
  ///   - connection: it may end while somebody thinks.
  ///   - surroundings: whose input and output are a terminal.
  /// - Returns: the reason; nil when there is no more input, as after Ctrl-D.
  static func ask(_ connection: Connection, _ surroundings: Surroundings) throws(ClientError) -> String? {
    var lines = InputLines(surroundings.input)
    while true {
      try StandardStream(surroundings.output).write(Array(prompt.utf8))
      switch try next(&lines, connection) {
      case .end:
        try StandardStream(surroundings.output).write([UInt8(ascii: "\n")])
        return nil
      case .text(let line):
        let reason = line.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        if !reason.isEmpty { return reason }
      }
    }
  }

  private static func next(_ lines: inout InputLines, _ connection: Connection) throws(ClientError) -> InputLines.Next {
    while true {
      if let line = lines.next() { return line }
      if case .ready = try connection.receive(until: .never, watching: [lines.watched]) { lines.read() }
    }
  }
}
