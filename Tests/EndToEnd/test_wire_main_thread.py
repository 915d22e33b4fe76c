"""Evaluations on the host's main thread: when it takes them, what they may do, and what they leave as it was."""

import pytest

from wire_client import WireClient

IS_MAIN = "import threading; threading.current_thread() is threading.main_thread()"

# A program whose main thread runs Python code until it is told to stop.
BUSY = """
import sys
stop = []
before = sys.stdout
def work(n):
    return n + 1
n = 0
while not stop:
    n = work(n)
print("ended", sys.stdout is before, flush=True)
"""

# One whose main thread waits in C, until its input ends.
WAITS = """
import sys
for line in sys.stdin:  # waits here
    print("got", line, end="", flush=True)
"""


def on_main(client, source, **fields):
    return client.evaluate(source, place="main", **fields)


def end(server, client):
    """Lets a program that is busy end; it may do so before it can answer."""
    client.stream("Evaluate", source="stop.append(1)")
    assert server.wait() == 0


def test_in_a_playground(interpreter, serve, tool):
    client = tool(serve(python=interpreter.plain))
    done = on_main(client, "import sys\nprint('out'); print('err', file=sys.stderr)\n" + IS_MAIN)
    assert (done.out, done.err, done.value) == (b"out\n", b"err\n", "True")
    assert client.value(IS_MAIN) == "False"
    assert on_main(client, "1 / 0").exception["type"] == "ZeroDivisionError"
    assert on_main(client, "x = = 1").exception["type"] == "SyntaxError"
    session = client.open()
    assert on_main(client, "'of main'", session=session).value == "'of main'"
    assert client.value("_", session=session) == "'of main'"
    # What only the main thread may do.
    done = on_main(client, "import signal\nold = signal.signal(signal.SIGUSR1, signal.SIG_IGN)\n"
                           "signal.signal(signal.SIGUSR1, old) is signal.SIG_IGN")
    assert done.value == "True"


def test_it_reads(interpreter, serve, tool):
    client = tool(serve(python=interpreter.plain))
    asks = client.start("input('? ')", place="main")
    client.wait_for(asks, "? ")
    while not asks.inputs:
        client.step()
    client.tell("Input", request=asks.request, text="answer\n")
    assert client.finish(asks).value == "'answer'"


def test_a_running_program(interpreter, serve, tool):
    """It takes an evaluation between two steps, and then goes on as if nothing had been."""
    server = serve(python=interpreter.plain, source=BUSY, stdin=-1)
    client = tool(server)
    for _ in range(20):
        assert on_main(client, IS_MAIN).value == "True"
    first = int(client.value("n"))
    talks = on_main(client, "print('for the tool'); n")
    assert talks.out == b"for the tool\n" and int(talks.value) >= first
    failed = on_main(client, "def f():\n    raise KeyError('k')\nf()")
    assert [frame["function"] for frame in failed.exception["frames"]] == ["<module>", "f"]
    assert on_main(client, "raise SystemExit(3)").outcome == "ended"
    assert on_main(client, "raise KeyboardInterrupt").outcome == "interrupted"
    assert on_main(client, IS_MAIN).value == "True"
    end(server, client)
    assert server.stdout.wait_end().endswith("ended True\n") and "for the tool" not in server.stdout.text


def test_two_at_once(edge, serve, tool):
    """They take turns; an interrupt finds the one that has not begun, and the one that runs."""
    server = serve(python=edge.plain)
    client = tool(server)
    runs = client.start("print('on')\nwhile True: pass", place="main")
    client.wait_for(runs, "on")
    waits = client.start("print('never')", place="main")
    assert client.interrupt(waits)["outcome"] == "interrupted"
    done = client.finish(waits)
    assert done.outcome == "interrupted" and done.out == b""
    assert client.interrupt(runs)["outcome"] == "interrupted"
    assert client.finish(runs).outcome == "interrupted"
    assert on_main(client, IS_MAIN).value == "True"
    assert server.running


def test_interrupts_in_a_running_program(interpreter, serve, tool):
    server = serve(python=interpreter.plain, source=BUSY, stdin=-1)
    client = tool(server)
    for _ in range(10):
        runs = client.start("print('on')\nwhile True: pass", place="main")
        client.wait_for(runs, "on")
        assert client.interrupt(runs)["outcome"] == "interrupted"
        assert client.finish(runs).outcome == "interrupted"
    assert server.running
    end(server, client)


def test_a_main_thread_that_waits_in_c(newest, serve, tool):
    """It cannot be had: the reply says what it does instead. An interrupt ends the wait for it."""
    server = serve(python=newest.plain, source=WAITS, stdin=-1)
    client = tool(server)
    gives_up = client.start("print('never')", place="main")
    interrupted = client.start("print('never')", place="main")
    assert client.interrupt(interrupted)["outcome"] == "interrupted"
    assert client.finish(interrupted).outcome == "interrupted"
    client.finish(gives_up)
    assert gives_up.reply["status"] == "failed" and gives_up.reply["code"] == "timeout", gives_up.reply
    assert "for line in sys.stdin:  # waits here" in gives_up.reply["reason"], gives_up.reply
    assert gives_up.out == b"" and interrupted.out == b""
    # What was given up does not run later, and what is asked for now does once the main thread is there.
    taken = client.start("print('late')", place="main")
    while not taken.out:
        assert server.ask("x") == "got x"
        client.ask("DescribeServer")
    done = client.finish(taken)
    assert done.outcome == "value" and done.out == b"late\n"
    assert "never" not in server.stdout.text and "late" not in server.stdout.text


def test_after_the_scripts_end(interpreter, serve, tool):
    """With -i the data is still served, and the main thread waits for whatever comes."""
    server = serve("-i", python=interpreter.plain, source="import sys\nx = 6\nsys.exit(3)\n", stdin=-1)
    client = tool(server)
    server.stderr.wait_for("ended with status 3")
    assert on_main(client, "x * 7").value == "42"
    assert on_main(client, IS_MAIN).value == "True"
    assert on_main(client, "raise SystemExit").outcome == "ended"
    assert on_main(client, IS_MAIN).value == "True"


def test_a_fork_on_the_main_thread(interpreter, serve, tool):
    """The child ends when the evaluation does: it runs no second program."""
    server = serve(python=interpreter.plain, source=BUSY, stdin=-1)
    client = tool(server)
    on_main(client, "import os, warnings; warnings.simplefilter('ignore')")
    done = on_main(client, "pid = os.fork()\npid > 0")
    assert done.value == "True"
    assert client.value("os.waitpid(pid, 0)[0] == pid") == "True"
    done = on_main(client, "pid = os.fork()\nif not pid: os._exit(7)\nos.WEXITSTATUS(os.waitpid(pid, 0)[1])")
    assert done.value == "7"
    end(server, client)
    assert server.stdout.wait_end().count("ended") == 1


STOPS = """
import sys
from replserve import server
print(server.start(globals(), repl_port=0, control_port=0).socket, flush=True)
before = sys.stdout
done = False
# Until the evaluation has come and gone: between two bytecodes it can be taken.
while not done: pass
sys.stdin.readline()
server.stop()
print("stopped", sys.stdout is before, type(sys).__name__, flush=True)
"""


def test_a_stop_during_one(edge, embed, closing):
    """The evaluation runs on the thread that would stop the server: it is another thread that does."""
    host = embed(STOPS, python=edge.plain)
    client = closing(WireClient(host.stdout.line()))
    stops = client.stream("Evaluate", place="main", source="from replserve import server\n"
                          "try:\n    server.stop()\n    print('on')\n    for n in range(100_000_000): pass\n"
                          "finally: done = True")
    assert client.at_end()
    assert stops.reply is None or stops.reply["status"] == "failed" or stops.outcome == "interrupted"
    host.tell("stop")
    assert host.stdout.line() == "stopped True module"


@pytest.mark.parametrize("place", ["session", "main"])
def test_a_client_that_vanishes(edge, serve, tool, place):
    """What it has running on the main thread is interrupted, and the program goes on."""
    server = serve(python=edge.plain, source=BUSY, stdin=-1)
    client, other = tool(server), tool(server)
    runs = client.start("print('on')\nwhile True: pass", place=place)
    client.wait_for(runs, "on")
    client.close()
    assert on_main(other, IS_MAIN).value == "True"
    end(server, other)
