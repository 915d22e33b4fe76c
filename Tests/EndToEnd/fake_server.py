"""A peer that plays a part: what a tool finds in the place of a server, or a server that misbehaves in one way.

A part is a function of a `Conversation`; it is called in a thread of its own for every connection, and the connection
is closed when it returns. The parts of a whole server are `answers(request)`, which a test may change.
"""

import fcntl
import json
import os
import select
import socket
import threading
from pathlib import Path

from control_client import HEADER, frame
from deadline import PATIENCE

PLACE = {"file": "app.py", "line": 7, "function": "work", "text": "held.wait()"}
DESCRIBED = {"name": "repltools", "version": "0", "protocol": 1, "pid": 4711, "instance": "fake", "features": ["jobs"]}
ROWS = {
    "Sessions": {"sessions": [
        {"session": 1, "kind": "tool", "state": "evaluating", "evaluation": 2, "age": 61.5, "since": 1.25,
         "peer": "uid 0 pid 1 (replctl)", "source": "work()\nmore()"},
        {"session": 2, "kind": "text", "state": "idle", "evaluation": 0, "age": 3600, "since": 3600,
         "peer": "127.0.0.1:50312", "source": None}]},
    "Jobs": {"jobs": [
        {"job": 1, "state": "done", "age": 90061, "duration": 2.5, "cpu": None, "source": "work()", "owner": "session 1",
         "output": 12, "dropped": 0}]},
    "Threads": {"held": False, "threads": [
        {"thread": 4711, "name": "MainThread", "role": None, "state": "S", "cpu": 0.5, "load": 0.25, "frames": [PLACE]},
        {"thread": 4712, "name": "loop", "role": "server", "state": "R", "cpu": 1, "load": 1, "frames": None}]},
    "Introduce": {},
    "OpenSession": {"session": 3},
    "Interrupt": {"outcome": "interrupted"},
    "Disconnect": {"sessions": [1]},
    "StartJob": {"job": 1},
    "JobOutput": {"state": "done", "dropped": 0},
    "AwaitJob": {"outcome": "value", "duration": 1, "type": "int"},
    "KillJob": {"state": "interrupted"},
    "Halt": {"sessions": 2},
    "Evaluate": {"outcome": "value", "duration": 1, "type": "int", "session": 3, "evaluation": 1},
    "Document": {"kind": "function", "type": "function", "file": "app.py", "line": 3, "signature": "(a, b)",
                 "doc": "Works.\n\nHard.", "source": "def work(a, b):\n    pass\n", "truncated": False},
    "Complete": {"candidates": [{"text": "print", "kind": "function", "doc": "Prints."},
                                {"text": "private", "kind": "instance"}], "start": 0, "truncated": False},
}
OUTPUT = {"Evaluate": [(b"o", b"out\n"), (b"e", b"err\n"), (b"v", b"42")], "AwaitJob": [(b"v", b"42")],
          "JobOutput": [(b"o", b"out\n"), (b"e", b"err\n")]}


def answers(request, change=lambda value: value):
    """The messages that a server of ours sends for a request, each the body of a frame.

    `change` is applied to the members of each reply.
    """
    name, number = request["command"], request["id"]
    if name == "DescribeServer":
        return [json.dumps({"status": "ok", "id": number, "server": change(DESCRIBED)}).encode()]
    if name not in ROWS:
        return []
    messages = [b"%s%d;%s" % (letter, number, data) for letter, data in OUTPUT.get(name, [])]
    if name == "Evaluate":
        messages.insert(0, json.dumps({"event": "started", "id": number, "session": 3, "evaluation": 1}).encode())
    return messages + [json.dumps(dict(change(ROWS[name]), status="ok", id=number)).encode()]


class Conversation:
    """One connection of a fake server."""

    def __init__(self, connection, ended):
        self.connection = connection
        self._ended = ended
        self._buffer = b""

    def send(self, data):
        """Sends; a tool that has left is no failure."""
        try:
            self.connection.sendall(data)
        except OSError:
            pass

    def requests(self):
        """The requests, as they come, until the tool leaves or the server is closed."""
        while True:
            header = HEADER.match(self._buffer)
            end = header.end() + int(header.group(1)) if header else None
            if header and len(self._buffer) >= end:
                body, self._buffer = self._buffer[header.end():end], self._buffer[end:]
                yield json.loads(body.decode())
            elif not self._receive():
                return

    def wait(self):
        """Answers nothing; returns when the tool leaves or the server is closed."""
        while self._receive():
            pass

    def _receive(self):
        readable, _, _ = select.select([self.connection, self._ended], [], [], PATIENCE * 2)
        if self.connection not in readable:
            return False
        try:
            piece = self.connection.recv(1 << 16)
        except OSError:
            return False
        self._buffer += piece
        return bool(piece)


class FakeServer:
    """Listens, and plays a part. With `runtime` it is an entry of that directory of servers; else at a TCP port."""

    def __init__(self, part, runtime=None, name="fake", pid=None):
        self._part = part
        self._lock = None
        self.pid = pid or os.getpid()
        if runtime is None:
            self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
            self.port = self._listener.getsockname()[1]
            self.endpoint = "127.0.0.1:1:%d" % self.port
        else:
            folder = Path(runtime) / "repltools"
            folder.mkdir(mode=0o700, exist_ok=True)
            entry = "%d-%s" % (self.pid, name)
            self._lock = open(folder / (entry + ".lock"), "wb")
            fcntl.flock(self._lock, fcntl.LOCK_EX)
            self._listener = socket.socket(socket.AF_UNIX)
            self._listener.bind(str(folder / (entry + ".sock")))
            # Whatever the umask is.
            (folder / (entry + ".sock")).chmod(0o600)
            self._listener.listen(128)
            self.endpoint = "unix:%s" % (folder / (entry + ".sock"))
        # Readable for ever from when it is closed: it wakes every conversation.
        self._ending, self._end = os.pipe()
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self):
        while True:
            readable, _, _ = select.select([self._listener, self._ending], [], [])
            if self._ending in readable:
                return
            connection, _ = self._listener.accept()
            thread = threading.Thread(target=self._converse, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _converse(self, connection):
        with connection:
            self._part(Conversation(connection, self._ending))

    def close(self):
        os.close(self._end)
        for thread in list(self._threads):
            thread.join(PATIENCE)
            assert not thread.is_alive(), "a part of a fake server did not end"
        self._listener.close()
        os.close(self._ending)
        if self._lock:
            self._lock.close()


# MARK: parts


def whole(change=lambda value: value, alter=lambda message: [message]):
    """A server that answers everything; `alter` makes other messages of one."""
    def part(conversation):
        for request in conversation.requests():
            for message in answers(request, change):
                for altered in alter(message):
                    conversation.send(frame(altered))
    return part


def cut(count):
    """A server that closes after so many bytes of what it sends."""
    def part(conversation):
        left = count
        for request in conversation.requests():
            data = b"".join(map(frame, answers(request)))
            conversation.send(data[:left])
            left -= len(data)
            if left < 0:
                return
    return part


def silent(conversation):
    conversation.wait()


def greeting(data):
    """A server of something else, which speaks first."""
    def part(conversation):
        conversation.send(data)
        conversation.wait()
    return part


def retort(data):
    """A server of something else, which answers the first bytes it gets, and closes."""
    def part(conversation):
        for _ in conversation.requests():
            conversation.send(data)
            return
    return part
