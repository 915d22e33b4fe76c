"""A witness: code that leaves a mark if it is run, and what a server says of those whom it let in and whom not."""

import itertools
import json
import time

from control_client import ControlClient, frame
from deadline import eventually
from text_client import TextClient
from wire_client import WireClient

#: What a peer of another user is told at the text port.
FAREWELL = b"replserve: not permitted: this server is for other users\n"


class Witness:
    """Sources that each make a file of their own, in a folder that only the server's user can write to."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(mode=0o700, parents=True)
        self._numbers = itertools.count(1)

    def source(self, label):
        """An expression without value."""
        assert label.isidentifier(), label
        return "open('%s/%s-%d','a').close()" % (self.folder, label, next(self._numbers))

    def line(self, label):
        """For the text port."""
        return self.source(label).encode() + b"\n"

    def frames(self, label):
        """For the control port and the unix socket: every operation that can run something, or harm a session."""
        requests = [{"command": "Evaluate", "source": self.source(label + "_evaluate"), "credit": 1 << 20},
                    {"command": "StartJob", "source": self.source(label + "_job")},
                    {"command": "OpenSession"}, {"command": "PairWithSession", "id": 1},
                    {"command": "KeyboardInterrupt"}, {"command": "Disconnect"}, {"command": "Halt"}]
        return b"".join(frame(dict({"id": number}, **request)) for number, request in enumerate(requests, 1))

    def bytes_for(self, door, label):
        return self.line(label) if door == "text" else self.frames(label)

    @property
    def seen(self):
        """The marks that were left: what has run."""
        return sorted(path.name for path in self.folder.iterdir())


def port_of(server, door):
    return server.port if door == "text" else server.control_port


def counted(server):
    """How many connections the server refused, by reason: its own numbers."""
    with WireClient(server.announced["socket"]) as owner:
        return owner.ask("DescribeServer", protocol=1)["server"]["refused"]


def assert_logged_rarely(server, began):
    """That there is a line about it at once, and then at most one a minute: `began` is a time.monotonic()."""
    server.stderr.wait_for("refused")
    lines = [line for line in server.stderr.text.splitlines() if "refused" in line]
    assert len(lines) <= 1 + (time.monotonic() - began) / 60, lines


def sessions(server):
    with WireClient(server.announced["socket"]) as owner:
        return owner.ask("Sessions")["sessions"]


def settled(server, host="127.0.0.1", besides=()):
    """Waits until the server is done with everybody who has come: its owner is served at both ports, and nobody else is left.

    A listener takes connections in the order in which they came, so whoever is served now came after all the others.
    `besides` are the numbers of sessions that stay.
    """
    with TextClient(server.port, host=host) as client:
        assert client.run("1 + 1") == "2\n"
    with ControlClient(server.control_port, host=host) as control:
        assert control.request("DescribeServer")["status"] == "ok"
    eventually(lambda: {row["session"] for row in sessions(server)} <= set(besides), "only the owner's sessions are left")


def refusal(data):
    """The one reply to a peer that may not come in, from the bytes that it was sent."""
    start = data.index(b";") + 1
    assert data == frame(data[start:]), data
    reply = json.loads(data[start:].decode())
    assert reply["status"] == "failed" and reply["code"] == "not-permitted" and reply["reason"], reply
    return reply
