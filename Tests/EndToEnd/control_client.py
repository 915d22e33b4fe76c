"""A client of the control door: frames of JSON, each request answered by one reply."""

import json
import re
import select
import socket

from deadline import PATIENCE, Deadline
from text_client import TextClient

HEADER = re.compile(rb"\xffv01l(\d+);")


def frame(body):
    """The bytes of a frame around `body`, which is JSON already or a value to encode."""
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    return b"\xffv01l%d;%s" % (len(body), body)


class ControlClient:
    """One control connection."""

    def __init__(self, port, host="127.0.0.1"):
        self.socket = socket.create_connection((host, port), timeout=PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, data):
        self.socket.sendall(data)

    def _more(self, deadline):
        readable, _, _ = select.select([self.socket], [], [], deadline.left)
        assert readable, "no reply within %g s; there was %r" % (PATIENCE, self._buffer[:2000])
        try:
            piece = self.socket.recv(1 << 16)
        except ConnectionResetError:
            piece = b""
        self._buffer += piece
        return bool(piece)

    def receive(self):
        """The next reply; None when the server closed the connection instead."""
        deadline = Deadline()
        while True:
            header = HEADER.match(self._buffer)
            if header and len(self._buffer) >= header.end() + int(header.group(1)):
                end = header.end() + int(header.group(1))
                body, self._buffer = self._buffer[header.end():end], self._buffer[end:]
                reply = json.loads(body.decode("utf-8"))
                assert isinstance(reply, dict) and reply.get("status") in ("ok", "failed"), reply
                if reply["status"] == "failed":
                    assert isinstance(reply.get("reason"), str) and reply["reason"], reply
                return reply
            assert self._buffer == b"" or header or self._buffer[:1] == b"\xff" and len(self._buffer) < 40, \
                "not a frame: %r" % self._buffer[:200]
            if not self._more(deadline):
                assert self._buffer == b"", "closed inside a frame: %r" % self._buffer[:200]
                return None

    def request(self, command, **fields):
        """Sends one request and returns its reply."""
        self.send(frame(dict(command=command, **fields)))
        reply = self.receive()
        assert reply is not None, "the server closed instead of answering %s" % command
        return reply

    def interrupt(self):
        reply = self.request("KeyboardInterrupt")
        assert reply["status"] == "ok", reply
        return reply

    def completions(self, text):
        """Asks for one candidate after the other, as readline does, until there is none."""
        found = []
        while True:
            reply = self.request("TabComplete", text=text, state=len(found))
            assert reply["status"] == "ok", reply
            if reply["result"] is None:
                return found
            found.append(reply["result"])

    def end_input(self):
        self.socket.shutdown(socket.SHUT_WR)

    def all_replies(self):
        """Everything up to the server's end of the connection, which must be whole frames."""
        replies = []
        while True:
            reply = self.receive()
            if reply is None:
                return replies
            replies.append(reply)

    def close(self):
        self.socket.close()


def paired(server):
    """A session and a control connection paired with it."""
    client = TextClient(server.port)
    control = ControlClient(server.control_port)
    reply = control.request("PairWithSession", id=client.session)
    assert reply["status"] == "ok", reply
    return client, control
