// The loop option: which event loop of the program runs what the code awaits.

public import ArgumentParser
public import Shared

/// `--loop`, of the tools that run code.
public struct LoopOption: ParsableArguments {
  @Option(help: ArgumentHelp("The event loop that runs what is awaited; 0 is one of its own.", valueName: "n"))
  public var loop: Int?

  public init() {}

  public func validate() throws {
    if let loop, loop < 0 { throw ValidationError("an event loop has a number from 0 on") }
  }

  /// Puts it into a request.
  public func add(to fields: inout JSON.Object) {
    if let loop { fields["loop"] = .integer(loop) }
  }
}
