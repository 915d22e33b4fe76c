// The operation that says who connects and why, as far as the connection itself does not tell.

extension Operation {
  static let ofIntroduction: [Operation] = [introduce]

  public static let introduce = Operation(
    "Introduce", "Say who is connected and why; once, before anything that depends on it.",
    parameters: [
      Field("reason", .string, required: false, "Why; a server may ask for it. It goes into the audit log."),
      Field(
        "ssh", .object, required: false,
        "For whom a connection is relayed: 'user', 'address' and 'key', the fingerprint, all strings."),
      Field(
        "permit", .strings, required: false,
        "What this connection may do from now on, and nothing else; see Permissions."),
    ])
}
