// The executable `replserve`: everything it does is in the library Launcher.

internal import Launcher

@main
struct ReplServe {
  static func main() { Launch.main() }
}
