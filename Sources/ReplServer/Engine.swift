// The engine: what a language must do so that this server can serve it.
//
// Nothing here speaks of lines, indentation, an interpreter's lock or a language's exceptions. An evaluation
// may take long to compile before it runs, and a thread of the engine may be parked for ever.

/// The number of a session, from 1 on, never used twice in one process.
public typealias SessionID = Int

/// What an engine says of itself.
public struct EngineIdentity: Sendable {
  /// The language it evaluates, in lower case: `python`.
  public var language: String
  public var languageVersion: String
  /// What a text client is shown when a new block is awaited, and when the rest of one is.
  public var primaryPrompt: String
  public var continuationPrompt: String

  public init(language: String, languageVersion: String, primaryPrompt: String, continuationPrompt: String) {
    self.language = language
    self.languageVersion = languageVersion
    self.primaryPrompt = primaryPrompt
    self.continuationPrompt = continuationPrompt
  }
}

/// One block of source to run for one session.
public struct Evaluation: Sendable {
  public var session: SessionID
  /// Counts the evaluations of the session from 1, so that an interrupt can name the one it means.
  public var number: Int
  public var source: String
  /// No more source can follow: a block that is not complete is an error, not an outcome.
  public var isFinal: Bool
  /// Where the evaluation writes and reads.
  public var streams: SessionStreams

  public init(session: SessionID, number: Int, source: String, isFinal: Bool, streams: SessionStreams) {
    self.session = session
    self.number = number
    self.source = source
    self.isFinal = isFinal
    self.streams = streams
  }
}

/// How an evaluation ended. What it printed, its value and its traceback have gone to its streams by then.
public enum Outcome: Equatable, Sendable {
  /// The block ran to its end.
  case value
  /// The block could not be compiled, or raised.
  case exception
  /// More source is needed; nothing ran.
  case incomplete
  /// An interrupt ended it.
  case interrupted
  /// The block asked for its session to end.
  case endOfSession
  /// The engine can't evaluate for this session; the reason is for its user.
  case unavailable(String)
}

/// What an interrupt did.
public enum InterruptOutcome: Equatable, Sendable {
  /// The evaluation it named was told to stop.
  case interrupted
  /// The evaluation it named was over.
  case stale
  /// The engine could not reach it in time; the request stands and reaches that evaluation only.
  case uninterruptible(String)
}

/// A language behind the server. Every method returns at once and may be called from the event loop;
/// completions are called exactly once, from any thread.
public protocol Engine: AnyObject, Sendable {
  var identity: EngineIdentity { get }

  /// Runs a block. A session has one evaluation at a time; the first one of a session opens it in the engine.
  func evaluate(_ evaluation: Evaluation, completion: @escaping @Sendable (Outcome) -> Void)

  /// Stops evaluation `number` of a session, and no other.
  func interrupt(
    session: SessionID, evaluation number: Int, completion: @escaping @Sendable (InterruptOutcome) -> Void)

  /// Candidates for the word `text`, in a stable order, as they would replace it.
  func complete(_ text: String, completion: @escaping @Sendable ([String]) -> Void)

  /// The session has ended: a running evaluation is interrupted, and its thread and memory are given back.
  func close(session: SessionID)

  /// The last session has ended after a halt was asked for: the server is to be stopped.
  func serverHalted()
}
