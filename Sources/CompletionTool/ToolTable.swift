// The tool table: the tools whose command lines are completed in a shell, as their own parsers declare them.

internal import ArgumentParser
internal import ControlTool
internal import Launcher
internal import ShellCompletion

enum ToolTable {
  /// Building it takes some milliseconds, which nobody pays who does not complete in a shell.
  static func all() -> [ToolDeclaration] {
    [
      declaration(
        of: Launch.declaration, startsProgram: true,
        more: [
          ArgumentDeclaration(names: ["-m"], help: "Run a module, as python -m does.", value: "module"),
          ArgumentDeclaration(names: ["-c"], help: "Run code, as python -c does.", value: "code"),
        ]),
      declaration(of: ControlTool.declaration),
      declaration(of: CompletionOptions.self),
    ].compactMap(\.self) + [client]
  }

  /// `replconnect` is planned; what is certain is that it takes an endpoint.
  private static let client = ToolDeclaration(
    name: "replconnect",
    options: [ArgumentDeclaration(names: ["-t", "--to"], help: "The server.", value: "endpoint")],
    positionals: [ArgumentDeclaration(names: [], help: "The server.", value: "endpoint")])

  private static func declaration(
    of tool: any ParsableCommand.Type, startsProgram: Bool = false, more: [ArgumentDeclaration] = []
  ) -> ToolDeclaration? {
    do {
      _ = try tool.parse(["--experimental-dump-help"])
      return nil
    } catch {
      // What is printed instead of a result comes as an error.
      return ToolDeclaration(dump: tool.fullMessage(for: error), startsProgram: startsProgram, more: more)
    }
  }
}
