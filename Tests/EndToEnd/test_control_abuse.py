"""Abuse of the control door: each is answered or cleanly closed, and the server still works after it."""

import random
import socket
import struct

import pytest

from control_client import ControlClient, frame
from process_facts import descriptors, resident_mib
from deadline import eventually

GOOD = frame({"command": "DescribeServer"})

# Whole frames whose bodies are wrong: there is a place for a reply, so there is one, with a reason.
BAD_BODIES = {
    "open brace": b"{",
    "not json": b"hello",
    "single quotes": b"{'command': 'DescribeServer'}",
    "trailing comma": b'{"command": "DescribeServer",}',
    "two values": b'{"command": "DescribeServer"}{"command": "DescribeServer"}',
    "array": b"[]",
    "array of requests": b'[{"command": "DescribeServer"}]',
    "number": b"5",
    "null": b"null",
    "string": b'"DescribeServer"',
    "blank": b"   ",
    "not utf-8": b'{"command": "\xff\xfe"}',
    "nan": b'{"command": NaN}',
    "huge number": b'{"command": 1e999999}',
    "long number": b'{"command": ' + b"9" * 5000 + b"}",
    "control characters": b'{"command": "a\x00b\nc"}',
    "bad escape": b'{"command": "\\x41"}',
    "half a surrogate": b'{"command": "\\ud800"}',
    "deep arrays": b"[" * 100_000,
    "deep arrays, closed": b"[" * 50_000 + b"]" * 50_000,
    "deep objects": b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
    "deep under a good command": b'{"command": "DescribeServer", "x": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "no command": b"{}",
    "no command but others": b'{"id": 1, "text": "a"}',
    "unknown command": b'{"command": "MakeCoffee"}',
    "unknown long command": b'{"command": "' + b"x" * 50_000 + b'"}',
    "command in another case": b'{"command": "describeserver"}',
    "command is a number": b'{"command": 5}',
    "command is null": b'{"command": null}',
    "command is a list": b'{"command": ["DescribeServer"]}',
    "command is an object": b'{"command": {"a": 1}}',
    "command is true": b'{"command": true}',
    "empty command": b'{"command": ""}',
}

# Bytes before the next sync byte are junk; the good request after them is answered.
RESYNCHRONISED = {
    "junk": b"junk\r\nGET nothing\n",
    "zeros": b"\0" * 10_000,
    "sync bytes": b"\xff" * 1000,
    "another version": b"\xffv02l5;hello",
    "another field": b"\xffv01x5;hello",
    "no digits": b"\xffv01l;",
    "minus": b"\xffv01l-1;",
    "plus": b"\xffv01l+5;",
    "space": b"\xffv01l 5;",
    "hex": b"\xffv01l0x5;",
    "digits then letters": b"\xffv01l12a;",
    "underscore": b"\xffv01l1_0;",
    "other digits": b"\xffv01l\xd9\xa3;",
    "fraction": b"\xffv01l1.5;",
    "length too small": b'\xffv01l5;{"command": "DescribeServer"}',
    "cut header": b"\xffv0",
}

# Nothing that follows can be believed: the server may answer `failed`, and closes.
HOPELESS = {
    "length beyond any limit": b"\xffv01l99999999999;",
    "length beyond 64 bits": b"\xffv01l99999999999999999999;",
    "length of two gigabytes": b"\xffv01l2147483648;",
    "length of a thousand digits": b"\xffv01l" + b"9" * 1000 + b";",
    "endless digits": b"\xffv01l" + b"1" * 200_000,
    "endless zeros": b"\xffv01l" + b"0" * 200_000,
}


def still_works(server, connect):
    with ControlClient(server.control_port) as control:
        assert control.request("DescribeServer")["status"] == "ok"
    assert connect(server).run("1 + 1") == "2\n"


@pytest.mark.parametrize("name", BAD_BODIES)
def test_bad_body(server, connect, closing, name):
    control = closing(ControlClient(server.control_port))
    control.send(frame(BAD_BODIES[name]) + GOOD)
    control.end_input()
    replies = control.all_replies()
    assert replies and replies[0]["status"] == "failed" and replies[0]["reason"], replies
    # A body that cannot be one may be given up at its first bad byte, and the rest of it be bad frames, too.
    assert set(reply["status"] for reply in replies[1:-1]) <= {"failed"}, replies
    still_works(server, connect)


@pytest.mark.parametrize("name", RESYNCHRONISED)
def test_resynchronises(server, connect, closing, name):
    control = closing(ControlClient(server.control_port))
    # What begins with something else than a frame is no connection of ours at all.
    control.send(GOOD + RESYNCHRONISED[name] + GOOD)
    control.end_input()
    replies = control.all_replies()
    assert replies[0]["status"] == "ok"
    replies = replies[1:]
    assert replies and replies[-1]["status"] == "ok", replies
    assert "prompts" in replies[-1]
    still_works(server, connect)


@pytest.mark.parametrize("name", HOPELESS)
def test_hopeless(server, connect, closing, name):
    before = resident_mib(server.pid)
    control = closing(ControlClient(server.control_port))
    try:
        control.send(HOPELESS[name])
        control.end_input()
    except (BrokenPipeError, ConnectionResetError):
        pass
    assert all(reply["status"] == "failed" for reply in control.all_replies())
    assert resident_mib(server.pid) - before < 32
    still_works(server, connect)


def test_an_empty_body(server, connect, closing):
    """The ancestor takes it for the end; an answer is as good."""
    control = closing(ControlClient(server.control_port))
    control.send(frame(b"") + GOOD)
    control.end_input()
    assert [reply["status"] for reply in control.all_replies()] in ([], ["failed"], ["failed", "ok"])
    still_works(server, connect)


def test_a_frame_that_never_comes_whole(server, connect, closing):
    control = closing(ControlClient(server.control_port))
    control.send(b'\xffv01l1000;{"command"')
    control.end_input()
    assert all(reply["status"] == "failed" for reply in control.all_replies())
    still_works(server, connect)


def test_a_waiting_half_frame_delays_nobody(server, connect, closing):
    control = closing(ControlClient(server.control_port))
    control.send(GOOD[:20])
    still_works(server, connect)
    control.send(GOOD[20:])
    assert control.receive()["status"] == "ok"


def test_a_length_is_not_believed(server, connect, closing):
    """Many connections that each promise a megabyte cost nothing until they send it."""
    before = resident_mib(server.pid)
    for _ in range(100):
        closing(ControlClient(server.control_port)).send(b"\xffv01l1000000;{")
    still_works(server, connect)
    assert resident_mib(server.pid) - before < 48


def test_a_peer_that_never_reads_its_replies(server, connect, closing):
    """The server stops reading from it, and does not grow."""
    before = resident_mib(server.pid)
    with socket.create_connection(("127.0.0.1", server.control_port)) as sock:
        sock.setblocking(False)
        sent = 0
        batch = GOOD * 1000
        while sent < 256 << 20:
            try:
                sent += sock.send(batch)
            except BlockingIOError:
                # Refused for now. When the server took everything it had, it is not reading any more.
                if not eventually_writable(sock):
                    break
            except (BrokenPipeError, ConnectionResetError):
                break
        assert sent < 256 << 20, "the server took 256 MiB of requests and kept the replies"
        assert resident_mib(server.pid) - before < 64
        still_works(server, connect)


def eventually_writable(sock):
    """Whether the socket takes more within a moment; a server that stopped reading lets it be."""
    import select
    return bool(select.select([], [sock], [], 2.0)[1])


@pytest.mark.parametrize("seed", range(8))
def test_random_bytes(server, connect, closing, seed):
    control = closing(ControlClient(server.control_port))
    try:
        # Behind a frame, since a connection that begins with anything else is closed at once.
        control.send(GOOD + random.Random(seed).randbytes(64 * 1024))
        control.end_input()
    except (BrokenPipeError, ConnectionResetError):
        pass
    first, *others = control.all_replies()
    assert first["status"] == "ok"
    assert all(reply["status"] == "failed" for reply in others)
    still_works(server, connect)


@pytest.mark.parametrize("seed", range(4))
def test_good_frames_with_random_changes(server, connect, seed):
    """Neighbours of good requests, hundreds of them on connections of their own."""
    rng = random.Random(seed)
    requests = [frame({"command": "TabComplete", "text": "pri", "state": 0}), GOOD,
                frame({"command": "PairWithSession", "id": 1}), frame({"command": "KeyboardInterrupt"})]
    for _ in range(100):
        data = bytearray(rng.choice(requests) + rng.choice(requests))
        for _ in range(rng.randrange(1, 4)):
            # The first byte decides whether it is a connection of ours at all.
            data[rng.randrange(1, len(data))] = rng.randrange(256)
        with ControlClient(server.control_port) as control:
            control.send(bytes(data))
            control.end_input()
            control.all_replies()
    still_works(server, connect)


def test_connections_reset_at_any_point(server, connect):
    before = len(descriptors(server.pid))
    for cut in range(0, len(GOOD) + 1, 3):
        with ControlClient(server.control_port) as control:
            control.send(GOOD[:cut])
            control.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    still_works(server, connect)
    eventually(lambda: len(descriptors(server.pid)) <= before + 2, "the descriptors of reset connections close")
