// The interrupt presses: what Ctrl-C does to an evaluation, press by press.

/// One evaluation's Ctrl-C: the first press interrupts it; when that is answered and the evaluation is stuck, the next
/// one leaves it. What is pressed while an answer is awaited counts as the press that is under way.
struct InterruptPresses: Equatable {
  enum Action: Equatable {
    case nothing
    /// Ask the server to interrupt it.
    case interrupt
    /// Leave it, and take a prompt.
    case leave
  }

  private enum State: Equatable {
    case quiet
    /// It was pressed before the evaluation had its number.
    case wanted
    case asked
    case stuck
  }

  private var state = State.quiet

  /// - Parameter isKnown: whether the evaluation has its number.
  mutating func press(isKnown: Bool) -> Action {
    switch state {
    case .quiet where isKnown:
      state = .asked
      return .interrupt
    case .quiet:
      state = .wanted
      return .nothing
    case .wanted, .asked: return .nothing
    case .stuck: return .leave
    }
  }

  /// The evaluation has its number.
  mutating func started() -> Action {
    guard state == .wanted else { return .nothing }
    state = .asked
    return .interrupt
  }

  /// - Parameter isOver: what the server said: whether nothing of it runs on.
  mutating func answered(isOver: Bool) { state = isOver ? .quiet : .stuck }

  /// The server could not be asked.
  mutating func refused() { state = .stuck }
}
