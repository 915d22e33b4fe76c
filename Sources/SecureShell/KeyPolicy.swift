// The key policy: what the file of authorized keys lets a key do here.

internal import ReplClient
internal import Shared

/// What a key that has logged in may do.
struct KeyPolicy: Equatable, Sendable {
  /// Names of permissions; nil is no limit.
  let permit: [String]?

  /// The variable of the option `environment` that holds the limit, words with commas between them. sshd knows the
  /// option, and ignores it as it is told to.
  static let variable = "REPL_PERMIT"

  /// Looks a key up.
  ///
  /// - Parameters:
  ///   - file: the content of the file.
  ///   - name: that of the file, for messages.
  /// - Throws: `ClientError`, `.notPermitted`, also when what the file says cannot be meant.
  init(of key: PublicKey, in file: [UInt8], name: String) throws(ClientError) {
    guard !key.isCertificate else {
      throw ClientError(.notPermitted, "a certificate is no key that stands in \(name); put the key itself there")
    }
    let lines = file.split(separator: UInt8(ascii: "\n")).compactMap { AuthorizedKey(line: $0) }
      .filter { $0.key == key && !$0.has("cert-authority") }
    guard let line = lines.first else {
      throw ClientError(.notPermitted, "the key that has logged in does not stand in \(name), or not any more")
    }
    // sshd does not say by which of them it has let the key in.
    guard lines.allSatisfy({ $0.options == line.options }) else {
      throw ClientError(.notPermitted, "the key stands in \(name) more than once, with different options; leave one")
    }
    // Such a key is meant for something else, and was never meant to get a REPL.
    guard !line.has("command") else {
      throw ClientError(.notPermitted, "the key has the option command= in \(name), so it is for something else")
    }
    permit = try Self.permit(line.options, name: name)
  }

  private static func permit(_ options: [AuthorizedKey.Option], name: String) throws(ClientError) -> [String]? {
    let start = "\(variable)="
    let values = options.filter { $0.name == "environment" }.compactMap(\.value).filter { $0.hasPrefix(start) }
    guard let value = values.first else { return nil }
    guard values.count == 1 else {
      throw ClientError(.notPermitted, "the key has \(variable) twice in \(name); leave one")
    }
    let words = value.dropFirst(start.count).split(whereSeparator: { $0 == "," || $0 == " " }).map(String.init)
    guard !words.isEmpty else {
      throw ClientError(.notPermitted, "\(variable) is empty in \(name); name what the key may do, such as ping")
    }
    do {
      _ = try PermittedOperations(words)
    } catch {
      throw ClientError(
        .notPermitted,
        "\(variable) names '\(error.word)' in \(name), which is none of: \(Permission.all.map(\.name).joined(separator: ", "))"
      )
    }
    return words
  }
}

extension AuthorizedKey {
  /// Whether it has an option, with a value or without.
  func has(_ name: String) -> Bool { options.contains { $0.name == name } }
}
