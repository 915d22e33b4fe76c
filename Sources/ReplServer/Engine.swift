// The engine: what a language must do so that this server can serve it.
//
// Nothing here speaks of lines, indentation, an interpreter's lock or a language's exceptions. An evaluation
// may take long to compile before it runs, and a thread of the engine may be parked for ever.
public import Shared

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
  /// The program that runs the language, and the command line of what is served, in one line.
  public var executable: String
  public var program: String

  public init(
    language: String, languageVersion: String, primaryPrompt: String, continuationPrompt: String,
    executable: String = "", program: String = ""
  ) {
    self.language = language
    self.languageVersion = languageVersion
    self.primaryPrompt = primaryPrompt
    self.continuationPrompt = continuationPrompt
    self.executable = executable
    self.program = program
  }
}

/// Source to run for one session.
public struct Evaluation: Sendable {
  /// What the source is.
  public enum Source: Equatable, Sendable {
    /// One block of a prompt. When it is final no more source can follow: a block that is not complete is an error
    /// then, not an outcome.
    case block(String, isFinal: Bool)
    /// A whole text, whose last expression is the value.
    case script(String)
    /// No source: give the result of a job that has ended as if it had been evaluated here.
    case result(ofJob: Int)
  }

  /// Who is told of a value and of an exception.
  public enum Presentation: Sendable {
    /// A person, as text on the streams.
    case text
    /// A program: the value of a script on a stream of its own, the exception in the report.
    case structured
  }

  /// On which thread it runs.
  public enum Place: String, Sendable {
    /// The session's own.
    case session
    /// The main thread of the host, as soon as that can take it.
    case main
  }

  public var session: SessionID
  /// Counts the evaluations of the session from 1, so that an interrupt can name the one it means.
  public var number: Int
  public var source: Source
  public var presentation: Presentation
  public var place: Place
  /// The event loop of the host, by the engine's number, that runs what it awaits; 0 is one of the session's own, nil
  /// whichever is right.
  public var loop: Int?
  /// Where the evaluation writes and reads.
  public var streams: any EvaluationStreams

  public init(
    session: SessionID, number: Int, source: Source, presentation: Presentation = .text, place: Place = .session,
    loop: Int? = nil, streams: any EvaluationStreams
  ) {
    self.session = session
    self.number = number
    self.source = source
    self.presentation = presentation
    self.place = place
    self.loop = loop
    self.streams = streams
  }
}

/// The engine can't evaluate now; the reason is for its user.
public struct EngineUnavailable: Error, Equatable, Sendable {
  public var reason: String
  /// Whether it was waited for in vain.
  public var isTimeout: Bool

  public init(_ reason: String, isTimeout: Bool = false) {
    self.reason = reason
    self.isTimeout = isTimeout
  }
}

/// How an evaluation ended. What it printed has gone to its streams by then.
public typealias EvaluationResult = Result<EvaluationReport, EngineUnavailable>

/// What can be interrupted.
public enum EvaluationTarget: Hashable, Sendable {
  /// An evaluation, by its number in its session.
  case session(SessionID, evaluation: Int)
  case job(Int)
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

/// What an engine knows of one thread of the process. The system knows the rest.
public struct ThreadStack: Equatable, Sendable {
  /// The kernel's number: gettid(2).
  public var thread: Int
  public var name: String
  /// The outermost first.
  public var frames: [SourcePlace]

  public init(thread: Int, name: String, frames: [SourcePlace]) {
    self.thread = thread
    self.name = name
    self.frames = frames
  }
}

/// The size of a client's window, in characters.
public struct WindowSize: Equatable, Sendable {
  public var columns: Int
  public var rows: Int

  public init(columns: Int, rows: Int) {
    self.columns = columns
    self.rows = rows
  }
}

/// The completions of a piece of source.
public struct Completions: Equatable, Sendable {
  public var candidates: [Candidate]
  /// Where what they replace begins, in code points.
  public var start: Int
  public var isTruncated: Bool

  public init(candidates: [Candidate], start: Int, isTruncated: Bool) {
    self.candidates = candidates
    self.start = start
    self.isTruncated = isTruncated
  }
}

/// A language behind the server. Every method returns at once and may be called from the event loop;
/// completions are called exactly once, from any thread, some time: one that needs the language waits for it.
public protocol Engine: AnyObject, Sendable {
  var identity: EngineIdentity { get }

  /// Runs source. A session has one evaluation at a time; the first one of a session opens it in the engine.
  func evaluate(_ evaluation: Evaluation, completion: @escaping @Sendable (EvaluationResult) -> Void)

  /// Stops one evaluation or job, and no other.
  func interrupt(_ target: EvaluationTarget, completion: @escaping @Sendable (InterruptOutcome) -> Void)

  /// Makes a job of a running evaluation: it goes on, its output is the job's, and the session is free for the next.
  /// The engine ends the job. It is done when this returns.
  /// - Returns: why it cannot be done; nil when it was.
  func background(session: SessionID, evaluation number: Int, as job: Job) -> EngineUnavailable?

  /// Whether what the process itself prints is to be given to the server's tee.
  func listen(_ isWanted: Bool)

  /// The window of a session's client has this size from now on.
  func resize(session: SessionID, to size: WindowSize)

  /// Where an evaluation or a job is now; nil when it is over, or that cannot be known.
  func locate(_ target: EvaluationTarget, completion: @escaping @Sendable (SourcePlace?) -> Void)

  /// Starts a thread that runs source as a job, which the engine begins and ends by its methods.
  /// - Parameters:
  ///   - loop: as that of an evaluation.
  ///   - completion: told nil once it has started, or why it could not.
  func start(
    _ job: Job, source: String, loop: Int?, completion: @escaping @Sendable (EngineUnavailable?) -> Void)

  /// Candidates for the word `text`, in a stable order, as they would replace it.
  func complete(word text: String, completion: @escaping @Sendable ([String]) -> Void)

  /// All completions of a piece of source.
  /// - Parameter cursor: in code points; nil stands for the end.
  func complete(
    _ source: String, cursor: Int?, withDocs: Bool, completion: @escaping @Sendable (Completions?) -> Void)

  /// Whether a block that is being typed is complete: the fields of a reply to Check.
  func check(_ source: String, completion: @escaping @Sendable (JSON.Object?) -> Void)

  /// What is known of a name: the fields of a reply to Document.
  func document(
    _ name: String, withSource: Bool,
    completion: @escaping @Sendable (Result<JSON.Object, EngineUnavailable>) -> Void)

  /// The stacks of all threads that the language knows.
  func threads(completion: @escaping @Sendable ([ThreadStack]) -> Void)

  /// The threads that the engine has started, by the kernel's number, and what each is for: `session 3`, `job %2`,
  /// `server`. It is known whatever the language does.
  var ownThreads: [Int: String] { get }

  /// Since when something has waited for the language; nil when nothing waits.
  var waitingSince: ContinuousClock.Instant? { get }

  /// The session has ended: a running evaluation is interrupted, and its thread and memory are given back.
  func close(session: SessionID)

  /// The server is to be stopped: a halt was asked for and is due.
  func serverHalted()
}
