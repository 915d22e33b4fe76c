// The operations on sessions: evaluate in one, feed it, interrupt it, end it, list them.

extension Operation {
  static let ofSessions: [Operation] = [
    openSession, closeSession, evaluate, grant, input, interrupt, sessions, disconnect,
  ]

  public static let openSession = Operation(
    "OpenSession", "Open a session that lives as long as this connection, or until CloseSession.",
    parameters: [
      Field("detach", .boolean, required: false, "Whether it is kept for a while when the connection is lost.")
    ],
    returns: [Field("session", .integer, "Its number.")])

  public static let closeSession = Operation(
    "CloseSession", "End a session that this connection has opened.",
    parameters: [Field("session", .integer, "Its number.")])

  public static let evaluate = Operation(
    "Evaluate", "Run source in a session; the reply comes at its end, after all its output.",
    parameters: [
      Field("source", .string, "What to run."),
      Field("session", .integer, required: false, "Where; without it, in a session of its own that ends with it."),
      Field(
        "mode", .string, required: false,
        "'script' (the default), all of it at once; or 'block', one block of a prompt."),
      Field("place", .string, required: false, "'session' (the default), or 'main': the host's main thread."),
      Field(
        "loop", .count, required: false,
        "Which event loop of the host runs what is awaited; 0: the session's own."),
      Field("credit", .count, required: false, "How many bytes of output may be sent before the first Grant."),
      Field("pages", .boolean, required: false, "Whether long texts are sent for a pager."),
    ],
    returns: [
      Field("outcome", .string, "'value', 'exception', 'interrupted', 'backgrounded' or 'ended'."),
      Field("session", .integer, "The number of the session."),
      Field("evaluation", .integer, "The number of the evaluation in its session."),
      Field("duration", .number, "How long it ran, in seconds."),
      Field("type", .string, required: false, "The type of the value; absent when there is none to show."),
      Field("exception", .object, required: false, "What it raised: 'type', 'message', 'traceback', 'frames'."),
      Field("job", .integer, required: false, "The job that it has become; see Background."),
    ])

  public static let grant = Operation(
    "Grant", "Let more output of a request be sent.",
    parameters: [
      Field("request", .integer, "The 'id' of the request whose output it is."),
      Field("bytes", .count, "How many more bytes may be sent."),
    ], hasReply: false)

  public static let input = Operation(
    "Input", "Give text to an evaluation that reads its standard input, or the end of it.",
    parameters: [
      Field("request", .integer, "The 'id' of the Evaluate that reads it."),
      Field("text", .string, required: false, "Lines, each with its newline."),
      Field("end", .boolean, required: false, "Whether nothing follows."),
    ], hasReply: false)

  public static let interrupt = Operation(
    "Interrupt", "Interrupt an evaluation or a job, and say what that did.",
    parameters: [
      Field("session", .integer, required: false, "The session whose evaluation is meant."),
      Field("evaluation", .integer, required: false, "Only this evaluation of the session."),
      Field("job", .integer, required: false, "The job that is meant, instead of a session."),
    ],
    returns: [
      Field("outcome", .string, "'interrupted', 'idle', 'stale', 'blocked' or 'uninterruptible'."),
      Field(
        "where", .object, required: false, "For 'blocked': the 'file', 'line', 'function', 'text' and 'call' it is in."),
    ])

  public static let sessions = Operation(
    "Sessions", "List the sessions.",
    returns: [Field("sessions", .objects, "Each session; see the page for its members.")])

  public static let disconnect = Operation(
    "Disconnect", "End a session and the connection it belongs to.",
    parameters: [
      Field("session", .integer, required: false, "Its number; without it, every session but those of this connection.")
    ],
    returns: [Field("sessions", .array, "The numbers of the sessions that were ended.")])
}
