"""Interrupts of what waits in C: each row of waits.py ends, or is told to be blocked, and leaves nothing broken behind."""

import random
import threading
import time

import pytest

from deadline import eventually
from interpreters import ROOT
from process_facts import status
from waits import PREPARED, WAITS, waits_in

#: Seconds in which the prompt is back. Not a measurement: a busy machine takes longer than an idle one.
BOUND = 5.0


def kernel_thread(client, role):
    """The kernel's number of the thread that has a role."""
    return next((row["thread"] for row in client.ask("Threads")["threads"] if row["role"] == role), None)


def begin(client, server, wait, place="session", **fields):
    """Starts a row and waits until it waits."""
    client.evaluate(PREPARED)
    client.evaluate(wait.setup)
    waiting = client.start("run(lambda: %s)" % wait.source, place=place, **fields)
    client.wait_for(waiting, "on")
    if wait.calls:
        thread = server.pid if place == "main" else kernel_thread(client, "session %d" % waiting.session)

        def waits():
            # Whoever waits for the interpreter seems to wait as for a lock: after somebody else has had it, no more.
            return waits_in(server.pid, thread, wait.calls) and client.value("1") == "1" and waits_in(
                server.pid, thread, wait.calls)

        eventually(waits, "it waits in " + " or ".join(wait.calls))
    return waiting


@pytest.mark.parametrize("place", ["session", "main"])
@pytest.mark.parametrize("wait", WAITS, ids=repr)
def test_a_wait(interpreter, serve, tool, wait, place):
    server = serve(python=interpreter.plain)
    client = tool(server)
    session = client.open()
    waiting = begin(client, server, wait, place, session=session)
    began = time.monotonic()
    reply = client.interrupt(waiting)
    took = time.monotonic() - began
    assert took < BOUND
    if not wait.ends(interpreter.version[:2], place):
        assert reply["outcome"] == "blocked" and reply["where"]["call"] in wait.calls, reply
        return
    assert reply["outcome"] == "interrupted", reply
    done = client.finish(waiting)
    assert done.outcome == "interrupted" and done.exception["type"] == "KeyboardInterrupt", done.reply
    assert done.exception["traceback"].endswith("KeyboardInterrupt\n") and b"never" not in done.out
    assert client.value(wait.check) == "True"
    # Nothing is left for the next one of the same thread.
    after = client.evaluate("sum(1 for _ in range(100000))", session=session, place=place)
    assert after.outcome == "value" and after.value == "100000", after.reply


def test_the_table():
    """docs/interrupts.md says what the rows are found to do."""
    text = (ROOT / "docs" / "interrupts.md").read_text()
    table = [tuple(cell.strip() for cell in line.strip("|").split("|"))
             for line in text.splitlines() if line.startswith("| ")][2:]
    columns = [(3, 9), (3, 12), (3, 13)]
    assert all(wait.cell((3, 9)) == wait.cell((3, minor)) for wait in WAITS for minor in (10, 11))
    assert table == [(wait.name, *map(wait.cell, columns)) for wait in WAITS]


def row(name):
    return next(wait for wait in WAITS if wait.name == name)


@pytest.mark.parametrize("name", ["time.sleep", "Event.wait", "socket.recv", "os.read"])
def test_in_a_job(interpreter, serve, tool, name):
    server = serve(python=interpreter.plain)
    client = tool(server)
    client.evaluate(PREPARED)
    number = client.ask("StartJob", source="run(lambda: %s)" % row(name).source)["job"]
    follower = client.stream("JobOutput", job=number, follow=True)
    client.wait_for(follower, "on")
    eventually(lambda: waits_in(server.pid, kernel_thread(client, "job %%%d" % number), row(name).calls), "it waits")
    assert client.ask("Interrupt", job=number)["outcome"] == "interrupted"
    assert client.job(number)["state"] == "interrupted"
    assert client.value(row(name).check) == "True"


def test_through_the_text_port(interpreter, console, serve, paired):
    client, control = paired(serve(python=getattr(interpreter, console)))
    client.run("import socket, time; near, far = socket.socketpair()")
    for source in ("time.sleep(1000)", "near.recv(1)"):
        client.send("print('on'); %s\n" % source)
        client.expect("on\n")
        control.interrupt()
        text = client.expect("KeyboardInterrupt\n>>>> ")
        assert b"OSError" not in text and b"ECANCELED" not in text
        assert client.run("1 + 1") == "2\n"


@pytest.mark.parametrize("wait", ["time.sleep(1000)", "event.wait()"])
def test_what_cleans_up_is_not_struck(interpreter, serve, tool, wait):
    """The interrupt has come: whoever caught it may sleep."""
    client = tool(serve(python=interpreter.plain))
    client.evaluate(PREPARED)
    waiting = client.start("try:\n    run(lambda: %s)\nexcept BaseException:\n    start = time.monotonic()\n"
                           "    time.sleep(0.9)\n    print(time.monotonic() - start >= 0.9)\n'whole'" % wait)
    client.wait_for(waiting, "on")
    client.interrupt(waiting)
    done = client.finish(waiting)
    assert (done.outcome, done.out) == ("value", b"on\nTrue\n"), (done.reply, done.out)


def test_whoever_catches_the_failure_does_not_get_away(interpreter, serve, tool):
    client = tool(serve(python=interpreter.plain))
    client.evaluate(PREPARED)
    stubborn = client.start("print('on')\nwhile True:\n    try:\n        near.recv(1)\n    except OSError:\n        pass")
    client.wait_for(stubborn, "on")
    assert client.interrupt(stubborn)["outcome"] == "interrupted"
    assert client.finish(stubborn).outcome == "interrupted"


def test_an_error_of_the_program_is_no_interrupt(edge, serve, tool):
    """The same exception without an interrupt is what it is."""
    client = tool(serve(python=edge.plain))
    done = client.evaluate("import errno\nraise OSError(errno.ECANCELED, 'mine')")
    assert done.outcome == "exception" and done.exception["message"].endswith("mine")


def test_the_host_sees_no_handler(edge, serve, tool):
    """Before and after: it catches the same signals, and a signal of ours is not left to anybody."""
    server = serve(python=edge.plain)
    client = tool(server)
    client.evaluate(PREPARED)
    before = status(server.pid, "SigCgt")
    for _ in range(20):
        waiting = begin(client, server, row("time.sleep"))
        assert client.interrupt(waiting)["outcome"] == "interrupted"
        client.finish(waiting)
        assert status(server.pid, "SigCgt") == before


def test_signals_that_are_blocked(edge, serve, tool):
    """A thread that takes no signals is left alone: what waits is blocked, and goes on."""
    server = serve(python=edge.plain)
    client = tool(server)
    client.evaluate("import os, signal; reading, writing = os.pipe()")
    waiting = client.start("mask = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals()); print('on')\n"
                           "os.read(reading, 1)")
    client.wait_for(waiting, "on")
    eventually(lambda: waits_in(server.pid, kernel_thread(client, "session %d" % waiting.session), ["read"]), "it waits")
    assert client.interrupt(waiting)["outcome"] == "blocked"
    client.evaluate("os.write(writing, b'x')")
    assert client.finish(waiting).outcome == "interrupted"
    assert client.value("1 + 1") == "2"


def test_raced_against_the_end_of_the_call(interpreter, serve, tool):
    """Calls that end by themselves while they are about to be struck: the next evaluation is never hit."""
    server = serve(python=interpreter.plain)
    client, other = tool(server), tool(server)
    client.evaluate(PREPARED)
    session = client.open()
    random.seed(3)
    outcomes = []
    for number in range(60):
        waiting = client.start("run(lambda: time.sleep(%f)); %d" % (random.uniform(0.03, 0.07), number), session=session)
        client.wait_for(waiting, "on")
        asked = other.ask("Interrupt", session=session)
        assert asked["outcome"] in ("interrupted", "idle", "stale"), asked
        done = client.finish(waiting)
        outcomes.append(done.outcome)
        assert done.outcome == "interrupted" or done.value == str(number), done.reply
        assert client.value("time.sleep(0.01); sum(1 for _ in range(3000))", session=session) == "3000"
    assert "interrupted" in outcomes


def test_raced_against_data(interpreter, serve, tool):
    """A byte that arrives at the moment of the strike is read by the one or by the other, and never lost."""
    server = serve(python=interpreter.plain)
    client = tool(server)
    client.evaluate(PREPARED)
    random.seed(5)
    session = client.open()
    for _ in range(40):
        client.evaluate("got = b''\ndef late(after):\n    time.sleep(after); os.write(writing, b'x')")
        waiting = client.start("def take():\n    global got\n    got = os.read(reading, 1)\n"
                               "threading.Thread(target=late, args=(%f,)).start()\nrun(take)" % random.uniform(0.04, 0.06),
                               session=session)
        client.wait_for(waiting, "on")
        client.ask("Interrupt", session=session)
        client.finish(waiting)
        # Where the call had ended, the interrupt came before what it returned was kept: as Ctrl-C does in any Python.
        assert client.value("select.select([reading], [], [], 0 if got else 0.2)[0] != [] or got") in ("True", "b'x'", "b''")
        client.evaluate("while select.select([reading], [], [], 0)[0]: os.read(reading, 1)")
    assert client.value("1 + 1") == "2"


def test_many_at_once(interpreter, serve, tool):
    """Eight sessions that wait, each interrupted by a connection of its own."""
    server = serve(python=interpreter.plain)
    tool(server).evaluate(PREPARED)
    names = ["time.sleep", "Event.wait", "os.read", "Queue.get"] * 2
    failures = []

    def work(name):
        try:
            client = tool(server)
            for _ in range(5):
                waiting = client.start("run(lambda: %s)" % row(name).source)
                client.wait_for(waiting, "on")
                assert client.interrupt(waiting)["outcome"] == "interrupted", name
                assert client.finish(waiting).outcome == "interrupted"
        except BaseException as failure:
            failures.append((name, failure))

    workers = [threading.Thread(target=work, args=(name,)) for name in names]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not failures, failures
