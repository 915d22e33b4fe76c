// Foreign protocols: request lines of browsers are told from lines that somebody typed.

import Testing

@testable import ReplServer

@Suite struct ForeignProtocolTests {
  static let requestLines =
    ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"].map { "\($0) / HTTP/1.1\n" }
    + [
      "PRI * HTTP/2.0\n", "GET /?q=%20 HTTP/1.0\n", "POST /a b HTTP/1.1\n", "GET  HTTP/0.9\n",
      "CONNECT [::1]:80 HTTP/1.1\n", "GET / HTTP/1.1",
    ]

  static let typedLines = [
    "GET = 1\n", "POST (x)\n", "GET\n", "GET \n", "GETS / HTTP/1.1\n", "get / HTTP/1.1\n", " GET / HTTP/1.1\n",
    "x = 'GET / HTTP/1.1'\n", "PUT / HTTP\n", "GET / http/1.1\n", "POST HTTP/1.1\n", "PATCH - HTTPS/1\n", "\n", "",
    "1 + 1\n",
  ]

  @Test(arguments: requestLines) func isARequestLine(_ line: String) {
    #expect(ForeignProtocol.isHTTP(firstLine: Array(line.utf8)))
  }

  @Test(arguments: typedLines) func isATypedLine(_ line: String) {
    #expect(!ForeignProtocol.isHTTP(firstLine: Array(line.utf8)))
  }

  @Test func aHandshakeOfTLSIsTold() {
    for minor in UInt8(0)...4 { #expect(ForeignProtocol.isTLS(firstBytes: [0x16, 0x03, minor, 0x02, 0x00])) }
    #expect(ForeignProtocol.isTLS(firstBytes: [0x16, 0x03]))
  }

  @Test(arguments: [[], [0x16], [0x16, 0x02, 0x01], [0x17, 0x03, 0x03], [0x0A, 0x16, 0x03]] as [[UInt8]])
  func otherBytesAreNotTLS(_ bytes: [UInt8]) {
    #expect(!ForeignProtocol.isTLS(firstBytes: bytes))
  }
}
