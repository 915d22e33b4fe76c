"""Interrupts by a tool: what stops, what is blocked and where, what cannot be reached, and what is never hit."""

import random

import pytest

from deadline import eventually
from waits import MUTEX

# It backtracks for a few seconds on any machine, in C code that holds the interpreter.
CATASTROPHE = "import re\nprint('on')\nre.match('(a+)+$', 'a' * %d + 'b')"


def interpreter_holder(client, seconds=4):
    """Source that holds the interpreter for about that many seconds on this machine."""
    took = float(client.value("import re, time; s = time.perf_counter(); re.match('(a+)+$', 'a' * 20 + 'b');"
                              " time.perf_counter() - s"))
    length = 20
    while took < seconds:
        length, took = length + 1, took * 2
    return CATASTROPHE % length


def innermost(client, evaluation):
    """The line that an evaluation is in, as Threads tells."""
    role = "session %d" % evaluation.session
    rows = [row for row in client.ask("Threads")["threads"] if row["role"] == role and row["frames"]]
    return rows[0]["frames"][-1].get("text") if rows else None


def test_a_loop(interpreter, console, serve, tool):
    client = tool(serve(python=getattr(interpreter, console)))
    session = client.open()
    for number in range(1, 4):
        loop = client.start("print('on')\nwhile True: pass", session=session)
        client.wait_for(loop, "on")
        assert client.interrupt(loop)["outcome"] == "interrupted"
        done = client.finish(loop)
        assert done.outcome == "interrupted" and done.exception["type"] == "KeyboardInterrupt"
        assert [frame["line"] for frame in done.exception["frames"]] in ([1], [2])
    assert client.ask("Interrupt", session=session)["outcome"] == "idle"
    assert client.value("1 + 1", session=session) == "2"


def test_the_one_that_is_named(interpreter, serve, tool):
    client = tool(serve(python=interpreter.plain))
    session = client.open()
    client.evaluate("1", session=session)
    client.evaluate("stop = []")
    loop = client.start("while not stop: pass", session=session)
    for stale in (1, 3):
        assert client.ask("Interrupt", session=session, evaluation=stale)["outcome"] == "stale"
    client.evaluate("stop.append(1)")
    assert client.finish(loop).outcome == "value"
    assert client.request("Interrupt", session=999)["code"] == "no-session"


def test_what_nothing_ends_is_blocked_at_its_line(edge, serve, tool):
    """And ends when the call returns, by the interrupt that stood."""
    client = tool(serve(python=edge.plain))
    source = MUTEX % 4 + "def naps():\n    lock.pthread_mutex_timedlock(mutex, until)  # here\nnaps()\nprint('never')"
    nap = client.start(source)
    here = "lock.pthread_mutex_timedlock(mutex, until)  # here"
    eventually(lambda: innermost(client, nap) == here, "it waits")
    reply = client.interrupt(nap)
    assert reply["outcome"] == "blocked", reply
    assert reply["where"] == {"file": "<session %d:1>" % nap.session, "line": 7, "function": "naps",
                              "text": here, "call": "futex"}
    assert client.finish(nap).outcome == "interrupted" and b"never" not in nap.out


def test_an_interpreter_that_is_held(edge, serve, tool):
    """Everything that needs no interpreter is answered; in the end the interrupt arrives."""
    client = tool(serve(python=edge.plain))
    session = client.open()
    held = client.start(interpreter_holder(client) + "\nwhile True: pass", session=session)
    eventually(lambda: client.ask("Threads")["held"], "the interpreter is held")
    assert client.interrupt(held) == {"status": "ok", "id": client._last, "outcome": "uninterruptible"}
    assert [row["state"] for row in client.ask("Sessions")["sessions"]] == ["evaluating"]
    threads = client.ask("Threads")
    if threads["held"]:
        assert threads["waiting"] > 0
        assert all(row["frames"] is None for row in threads["threads"])
        busiest = max(threads["threads"], key=lambda row: row["load"])
        assert busiest["role"] == "session %d" % session and busiest["load"] > 0
    assert client.finish(held).outcome == "interrupted"
    assert client.value("1 + 1", session=session) == "2"
    assert client.ask("Threads")["held"] is False


def test_code_that_catches_it(interpreter, serve, tool):
    client = tool(serve(python=interpreter.plain))
    stubborn = client.start("try:\n    print('on')\n    while True: pass\n    print()\n"
                            "except KeyboardInterrupt: 'caught'\n'went on'")
    client.wait_for(stubborn, "on")
    assert client.interrupt(stubborn)["outcome"] == "interrupted"
    assert client.finish(stubborn).value == "'went on'"
    client.evaluate("stop = []")
    # In CPython 3.13.0 no handler of the same function sees what is raised at the jump back of a loop.
    goes_on = client.start("def waste():\n    for _ in range(1000): pass\ndef ignores():\n    try:\n"
                           "        print('on')\n        while True:\n            waste()\n            waste()\n"
                           "    except KeyboardInterrupt:\n        while not stop: pass\nignores()")
    client.wait_for(goes_on, "on")
    reply = client.interrupt(goes_on)
    assert reply["outcome"] == "blocked" and reply["where"]["function"] == "ignores"
    client.evaluate("stop.append(1)")
    assert client.finish(goes_on).outcome == "value"


@pytest.mark.parametrize("source", ["while True: print('x' * 1000)", "while True: print('x', flush=True)", "input()"])
def test_streams_that_wait(edge, serve, tool, source):
    """Also without any credit left: an evaluation that waits to write or read is woken."""
    client = tool(serve(python=edge.plain))
    waits = client.start(source, credit=100)
    while not waits.out and not waits.inputs:
        client.step()
    assert client.interrupt(waits)["outcome"] == "interrupted"
    assert client.finish(waits).outcome == "interrupted"
    assert client.value("1 + 1") == "2"


def test_no_interrupt_is_left_behind(edge, serve, tool):
    """200 short evaluations with interrupts at random moments: each hits its own or nothing."""
    server = serve(python=edge.plain)
    client, other = tool(server), tool(server)
    session = client.open()
    random.seed(7)
    outcomes = []
    for number in range(200):
        short = client.stream("Evaluate", source="r = sum(1 for _ in range(%d)); %d" % (random.randrange(3000), number),
                              session=session)
        if random.random() < 0.7:
            if random.random() < 0.5:
                while short.session is None:
                    client.step()
            asked = other.ask("Interrupt", session=session)
            assert asked["outcome"] in ("interrupted", "idle", "stale"), asked
        done = client.finish(short)
        outcomes.append(done.outcome)
        if done.outcome == "value":
            assert done.value == str(number)
        else:
            assert done.outcome == "interrupted", done.reply
        if number % 20 == 0:
            assert client.value("sum(1 for _ in range(20000))", session=session) == "20000"
    assert "value" in outcomes and client.value("1 + 1", session=session) == "2"


def test_the_result_of_a_job_can_be_interrupted(edge, serve, tool):
    """Its repr runs code of the program's, which may not end."""
    client = tool(serve(python=edge.plain))
    client.evaluate("class Slow:\n    def __repr__(self):\n        print('on')\n        while True: pass")
    number = client.ask("StartJob", source="Slow()")["job"]
    waits = client.stream("AwaitJob", job=number)
    client.wait_for(waits, "on")
    assert client.interrupt(waits)["outcome"] == "interrupted"
    assert client.finish(waits).outcome == "interrupted"
    assert client.job(number)["state"] == "done"
