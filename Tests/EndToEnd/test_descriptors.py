"""Descriptors run out in the host: who is connected goes on, who comes waits or is told, and all is well when there are some."""

import json
import os
import socket
from pathlib import Path

import pytest

from deadline import PATIENCE, eventually
from process_facts import descriptors
from test_embedding import HOST

START = ("import glob, resource; port, control = server.start(globals(), repl_port=0, control_port=0)[1:]; "
         "print(port, control, glob.glob(os.environ['XDG_RUNTIME_DIR'] + '/*/*.sock*')[0])")
#: As many as are open now and `%d` more: those that are free below the highest are taken first.
LIMIT = ("held = [os.open('/dev/null', os.O_RDONLY) for _ in range(64)]; top = max(held); [os.close(fd) for fd in held]; "
         "resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir('/proc/self/fd')) - 1 + %d, 4096)); print('limited')")
TAKE = "exec('taken = []\\nwhile True:\\n try: taken.append(os.open(\"/dev/null\", os.O_RDONLY))\\n" \
       " except OSError as error: print(error.errno); break')"
GIVE = "[os.close(fd) for fd in taken]; taken.clear(); print('given')"
LIFT = "resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096)); print('lifted')"


class Host:
    """A host with a server in it, which can be made to run out of descriptors."""

    def __init__(self, process):
        self.process = process
        port, control_port, self.socket_path = process.ask(START).split()
        self.port, self.control_port = int(port), int(control_port)
        self.pid = process.pid

    def limit(self, spare):
        assert self.process.ask(LIMIT % spare) == "limited"

    def lift(self):
        assert self.process.ask(LIFT) == "lifted"

    def take_all(self):
        """The host itself takes what is left."""
        return self.process.ask(TAKE)

    def give_back(self):
        assert self.process.ask(GIVE) == "given"

    def works(self):
        return self.process.ask("print(sum(range(1000)))") == "499500"

    @property
    def processor_ticks(self):
        stat = Path("/proc/%d/stat" % self.pid).read_text()
        return sum(map(int, stat.rpartition(")")[2].split()[11:13]))


@pytest.fixture
def host(edge, embed):
    return Host(embed(HOST, python=edge.plain))


def arrivals(port, count):
    return [socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) for _ in range(count)]


def everything(sock):
    """What a connection was told until it was closed; an arrival that was told nothing in time is a failure."""
    data = b""
    with sock:
        try:
            while True:
                piece = sock.recv(1 << 16)
                if not piece:
                    return data
                data += piece
        except ConnectionResetError:
            return data


@pytest.mark.parametrize("spare", [0, 1, 2, 3, 20])
def test_who_is_connected_goes_on(host, connect, paired, tool, spare):
    """With a few left, so that they run out at any step of letting somebody in."""
    client, control = paired(host)
    wire = tool(host, "control")
    assert client.run("1 + 1") == "2\n"
    known = len(descriptors(host.pid))
    host.limit(spare)
    late = arrivals(host.port, 20) + arrivals(host.control_port, 20)
    assert host.take_all() == "24"
    before = host.processor_ticks
    for n in range(20):
        assert client.run("print(%d)" % n) == "%d\n" % n
        assert control.completions("pri")
        assert wire.value("%d + 1" % n) == "%d" % (n + 1)
    assert host.works()
    assert host.processor_ticks - before < os.sysconf("SC_CLK_TCK") * 5, "the loop spins"
    for sock in late:
        sock.close()
    host.give_back()
    # Without a restart, whatever became of those that came meanwhile.
    host.lift()
    assert eventually(lambda: served(host, connect), "new ones are served")
    client.close()
    control.close()
    wire.close()
    eventually(lambda: len(descriptors(host.pid)) <= known, "every descriptor is back")


def served(host, connect):
    """Whether somebody new is let in, and not told that there is no room."""
    try:
        return connect(host).run("1 + 1") == "2\n"
    except (AssertionError, OSError):
        return False


def test_who_comes_is_told(host, connect, paired, tool):
    """And closed, at each door, while there is not one descriptor left."""
    client, control = paired(host)
    client.run("1 + 1")
    host.limit(0)
    assert host.take_all() == "24"
    for _ in range(2):
        for sock in arrivals(host.port, 10):
            assert everything(sock) in (b"replserve: there are too many connections; try again later\n", b"")
        for sock in arrivals(host.control_port, 10):
            data = everything(sock)
            assert data == b"" or json.loads(data.partition(b";")[2])["code"] == "busy"
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(PATIENCE)
        sock.connect(host.socket_path)
        assert json.loads(everything(sock).partition(b";")[2])["code"] == "busy"
    assert client.run("2 + 2") == "4\n"
    host.lift()
    eventually(lambda: served(host, connect), "new ones are served")
    assert connect(host).run("3 + 3") == "6\n"
    refused = tool(host, "control").ask("DescribeServer", protocol=1)["server"]["refused"]
    assert refused["full"] >= 41


def test_the_host_has_them_again_as_soon_as_it_closes_some(host, connect, paired):
    """What a server holds back for that is one for each door, and is given back with the server."""
    client, _ = paired(host)
    host.limit(0)
    assert host.take_all() == "24"
    for sock in arrivals(host.port, 5):
        everything(sock)
    host.lift()
    host.give_back()
    host.process.tell("server.stop()")
    client.rest_or_reset()
    assert host.process.ask("print(as_before())") == "True"


@pytest.mark.xfail(strict=True, reason="the first evaluation of the process imports what a session needs, and says so when it "
                                       "cannot")
def test_a_session_that_has_evaluated_nothing_yet(host, connect):
    client = connect(host)
    host.limit(0)
    assert host.take_all() == "24"
    assert client.run("1 + 1") == "2\n"


def test_a_session_that_could_not_begin(host, connect):
    """It says why, and works when there are descriptors."""
    client = connect(host)
    host.limit(0)
    assert host.take_all() == "24"
    assert "Too many open files" in client.run("1 + 1")
    host.lift()
    assert client.run("2 + 2") == "4\n"
