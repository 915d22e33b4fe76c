// The output collection: what an evaluation wrote, as texts of a JSON document.

internal import Shared

/// Keeps the start of each stream, up to a limit.
struct OutputCollection {
  private var bytes: [OutputFrame.Stream: [UInt8]] = [:]

  /// Whether a stream was longer than is kept.
  private(set) var isTruncated = false

  /// The most bytes of one stream that are kept.
  static let maximumLength = 1 << 26

  mutating func add(_ frame: OutputFrame) {
    let room = max(0, Self.maximumLength - (bytes[frame.stream]?.count ?? 0))
    if frame.bytes.count > room { isTruncated = true }
    bytes[frame.stream, default: []] += frame.bytes.prefix(room)
  }

  /// The text of a stream; what is not UTF-8 becomes U+FFFD.
  func text(_ stream: OutputFrame.Stream) -> String { String(decoding: bytes[stream] ?? [], as: UTF8.self) }
}
