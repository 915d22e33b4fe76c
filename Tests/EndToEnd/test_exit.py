"""The host's own exit: prompt and with its own status, whatever its sessions are doing. A thousand times."""

import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from deadline import PATIENCE
from host_process import TROUBLE
from peers import PYTHON_PACKAGE, environment_python
from text_client import TextClient

# 7 states x 2 interpreters x 72 = 1,008 exits.
EXITS = 72
AT_ONCE = 4

HOST = """
import sys
from replserve import server
print(server.start({}, repl_port=0, control_port=0, banner="")[1], flush=True)
status = int(sys.stdin.readline())
%s
"""

# How a host ends with its own status: each is used in turn.
ENDINGS = ["sys.exit(status)", "raise SystemExit(status)", "import os; sys.stdout.flush(); sys.exit(status)",
           "import atexit; atexit.register(lambda: None); exit(status)"]

STATES = {
    "no session": None,
    "idle session": ("print('here')\n", "here\n>>>> "),
    "evaluating": ("exec('print(\"here\")\\nwhile True: pass')\n", "here\n"),
    "flooding": ("while True: print('here' * 100)\n\n", "here"),
    "blocked in input": ("input('here')\n", "here"),
    "blocked in sleep": ("print('here'); __import__('time').sleep(3600)\n", "here\n"),
    "job running": ("job = bg(lambda: [0 for _ in iter(int, 1)]); print('here')\n", "here\n>>>> "),
}


def one_exit(python, environment, state, number):
    """Starts a host, brings a session into the state, lets the host end. Returns what was wrong, if anything."""
    status = number % 100 + 1
    process = subprocess.Popen([python, "-c", HOST % ENDINGS[number % len(ENDINGS)]],
                               env=dict(environment, PYTHONPATH=str(PYTHON_PACKAGE)),
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    client = None
    try:
        port = process.stdout.readline()
        if STATES[state] is not None:
            code, mark = STATES[state]
            client = TextClient(int(port))
            client.send(code)
            client.expect(mark)
        _, errors = process.communicate(b"%d\n" % status, timeout=PATIENCE)
        if process.returncode != status or errors:
            return "exit %d: status %r instead of %d, stderr %r" % (number, process.returncode, status, errors)
    except subprocess.TimeoutExpired:
        return "exit %d: it hangs" % number
    except Exception as failure:
        return "exit %d: %r" % (number, failure)
    finally:
        if client is not None:
            client.close()
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("state", STATES)
def test_host_exits_with_its_own_status(edge, state, environment, native_module):
    python = environment_python(edge.plain)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        outcomes = list(pool.map(lambda number: one_exit(python, environment, state, number), range(EXITS)))
    wrong = [outcome for outcome in outcomes if outcome]
    assert not wrong, "%d of %d:\n%s" % (len(wrong), EXITS, "\n".join(wrong[:10]))


@pytest.mark.parametrize("state", STATES)
def test_every_interpreter_exits(interpreter, state, environment, native_module):
    python = environment_python(interpreter.plain)
    wrong = [outcome for outcome in (one_exit(python, environment, state, number) for number in range(3)) if outcome]
    assert not wrong, wrong


@pytest.mark.parametrize("state", STATES)
def test_with_the_macro_console(edge, state, environment, native_module):
    python = environment_python(edge.macros)
    wrong = [outcome for outcome in (one_exit(python, environment, state, number) for number in range(5)) if outcome]
    assert not wrong, wrong


HOST_WITH_SESSIONS = """
import sys
from replserve import server
print(server.start(globals(), repl_port=0, control_port=0, banner="")[1], flush=True)
"""


def bring(connect, port, states):
    for state in states:
        if STATES[state]:
            client = connect(port)
            client.send(STATES[state][0])
            client.expect(STATES[state][1])


def test_all_states_at_once(interpreter, embed, connect):
    host = embed(HOST_WITH_SESSIONS + "sys.stdin.readline()\nsys.exit(42)\n", python=interpreter.plain)
    bring(connect, int(host.stdout.line()), list(STATES) * 2)
    host.tell("")
    assert host.wait() == 42
    assert host.stderr.wait_end() == ""


def test_an_exception_in_the_host(interpreter, embed, connect):
    """Its traceback is on stderr, its status is 1."""
    host = embed(HOST_WITH_SESSIONS + "sys.stdin.readline()\nraise ValueError('own trouble')\n", python=interpreter.plain)
    bring(connect, int(host.stdout.line()), STATES)
    host.tell("")
    assert host.wait() == 1
    errors = host.stderr.wait_end()
    assert errors.endswith("ValueError: own trouble\n") and errors.count("Traceback") == 1, errors
    host.trouble_expected = True


def test_falling_off_the_end(interpreter, embed, connect):
    host = embed(HOST_WITH_SESSIONS + "sys.stdin.readline()\n", python=interpreter.plain)
    bring(connect, int(host.stdout.line()), STATES)
    host.tell("")
    assert host.wait() == 0
    assert host.stderr.wait_end() == ""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL], ids=lambda number: number.name)
def test_a_signal(edge, embed, connect, number):
    """The host has no handler: the signal ends it as it would without us."""
    host = embed(HOST_WITH_SESSIONS + "sys.stdin.readline()\n", python=edge.plain)
    bring(connect, int(host.stdout.line()), STATES)
    host.signal(number)
    assert host.wait() == -number


def test_ctrl_c(interpreter, embed, connect):
    """SIGINT is the main thread's KeyboardInterrupt."""
    host = embed(HOST_WITH_SESSIONS + "sys.stdin.readline()\n", python=interpreter.plain)
    bring(connect, int(host.stdout.line()), STATES)
    host.signal(signal.SIGINT)
    assert host.wait() in (-signal.SIGINT, 130)
    assert "KeyboardInterrupt" in host.stderr.wait_end()
    host.trouble_expected = True


def test_os_exit(edge, embed, connect):
    host = embed(HOST_WITH_SESSIONS + "import os\nsys.stdin.readline()\nos._exit(17)\n", python=edge.plain)
    bring(connect, int(host.stdout.line()), STATES)
    host.tell("")
    assert host.wait() == 17


def test_exit_from_a_session(interpreter, embed, connect):
    """os._exit in a session is the user's wish; nothing else of it is told to anybody."""
    host = embed(HOST_WITH_SESSIONS + "sys.stdin.readline()\n", python=interpreter.plain)
    client = connect(int(host.stdout.line()))
    client.send("import os; os._exit(23)\n")
    assert host.wait() == 23
    client.rest_or_reset()


def test_hooks_of_the_host_run(interpreter, embed, connect):
    """atexit callbacks and destructors of the host run, and may print.

    Not with a job or a sleeper: a thread that never ends keeps the namespace of what it runs, and Python then
    clears nothing in it, as with any daemon thread.
    """
    host = embed(HOST_WITH_SESSIONS + """
import atexit
class Last:
    def __del__(self): print("destroyed", flush=True)
last = Last()
atexit.register(lambda: print("at exit", flush=True))
sys.stdin.readline()
print("ending", flush=True)
sys.exit(5)
""", python=interpreter.plain)
    bring(connect, int(host.stdout.line()), ["idle session", "evaluating", "flooding", "blocked in input"])
    host.tell("")
    assert host.wait() == 5
    assert host.stdout.wait_end().splitlines()[1:] == ["ending", "at exit", "destroyed"]
    assert host.stderr.wait_end() == ""


def test_connections_end_with_the_host(interpreter, embed, connect):
    host = embed(HOST_WITH_SESSIONS + "sys.stdin.readline()\n", python=interpreter.plain)
    port = int(host.stdout.line())
    clients = [connect(port) for _ in range(3)]
    host.tell("")
    host.wait()
    for client in clients:
        client.rest_or_reset()


def test_clients_coming_and_going_while_it_ends(edge, environment, native_module):
    """Connections arrive in the very moments of the exit."""
    python = environment_python(edge.plain)

    def one(number):
        process = subprocess.Popen([python, "-c", HOST % ENDINGS[0]],
                                   env=dict(environment, PYTHONPATH=str(PYTHON_PACKAGE)),
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        port = int(process.stdout.readline())
        process.stdin.write(b"7\n")
        process.stdin.flush()
        clients = []
        try:
            while process.poll() is None and len(clients) < 500:
                clients.append(TextClient(port, greet=False))
                clients[-1].send("1 + 1\n")
        except OSError:
            pass
        _, errors = process.communicate(timeout=PATIENCE)
        for client in clients:
            client.close()
        return process.returncode, TROUBLE.search(errors.decode())

    with ThreadPoolExecutor(2) as pool:
        assert set(pool.map(one, range(30))) == {(7, None)}
