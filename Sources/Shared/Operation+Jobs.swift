// The operations on jobs: evaluations that no prompt waits for.

extension Operation {
  static let ofJobs: [Operation] = [startJob, jobs, jobOutput, awaitJob, killJob]

  public static let startJob = Operation(
    "StartJob", "Run source as a job, which goes on when this connection ends.",
    parameters: [
      Field("source", .string, "What to run; the value of its last expression is the job's."),
      Field(
        "loop", .count, required: false,
        "Which event loop of the host runs what is awaited; 0: the job's own."),
    ],
    returns: [Field("job", .integer, "Its number.")])

  public static let jobs = Operation(
    "Jobs", "List the jobs that run, and the last ones that have ended.",
    returns: [Field("jobs", .objects, "Each job; see the page for its members.")])

  public static let jobOutput = Operation(
    "JobOutput", "Send what a job has printed; the reply comes after all of it.",
    parameters: [
      Field("job", .integer, "Its number."),
      Field("follow", .boolean, required: false, "Whether to go on until the job has ended."),
      Field("credit", .count, required: false, "How many bytes of output may be sent before the first Grant."),
    ],
    returns: [
      Field("state", .string, "The state of the job."),
      Field("dropped", .count, "How many bytes of its output were not sent, because they are not kept."),
    ])

  public static let awaitJob = Operation(
    "AwaitJob", "Wait for a job to end, and give its result as Evaluate does.",
    parameters: [
      Field("job", .integer, "Its number."),
      Field("credit", .count, required: false, "How many bytes of output may be sent before the first Grant."),
    ],
    returns: [
      Field("outcome", .string, "'value', 'exception', 'interrupted' or 'abandoned'."),
      Field("duration", .number, "How long the job ran, in seconds."),
      Field("type", .string, required: false, "The type of the value; absent when there is none to show."),
      Field("exception", .object, required: false, "What it raised: 'type', 'message', 'traceback', 'frames'."),
    ])

  public static let killJob = Operation(
    "KillJob", "Interrupt a job; if that does not end it, abandon it to its fate.",
    parameters: [Field("job", .integer, "Its number.")],
    returns: [
      Field("state", .string, "What became of it: 'done', 'failed', 'interrupted' or 'abandoned'."),
      Field("where", .object, required: false, "For 'abandoned': the 'file', 'line', 'function' and 'text' it is in."),
    ])
}
