// The fuzzer's corpus is replayed with the unit tests, so that a finding stays fixed.

import Foundation
import Testing

@Suite struct FuzzCorpusTests {
  static let directory = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Fuzz/corpus", directoryHint: .isDirectory)

  static let names = ((try? FileManager.default.contentsOfDirectory(atPath: directory.path)) ?? []).sorted()

  @Test func thereIsACorpusForEveryParser() throws {
    let selectors = try Self.names.map { try Data(contentsOf: Self.directory.appending(path: $0)).first }
    #expect(Set(selectors).isSuperset(of: ParserProperties.selectors))
  }

  @Test(arguments: names)
  func holds(name: String) throws {
    let input = try [UInt8](Data(contentsOf: Self.directory.appending(path: name)))
    #expect(!input.isEmpty)
    #expect(ParserProperties.violation(in: input) == nil)
  }
}
