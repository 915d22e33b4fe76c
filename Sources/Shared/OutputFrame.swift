// The output frame: a piece of what an evaluation wrote, sent as it is and not inside JSON.

/// The body of a frame that carries output:
///
///     <letter> <decimal id> ';' <bytes>
///
/// The letter says what the bytes are, the id is that of the request that asked for them. The first byte of a
/// message is `{` instead, so the two are told apart by it. The bytes are any bytes, 0xFF included: whoever reads
/// such frames needs a `FrameDecoder` of `.binary` content.
public struct OutputFrame: Equatable, Sendable {
  /// What the bytes are.
  public enum Stream: UInt8, CaseIterable, Sendable {
    /// `o`: what was written to the standard output of the evaluation.
    case standardOutput = 0x6F
    /// `e`: what was written to its standard error.
    case standardError = 0x65
    /// `v`: the value, as the language shows it, without a newline at its end.
    case value = 0x76
    /// `p`: text for a pager; an event `page` marks its end.
    case page = 0x70
    /// `O`: what the process itself has printed to its standard output.
    case processOutput = 0x4F
    /// `E`: what it has printed to its standard error.
    case processError = 0x45
  }

  public var stream: Stream
  /// The `id` of the request, an integer from 0 on.
  public var request: Int
  public var bytes: [UInt8]

  public init(_ stream: Stream, request: Int, bytes: [UInt8]) {
    self.stream = stream
    self.request = request
    self.bytes = bytes
  }

  /// The body of a frame.
  public func body() -> [UInt8] {
    var body = [stream.rawValue]
    body.reserveCapacity(bytes.count + Self.maximumPrefixLength)
    body.append(contentsOf: String(request).utf8)
    body.append(Self.separator)
    body.append(contentsOf: bytes)
    return body
  }

  /// Reads the body of a frame; nil when it is no output frame.
  public init?(body: [UInt8]) {
    guard let first = body.first, let stream = Stream(rawValue: first) else { return nil }
    let head = body.prefix(Self.maximumPrefixLength)
    guard let end = head.firstIndex(of: Self.separator), end > 1 else { return nil }
    var request = 0
    for byte in head[1..<end] {
      guard byte >= 0x30, byte <= 0x39 else { return nil }
      let (tens, overflows) = request.multipliedReportingOverflow(by: 10)
      let (sum, carries) = tens.addingReportingOverflow(Int(byte - 0x30))
      guard !overflows, !carries else { return nil }
      request = sum
    }
    self.init(stream, request: request, bytes: Array(body[(end + 1)...]))
  }

  private static let separator: UInt8 = 0x3B
  /// A letter, the digits of the greatest id, and the separator.
  private static let maximumPrefixLength = 1 + 19 + 1
}
