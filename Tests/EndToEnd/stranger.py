"""A listener of another user of this machine, which keeps what it is sent."""

import os
import select
import socket

from deadline import PATIENCE
from second_user import become, number


class Stranger:
    """A process of `nobody` that listens; `accepts` is false for one that leaves its connections in the backlog.

    `speaks(connection, data)` answers; `interface` is one to listen on only. It says what it gets as it gets it, so what
    a tool has sent before it ended is known at the end of `received`.
    """

    def __init__(self, family, address, accepts=True, speaks=None, interface=None):
        self._accepts, self._speaks, self._interface = accepts, speaks, interface
        ready, say_ready = os.pipe()
        self._got, say_got = os.pipe()
        stop, self._stop = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            try:
                for end in (ready, self._got, self._stop):
                    os.close(end)
                self._be(family, address, say_ready, say_got, stop)
            finally:
                os._exit(0)
        for end in (say_ready, say_got, stop):
            os.close(end)
        told = os.read(ready, 100)
        os.close(ready)
        assert told, "the stranger does not listen"
        self.port = int(told)

    def _be(self, family, address, say_ready, say_got, stop):
        become(number())
        listener = socket.socket(family)
        if self._interface:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, self._interface.encode())
        listener.bind(address)
        if family == socket.AF_UNIX:
            os.chmod(address, 0o600)
        listener.listen(16)
        os.write(say_ready, b"%d" % (0 if family == socket.AF_UNIX else listener.getsockname()[1]))
        os.close(say_ready)
        connections = []
        while True:
            readable, _, _ = select.select([stop, *([listener] if self._accepts else []), *connections], [], [])
            if stop in readable:
                # What is in the backlog was sent something, too, if anything was.
                listener.setblocking(False)
                try:
                    while True:
                        connections.append(listener.accept()[0])
                except OSError:
                    pass
                for connection in connections:
                    connection.setblocking(False)
                    self._tell(connection, say_got)
                return
            for each in readable:
                if each is listener:
                    connections.append(listener.accept()[0])
                elif not self._tell(each, say_got):
                    connections.remove(each)

    def _tell(self, connection, say_got):
        try:
            data = connection.recv(1 << 16)
        except OSError:
            return False
        os.write(say_got, data)
        if data and self._speaks:
            self._speaks(connection, data)
        return bool(data)

    def received(self):
        """Ends it, and returns every byte that it was sent."""
        os.close(self._stop)
        self._stop = None
        data = b""
        while True:
            readable, _, _ = select.select([self._got], [], [], PATIENCE)
            assert readable, "the stranger does not end"
            piece = os.read(self._got, 1 << 16)
            if not piece:
                return data
            data += piece

    def close(self):
        if self._stop is not None:
            os.close(self._stop)
        os.close(self._got)
        os.waitpid(self._pid, 0)
