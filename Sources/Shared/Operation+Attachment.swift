// The operations of a client that a person sits at: blocks that are typed, jobs that end, sessions that are left and
// taken up again.

extension Operation {
  static let ofAttachment: [Operation] = [check, background, watch, attach, resize, tee]

  public static let check = Operation(
    "Check", "Say whether a block that is being typed is complete; nothing is run.",
    parameters: [Field("source", .string, "The block.")],
    returns: [
      Field("complete", .boolean, "Whether it can be run, or what is wrong with it can be said."),
      Field("indent", .string, "What the next line begins with, if it is not."),
    ])

  public static let background = Operation(
    "Background", "Make a job of a running evaluation; its session is free at once.",
    parameters: [
      Field("session", .integer, "The session."),
      Field("evaluation", .integer, required: false, "Only this evaluation of the session."),
    ],
    returns: [Field("job", .integer, "The number of the job.")])

  public static let resize = Operation(
    "Resize", "Say how large the window of a session's client is.",
    parameters: [
      Field("session", .integer, "The session, which is this connection's."),
      Field("columns", .count, "How many characters wide."),
      Field("rows", .count, "How many lines high."),
    ])

  public static let watch = Operation(
    "Watch", "Send an event whenever a job ends, as long as this connection lives.")

  public static let tee = Operation(
    "Tee", "Send what the process itself prints, as long as this connection lives.",
    parameters: [
      Field("credit", .count, required: false, "How many bytes of output may be sent before the first Grant.")
    ])

  public static let attach = Operation(
    "Attach", "Take up a session that was left; the reply is that of what it evaluates.",
    parameters: [
      Field("session", .integer, "Its number."),
      Field("credit", .count, required: false, "How many bytes of output may be sent before the first Grant."),
    ],
    returns: [
      Field("outcome", .string, "That of the evaluation; 'idle' when there was none to wait for."),
      Field("session", .integer, "The number of the session."),
      Field("evaluation", .integer, required: false, "The number of the evaluation in its session."),
      Field("duration", .number, required: false, "How long it ran, in seconds."),
      Field("type", .string, required: false, "The type of the value; absent when there is none to show."),
      Field("exception", .object, required: false, "What it raised: 'type', 'message', 'traceback', 'frames'."),
    ])
}
