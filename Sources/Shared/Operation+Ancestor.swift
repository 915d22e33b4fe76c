// The operations of the ancestor: the commands that a client of `unpythonic.net` 2.5 sends.

extension Operation {
  static let ancestral: [Operation] = [describeServer, pairWithSession, tabComplete, keyboardInterrupt]

  public static let describeServer = Operation(
    "DescribeServer", "Say what this server is, what it can do, and which prompts it uses.",
    parameters: [
      Field("operations", .boolean, required: false, "Whether to describe the operations as well."),
      Field("protocol", .integer, required: false, "The client's own protocol number: asks for all that is known."),
    ],
    returns: [
      Field("prompts", .object, "The prompts of the text port: 'ps1' and 'ps2'."),
      Field("control_protocol_version", .string, "The version of the ancestor's protocol, '1.0'."),
      Field("supported_commands", .strings, "The names of all operations."),
      Field(
        "server", .object, required: false, "What no server of the ancestor has: name, version, features and more."),
      Field("operations", .objects, required: false, "This table, when it was asked for."),
    ])

  public static let pairWithSession = Operation(
    "PairWithSession", "Aim this connection's later interrupts at a session.",
    parameters: [
      Field("id", .integer, "The number of the session, from the first line of its text connection.")
    ])

  public static let tabComplete = Operation(
    "TabComplete", "Give one completion of a piece of source.",
    parameters: [
      Field("text", .string, "What to complete."),
      Field("state", .count, "Which candidate to give, from 0."),
    ],
    returns: [
      Field("result", .stringOrNull, "The candidate, or null when there are no more.")
    ])

  public static let keyboardInterrupt = Operation(
    "KeyboardInterrupt", "Interrupt what the paired session is evaluating.",
    returns: [
      Field("outcome", .string, "'interrupted', or 'idle' when nothing was running.")
    ])
}
