// Foreign protocols: request lines of browsers are told from lines that somebody typed.

import Testing

@testable import ReplServer

@Suite struct ForeignProtocolTests {
  static let requestLines =
    ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"].map { "\($0) / HTTP/1.1\n" }
    + [
      "PRI * HTTP/2.0\n", "GET /?q=%20 HTTP/1.0\n", "POST /a b HTTP/1.1\n", "GET  HTTP/0.9\n",
      "CONNECT [::1]:80 HTTP/1.1\n", "GET / HTTP/1.1", "get / HTTP/1.1\n", "GETS / HTTP/1.1\n",
      "PROPFIND /x HTTP/1.1\r\n",
      "!#$%&'*+-.^_`|~ * HTTP/3\n", "GET /\r\n", "GET http://127.0.0.1:1337/\r\n", "POST https://x/ HTTP/1.1\r\n",
      "OPTIONS * HTTP/1.1\r\n", "M-SEARCH * HTTP/1.1\r\n", "post / http/1.1\n", "POST / Http/1.1\r\n",
    ]

  static let typedLines = [
    "GET = 1\n", "POST (x)\n", "GET\n", "GET \n", " GET / HTTP/1.1\n", "GET * 2\n", "GETS /x\n", "x = 1 # HTTP/1.1\n",
    "print('GET / HTTP/1.1')\n", "print(1) if HTTP/1 else 2\n", "import http\n", "a  HTTP/1.1\n", "a b HTTP/x\n",
    "x = 'GET / HTTP/1.1'\n", "PUT / HTTP\n", "PUT /x\n", "POST HTTP/1.1\n", "PATCH - HTTPS/1\n", "\n", "",
    "1 + 1\n",
  ]

  @Test(arguments: requestLines) func isARequestLine(_ line: String) {
    #expect(ForeignProtocol.isHTTP(firstLine: Array(line.utf8)))
  }

  @Test(arguments: typedLines) func isATypedLine(_ line: String) {
    #expect(!ForeignProtocol.isHTTP(firstLine: Array(line.utf8)))
  }

  @Test(
    arguments: [
      [0x16], [0x16, 0x03, 0x01], [0x00], [0x00, 0x14, 0x00, 0x01], [0x01, 0x1C, 0x00, 0x01], [0x02],
      [0x80, 0x2E, 0x01],
      [0xBF],
    ] as [[UInt8]])
  func isBinary(_ bytes: [UInt8]) {
    #expect(ForeignProtocol.isBinary(firstBytes: bytes))
  }

  @Test(arguments: [[], [0x17, 0x03, 0x03], [0x0A, 0x16, 0x03], [0x78], [0xC3, 0xA9], [0xFF], [0x04]] as [[UInt8]])
  func isText(_ bytes: [UInt8]) {
    #expect(!ForeignProtocol.isBinary(firstBytes: bytes))
  }

  @Test func whatIsNoFrameBeginsWithAnotherByte() {
    for byte in UInt8(0)...0xFE { #expect(ForeignProtocol.isNoFrame(firstBytes: [byte, 0xFF])) }
    #expect(!ForeignProtocol.isNoFrame(firstBytes: [0xFF]))
    #expect(!ForeignProtocol.isNoFrame(firstBytes: []))
  }
}
