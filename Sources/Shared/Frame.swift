// The frame: one message on the control port, a short header and a body of known length.

/// Writes frames in the format of `unpythonic.net.msg`, protocol version 01:
///
///     0xFF 'v' '0' '1' 'l' <decimal length> ';' <body>
///
/// 0xFF is never part of UTF-8, so in a stream of text bodies it can only start a frame.
public enum Frame {
  /// The byte that starts every frame.
  public static let syncByte: UInt8 = 0xFF

  /// What follows the sync byte and precedes the length: `v`, the version `01`, `l`.
  static let prefix: [UInt8] = [0x76, 0x30, 0x31, 0x6C]

  /// The byte that ends the length and the header: `;`.
  static let terminator: UInt8 = 0x3B

  /// The most digits a length may have, leading zeros included.
  static let maximumLengthDigits = 10

  /// The longest header in bytes: sync byte, prefix, length, terminator.
  public static let maximumHeaderLength = 1 + prefix.count + maximumLengthDigits + 1

  /// A body longer than this can not be framed; every decoder's own maximum is lower or the same.
  public static let greatestBodyLength = Int(Int32.max)

  /// Returns one whole frame.
  ///
  /// - Parameter body: at most `greatestBodyLength` bytes. For a decoder of `.text` it must hold
  ///   no 0xFF, which is true of all UTF-8.
  /// - Returns: the header and the body.
  public static func encode(_ body: some Collection<UInt8>) -> [UInt8] {
    var frame = header(bodyLength: body.count)
    frame.reserveCapacity(frame.count + body.count)
    frame.append(contentsOf: body)
    return frame
  }

  /// Returns the header alone, for a sender that does not want to copy the body.
  ///
  /// - Parameter bodyLength: the length in bytes of the body that follows; a negative one counts as 0.
  public static func header(bodyLength: Int) -> [UInt8] {
    var header = [syncByte]
    header.append(contentsOf: prefix)
    header.append(contentsOf: String(max(0, bodyLength)).utf8)
    header.append(terminator)
    return header
  }
}
