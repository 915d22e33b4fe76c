"""Bytes of other protocols, in whatever pieces they come, run nothing; and what people type as their first line does run."""

import re
import select
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from control_client import ControlClient, frame
from deadline import PATIENCE, Deadline
from foreign_protocols import WORDS, binaries, requests
from second_user import everything, send_all
from text_client import PS1, TextClient
from witness import Witness, assert_logged_rarely, counted, settled

TEXT = {**requests(), **binaries()}
CONTROL = {**TEXT, **WORDS}

# Splits beyond these lie behind what is looked at.
LONGEST_SPLIT = 48


@pytest.fixture
def witness(tmp_path):
    return Witness(tmp_path / "marks")


def divisions(head):
    """Every way to send it in two pieces, and a byte at a time."""
    for cut in range(min(len(head), LONGEST_SPLIT) + 1):
        yield [head[:cut], head[cut:]]
    yield [head[-1 - index:len(head) - index] for index in reversed(range(len(head)))] if len(head) < 200 else [head]


def opened(address):
    """A connection to a port, or to a unix socket."""
    if isinstance(address, str):
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(PATIENCE)
        sock.connect(address)
        return sock
    sock = socket.create_connection(("127.0.0.1", address), timeout=PATIENCE)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def sent(sock, pieces):
    for piece in pieces:
        if piece:
            send_all(sock, piece)


def up_to(sock, is_enough):
    """What comes, until that is enough or the connection is at its end; and whether it is."""
    data, deadline = b"", Deadline()
    while not is_enough(data):
        readable, _, _ = select.select([sock], [], [], deadline.left)
        if not readable:
            return data, "still open"
        try:
            piece = sock.recv(1 << 16)
        except (ConnectionResetError, BrokenPipeError):
            piece = b""
        if not piece:
            return data, "closed"
        data += piece
    return data, "still open"


def silently_closed(sock):
    """None when the connection is closed without a word; what went wrong otherwise."""
    outcome = up_to(sock, bool)
    return None if outcome == (b"", "closed") else outcome


def tried(attempts, one):
    """Makes many attempts, several at a time; those that did not go as they must, with what came of them."""
    with ThreadPoolExecutor(12) as pool:
        return [(attempt, outcome) for attempt, outcome in zip(attempts, pool.map(one, attempts)) if outcome]


def assert_none(failures):
    """A few of them are enough to see what is wrong."""
    assert not failures, "%d went wrong: %s" % (len(failures), "\n".join(str(failure)[:300] for failure in failures[:20]))


def code(witness):
    """Lines and frames, for whoever takes either."""
    return witness.line("text") + witness.frames("framed") + b"\r\n" + witness.line("text")


def test_the_text_port(server, witness):
    """The connection is closed, although the client has not closed it, and without a word after the greeting."""
    attempts = [(name, pieces) for name, head in TEXT.items() for pieces in divisions(head)]
    began = time.monotonic()

    def one(attempt):
        with opened(server.port) as sock:
            greeting = up_to(sock, lambda data: data.endswith(PS1))
            if greeting[1] == "closed":
                return greeting
            sent(sock, attempt[1] + [code(witness)])
            return silently_closed(sock)
    assert_none(tried(attempts, one))
    settled(server)
    assert witness.seen == []
    assert {reason: count for reason, count in counted(server).items() if count} == {"foreign": len(attempts)}
    assert_logged_rarely(server, began)


def test_the_text_port_before_its_greeting(server, witness):
    """All in one piece with the connection; and the input may end after it, or in the midst of it."""
    def one(attempt):
        head, is_ended = attempt
        with opened(server.port) as sock:
            send_all(sock, head)
            if is_ended:
                try:
                    sock.shutdown(socket.SHUT_WR)
                except OSError:  # closed already
                    pass
            outcome = up_to(sock, lambda data: PS1 in data[:-len(PS1)])
            return None if re.fullmatch(rb"(REPL session .*>>>> )?", outcome[0], re.S) and outcome[1] == "closed" else outcome
    whole = [(head + code(witness), is_ended) for head in TEXT.values() for is_ended in (False, True)]
    unended = [(head.rstrip(b"\r\n"), True) for head in requests().values()]
    assert_none(tried(whole + unended, one))
    settled(server)
    assert witness.seen == []
    assert counted(server)["foreign"] >= len(whole)


@pytest.mark.parametrize("door", ["control", "unix"])
def test_the_doors_of_frames(server, witness, door):
    """The first byte tells: what does not begin with a frame never becomes one."""
    address = server.control_port if door == "control" else server.announced["socket"]
    attempts = [(name, pieces) for name, head in CONTROL.items() for pieces in divisions(head)]

    def one(attempt):
        with opened(address) as sock:
            sent(sock, attempt[1] + [code(witness)])
            return silently_closed(sock)
    assert_none(tried(attempts, one))
    settled(server)
    assert witness.seen == []
    assert {reason: count for reason, count in counted(server).items() if count} == {"foreign": len(attempts)}


def test_every_first_byte_of_a_door_of_frames(server, witness):
    def one(byte):
        with opened(server.control_port) as sock:
            send_all(sock, bytes([byte]) + witness.frames("framed"))
            return silently_closed(sock)
    assert_none(tried(list(range(255)), one))
    settled(server)
    assert witness.seen == []
    with opened(server.control_port) as sock:
        send_all(sock, b"\xff" + frame({"command": "DescribeServer"}))
        sock.shutdown(socket.SHUT_WR)
        assert b'"ok"' in everything(sock)


# First lines that people type, and a part of the answer to each.
TYPED = {
    'x = "GET / HTTP/1.1"; print(len(x))': "14\n",
    "GET = 1; print(GET)": "1\n",
    "GET": "NameError",
    "POST = 7": "",
    'print("HTTP/1.1")': "HTTP/1.1\n",
    'print("GET / HTTP/1.1")': "GET / HTTP/1.1\n",
    "import http": "",
    "from http import server; print(server.HTTPServer.__name__)": "HTTPServer\n",
    "import urllib.request as get; print(get.__name__)": "urllib.request\n",
    "GET * 2": "NameError",
    "PUT / 2": "NameError",
    "label / 2": "NameError",
    "label * 2": "NameError",
    "search / update": "NameError",
    "6 / 2": "3.0\n",
    "6 * 7": "42\n",
    "": "",
    "    ": "",
    "\t": "",
    "\f1 + 1": "2\n",
    "# a comment": "",
    "# HTTP/1.1": "",
    "žluť = 5; print(žluť)": "5\n",
    "π = 3; print(π)": "3\n",
    "日本 = 1; print(日本)": "1\n",
    "'😀'": "'😀'\n",
    "connect('http://localhost')": "NameError",
    "options['HTTP/1.1']": "NameError",
    "get(http)": "NameError",
    "head": "NameError",
    "TRACE=lambda: 5": "",
    "(lambda OPTIONS: OPTIONS * 2)(4)": "8\n",
    "'POST' in 'POST / HTTP/1.1'": "True\n",
    "{'GET': '/'}": "{'GET': '/'}\n",
    "b'\\x16\\x03\\x01'": "b'\\x16\\x03\\x01'\n",
    "~5": "-6\n",
    "@": "SyntaxError",
}


@pytest.mark.parametrize("line", TYPED, ids=ascii)
def test_a_line_that_people_type(server, connect, line):
    """Whole, a byte at a time, and with the end of the input for the end of the line."""
    wanted = TYPED[line]

    def right(answer):
        return wanted in answer if wanted.endswith("Error") else answer == wanted
    assert right(connect(server).run(line))
    client = connect(server)
    for byte in line.encode() + b"\r\n":
        client.send(bytes([byte]))
    assert right(client.prompt())
    client = connect(server)
    client.send(line)
    client.end_input()
    answer = client.rest().decode()
    assert wanted in answer if wanted.endswith("Error") else answer.startswith(wanted), answer
    assert counted(server)["foreign"] == 0


def test_only_the_first_line_is_looked_at(server, connect):
    """Whoever has typed something is somebody who types."""
    client = connect(server)
    assert client.run("1 + 1") == "2\n"
    assert "SyntaxError" in client.run("GET /index.html HTTP/1.1")
    client.send(b"\x16\x03\x01\n")
    client.prompt()
    assert client.run("1 + 1") == "2\n"


def test_a_first_line_that_is_long_in_coming(server, witness):
    """A request whose line is not at its end runs nothing and keeps nobody waiting; its end closes the connection."""
    with opened(server.port) as sock:
        for piece in (b"POST /", b"x" * 100_000, b"y" * 100_000):
            send_all(sock, piece)
        with TextClient(server.port) as other:
            assert other.run("1 + 1") == "2\n"
        send_all(sock, b" HTTP/1.1\r\n\r\n" + code(witness))
        data = everything(sock)
    assert data.startswith(b"REPL session ") and data.endswith(PS1)
    settled(server)
    assert witness.seen == []


def test_an_application_that_embeds_the_server(embed, witness):
    """Its own stderr has the line of the log, and no more."""
    host = embed("import replserve, sys, json\n"
                 "bind, port, control = replserve.server.start(locals={}, repl_port=0, control_port=0)\n"
                 "print(json.dumps([port, control]), flush=True)\n"
                 "sys.stdin.read()\n")
    ports = [int(number) for number in re.findall(r"\d+", host.stdout.line())]
    for port in ports:
        for head in (b"POST / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x00"):
            with opened(port) as sock:
                send_all(sock, head + code(witness))
                everything(sock)
    with ControlClient(ports[1]) as control:
        assert control.request("DescribeServer", protocol=1)["server"]["refused"]["foreign"] == 4
    assert witness.seen == []
    assert "refused" in host.stderr.line()
    assert len(host.stderr.text.splitlines()) == 1, host.stderr.text


def test_a_log_that_says_less(serve, witness):
    """With --log-level critical there is no line; the numbers are counted all the same."""
    server = serve("--log-level", "critical")
    with opened(server.port) as sock:
        send_all(sock, b"POST / HTTP/1.1\r\n\r\n" + code(witness))
        everything(sock)
    settled(server)
    assert counted(server)["foreign"] == 1
    assert "refused" not in server.stderr.text and witness.seen == []
