// The text dialogue: what a text connection says and evaluates, as a value without a socket.
internal import Shared

/// The state of one text session: which block is being typed, what is running, what is said next.
struct TextDialogue {
  /// What the connection is to do after a step.
  enum Step: Equatable {
    /// Nothing until more input or an outcome arrives.
    case wait
    /// Run this block.
    /// - Parameter added: the lines of it that come behind those that were run and found incomplete; nil for a new block.
    case evaluate(source: String, isFinal: Bool, added: String? = nil)
    /// Take this as the reason for connecting.
    case introduce(reason: String)
    /// End the session when all that was said has left.
    case end
  }

  private enum Phase {
    case asking
    case idle
    case evaluating(isFinal: Bool)
    case ended
  }

  private let identity: EngineIdentity
  private var phase: Phase
  private var block: [UInt8] = []

  /// - Parameter asksForReason: whether the first line is to say why its sender connects.
  init(identity: EngineIdentity, asksForReason: Bool = false) {
    self.identity = identity
    phase = asksForReason ? .asking : .idle
  }

  /// Whether a block of this dialogue is being evaluated.
  var isEvaluating: Bool { if case .evaluating = phase { true } else { false } }

  var isEnded: Bool { if case .ended = phase { true } else { false } }

  /// Whether a line can be taken for an evaluation now.
  var wantsLine: Bool {
    switch phase {
    case .idle, .asking: true
    case .evaluating, .ended: false
    }
  }

  /// What a client is shown first.
  func greeting(session: SessionID, banner: String) -> String {
    let text = banner.isEmpty ? "" : banner.hasSuffix("\n") ? banner : banner + "\n"
    // With the same prompt: a client of the ancestor waits for it before it lets anybody type.
    let question = isAsking ? Self.question : ""
    return "REPL session \(session) connected.\n" + text + question + identity.primaryPrompt
  }

  private static let question = "Why do you connect? The first line is the reason, which goes into a log.\n"

  private var isAsking: Bool { if case .asking = phase { true } else { false } }

  /// A line was taken from the input.
  /// - Parameter line: with its newline, if it had one.
  mutating func take(line: [UInt8]) -> (text: String, step: Step) {
    if isAsking { return take(reason: line) }
    guard case .idle = phase else { return ("", .wait) }
    guard block.count + line.count <= ServerLimits.blockLength else {
      block = []
      return (refusal("the block is longer than \(ServerLimits.blockLength) bytes"), .wait)
    }
    let isNew = block.isEmpty
    block += line
    return evaluateBlock(isFinal: false, added: isNew ? nil : line)
  }

  private mutating func take(reason line: [UInt8]) -> (text: String, step: Step) {
    let reason = String(decoding: line, as: UTF8.self).introducedLine(upTo: ServerLimits.reasonCharacters)
    guard !reason.isEmpty else { return (Self.question + identity.primaryPrompt, .wait) }
    phase = .idle
    return (identity.primaryPrompt, .introduce(reason: reason))
  }

  /// The session ends without having asked for it.
  mutating func end() {
    block = []
    phase = .ended
  }

  /// The input has ended and no line is left.
  mutating func endOfInput() -> (text: String, step: Step) {
    guard wantsLine else { return ("", .wait) }
    guard block.isEmpty else { return evaluateBlock(isFinal: true, added: []) }
    phase = .ended
    return ("\nBye.\n", .end)
  }

  /// The evaluation has ended.
  mutating func finish(_ outcome: EvaluationReport.Outcome) -> (text: String, step: Step) {
    guard case .evaluating(let wasFinal) = phase else { return ("", .wait) }
    phase = .idle
    switch outcome {
    case .incomplete where !wasFinal:
      return (identity.continuationPrompt, .wait)
    case .ended:
      block = []
      phase = .ended
      return ("Bye.\n", .end)
    case .value, .exception, .interrupted, .incomplete, .abandoned, .backgrounded:
      block = []
      return (identity.primaryPrompt, .wait)
    }
  }

  /// The block could not be evaluated.
  mutating func refuse(_ reason: String) -> (text: String, step: Step) {
    guard case .evaluating = phase else { return ("", .wait) }
    phase = .idle
    block = []
    return (refusal(reason), .wait)
  }

  /// An interrupt arrived while nothing was running: the block that was being typed is forgotten.
  mutating func interruptAtPrompt() -> String {
    guard wantsLine else { return "" }
    block = []
    return "\nKeyboardInterrupt\n" + identity.primaryPrompt
  }

  private mutating func evaluateBlock(isFinal: Bool, added: [UInt8]?) -> (text: String, step: Step) {
    guard let source = String(validating: block, as: UTF8.self) else {
      block = []
      return (refusal("the input is not valid UTF-8; nothing was run"), .wait)
    }
    phase = .evaluating(isFinal: isFinal)
    let addition = added.map { Self.withoutNewline(String(decoding: $0, as: UTF8.self)) }
    return ("", .evaluate(source: Self.withoutNewline(source), isFinal: isFinal, added: addition))
  }

  private static func withoutNewline(_ text: String) -> String {
    text.utf8.last == UInt8(ascii: "\n") ? String(text.unicodeScalars.dropLast()) : text
  }

  private func refusal(_ reason: String) -> String { "replserve: \(reason)\n" + identity.primaryPrompt }
}
