// The operations that ask: what completes a piece of source, what is known of a name, what the process does.

extension Operation {
  static let ofInquiry: [Operation] = [complete, document, threads, halt]

  public static let complete = Operation(
    "Complete", "Give every completion of a piece of source at once.",
    parameters: [
      Field("line", .string, "The source up to the cursor and beyond; only its last lines matter."),
      Field("cursor", .count, required: false, "Where in it, in code points; the end without it."),
      Field("docs", .boolean, required: false, "Whether to give a line of documentation with each candidate."),
    ],
    returns: [
      Field("candidates", .objects, "Each with its 'text', its 'kind' and, if asked for and known, its 'doc'."),
      Field("start", .count, "Where what the candidates replace begins, in code points; it ends at the cursor."),
      Field("truncated", .boolean, "Whether there were more than are given."),
    ])

  public static let document = Operation(
    "Document", "Say what is known of a name.",
    parameters: [
      Field("name", .string, "A name or a dotted expression."),
      Field("source", .boolean, required: false, "Whether its source is wanted, too."),
    ],
    returns: [
      Field("kind", .string, "What it is: 'function', 'class', 'module', 'instance' and so on."),
      Field("type", .string, "The name of its type."),
      Field("file", .string, required: false, "Where it is defined."),
      Field("line", .integer, required: false, "The first line of its definition, from 1."),
      Field("signature", .string, required: false, "How it is called."),
      Field("doc", .string, required: false, "Its documentation."),
      Field("source", .string, required: false, "Its source, when it was asked for and can be had."),
      Field("truncated", .boolean, "Whether a text was cut because it is too long."),
    ])

  public static let threads = Operation(
    "Threads", "List the threads of the process, and say whether the interpreter can be had.",
    returns: [
      Field("held", .boolean, "Whether the interpreter could not be had in time; then the stacks are missing."),
      Field("waiting", .number, required: false, "When held: for how many seconds somebody has waited for it by now."),
      Field("threads", .objects, "Each thread; see the page for its members."),
    ])

  public static let halt = Operation(
    "Halt", "Stop the server when the last session has ended, now, or not after all.",
    parameters: [Field("when", .string, "'idle', 'now' or 'cancel'.")],
    returns: [Field("sessions", .count, "How many sessions there are.")])
}
