// The executable `replcomplete`: everything it does is in the library CompletionTool.

internal import CompletionTool

@main
struct ReplComplete {
  static func main() { CompletionTool.main() }
}
