// The prompt scanner: what the text door of the ancestor sends, as output and prompts.

/// Finds the prompts in a text that does not mark them. A prompt is taken for one when it ends what has come.
public struct PromptScanner {
  public enum Event: Equatable, Sendable {
    case output([UInt8])
    /// Whether it asks for more lines of the same block.
    case prompt(isContinuation: Bool)
  }

  private let first: [UInt8]
  private let continuation: [UInt8]
  /// The end of what has come, which may be the start of a prompt.
  private var held: [UInt8] = []

  /// - Parameters:
  ///   - first: the prompt of a block.
  ///   - continuation: the prompt of a block's further lines.
  public init(first: String, continuation: String) {
    self.first = Array(first.utf8)
    self.continuation = Array(continuation.utf8)
  }

  /// What a piece of text comes to.
  public mutating func append(_ bytes: some Sequence<UInt8>) -> [Event] {
    let text = held + bytes
    held = []
    for (prompt, isContinuation) in [(first, false), (continuation, true)]
    where !prompt.isEmpty && text.count >= prompt.count && text.suffix(prompt.count).elementsEqual(prompt) {
      let output = Array(text.dropLast(prompt.count))
      return (output.isEmpty ? [] : [.output(output)]) + [.prompt(isContinuation: isContinuation)]
    }
    let count = heldCount(of: text)
    held = Array(text.suffix(count))
    let output = Array(text.dropLast(count))
    return output.isEmpty ? [] : [.output(output)]
  }

  /// What was held because a prompt might follow, which did not.
  public mutating func flush() -> [UInt8] {
    defer { held = [] }
    return held
  }

  public var isHolding: Bool { !held.isEmpty }

  private func heldCount(of text: [UInt8]) -> Int {
    let longest = max(first.count, continuation.count)
    for count in stride(from: min(longest - 1, text.count), to: 0, by: -1) {
      let tail = text.suffix(count)
      if first.starts(with: tail) || continuation.starts(with: tail) { return count }
    }
    return 0
  }
}
