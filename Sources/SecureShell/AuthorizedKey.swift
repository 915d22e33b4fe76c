// The authorized key: a line of the file that says whose keys may log in, as sshd(8) has it.

internal import Shared

/// A key that was presented, by its type and its blob in base64.
struct PublicKey: Equatable, Sendable {
  let type: String
  let blob: String

  /// - Parameter authentication: the file that sshd names in `$SSH_USER_AUTH`; nil when it tells of no public key.
  init?(authentication: [UInt8]) {
    for line in authentication.split(separator: UInt8(ascii: "\n")) {
      let words = String(decoding: line, as: UTF8.self).split(separator: " ")
      guard words.count >= 3, words[0] == "publickey" else { continue }
      self.init(type: String(words[1]), blob: String(words[2]))
      return
    }
    return nil
  }

  init(type: String, blob: String) {
    self.type = type
    self.blob = blob
  }

  /// Whether it is a certificate: the file then has the key of whoever signed it.
  var isCertificate: Bool { type.contains("-cert-") }
}

/// A line with a key, and what its options say.
struct AuthorizedKey: Equatable, Sendable {
  let key: PublicKey
  let options: [Option]

  struct Option: Equatable, Sendable {
    /// In lower case: sshd does not tell them apart.
    let name: String
    /// Nil for a word without '='.
    let value: String?
  }

  /// - Parameter line: nil is given for an empty one, a comment, and what is no key.
  init?(line: some Collection<UInt8>) {
    let text = line.drop(while: Self.isBlank)
    guard let first = text.first, first != UInt8(ascii: "#") else { return nil }
    // A line without options starts with the type of its key.
    if let key = Self.key(text), Self.isType(key.type) {
      self.key = key
      options = []
      return
    }
    let end = Self.endOfOptions(text)
    guard let key = Self.key(text[end...].drop(while: Self.isBlank)), Self.isType(key.type) else { return nil }
    self.key = key
    options = Self.options(text[..<end])
  }

  private static func key(_ text: some Collection<UInt8>) -> PublicKey? {
    let words = text.split(maxSplits: 2, whereSeparator: isBlank)
    guard words.count >= 2 else { return nil }
    return PublicKey(
      type: String(decoding: words[0], as: UTF8.self),
      blob: String(decoding: words[1].filter { $0 != 13 }, as: UTF8.self))
  }

  /// The names of keys all start so; those of options do not.
  private static func isType(_ word: String) -> Bool {
    ["ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-", "webauthn-sk-"].contains { word.hasPrefix($0) }
  }

  private static func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }

  /// Options end at the first blank outside of quotes.
  private static func endOfOptions<Text: Collection<UInt8>>(_ text: Text) -> Text.Index {
    var isQuoted = false
    var index = text.startIndex
    while index != text.endIndex, isQuoted || !isBlank(text[index]) {
      if isEscapedQuote(text, index) {
        index = text.index(after: index)
      } else if text[index] == UInt8(ascii: "\"") {
        isQuoted.toggle()
      }
      index = text.index(after: index)
    }
    return index
  }

  /// A backslash stands for itself, but before a quotation mark.
  private static func isEscapedQuote<Text: Collection<UInt8>>(_ text: Text, _ index: Text.Index) -> Bool {
    let next = text.index(after: index)
    return text[index] == UInt8(ascii: "\\") && next != text.endIndex && text[next] == UInt8(ascii: "\"")
  }

  private static func options(_ text: some Collection<UInt8>) -> [Option] {
    var options: [Option] = []
    var name: [UInt8] = []
    var value: [UInt8]?
    var isQuoted = false
    func finish() {
      guard !name.isEmpty else { return }
      options.append(
        Option(
          name: String(decoding: name, as: UTF8.self).lowercased(),
          value: value.map { String(decoding: $0, as: UTF8.self) }))
      name = []
      value = nil
    }
    var index = text.startIndex
    while index != text.endIndex {
      var byte = text[index]
      let isEscaped = isEscapedQuote(text, index)
      if isEscaped {
        index = text.index(after: index)
        byte = text[index]
      }
      index = text.index(after: index)
      if byte == UInt8(ascii: "\""), !isEscaped {
        isQuoted.toggle()
      } else if byte == UInt8(ascii: ","), !isQuoted {
        finish()
      } else if byte == UInt8(ascii: "="), value == nil, !isQuoted {
        value = []
      } else if value == nil {
        name.append(byte)
      } else {
        value?.append(byte)
      }
    }
    finish()
    return options
  }
}
