// The operation that says who connects and why, as far as the connection itself does not tell.

extension Operation {
  static let ofIntroduction: [Operation] = [introduce]

  public static let introduce = Operation(
    "Introduce", "Say who is connected and why; once, before anything that depends on it.",
    parameters: [
      Field("reason", .string, required: false, "Why; a server may ask for it. It goes into the audit log."),
      Field(
        "ssh", .object, required: false,
        "The client it is relayed for: 'user', 'address' and 'key', its fingerprint."),
      Field(
        "permit", .strings, required: false,
        "What this connection may do, and nothing else; see Permissions."),
    ])
}
