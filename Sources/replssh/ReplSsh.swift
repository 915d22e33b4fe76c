// The executable `replssh`: everything it does is in the library SecureShell.

internal import SecureShell

@main
struct ReplSsh {
  static func main() { SecureShellDoor.main() }
}
