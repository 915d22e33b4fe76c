// The shell: those whose completion the tools serve.

public enum Shell: String, CaseIterable, Sendable {
  case bash
  case zsh
  case fish
}
