// The settings: what the Python side starts a server with, one JSON object.
internal import CPython
internal import ReplServer
internal import Shared

/// The first argument of `_native.start`. Our own package has written it, so what does not fit means that its parts
/// are of different versions.
struct Settings {
  private let fields: JSON.Object

  /// - Throws: `ValueError`.
  init(parsing text: String) throws(PythonError) {
    // The banner is the program's own, and may be long.
    let limits = JSON.Limits(maximumByteCount: 64 << 20, maximumDepth: 8, maximumElementCount: 1 << 16)
    guard let fields = (try? JSON(parsing: text.utf8, limits: limits))?.objectValue else {
      throw .valueError("the settings of the server are no JSON object")
    }
    self.fields = fields
  }

  func configuration() throws(PythonError) -> ServerConfiguration {
    ServerConfiguration(
      bind: try string("bind"), textPort: try integer("repl_port"), controlPort: try integer("control_port"),
      name: try string("name"), hasUnixSocket: try bool("socket"), version: try string("version"),
      access: AccessRule(allowedUsers: Set(try users("allow_uid")), isOpenToNetwork: try bool("insecure_bind")),
      audit: ServerConfiguration.Audit(
        path: try optionalString("audit_log"), requiresReason: try bool("require_reason"), userNames: try userNames()),
      logLevel: try string("log_level"), secureShell: try secureShell())
  }

  private func secureShell() throws(PythonError) -> SecureShellConfiguration? {
    guard let text = try optionalString("ssh") else { return nil }
    guard let address = DoorAddress(parsing: text) else {
      throw .valueError("ssh cannot be '\(text)'; write \(DoorAddress.form)")
    }
    return SecureShellConfiguration(
      address: address, authorizedKeys: try optionalString("authorized_keys"),
      hostKey: try optionalString("host_key"), program: try string("replssh"))
  }

  private func users(_ name: String) throws(PythonError) -> [UInt32] {
    try value(name) { list in list.arrayValue?.compactMap { $0.integerValue.flatMap(UInt32.init(exactly:)) } }
  }

  private func userNames() throws(PythonError) -> [UInt32: String] {
    try value("user_names") { names in
      var found: [UInt32: String] = [:]
      for (number, name) in names.objectValue ?? [:] {
        if let number = UInt32(number), let name = name.stringValue { found[number] = name }
      }
      return found
    }
  }

  private func optionalString(_ name: String) throws(PythonError) -> String? {
    try value(name) { $0 == .null ? .some(nil) : $0.stringValue.map { .some($0) } }
  }

  func identity() throws(PythonError) -> EngineIdentity {
    EngineIdentity(
      language: "python", languageVersion: try string("python_version"), primaryPrompt: try string("ps1"),
      continuationPrompt: try string("ps2"), executable: try string("executable"), program: try string("program"))
  }

  func string(_ name: String) throws(PythonError) -> String { try value(name) { $0.stringValue } }

  private func integer(_ name: String) throws(PythonError) -> Int { try value(name) { $0.integerValue } }

  private func bool(_ name: String) throws(PythonError) -> Bool { try value(name) { $0.boolValue } }

  private func value<Value>(_ name: String, _ read: (JSON) -> Value?) throws(PythonError) -> Value {
    guard let value = fields[name].flatMap(read) else {
      throw .valueError("the settings of the server lack '\(name)', or it is of another type")
    }
    return value
  }
}
