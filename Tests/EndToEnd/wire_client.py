"""A client of the extended protocol: evaluations with their output, jobs and questions, over one connection."""

import json
import re
import select
import socket

from control_client import frame
from deadline import PATIENCE, Deadline

HEADER = re.compile(rb"\xffv01l(\d+);")
OUTPUT = re.compile(rb"([oevpOE])(\d+);")


class Evaluation:
    """An evaluation that was asked for: its numbers, what has come of its output, and in the end its reply."""

    def __init__(self, request):
        self.request = request
        self.session = self.number = self.reply = None
        self.inputs = 0
        #: Every message about it, in order: "started", "input", b"o", b"e", b"v", b"p", "reply" and so on.
        self.order = []
        #: Its events, as they came.
        self.events = []
        self.pieces = {kind: [] for kind in (b"o", b"e", b"v", b"p", b"O", b"E")}

    @property
    def out(self):
        return b"".join(self.pieces[b"o"])

    @property
    def err(self):
        return b"".join(self.pieces[b"e"])

    @property
    def values(self):
        """What a block has shown, a line for each value."""
        return b"".join(self.pieces[b"v"]).decode()

    @property
    def value(self):
        """The value's text; None when there was none."""
        return b"".join(self.pieces[b"v"]).decode() if "type" in self.reply else None

    @property
    def outcome(self):
        assert self.reply["status"] == "ok", self.reply
        return self.reply["outcome"]

    @property
    def exception(self):
        return self.reply["exception"]


class WireClient:
    """One connection. `address` is a port, or the path of a unix socket."""

    def __init__(self, address):
        if isinstance(address, str):
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(PATIENCE)
            self.socket.connect(address)
        else:
            self.socket = socket.create_connection(("127.0.0.1", address), timeout=PATIENCE)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = bytearray()
        self._last = -1
        self._replies = {}
        self._evaluations = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # Messages.

    def send(self, command, **fields):
        """Sends a request; returns its id."""
        self._last += 1
        self.socket.sendall(frame(dict({"command": command, "id": self._last}, **fields)))
        return self._last

    def tell(self, command, **fields):
        """Sends what has no reply."""
        self.socket.sendall(frame(dict({"command": command}, **fields)))

    def _body(self):
        """The body of the next frame; None when the server has closed."""
        deadline = Deadline()
        while True:
            header = HEADER.match(self._buffer)
            if header:
                end = header.end() + int(header.group(1))
                assert end - header.end() <= 1 << 20, header
                if len(self._buffer) >= end:
                    body = bytes(self._buffer[header.end():end])
                    del self._buffer[:end]
                    return body
            else:
                assert not self._buffer or self._buffer[:1] == b"\xff" and len(self._buffer) < 20, self._buffer[:100]
            readable, _, _ = select.select([self.socket], [], [], deadline.left)
            assert readable, "no message within %g s; there was %r" % (PATIENCE, bytes(self._buffer[:2000]))
            try:
                piece = self.socket.recv(1 << 18)
            except ConnectionResetError:
                piece = b""
            if not piece:
                assert not self._buffer, "closed inside a frame: %r" % bytes(self._buffer[:200])
                return None
            self._buffer += piece

    def step(self):
        """Takes one message; returns what it is: "started", "input", b"o", b"e", b"v", "reply", None at the end."""
        body = self._body()
        if body is None:
            return None
        output = OUTPUT.match(body)
        if output:
            kind, request = output.group(1), int(output.group(2))
            self._note(request, kind).pieces[kind].append(body[output.end():])
            return kind
        message = json.loads(body)
        if "event" in message:
            evaluation = self._note(message["id"], message["event"])
            evaluation.events.append(message)
            if message["event"] == "started":
                evaluation.session, evaluation.number = message["session"], message["evaluation"]
            elif message["event"] == "input":
                evaluation.inputs += 1
            return message["event"]
        assert message.get("status") in ("ok", "failed"), message
        self._replies[message.get("id")] = message
        if message.get("id") in self._evaluations:
            self._note(message["id"], "reply").reply = message
        return "reply"

    def _note(self, request, what):
        evaluation = self._evaluations[request]
        if not evaluation.order or evaluation.order[-1] != what or not isinstance(what, bytes):
            evaluation.order.append(what)
        return evaluation

    def reply(self, request):
        """The reply to a request, whatever comes before it."""
        while request not in self._replies:
            assert self.step() is not None, "the server closed instead of answering"
        return self._replies.pop(request)

    def request(self, command, **fields):
        """Sends a request and waits for its reply."""
        return self.reply(self.send(command, **fields))

    def ask(self, command, **fields):
        """As `request`, for what must be done."""
        reply = self.request(command, **fields)
        assert reply["status"] == "ok", reply
        return reply

    # Output.

    def stream(self, command, **fields):
        """Sends a request that has output."""
        request = self.send(command, **fields)
        self._evaluations[request] = Evaluation(request)
        return self._evaluations[request]

    def start(self, source, **fields):
        """Starts an evaluation; returns it when it has its numbers."""
        evaluation = self.stream("Evaluate", source=source, **fields)
        while evaluation.session is None and evaluation.reply is None:
            assert self.step() is not None, "the server closed instead of starting"
        return evaluation

    def wait_for(self, evaluation, text):
        """Waits until the output has that text in it."""
        while text.encode() not in evaluation.out + evaluation.err:
            assert evaluation.reply is None, "it ended without %r: %r" % (text, evaluation.reply)
            assert self.step() is not None, "closed without %r" % text

    def finish(self, evaluation, grant=True):
        """Waits for the reply, and lets all output come meanwhile; returns the evaluation."""
        if grant:
            self.grant(evaluation, 1 << 30)
        while evaluation.reply is None:
            assert self.step() is not None, "the server closed instead of answering"
        return evaluation

    def grant(self, evaluation, count):
        self.tell("Grant", request=evaluation.request, bytes=count)

    def evaluate(self, source, **fields):
        """Evaluates to the end."""
        return self.finish(self.stream("Evaluate", **{"source": source, "credit": 1 << 30, **fields}), grant=False)

    def value(self, source, **fields):
        """The text of a value."""
        evaluation = self.evaluate(source, **fields)
        assert evaluation.outcome == "value", evaluation.reply
        return evaluation.value

    def open(self):
        return self.ask("OpenSession")["session"]

    def interrupt(self, evaluation):
        return self.ask("Interrupt", session=evaluation.session, evaluation=evaluation.number)

    def job(self, number):
        """The row of a job."""
        return next((row for row in self.ask("Jobs")["jobs"] if row["job"] == number), None)

    def at_end(self):
        """Whether the server closes, whatever it has to say before."""
        while self.step() is not None:
            pass
        return True

    def close(self):
        self.socket.close()
