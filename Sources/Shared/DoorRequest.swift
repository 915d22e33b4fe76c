// The door request: what the ssh door of a server is to be like.

/// What a server gives to `replssh`, one JSON object in one line.
public struct DoorRequest: Equatable, Sendable {
  /// Where sshd listens; nil is all addresses of the machine, and port 0 any free one.
  public var address: String?
  public var port: UInt16
  /// The file with the keys that may log in; nil is the one that sshd knows of.
  public var authorizedKeys: String?
  /// The file with the key of the door; nil is one for all servers of this user.
  public var hostKey: String?
  /// The socket of the server, to which every session goes.
  public var socket: String
  /// The directory for the configuration. It is made, and removed with the door.
  public var directory: String

  public init(
    address: String?, port: UInt16, authorizedKeys: String?, hostKey: String?, socket: String, directory: String
  ) {
    self.address = address
    self.port = port
    self.authorizedKeys = authorizedKeys
    self.hostKey = hostKey
    self.socket = socket
    self.directory = directory
  }

  /// The longest line, in bytes.
  public static let maximumLength = 1 << 16

  public init?(parsing line: some Collection<UInt8>) {
    guard line.count <= Self.maximumLength, let fields = (try? JSON(parsing: line))?.objectValue,
      let port = fields["port"]?.integerValue.flatMap({ UInt16(exactly: $0) }),
      let socket = fields["socket"]?.stringValue, let directory = fields["directory"]?.stringValue
    else { return nil }
    self.init(
      address: fields["address"]?.stringValue, port: port, authorizedKeys: fields["authorized_keys"]?.stringValue,
      hostKey: fields["host_key"]?.stringValue, socket: socket, directory: directory)
  }

  /// The line, with its newline.
  public var line: [UInt8] {
    let fields: JSON.Object = [
      "address": address.map { .string($0) } ?? .null, "port": .integer(Int(port)),
      "authorized_keys": authorizedKeys.map { .string($0) } ?? .null, "host_key": hostKey.map { .string($0) } ?? .null,
      "socket": .string(socket), "directory": .string(directory),
    ]
    return JSON.object(fields).serialized() + [UInt8(ascii: "\n")]
  }
}

/// Where an ssh door listens, as `[ADDRESS:]PORT`.
public struct DoorAddress: Equatable, Sendable {
  public let address: String?
  public let port: UInt16

  /// What to write, for messages.
  public static let form = "PORT or ADDRESS:PORT, an IPv6 address in brackets; port 0 stands for any free one"

  /// - Returns: nil for what has another form.
  public init?(parsing text: String) {
    guard let colon = text.lastIndex(of: ":") else {
      guard let port = Self.port(text[...]) else { return nil }
      (address, self.port) = (nil, port)
      return
    }
    guard let port = Self.port(text[text.index(after: colon)...]) else { return nil }
    var address = text[..<colon]
    if address.first == "[", address.last == "]" {
      address = address.dropFirst().dropLast()
      guard address.contains(":") else { return nil }
    } else if address.contains(":") {
      return nil
    }
    let isPlain = address.utf8.allSatisfy {
      ($0 >= 0x30 && $0 <= 0x39) || ($0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7A) || $0 == 0x2E || $0 == 0x3A
    }
    guard !address.isEmpty, isPlain, address.utf8.count <= Limits.maximumHostLength else { return nil }
    (self.address, self.port) = (String(address), port)
  }

  private static func port(_ digits: Substring) -> UInt16? {
    digits.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 } ? UInt16(digits) : nil
  }
}
