"""A fuzzer at each door of a live server: junk from a seed, and good traffic with changes; nothing of it is felt elsewhere."""

import json
import random
import socket
import time

import pytest

from control_client import frame
from deadline import PATIENCE, eventually
from process_facts import descriptors, resident_mib, threads
from test_embedding import HOST
from text_client import TextClient
from wire_client import WireClient

SECONDS = 2.0  # how long each fuzzer goes on; what it does within them is the seed's
GROWTH = 64  # MiB
START = "print(json.dumps([*server.start(globals(), repl_port=0, control_port=0, name='fuzzed')[1:]]))"

# Good traffic of people: lines that evaluate, fail, are not complete, are no Python, or are of any alphabet.
LINES = ["1 + 1", "print('out')", "1 / 0", "x = [n for n in range(10)]", "for n in range(3):", "    print(n)", "", "_",
         "def f():", "    return 'f'", "f()", "'''open", "end'''", "(", ")", "doc(len)", "f?", "\u00e9\u4e2d\U0001f600", "\t", "#", "@",
         "import os; os.getpid()", "raise SystemError", "lambda: 0", "b'\\xff'", "'\\ud800'", "print(end='')", "quit("]
# Values for fields of any type. None of them can end the server or reach outside it.
VALUES = [0, 1, -1, 2 ** 31, 2 ** 63, -2 ** 63, 1e308, -0.0, True, False, None, "", "1 + 1", "print('out')", "\x00", "\ud800",
          "x" * 5000, [], {}, [[]], {"a": {"b": []}}, "pri", "block", "script", "session", "main", "%1", "%s"]
SPARED = {"Halt", "Disconnect"}  # the one does end it, the other ends the sessions of whoever looks on


class Watched:
    """A host with a server, a session that looks on, and what the host had when nobody had come yet."""

    def __init__(self, process):
        self.process = process
        self.pid = process.pid
        self.port, self.control_port = json.loads(process.ask(START))
        self.client = TextClient(self.port)
        self.client.run("mine = 'untouched'")
        with WireClient(self.control_port) as wire:
            self.operations = wire.ask("DescribeServer", protocol=1, operations=True)["operations"]
        self.facts = threads(self.pid), len(descriptors(self.pid)), resident_mib(self.pid)

    def close(self):
        self.client.close()

    def works(self):
        """Host, server and session do, during it all."""
        assert self.process.ask("print(sum(range(1000)))") == "499500"
        assert self.client.run("mine") == "'untouched'\n"

    def is_as_before(self):
        self.works()
        with WireClient(self.control_port) as wire:
            assert wire.value("6 * 7") == "42"
        eventually(lambda: threads(self.pid) <= self.facts[0] + 3, "the threads end")
        eventually(lambda: len(descriptors(self.pid)) <= self.facts[1], "the descriptors close")
        assert resident_mib(self.pid) < self.facts[2] + GROWTH


@pytest.fixture
def watched(edge, embed, closing):
    return closing(Watched(embed(HOST, python=edge.plain)))


def mutate(rng, data):
    """A neighbour: bytes changed, taken out, put in, said twice, or the end cut off."""
    data = bytearray(data)
    for _ in range(rng.choice([0, 1, 1, 2, 5])):
        at = rng.randrange(len(data)) if data else 0
        kind = rng.randrange(5)
        if kind == 0 and data:
            data[at] = rng.randrange(256)
        elif kind == 1:
            del data[at:at + rng.randrange(1, 8)]
        elif kind == 2:
            data[at:at] = rng.randbytes(rng.randrange(1, 8))
        elif kind == 3:
            data[at:at] = data[at:at + rng.randrange(1, 40)]
        else:
            del data[rng.randrange(len(data) + 1):]
    return bytes(data)


def visit(rng, port, data, patience):
    """Sends it in pieces, reads the answers or none, and goes in one of the ways that there are.

    With a `patience` in seconds it goes, too, when nothing comes for that long: what it has asked for may have no end.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as sock:
        try:
            while data:
                length = rng.choice([1, 7, len(data), len(data)])
                sock.sendall(data[:length])
                data = data[length:]
            if rng.random() < 0.5:
                sock.shutdown(socket.SHUT_WR)
                sock.settimeout(patience or PATIENCE)
                while sock.recv(1 << 16):
                    pass
        except socket.timeout:
            assert patience is not None, "the server neither answers nor closes"
        except OSError:  # it has closed, and said so in one of several ways
            pass


def until_the_time_is_over(watched, rng, port, traffic, patience=None):
    """Visits with what `traffic(rng)` says, and looks now and then whether all is well; returns how many there were."""
    end = time.monotonic() + SECONDS
    count = 0
    while time.monotonic() < end:
        visit(rng, port, traffic(rng), patience)
        count += 1
        if count % 20 == 0:
            watched.works()
    watched.is_as_before()
    return count


def typed(rng):
    """What somebody types, nearly."""
    return mutate(rng, "\n".join(rng.choice(LINES) for _ in range(rng.randrange(1, 12))).encode("utf-8", "surrogatepass") + b"\n")


def bytes_of_any_kind(rng):
    return rng.choice([b"", b"1 + 1\n"]) + rng.randbytes(rng.randrange(1, 5000))


def frames(operations):
    """Requests of every operation, with fields of the right name and of any type, some of them changed as bytes, too."""
    table = [row for row in operations if row["name"] not in SPARED]

    def traffic(rng):
        data = b""
        for _ in range(rng.randrange(1, 6)):
            row = rng.choice(table)
            body = {"command": row["name"]}
            if rng.random() < 0.9:
                body["id"] = rng.choice([1, 2, 3, "a", *VALUES])
            for field in row["parameters"]:
                if rng.random() < 0.8:
                    body[field["name"]] = rng.choice(VALUES)
            one = frame(body)
            data += mutate(rng, one) if rng.random() < 0.3 else one
        return data
    return traffic


@pytest.mark.parametrize("traffic", [typed, bytes_of_any_kind], ids=["typed", "bytes"])
def test_the_text_door(watched, traffic):
    assert until_the_time_is_over(watched, random.Random(1), watched.port, traffic) > 10


def test_the_control_door(watched):
    rng = random.Random(2)
    assert until_the_time_is_over(watched, rng, watched.control_port, frames(watched.operations), patience=0.1) > 10


def test_the_control_door_with_bytes(watched):
    def traffic(rng):
        return frame({"command": "DescribeServer", "id": 0}) + bytes_of_any_kind(rng)
    assert until_the_time_is_over(watched, random.Random(3), watched.control_port, traffic) > 10
