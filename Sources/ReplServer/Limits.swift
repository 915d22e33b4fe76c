// Every limit of the server, by name. What the wire itself bounds is in Shared's limits.
internal import Shared

/// The bounds of what one server keeps or waits for.
public enum ServerLimits {
  /// Connections at once, over all doors. One more is accepted and closed at once, so that it is told.
  public static let connections = 4096
  /// Seconds that a control connection has for its first byte. Tools send theirs with the connection.
  public static let controlFirstByteSeconds: Int64 = 30
  /// Seconds that a text connection has for its first byte: a person may look at the prompt for a while.
  public static let textFirstByteSeconds: Int64 = 3600
  /// Seconds between two lines of the log about refused connections.
  public static let refusalLogSeconds: Int64 = 60
  /// Refused connections in a minute that the audit log tells of one by one; those beyond are told of as a number.
  public static let auditedRefusals = 100
  /// Descriptors of other processes that are looked at to find the one that holds a peer's socket.
  public static let searchedDescriptors = 1 << 16
  /// Names of users that are remembered, and bytes of the file that they are looked up in.
  public static let knownUserNames = 1024
  public static let passwordFileBytes = 4 << 20
  /// Code points of a line of the log.
  public static let logLineCharacters = 1000
  /// Code points of a reason for connecting, and of each word about an ssh client.
  public static let reasonCharacters = 1000
  public static let introducedWordCharacters = 256
  /// Sessions at once, of text connections and of tools. A tool that asks for one more is refused.
  public static let sessions = 4096
  /// Jobs that run at once. One more is refused; what a program starts by itself is its own affair.
  public static let runningJobs = 1024
  /// Bytes of a text line without its newline. A longer line ends the connection.
  public static let textLineLength = 1 << 20
  /// Bytes of typed-ahead lines above which the connection is not read.
  public static let inputHighWater = 256 << 10
  /// Bytes of a block of several lines that is not yet complete.
  public static let blockLength = 1 << 20
  /// Bytes of output a session keeps for its client; above this a writer waits.
  public static let outputBytes = 256 << 10
  /// Bytes of one piece of output handed to a channel.
  public static let outputChunk = 32 << 10
  /// Bytes of output that are kept of one job, the newest.
  public static let jobOutputBytes = 1 << 20
  /// Jobs that are kept after they have ended, and bytes of output of all of them.
  public static let finishedJobs = 64
  public static let finishedJobsOutputBytes = 16 << 20
  /// Rows of a list of sessions, jobs or threads; the rest is left out.
  public static let listedRows = 1024
  /// Code points of a source that a list or a description shows.
  public static let shownSourceCharacters = 200
  /// Bytes of input that an evaluation has been sent and has not read.
  public static let pendingInputBytes = 1 << 20
  /// Milliseconds over which the load of a thread is measured.
  public static let threadSampleMilliseconds: Int64 = 100
  /// Columns or rows of a client's window.
  public static let windowLength = 65_535
  /// Requests of one control connection that have no reply yet; above this it is not read.
  public static let outstandingRequests = 64
  /// Requests of one control connection that wait for the end of an evaluation or a job; one more is refused.
  public static let longRequests = 1024
  /// Bytes of one control connection that have not left; above this it is not read.
  public static let unsentReplyBytes = 256 << 10
  /// Milliseconds a control request waits for the engine before it is answered without.
  public static let engineReplyMilliseconds: Int64 = 2000
  /// Milliseconds an interrupt waits for the engine before the peer is told that the interpreter is held.
  public static let interruptReplyMilliseconds: Int64 = 1000
  /// Milliseconds that an interrupted evaluation has to come to its end before it counts as blocked.
  public static let interruptEffectMilliseconds: Int64 = 700
  /// Milliseconds that the engine has to say where something is, or where all threads are.
  public static let locateMilliseconds: Int64 = 400
  /// Milliseconds that the engine has to document a name or to complete a piece of source.
  public static let inquiryMilliseconds: Int64 = 10_000
  /// Seconds that a session is kept whose connection was lost.
  public static let leftSessionSeconds: Int64 = 600
  /// Milliseconds between two looks at whether the peer of a half-closed connection still exists.
  public static let halfClosedProbeMilliseconds: Int64 = 1000
  /// Milliseconds until the first such look: a peer that closes altogether is not yet gone when its FIN arrives.
  public static let firstHalfClosedProbeMilliseconds: Int64 = 20
  /// Seconds of silence after which TCP asks whether the peer is still there, and between two such questions.
  public static let keepaliveIdleSeconds = 30
  public static let keepaliveIntervalSeconds = 10
  /// Questions without an answer after which the peer is gone.
  public static let keepaliveProbes = 3
  /// Milliseconds that `stop` waits for the last output of each connection to leave.
  public static let farewellMilliseconds: Int64 = 200
  /// Milliseconds in which what a peer still sends after its session ended is thrown away, before the socket
  /// is closed.
  public static let lingerMilliseconds: Int64 = 1000
  /// Milliseconds between two signs of life of an ssh door that opens; a host key may have to be made for it.
  public static let doorStartMilliseconds: Int32 = 60_000
  /// Milliseconds that `stop` waits for the port of its ssh door to be free.
  public static let doorFarewellMilliseconds: Int64 = 3000
  /// Connections the kernel queues before they are accepted.
  public static let backlog: Int32 = 1024
}

extension ServerLimits {
  /// Those that a client may want to know, as DescribeServer gives them. Lengths are in bytes.
  static let described: JSON.Object = [
    "connections": .integer(connections),
    "control_first_byte_seconds": .integer(Int(controlFirstByteSeconds)),
    "text_first_byte_seconds": .integer(Int(textFirstByteSeconds)),
    "reason": .integer(reasonCharacters),
    "sessions": .integer(sessions),
    "running_jobs": .integer(runningJobs),
    "text_line": .integer(textLineLength),
    "text_block": .integer(blockLength),
    "request": .integer(Limits.maximumControlBodyLength),
    "requests_outstanding": .integer(outstandingRequests),
    "output_unsent": .integer(outputBytes),
    "job_output": .integer(jobOutputBytes),
    "finished_jobs": .integer(finishedJobs),
    "completion_candidates": .integer(Limits.maximumCandidateCount),
    "reply_text": .integer(Limits.maximumReplyTextLength),
  ]
}
