// The evaluation's streams: what a running evaluation writes to and reads from, whoever is behind them.

/// Which of an evaluation's outputs some bytes belong to.
public enum OutputStream: Int, Sendable {
  case standardOutput = 1
  case standardError = 2
  /// The value of a script, as the language shows it.
  case value = 3
  /// Text for a pager.
  case page = 4
  /// What the process itself has printed.
  case processOutput = 5
  case processError = 6
}

/// What a read of an evaluation's input gave.
public enum InputLine: Equatable, Sendable {
  /// A line, its newline included; the last one before the end of input may have none.
  case line([UInt8])
  case endOfInput
  /// The evaluation was interrupted while it waited, or its input is now elsewhere.
  case interrupted
}

/// The input and output of an evaluation. They are used by the engine's thread, which may be made to wait.
public protocol EvaluationStreams: AnyObject, Sendable {
  /// Appends output; may wait until there is room for it.
  /// - Returns: how many bytes were accepted; fewer than given when an interrupt cut the wait short. The
  ///   caller sees to the interrupt and then writes the rest.
  func write(_ bytes: some Collection<UInt8>, to stream: OutputStream) -> Int

  /// Takes the next line of input; waits until there is one.
  /// - Parameter isHidden: whether what is typed must not be seen.
  func readLine(isHidden: Bool) -> InputLine

  /// Whether whoever reads the output has a pager.
  var takesPages: Bool { get }

  /// The text for the pager that was written is complete.
  func endPage()

  /// An evaluation starts: an interrupt that reached an earlier one has no meaning for it.
  func beginEvaluation()

  /// Ends a wait in `write` or `readLine` of the running evaluation.
  func interrupt()

  /// From now on reads see the end of input: the evaluation closed its own standard input.
  func endInput()
}
