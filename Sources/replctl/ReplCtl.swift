// The executable `replctl`: everything it does is in the library ControlTool.

internal import ControlTool

@main
struct ReplCtl {
  static func main() { ControlTool.main() }
}
