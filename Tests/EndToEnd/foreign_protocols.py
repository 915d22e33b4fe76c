"""What clients of other protocols send first: requests of HTTP in every manner, TLS hellos, STUN, mail and more."""

import ssl
import struct
import warnings

# The registry of IANA, "Hypertext Transfer Protocol (HTTP) Method Registry".
METHODS = """ACL BASELINE-CONTROL BIND CHECKIN CHECKOUT CONNECT COPY DELETE GET HEAD LABEL LINK LOCK MERGE MKACTIVITY
    MKCALENDAR MKCOL MKREDIRECTREF MKWORKSPACE MOVE OPTIONS ORDERPATCH PATCH POST PRI PROPFIND PROPPATCH PUT QUERY
    REBIND REPORT SEARCH TRACE UNBIND UNCHECKOUT UNLINK UNLOCK UPDATE UPDATEREDIRECTREF VERSION-CONTROL""".split()
# Any token is a method, RFC 9110, section 9.1; a page of a rebound name may choose it.
ODD_METHODS = ["import", "print", "x", "_", "1", "M-SEARCH", "x!#$%&'*+-.^_`|~9", "#", "get", "Post", "pUt", "exec"]
VERSIONS = ["HTTP/0.9", "HTTP/1.0", "HTTP/1.1", "HTTP/2", "HTTP/2.0", "HTTP/3", "http/1.1", "Http/1.1", "HTTP/9.9"]
TARGETS = ["/", "*", "/x=1", "/#", "/open('x')", "http://127.0.0.1/", "HTTP://localhost:1337/", "127.0.0.1:1337",
           "/%0aprint(1)", "/" + "x" * 5000, "//", "/;x=1", "'/'", "ws://localhost/"]


def _hello(version):
    """The first bytes of a TLS client that speaks this version and no other; None where this OpenSSL has it not."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        context.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # the old versions are what is wanted
            context.minimum_version = context.maximum_version = version
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        try:
            context.wrap_bio(incoming, outgoing, server_hostname="localhost").do_handshake()
        except ssl.SSLWantReadError:
            pass
    except (ssl.SSLError, ValueError):
        return None
    return outgoing.read() or None


def _stun(kind, attributes=b""):
    return struct.pack("!HHI", kind, len(attributes), 0x2112A442) + b"0123456789ab" + attributes


def _framed(message):
    """RFC 4571, as ICE over TCP has it."""
    return struct.pack("!H", len(message)) + message


def _username(text):
    padded = text + b"\0" * (-len(text) % 4)
    return struct.pack("!HH", 6, len(text)) + padded


def requests():
    """Requests of HTTP by name: bytes up to the end of the head, after which a body would come."""
    found = {}
    for method in METHODS + ODD_METHODS:
        found["method " + method] = "%s / HTTP/1.1\r\nHost: localhost\r\n\r\n" % method
    for version in VERSIONS:
        found["version " + version] = "POST / %s\r\nContent-Length: 100\r\n\r\n" % version
    for target in TARGETS:
        found["target " + target[:30]] = "GET %s HTTP/1.1\r\n\r\n" % target
    for target in ("/", "/x?y=z", "http://localhost/", "https://localhost/"):  # HTTP/0.9 has one method, and no version
        found["0.9 " + target] = "GET %s\r\n" % target
    found["line ends of unix"] = "POST / HTTP/1.1\nHost: localhost\n\n"
    found["lower case"] = "post / http/1.1\nhost: localhost\n\n"
    found["HTTP/2 preface"] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    found["upgrade to HTTP/2"] = "GET / HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n"
    found["WebSocket"] = ("GET /chat HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
    found["proxy"] = "CONNECT localhost:1337 HTTP/1.1\r\nHost: localhost:1337\r\n\r\n"
    found["RTSP-like"] = "OPTIONS * HTTP/1.0\r\nCSeq: 1\r\n\r\n"
    return {name: text.encode() for name, text in found.items()}


def binaries():
    """Protocols that are told by their first byte."""
    found = {"TLS %s" % version.name: _hello(version) for version in
             (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)}
    found["SSLv3 hello"] = b"\x16\x03\x00\x00\x2f\x01\x00\x00\x2b\x03\x00" + b"\x0a" * 40
    found["SSLv2 hello"] = b"\x80\x2e\x01\x03\x01\x00\x15\x00\x00\x00\x10\x01\x00\x80" + b"\x0a" * 34
    found["long SSLv2 hello"] = b"\xbf\xff\x01\x03\x01\x00\x15\x00\x00\x00\x10\x01\x00\x80" + b"\x0a" * 34
    found["STUN"] = _stun(1)
    found["TURN"] = _stun(3, b"\x00\x19\x00\x04\x11\x00\x00\x00")
    found["ICE over TCP"] = _framed(_stun(1, _username(b"abcd:\nopen('x','w')\n")))
    found["ICE over TCP, a long name"] = _framed(_stun(1, _username(b"a" * 250 + b":\nopen('x','w')\n")))
    return {name: data for name, data in found.items() if data}


#: Other protocols whose clients speak first, in words. The text port cannot tell them from what somebody types.
WORDS = {"SMTP": b"EHLO localhost\r\n", "FTP": b"USER anonymous\r\n", "gopher": b"/selector\r\n", "empty gopher": b"\r\n",
         "IRC": b"NICK x\r\nUSER x x x :x\r\n", "redis": b"*1\r\n$4\r\nPING\r\n", "memcached": b"stats\r\n",
         "ssh": b"SSH-2.0-OpenSSH_9.6\r\n", "SIP": b"INVITE sip:x@localhost SIP/2.0\r\n", "finger": b"root\r\n",
         "RTSP": b"OPTIONS rtsp://localhost/ RTSP/1.0\r\n", "proxy header": b"PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\n"}
