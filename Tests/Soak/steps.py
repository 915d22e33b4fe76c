"""The steps of a soak: each does something to the server that people, programs and accidents do, and leaves nothing behind.

A step gets the server (`port`, `control_port`, `socket`, `environment`) and a random number generator.
"""

import random
import signal
import socket
import struct
import subprocess
from contextlib import ExitStack, closing

from control_client import ControlClient, frame
from deadline import PATIENCE
from peers import STAGE
from text_client import TextClient
from wire_client import WireClient

SPIN = "exec('print(\"on\")\\nwhile True: pass')\n"
FLOOD = "exec('while True: print(\"x\" * 1000)')\n"
WAIT = "print('on'); input('?')\n"


def reset(sock):
    """Closes it with a RST."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def expect(found, wanted):
    assert found == wanted, "expected %r, found %r" % (wanted, found)


# Who does nothing wrong.


def people(server, rng):
    """Text sessions that evaluate, fail, and end in any order."""
    clients = [TextClient(server.port) for _ in range(rng.randrange(1, 8))]
    for _ in range(10):
        n = rng.randrange(10 ** 6)
        client = rng.choice(clients)
        expect(client.run("%d + 1" % n), "%d\n" % (n + 1))
        assert "ZeroDivisionError" in client.run("%d / 0" % n)
    rng.shuffle(clients)
    for client in clients:
        rng.choice([client.close, client.reset])()


def tools(server, rng):
    """Evaluations over either door of the tools, with values, output and exceptions."""
    with WireClient(rng.choice([server.control_port, server.socket])) as wire:
        for _ in range(10):
            n = rng.randrange(10 ** 5)
            done = wire.evaluate("print('o' * %d); %d * 2" % (n, n))
            expect((len(done.out), done.value), (n + 1, str(n * 2)))
            expect(wire.evaluate("1 / 0").outcome, "exception")


def completions(server, rng):
    with TextClient(server.port) as client, ControlClient(server.control_port) as control:
        expect(control.request("PairWithSession", id=client.session)["status"], "ok")
        assert control.completions("".join(rng.choice("abcdeprst") for _ in range(rng.randrange(1, 3)))) is not None
        assert control.completions("pri")


def interrupts(server, rng):
    with TextClient(server.port) as client, ControlClient(server.control_port) as control:
        expect(control.request("PairWithSession", id=client.session)["status"], "ok")
        for _ in range(rng.randrange(1, 5)):
            client.send(SPIN)
            client.expect("on\n")
            control.interrupt()
            assert "KeyboardInterrupt" in client.prompt()
        expect(client.run("1 + 1"), "2\n")


def jobs(server, rng):
    with WireClient(server.socket) as wire:
        number = wire.ask("StartJob", source="while True: pass")["job"]
        expect(wire.job(number)["state"], "running")
        assert wire.ask("KillJob", job=number)["state"] in ("interrupted", "abandoned")


# What code in a session does to the process.


def children(server, rng):
    """Forks, programs, and processes that end in any way."""
    with TextClient(server.port) as client:
        client.run("import os, subprocess, warnings; warnings.simplefilter('ignore')")
        client.block("def in_child(work):\n    pid = os.fork()\n    if not pid:\n        work()\n        os._exit(5)\n"
                     "    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])")
        for _ in range(rng.randrange(1, 6)):
            status = rng.randrange(1, 100)
            expect(client.run("in_child(lambda: os._exit(%d))" % status), "%d\n" % status)
            expect(client.run("in_child(lambda: os.kill(os.getpid(), 9))"), "-9\n")
            expect(client.run("subprocess.call(['true'])"), "0\n")


def threads_that_leave(server, rng):
    """SystemExit in threads ends those alone."""
    with TextClient(server.port) as client:
        client.run("import sys, threading")
        count = rng.randrange(1, 20)
        client.run("ts = [threading.Thread(target=sys.exit, args=(3,)) for _ in range(%d)]" % count)
        expect(client.run("[t.start() for t in ts] and [t.join() for t in ts] and len(ts)"), "%d\n" % count)
        client.run("del ts")


def no_descriptors(server, rng):
    """The process runs out of them; who is connected goes on, and all is well afterwards."""
    with TextClient(server.port) as client:
        client.run("import os, resource; limits = resource.getrlimit(resource.RLIMIT_NOFILE)")
        client.run("resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir('/proc/self/fd')) + %d, limits[1]))"
                   % rng.randrange(4))
        with ExitStack() as stack:
            for _ in range(10):
                stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE))
            expect(client.run("1 + 1"), "2\n")
        client.run("resource.setrlimit(resource.RLIMIT_NOFILE, limits)")
        expect(client.run("os.close(os.open('/dev/null', 0))"), "")


# Who vanishes, does not read, or says nothing.


def vanishing(server, rng):
    """In the middle of anything, with a FIN, a RST, or half-closed first."""
    clients = []
    for _ in range(rng.randrange(1, 12)):
        client = TextClient(server.port, greet=rng.random() < 0.7)
        client.send(rng.choice([SPIN, FLOOD, WAIT, "if True:\n  1\n", "print('never ended", "1 + 1\n"]))
        clients.append(client)
    for client in clients:
        if rng.random() < 0.3:
            client.end_input()
        rng.choice([client.close, client.reset])()


def unread(server, rng):
    """Floods that nobody reads, or that somebody reads slowly, and neighbours that are served meanwhile."""
    with TextClient(server.port) as neighbour:
        flooders = [TextClient(server.port) for _ in range(rng.randrange(1, 4))]
        for flooder in flooders:
            flooder.send(FLOOD)
            flooder.receive_exactly(rng.choice([1, 10, 300_000]))
        for n in range(5):
            expect(neighbour.run(str(n)), "%d\n" % n)
        for flooder in flooders:
            rng.choice([flooder.close, flooder.reset])()


def silent(server, rng):
    """Connections that say nothing or half a thing, while others are served."""
    with ExitStack() as stack:
        for _ in range(rng.randrange(1, 100)):
            port = rng.choice([server.port, server.control_port])
            sock = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE))
            sock.sendall(rng.choice([b"", b"pri", b"\xff", b"\xffv01l50;{"]))
        with TextClient(server.port) as client:
            expect(client.run("1 + 1"), "2\n")


def killed(server, rng):
    """`kill -9` of a tool at any stage, from before it has connected to after it was answered."""
    words = rng.choice([["eval", "while True: pass"], ["eval", "1 + 1"], ["eval", "while True: print('x' * 1000)"],
                        ["sessions"], ["eval", "input()"], ["bg", "1"]])
    process = subprocess.Popen([str(STAGE / "bin" / "replctl"), *words], env=server.environment,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    with process:
        try:
            process.wait(rng.random() * 0.1)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)


# Who speaks no language of ours.


def noise(server, rng):
    """Random bytes at either door, after a good start or at once."""
    for _ in range(rng.randrange(1, 10)):
        port = rng.choice([server.port, server.control_port])
        with closing(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)) as sock:
            start = rng.choice([b"", frame({"command": "DescribeServer"})])
            try:
                sock.sendall(start + rng.randbytes(rng.randrange(1, 20_000)))
            except (BrokenPipeError, ConnectionResetError):
                continue
            if rng.random() < 0.3:
                reset(sock)


def mutated(server, rng):
    """Good requests with bytes changed, cut off, or said twice."""
    for _ in range(20):
        data = bytearray(frame({"command": rng.choice(["Evaluate", "OpenSession", "Jobs", "Complete", "Sessions", "Grant",
                                                       "Threads", "Interrupt", "Check", "Document"]),
                                "id": rng.randrange(3), "source": "1 + 1", "session": rng.randrange(-1, 3),
                                "cursor": rng.randrange(-2, 10 ** 9), "bytes": rng.choice([0, -1, 1 << 62])}))
        for _ in range(rng.randrange(4)):
            data[rng.randrange(1, len(data))] = rng.randrange(256)
        with closing(socket.create_connection(("127.0.0.1", server.control_port), timeout=PATIENCE)) as sock:
            try:
                sock.sendall(bytes(data[:rng.randrange(1, len(data) + 1)]) * rng.choice([1, 2]))
            except (BrokenPipeError, ConnectionResetError):
                pass


STEPS = [people, tools, completions, interrupts, jobs, children, threads_that_leave, no_descriptors, vanishing, unread, silent,
         killed, noise, mutated]


def generator(seed):
    """The generator of a soak; Random takes no tuple."""
    return random.Random(seed)
