"""What arrives at the text door as bytes: line ends, UTF-8 in any pieces and none, far too much of it."""

import random

import pytest

from process_facts import resident_mib
from text_client import said_farewell

MIB = 1 << 20


def test_line_ends(server, connect):
    client = connect(server)
    client.send("x = 5\r\nx\r\n")
    assert client.prompt() == ""
    assert client.prompt() == "5\n"
    client.send("for i in range(2):\r\n    print(i)\r\n\r\n")
    client.expect("0\n1\n>>>> ")
    client.send("'a\\r\\nb'\n")
    assert client.prompt() == "'a\\r\\nb'\n"
    client.send("s = '''one\r\ntwo'''\r\ns\r\n")
    client.expect("'one\\ntwo'\n>>>> ")


def test_the_last_line_needs_no_end(server, connect):
    client = connect(server)
    client.send("print('no newline after this')")
    client.end_input()
    assert client.rest().startswith(b"no newline after this\n")


def test_utf8_in_any_pieces(interpreter, serve, connect):
    client = connect(serve(python=interpreter.plain))
    line = "print('žluťoučký kůň 日本 😀', len('é😀'))\n".encode()
    expected = "žluťoučký kůň 日本 😀 2\n"
    for cut in range(1, len(line)):
        client.send(line[:cut])
        client.send(line[cut:])
        assert client.prompt() == expected, cut
    for byte in line:
        client.send(bytes([byte]))
    assert client.prompt() == expected
    assert client.run("žluť = '😀'; žluť") == "'😀'\n"


def test_output_is_utf8_whatever_the_locale_of_the_host(interpreter, serve, connect):
    server = serve(python=interpreter.plain, env={"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0",
                                                  "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"})
    client = connect(server)
    assert client.run("print('žluť 😀')") == "žluť 😀\n"
    assert client.run("'😀'") == "'😀'\n"


def test_output_that_utf8_cannot_hold(server, connect):
    """A lone surrogate is printed in some escaped form, and breaks nothing."""
    client = connect(server)
    client.send("print('a\\ud800b')\n")
    answer = client.expect(">>>> ")
    assert b"a" in answer
    assert client.run("1 + 1") == "2\n"


@pytest.mark.parametrize("line", [b"'\xff\xfe'", b"'\xc3'", b"\xc3", b"'\xed\xa0\x80'", b"'\xc0\xaf'",
                                  b"'\xf5\x80\x80\x80'", b"a\x80", b"x = '\xe2\x82'"], ids=repr)
def test_invalid_utf8_is_one_clear_line(server, connect, line):
    client = connect(server)
    client.send(line + b"\n")
    answer = client.prompt()
    assert answer.count("\n") == 1 and answer.endswith("\n"), answer
    assert "utf-8" in answer.lower() or "utf8" in answer.lower(), answer
    assert client.run("1 + 1") == "2\n"


def test_invalid_utf8_inside_a_block_drops_the_block(server, connect):
    client = connect(server)
    client.send(b"if True:\n")
    client.expect(".... ")
    client.send(b"    print('\xff')\n")
    answer = client.expect(">>>> ")
    assert b"utf" in answer.lower(), answer
    assert client.run("1 + 1") == "2\n"


def test_an_encoded_signature_at_the_front(server, connect):
    """A byte order mark from a careless editor harms one line at most."""
    client = connect(server)
    client.send(b"\xef\xbb\xbf1 + 1\n")
    client.prompt()
    assert client.run("1 + 1") == "2\n"


def test_control_characters(interpreter, console, serve, connect):
    server = serve(python=getattr(interpreter, console))
    client = connect(server)
    answer = client.run("1 + \x001")
    assert "null byte" in answer.lower() or "Error" in answer, answer
    for code in list(range(1, 9)) + [11, 12] + list(range(14, 32)) + [127]:
        client.send(b"'" + bytes([code]) + b"'\n")
        client.prompt()
    assert client.run("1 + 1") == "2\n"


def test_a_long_line_is_a_line(server, connect):
    client = connect(server)
    client.send(b"x = '" + b"y" * 100_000 + b"'\n")
    assert client.prompt() == ""
    assert client.run("len(x)") == "100000\n"


def test_a_long_block_is_a_block(server, connect):
    client = connect(server)
    client.send("def long():\n" + "    x = 1\n" * 300 + "    return 'whole'\n\n")
    client.send("long()\n")
    client.expect("'whole'\n>>>> ")


def test_a_megabyte_without_a_line_end_is_a_clean_end(server, connect):
    client = connect(server)
    client.send(b"y" * MIB)
    client.end_input()
    client.rest()
    assert connect(server).run("1 + 1") == "2\n"


def test_no_line_end_at_all_does_not_grow(server, connect):
    client = connect(server)
    before = resident_mib(server.pid)
    try:
        for _ in range(64):
            client.send(b"y" * MIB)
    except (BrokenPipeError, ConnectionResetError):
        pass
    client.rest_or_reset()  # the server ends it, although the client has not
    assert resident_mib(server.pid) - before < 32
    assert connect(server).run("1 + 1") == "2\n"


def test_a_block_without_end_does_not_grow(server, connect):
    """The same with line ends: an open bracket that is never closed is refused some day."""
    client = connect(server)
    before = resident_mib(server.pid)
    client.send("x = (\n")
    client.expect(".... ")
    answer = b".... "
    for _ in range(512):
        try:
            client.send(b"#" + b"y" * 65534 + b"\n")
            answer = client.expect(".... ", ">>>> ")
        except (BrokenPipeError, ConnectionResetError, AssertionError):
            answer = b"closed"
        if answer != b".... ":
            break
    assert answer != b".... ", "the server took 32 MiB of one block"
    assert resident_mib(server.pid) - before < 64
    assert connect(server).run("1 + 1") == "2\n"


@pytest.mark.parametrize("seed", range(8))
def test_random_bytes(server, connect, seed):
    client = connect(server)
    try:
        client.send(random.Random(seed).randbytes(64 * 1024))
        client.end_input()
    except (BrokenPipeError, ConnectionResetError):
        pass
    client.rest_or_reset()
    assert connect(server).run("1 + 1") == "2\n"


def test_random_bytes_leave_the_sessions_alone(server, connect):
    """Junk in one session is not noticed in another."""
    bystander = connect(server)
    for seed in range(100, 110):
        client = connect(server)
        client.send(random.Random(seed).randbytes(2000) + b"\n")
        client.reset()
        assert bystander.run("%d" % seed) == "%d\n" % seed


def test_nothing_at_all(server, connect):
    for _ in range(20):
        client = connect(server, greet=False)
        client.close()
    client = connect(server)
    client.end_input()
    assert said_farewell(client.rest())
