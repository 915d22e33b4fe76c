"""Clients that vanish in any way, at any moment: what they ran is interrupted, and all they had is released."""

import subprocess

import pytest

from deadline import eventually
from peers import tool
from process_facts import descriptors, resident_mib, server_side_timer, threads
from control_client import ControlClient

# The loops are functions: where a loop is itself the body of a `try`, CPython 3.13.0 loses an exception that is raised
# in a thread at the loop's jump back, and runs no handler.
SPIN = "def spin():\\n while True: pass\\n"
FLOOD = "def flood():\\n while True: print(\"here\")\\n"
STATES = {
    "idle": ("print('here')", "here\n>>>> "),
    "in a block": ("print('here')\nif True:\n    1", "here\n>>>> .... "),
    "evaluating": ("exec('" + SPIN + "try:\\n print(\"here\")\\n spin()\\nfinally: server_print(\"let go\", flush=True)')", "here\n"),
    "flooding": ("exec('" + FLOOD + "try: flood()\\nfinally: server_print(\"let go\", flush=True)')", "here\n"),
    "reading": ("exec('try: input(\"here\")\\nfinally: server_print(\"let go\", flush=True)')", "here"),
}

WAYS = ["close", "reset", "kill", "half-close and reset"]
MANY = 8
SPARE = 2  # threads that a server may keep for the next session


def vanish(server, connect, state, way, times):
    """That many clients at once get into the state, and are gone."""
    code, mark = STATES[state]
    if way == "kill":
        clients = [subprocess.Popen([tool("nc"), "127.0.0.1", str(server.port)], stdin=subprocess.PIPE,
                                    stdout=subprocess.PIPE) for _ in range(times)]
        for client in clients:
            client.stdin.write(code.encode() + b"\n")
            client.stdin.flush()
        for client in clients:
            seen = b""
            while mark.encode() not in seen:
                piece = client.stdout.read1(65536)
                assert piece, seen
                seen += piece
        for client in clients:
            client.kill()
            client.wait()
            client.stdout.close()
            try:
                client.stdin.close()
            except BrokenPipeError:
                pass
        return
    clients = [connect(server) for _ in range(times)]
    for client in clients:
        client.send(code + "\n")
        client.expect(mark)
    for client in clients:
        if way == "close":
            client.close()
        else:
            if way != "reset":
                client.end_input()
            client.reset()


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("way", WAYS)
def test_everything_is_released(server, connect, state, way):
    vanish(server, connect, state, way, 1)
    settled(server, connect)
    known_threads, known_descriptors = threads(server.pid), len(descriptors(server.pid))
    vanish(server, connect, state, way, MANY)
    # A half-close ends a read, and the reset behind it may interrupt what the evaluation does about that.
    if "let go" in STATES[state][0] and (state, way) != ("reading", "half-close and reset"):
        for _ in range(1 + MANY):
            server.stdout.wait_for("let go\n")
    eventually(lambda: threads(server.pid) <= known_threads + SPARE, "the threads end")
    eventually(lambda: len(descriptors(server.pid)) <= known_descriptors, "the descriptors close")
    assert connect(server).run("1 + 1") == "2\n"


def settled(server, connect):
    """The first session and whatever is made once are over."""
    alone = threads(server.pid)
    client = connect(server)
    client.send("quit()\n")
    client.rest()
    eventually(lambda: threads(server.pid) <= alone + SPARE, "threads after a session that ended")


@pytest.mark.parametrize("state", ["idle", "evaluating"])
def test_on_every_interpreter(interpreter, console, serve, connect, state):
    server = serve(python=getattr(interpreter, console))
    vanish(server, connect, state, "close", 1)
    settled(server, connect)
    known = threads(server.pid), len(descriptors(server.pid))
    vanish(server, connect, state, "reset", MANY)
    eventually(lambda: threads(server.pid) <= known[0] + SPARE and len(descriptors(server.pid)) <= known[1],
               "threads and descriptors are back")
    assert connect(server).run("1 + 1") == "2\n"


def test_blocked_in_sleep(server, connect):
    """It is woken, and what it had is given back."""
    client = connect(server)
    client.send("quit()\n")
    client.rest()
    known = len(descriptors(server.pid))
    running = threads(server.pid)
    for _ in range(MANY):
        client = connect(server)
        client.send("print('sleeps'); __import__('time').sleep(3600)\n")
        client.expect("sleeps\n")
        client.reset()
    eventually(lambda: len(descriptors(server.pid)) <= known + 2, "the descriptors close")
    eventually(lambda: threads(server.pid) <= running + SPARE, "the threads end")
    assert connect(server).run("1 + 1") == "2\n"


def test_in_the_greeting(server, connect):
    """Gone before, while and after it was greeted."""
    known = len(descriptors(server.pid))
    for _ in range(50):
        connect(server, greet=False).reset()
        connect(server, greet=False).close()
        connect(server).reset()
    eventually(lambda: len(descriptors(server.pid)) <= known + 2, "the descriptors close")
    assert connect(server).run("1 + 1") == "2\n"


def test_an_evaluation_that_will_not_stop(server, connect):
    """It catches every interrupt; its client's descriptors go, and others are served."""
    client = connect(server)
    known = len(descriptors(server.pid))
    stubborn = connect(server)
    stubborn.send("exec('def spin():\\n said or said.append(print(\"here\"))\\n while not globals().get(\"enough\"): pass\\n"
                  "said = []\\nwhile not globals().get(\"enough\"):\\n try: spin()\\n"
                  " except BaseException: server_print(\"caught\", flush=True)')\n")
    stubborn.expect("here\n")
    stubborn.reset()
    server.stdout.wait_for("caught\n")
    eventually(lambda: len(descriptors(server.pid)) <= known + 1, "the descriptors close")
    assert client.run("enough = True") == ""
    assert client.run("1 + 1") == "2\n"


def test_memory_comes_back(server, connect):
    """A hundred sessions that each held ten megabytes of results leave nothing."""
    for n in range(100):
        client = connect(server)
        assert client.run("len('%d' * 5_000_000)" % (n % 10)) == "5000000\n"
        client.run("'%d' * 10_000_000 and None" % (n % 10))
        client.send("bytearray(10_000_000) and 0\n")
        client.prompt()
        client.reset()
        if n == 9:
            early = resident_mib(server.pid)
    eventually(lambda: resident_mib(server.pid) < early + 60, "memory is given back")


def test_last_value_is_released_with_its_session(server, connect):
    client = connect(server)
    client.run("Canary = type('Canary', (), {'__del__': lambda self: server_print('released', flush=True)})")
    client.run("Canary()")
    client.send("quit()\n")
    client.rest()
    server.stdout.wait_for("released\n")


def test_the_connection_is_kept_alive(server, connect):
    """A client that vanishes without a FIN is noticed: probes are due within minutes, not hours."""
    client = connect(server)
    with ControlClient(server.control_port) as control:
        control.request("DescribeServer")
        for sock in (client.socket, control.socket):
            kind, seconds = server_side_timer(sock)
            assert kind == 2, "the server's end has no keepalive timer"
            assert 0 < seconds <= 300


def test_others_are_not_disturbed(server, connect):
    bystander = connect(server)
    bystander.run("n = 0")
    for way in WAYS:
        for state in STATES:
            vanish(server, connect, state, way, 2)
            assert bystander.run("n += 1; n").strip().isdigit()


def test_hundreds_of_short_sessions(server, connect):
    client = connect(server)
    client.send("quit()\n")
    client.rest()
    known = threads(server.pid), len(descriptors(server.pid)), resident_mib(server.pid)
    for n in range(300):
        client = connect(server)
        assert client.run("%d" % n) == "%d\n" % n
        client.close()
    eventually(lambda: threads(server.pid) <= known[0] + SPARE and len(descriptors(server.pid)) <= known[1] + 1,
               "threads and descriptors are back")
    assert resident_mib(server.pid) < known[2] + 32
