"""Fork: the child has none of our sockets, works, and may serve for itself; the parent notices nothing."""

import json

import pytest

HOST = """
import json, os, sys, threading
from replserve import server
def sockets():
    found = []
    for name in os.listdir("/proc/self/fd"):
        try: target = os.readlink("/proc/self/fd/" + name)
        except OSError: continue
        if not (target.startswith("pipe:") or target.startswith("/")): found.append(target)
    return sorted(found)
def child(work):
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        try:
            work()
        finally:
            sys.stdout.flush()
            os._exit(9)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
def show(value):
    print(json.dumps(value), flush=True)
print(server.start(globals(), repl_port=0, control_port=0)[1], flush=True)
for line in sys.stdin:
    exec(line)
"""

STATES = ["no session", "idle", "evaluating", "flooding", "job"]


@pytest.fixture
def host(interpreter, embed):
    # From 3.12 on, Python warns of a fork beside any thread, also the test's own evaluations.
    return embed(HOST, python=interpreter.plain, options=["-W", "ignore:This process:DeprecationWarning"])


def occupied(host, connect, state):
    """The port, and a session in that state."""
    port = int(host.stdout.line())
    if state == "no session":
        return port, None
    client = connect(port)
    if state == "idle":
        client.run("1 + 1")
    elif state == "evaluating":
        client.send("exec('print(\"on\")\\nwhile True: pass')\n")
        client.expect("on\n")
    elif state == "flooding":
        client.send("while True: print('x' * 1000)\n\n")
        client.expect("xxx")
    else:
        client.run("job = bg(lambda: [print('kept with the job') for _ in iter(int, 1)])")
    return port, client


def alive(port, connect):
    assert connect(port).run("1 + 1") == "2\n"


@pytest.mark.parametrize("state", STATES)
def test_the_child_has_none_of_the_sockets(host, connect, state):
    port, _ = occupied(host, connect, state)
    parents = json.loads(host.ask("show(sockets())"))
    assert any(target.startswith("socket:") for target in parents)
    for _ in range(5):
        host.tell("status = child(lambda: show(sockets()))")
        assert json.loads(host.stdout.line()) == []
    assert json.loads(host.ask("show(status)")) == 9
    alive(port, connect)


@pytest.mark.parametrize("state", STATES)
def test_the_child_works(host, connect, state):
    """It prints, computes, starts threads and programs, forks again, and ends with its own status."""
    port, _ = occupied(host, connect, state)
    for _ in range(5):
        assert host.ask("status = child(lambda: print('from the child'))") == "from the child"
        assert host.ask("show(child(lambda: os._exit(3)))") == "3"
        assert host.ask("show(child(lambda: sys.stderr.write('')))") == "9"
    host.tell("def threads(): t = threading.Thread(target=lambda: show('in a thread')); t.start(); t.join()")
    assert host.ask("status = child(threads)") == '"in a thread"'
    host.tell("import subprocess")
    assert host.ask("status = child(lambda: subprocess.run(['echo', 'a program']))") == "a program"
    assert host.ask("status = child(lambda: show(child(lambda: os._exit(4))))") == "4"
    host.tell("import queue, logging, random, warnings, asyncio")
    assert host.ask("status = child(lambda: show(asyncio.run(asyncio.sleep(0, 'looped'))))") == '"looped"'
    alive(port, connect)


@pytest.mark.parametrize("state", STATES)
def test_the_child_ends_as_python_does(host, connect, state):
    """sys.exit in the child runs the interpreter's own ending, with ours in it."""
    port, _ = occupied(host, connect, state)
    host.tell("def leave(status): pid = os.fork(); pid or sys.exit(status);"
              " show(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))")
    for status in range(5):
        assert host.ask("leave(%d)" % status) == str(status)
    alive(port, connect)


def test_the_child_has_the_streams_of_the_host(host, connect):
    """Not those of a session, even when sessions are open."""
    occupied(host, connect, "idle")
    assert host.ask("status = child(lambda: show([sys.stdout.fileno(), sys.stdin.fileno(), sys.stderr.fileno()]))") \
        == "[1, 0, 2]"


@pytest.mark.parametrize("state", STATES)
def test_the_child_serves_for_itself(host, connect, state):
    port, _ = occupied(host, connect, state)
    host.tell("ask = os.pipe()")
    host.tell("def serve(): show(server.start({'who': 'child'}, repl_port=0, control_port=0)[1]);"
              " os.read(ask[0], 1); server.stop(); os._exit(0)")
    host.tell("pid = os.fork() or serve()")
    child_port = int(host.stdout.line())
    assert child_port != port
    assert connect(child_port).run("who") == "'child'\n"
    alive(port, connect)
    host.tell("os.write(ask[1], b'x')")
    assert host.ask("show(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))") == "0"
    alive(port, connect)


def test_stop_in_the_child_is_the_childs(host, connect):
    """It neither fails nor touches the parent's server, its socket files included."""
    port, client = occupied(host, connect, "idle")
    assert host.ask("status = child(lambda: (server.stop(), show('stopped')))") == '"stopped"'
    assert client.run("2 + 2") == "4\n"
    alive(port, connect)


def test_sessions_survive_many_forks(host, connect):
    port, client = occupied(host, connect, "idle")
    host.tell("import time; go = True")
    host.tell("statuses = {child(lambda: os._exit(3)) for _ in range(200)}; show(sorted(statuses))")
    for n in range(200):
        assert client.run("print(%d)" % n) == "%d\n" % n
    assert host.stdout.line() == "[3]"
    alive(port, connect)


def test_multiprocessing_pool(host, connect):
    port, client = occupied(host, connect, "idle")
    host.tell("import multiprocessing; context = multiprocessing.get_context('fork')")
    host.tell("def work(n): return n * n\n")
    host.tell("pool = context.Pool(3); show(pool.map(work, range(10))); pool.close(); pool.join()")
    assert json.loads(host.stdout.line()) == [n * n for n in range(10)]
    assert client.run("3") == "3\n"
    assert host.ask("p = context.Process(target=show, args=('own process',)); p.start(); p.join()") == '"own process"'
    alive(port, connect)


def test_fork_in_a_session(interpreter, serve, connect):
    server = serve(python=interpreter.plain)
    client = connect(server)
    client.run("import os, warnings; warnings.simplefilter('ignore')")
    client.block("def in_child(work):\n    pid = os.fork()\n    if not pid:\n        work()\n        os._exit(5)\n"
                 "    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])")
    for _ in range(5):
        assert client.run("in_child(lambda: None)") == "5\n"
    assert client.run("in_child(lambda: os._exit(7))") == "7\n"
    assert client.run("in_child(lambda: sum(range(1000)))") == "5\n"
    assert client.run("1 + 1") == "2\n"


def test_a_forgotten_child_of_a_session(interpreter, serve, connect):
    """os.fork() typed at the prompt: the child has no client; it must end, not haunt."""
    server = serve(python=interpreter.plain)
    client = connect(server)
    client.run("import os, warnings; warnings.simplefilter('ignore')")
    client.send("pid = os.fork()\n")
    client.prompt()
    assert int(client.run("pid")) > 0
    assert client.run("print(os.waitpid(pid, 0)[0] == pid)") == "True\n"
    assert client.run("1 + 1") == "2\n"


def test_programs_started_from_a_session(interpreter, serve, connect):
    server = serve(python=interpreter.plain)
    client = connect(server)
    client.run("import os, subprocess")
    assert client.run("subprocess.run(['echo', 'captured'], capture_output=True, text=True).stdout") == "'captured\\n'\n"
    assert client.run("subprocess.check_output('echo $((6 * 7))', shell=True)") == "b'42\\n'\n"
    inherited = client.run("print(subprocess.run(['ls', '-l', '/proc/self/fd'], close_fds=False, capture_output=True,"
                           " text=True).stdout)")
    assert "socket:" not in inherited and "eventpoll" not in inherited and "eventfd" not in inherited, inherited
    assert client.run("os.system('exit 3') >> 8") == "3\n"


def test_exec_keeps_nothing(embed, connect):
    """The host becomes another program: our descriptors are closed on the way."""
    host = embed(HOST)
    client = connect(int(host.stdout.line()))
    client.run("1 + 1")
    host.tell("os.execvp('ls', ['ls', '-l', '/proc/self/fd'])")
    client.rest_or_reset()
    host.wait()
    assert "socket:" not in host.stdout.wait_end() and "anon_inode" not in host.stdout.text


def test_no_warning_at_a_fork_before_the_first_start(interpreter, embed):
    """Importing alone starts no thread, so Python has nothing to warn of."""
    host = embed("import os, sys, replserve\npid = os.fork()\nif not pid: os._exit(0)\nos.waitpid(pid, 0)\n",
                 python=interpreter.plain, options=["-W", "error"])
    host.ask_to_end()
    assert host.wait() == 0
    assert host.stderr.wait_end() == ""
