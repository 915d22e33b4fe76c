// The executable `replconnect`: everything it does is in the library TerminalClient.

internal import TerminalClient

@main
struct ReplConnect {
  static func main() { TerminalClient.main() }
}
