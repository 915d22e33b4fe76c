// The limits of the wire: every length, in bytes, that a peer may make us believe.
//
// A limit is checked before anything of that size is allocated. Both sides use the same
// numbers, so that neither can send what the other must refuse.

/// The named limits of the wire format. All lengths are in bytes.
public enum Limits {
  /// The longest body of a control frame, request or reply.
  ///
  /// A pasted block of source fits; a client that sends more has lost its place in the stream.
  public static let maximumControlBodyLength = 1 << 20

  /// The longest body of a raw frame that carries output of a session.
  ///
  /// Short enough that an interrupt or a reply that waits behind one frame is not felt.
  public static let maximumOutputBodyLength = 1 << 16

  /// The longest frame, header included, that a client of `unpythonic.net` may be sent at once.
  ///
  /// Its decoder raises `UnboundLocalError` when a header arrives together with more than this
  /// in one read, because it looks for the end of the header only while fewer than 4,096 bytes
  /// are buffered.
  public static let maximumReplyToOldClientLength = 4_095

  /// The longest `id` of a request, as JSON; it is echoed, and a reply must stay below the limit above.
  public static let maximumRequestIDLength = 256

  /// The longest `text` that may be sent for completion.
  public static let maximumCompletionTextLength = 4_096

  /// The longest completion candidate that is sent; a longer one is left out.
  ///
  /// A client of `unpythonic.net` gets one in a frame of its own, where every byte may need an escape
  /// of six.
  public static let maximumCandidateLength = 512

  /// The version of our own protocol, which DescribeServer gives and a client of ours sends.
  public static let protocolVersion = 1

  /// The output that a client lets a server send before it has taken any, unless it says otherwise.
  public static let defaultCredit = 1 << 16

  /// The most output that a client can let a server send in advance.
  public static let maximumCredit = 1 << 30

  /// The longest text of a reply: a documentation, a source, a traceback. A longer one is cut.
  public static let maximumReplyTextLength = 1 << 18

  /// The most bytes of a reply's list, as JSON, before the rest is left out.
  public static let maximumReplyListLength = 1 << 19

  /// The most completion candidates in one reply.
  public static let maximumCandidateCount = 4_096

  /// The longest name in a `name:NAME` endpoint; it is part of a file name.
  public static let maximumNameLength = 64

  /// The longest path of a unix socket: `sun_path` of unix(7) less its terminating zero byte.
  public static let maximumSocketPathLength = 107

  /// The longest host name, as RFC 1035 section 2.3.4 bounds it in writing.
  public static let maximumHostLength = 253

  /// The longest user name in an `ssh://` endpoint.
  public static let maximumUserLength = 64

  /// The capacity a decoder keeps between frames; what one long frame needed beyond it is freed.
  static let retainedBufferCapacity = 1 << 16
}
