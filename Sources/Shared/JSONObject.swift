// The JSON object: members in the order in which they were first named.

extension JSON {
  /// A JSON object. A key occurs once: setting it again replaces the value and keeps the place.
  /// Two objects are equal when they have equal members in the same order.
  public struct Object: Equatable, Sendable {
    /// A key, compared and hashed by its bytes. `String` itself compares canonically equivalent
    /// texts as equal, which would drop a member, and normalises them first, which costs time
    /// that the sender of the key decides on.
    fileprivate struct MemberKey: Hashable, Sendable {
      let text: String

      static func == (left: MemberKey, right: MemberKey) -> Bool {
        left.text.utf8.elementsEqual(right.text.utf8)
      }

      func hash(into hasher: inout Hasher) {
        for byte in text.utf8 { hasher.combine(byte) }
      }
    }

    fileprivate struct Member: Equatable, Sendable {
      let key: MemberKey
      var value: JSON
    }

    private var members: [Member] = []
    private var positions: [MemberKey: Int] = [:]

    public init() {}

    public static func == (left: Object, right: Object) -> Bool {
      left.members == right.members
    }

    public var count: Int { members.count }

    public var isEmpty: Bool { members.isEmpty }

    /// The keys in their order.
    public var keys: [String] { members.map(\.key.text) }

    /// The value of a member, or nil when there is none; set to nil to remove the member.
    ///
    /// Removal takes time linear in the number of members, everything else is constant.
    public subscript(key: String) -> JSON? {
      get {
        guard let position = positions[MemberKey(text: key)] else { return nil }
        return members[position].value
      }
      set {
        let key = MemberKey(text: key)
        switch (positions[key], newValue) {
        case (let position?, let value?):
          members[position].value = value
        case (nil, let value?):
          positions[key] = members.count
          members.append(Member(key: key, value: value))
        case (let position?, nil):
          members.remove(at: position)
          positions[key] = nil
          for later in position..<members.count { positions[members[later].key] = later }
        case (nil, nil):
          break
        }
      }
    }
  }
}

extension JSON.Object: Sequence {
  public struct Iterator: IteratorProtocol {
    private var members: IndexingIterator<[Member]>

    fileprivate init(_ members: [Member]) { self.members = members.makeIterator() }

    public mutating func next() -> (key: String, value: JSON)? {
      guard let member = members.next() else { return nil }
      return (member.key.text, member.value)
    }
  }

  public var underestimatedCount: Int { members.count }

  public func makeIterator() -> Iterator { Iterator(members) }
}

extension JSON.Object: ExpressibleByDictionaryLiteral {
  public init(dictionaryLiteral elements: (String, JSON)...) {
    for (key, value) in elements { self[key] = value }
  }
}
