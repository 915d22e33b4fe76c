"""What a client needs that a person sits at: blocks, evaluations made jobs, sessions taken up again, passwords, pages."""

import pytest

from deadline import eventually
from macro_modules import write_number_macro
from process_facts import threads
from wire_client import WireClient


@pytest.fixture
def server(interpreter, serve):
    return serve(python=interpreter.plain)


@pytest.fixture
def client(server, tool):
    return tool(server)


def block(client, source, session, **fields):
    return client.evaluate(source, mode="block", session=session, **fields)


def begun(client, source, session, text="on\n"):
    """A block that has printed `text` and goes on."""
    evaluation = client.start(source, mode="block", session=session)
    client.wait_for(evaluation, text)
    return evaluation


def background(client, evaluation):
    number = client.ask("Background", session=evaluation.session, evaluation=evaluation.number)["job"]
    assert client.finish(evaluation).outcome == "backgrounded"
    assert evaluation.reply["job"] == number
    return number


def ended(client, number):
    """The row of a job that has come to its end."""
    def row():
        return next((row for row in client.ask("Jobs")["jobs"] if row["job"] == number and row["state"] != "running"),
                    None)
    return eventually(row, "the end of job %d" % number)


# Blocks.

DRAFTS = [
    ("", True, ""), ("x = 1", True, ""), ("x = = 1", True, ""), ("obj?", True, ""), ("f(", False, "    "),
    ("for i in x:", False, "    "), ("for i in x:\n    y", False, "    "), ("for i in x:\n    y\n", True, ""),
    ("def f():\n    return 1", False, ""), ("a = 1\nb = 2", True, ""), ("a = 1\nwhile a:", False, "    "),
    ("'''text", False, ""), ("'''text\n'''", True, ""), ("if a:\n    if b:  # why:", False, "        "),
    ("x = [1,  # one", False, "    "), ("x = [1,\n     2]", True, "     "), ("@decorated", False, ""),
    ("try:\n    pass", False, ""), ("'a: ('", True, ""),
]


def test_drafts(client):
    for source, complete, indent in DRAFTS:
        reply = client.ask("Check", source=source)
        assert (source, reply["complete"]) == (source, complete)
        if not complete:
            assert (source, reply["indent"]) == (source, indent)


def test_a_block_shows_every_value(client):
    session = client.open()
    done = block(client, "a = 1\na\n'two'\nNone\nprint('said')\na + 2", session)
    assert (done.values, done.out) == ("1\n'two'\n3\n", b"said\n")
    assert block(client, "_", session).values == "3\n"
    assert block(client, "def f(x):\n    return x / 0\n", session).values == ""
    done = block(client, "'first'\nf(1)\n'never'", session)
    assert (done.outcome, done.values) == ("exception", "'first'\n")
    assert done.exception["type"] == "ZeroDivisionError"
    assert [place["line"] for place in done.exception["frames"]] == [2, 2]
    assert block(client, "x = = 1", session).exception["type"] == "SyntaxError"
    assert block(client, "from __future__ import annotations", session).outcome == "value"
    assert block(client, "def g(x: undefined): pass", session).outcome == "value"


def test_a_display_hook_of_the_users_own(client):
    session = client.open()
    block(client, "import sys\nsys.displayhook = lambda value: print('<%s>' % value)", session)
    done = block(client, "6 * 7", session)
    assert (done.values, done.out) == ("", b"<42>\n")


def test_macros_in_blocks(edge, serve, tool, tmp_path):
    write_number_macro(tmp_path, "number_macro", "number", 41)
    client = tool(serve("-i", "-c", "import sys; sys.path.insert(0, %r)" % str(tmp_path), python=edge.macros))
    session = client.open()
    done = block(client, "from number_macro import macros, number\nnumber[0] + 1", session)
    assert done.outcome == "value", done.reply
    assert done.values == "42\n"
    assert b"number" in block(client, "macros?", session).err


# Evaluations that become jobs.

LOOP = "import time\nprint('on', flush=True)\nwhile not done: time.sleep(0.01)\nprint('off'); 'result'"


def test_a_loop_becomes_a_job(client):
    session = client.open()
    block(client, "done = False\nkept = 'kept'; kept", session)
    number = background(client, begun(client, LOOP, session))
    # The prompt is back, with what the session had.
    assert block(client, "_", session).values == "'kept'\n"
    (row,) = client.ask("Jobs")["jobs"]
    assert (row["job"], row["state"], row["owner"]) == (number, "running", "session %d" % session)
    assert row["cpu"] is not None
    assert "Job %%%d" % number in block(client, "fg(%d)" % number, session).values
    block(client, "done = True", session)
    assert ended(client, number)["state"] == "done"
    printed = client.finish(client.stream("JobOutput", job=number))
    assert printed.out == b"off\n"
    for _ in range(2):
        assert client.finish(client.stream("AwaitJob", job=number)).value == "'result'"
    assert block(client, "fg(%d)" % number, session).values == "'result'\n"


def test_one_that_sleeps_in_c_gives_the_prompt_back(client):
    session = client.open()
    sleeping = begun(client, "import threading; stop = threading.Event()\nprint('on', flush=True)\nstop.wait(); 7", session)
    number = background(client, sleeping)
    assert block(client, "6 * 7", session).values == "42\n"
    block(client, "stop.set()", session)
    assert ended(client, number)["state"] == "done"
    assert client.finish(client.stream("AwaitJob", job=number)).value == "7"


def test_one_that_waits_for_room_in_the_output_goes_on(client):
    session = client.open()
    flood = client.start("for _ in range(2000): print('y' * 1000)\n'through'", mode="block", session=session)
    number = client.ask("Background", session=session)["job"]
    assert client.finish(flood).outcome in ("backgrounded", "value")
    assert ended(client, number)["state"] == "done"
    kept = client.finish(client.stream("JobOutput", job=number))
    assert kept.reply["dropped"] + len(kept.out) + len(flood.out) == 2000 * 1001
    assert client.finish(client.stream("AwaitJob", job=number)).value == "'through'"


def test_one_that_reads_finds_the_end_of_input(client):
    session = client.open()
    asking = client.start("input('? ')", mode="block", session=session)
    while not asking.inputs:
        client.step()
    number = background(client, asking)
    assert ended(client, number)["state"] == "failed"
    assert b"EOFError" in client.finish(client.stream("JobOutput", job=number)).err
    assert client.finish(client.stream("AwaitJob", job=number)).exception["type"] == "EOFError"


def test_an_interrupt_finds_the_job_and_not_the_session(client):
    session = client.open()
    number = background(client, begun(client, "print('on', flush=True)\nwhile True: pass", session))
    beside = begun(client, "print('on', flush=True)\nwhile True: pass", session)
    assert client.ask("Interrupt", job=number)["outcome"] == "interrupted"
    assert ended(client, number)["state"] == "interrupted"
    assert client.interrupt(beside)["outcome"] == "interrupted"
    assert client.finish(beside).outcome == "interrupted"
    assert block(client, "'fine'", session).values == "'fine'\n"


def test_several_from_one_session_and_its_end(client, server):
    before = threads(server.pid)
    session = client.open()
    block(client, "done = False", session)
    numbers = [background(client, begun(client, LOOP, session)) for _ in range(3)]
    client.ask("CloseSession", session=session)
    # Jobs outlive their session.
    assert [row["state"] for row in client.ask("Jobs")["jobs"]] == ["running"] * 3
    client.evaluate("done = True")
    assert [ended(client, number)["state"] for number in numbers] == ["done"] * 3
    eventually(lambda: threads(server.pid) <= before + 2, "the end of the threads of jobs")


def test_an_evaluation_without_a_session_of_its_own(client):
    """Its session was made for it alone, and is over when it has become a job."""
    alone = client.start("print('on', flush=True)\nimport time\nwhile True: time.sleep(0.01)", mode="block")
    client.wait_for(alone, "on\n")
    number = background(client, alone)
    assert client.ask("Sessions")["sessions"] == []
    assert client.ask("KillJob", job=number)["state"] == "interrupted"


def test_what_cannot_be_made_a_job(client, server, tool):
    session = client.open()
    assert client.request("Background", session=session)["status"] == "failed"
    assert client.request("Background", session=999)["code"] == "no-session"
    main = client.start("import time\nprint('on', flush=True)\nwhile True: time.sleep(0.01)", mode="block",
                        session=session, place="main")
    client.wait_for(main, "on\n")
    refused = client.request("Background", session=session)
    assert refused["status"] == "failed" and "main thread" in refused["reason"]
    assert tool(server).request("Background", session=session)["code"] == "not-permitted"
    assert client.interrupt(main)["outcome"] == "interrupted"
    assert client.finish(main).outcome == "interrupted"
    assert client.ask("Jobs")["jobs"] == []


# Jobs that end.

def test_ends_are_told(client):
    watch = client.stream("Watch")
    client.finish(watch, grant=False)
    number = client.ask("StartJob", source="1/0")["job"]
    while not watch.events:
        client.step()
    (event,) = watch.events
    assert (event["job"], event["state"], event["source"]) == (number, "failed", "1/0")
    assert client.request("Watch")["status"] == "failed"


# Sessions that are left.

def left(client, session):
    def row():
        return next((row for row in client.ask("Sessions")["sessions"]
                     if row["session"] == session and row["peer"].startswith("left by ")), None)
    return eventually(row, "session %d being left" % session)


def test_a_session_is_taken_up_again(client, server, tool):
    first = WireClient(server.announced["socket"])
    session = first.ask("OpenSession", detach=True)["session"]
    block(first, "done = False\nname = 'kept'; name", session)
    begun(first, LOOP, session)
    assert client.request("Attach", session=session)["code"] == "busy"
    first.close()
    assert left(client, session)["state"] == "evaluating"
    taken = client.stream("Attach", session=session)
    client.evaluate("done = True")
    client.finish(taken)
    assert (taken.order[0], taken.outcome, taken.out, taken.values) == ("started", "value", b"off\n", "'result'\n")
    assert block(client, "_, name", session).values == "('result', 'kept')\n"
    # It is this connection's now, and ends with it only after it was left again.
    client.close()
    second = tool(server)
    assert left(second, session)["state"] == "idle"
    assert second.ask("Attach", session=session)["outcome"] == "idle"
    second.ask("CloseSession", session=session)
    assert second.request("Attach", session=session)["code"] == "no-session"


def test_a_question_waits_for_whoever_comes(client, server):
    for question, echo in (("input('Name? ')", True), ("import getpass; getpass.getpass('Word? ')", False)):
        first = WireClient(server.announced["socket"])
        session = first.ask("OpenSession", detach=True)["session"]
        begun(first, "import time\nprint('on', flush=True)\nfor _ in range(100): time.sleep(0.002)\n" + question,
              session)
        first.close()
        left(client, session)
        taken = client.stream("Attach", session=session)
        while not taken.inputs:
            assert client.step() != "reply" or taken.reply is None, taken.reply
        assert taken.out.endswith(b"? ") and taken.events[-1]["echo"] is echo
        client.tell("Input", request=taken.request, text="here\n")
        assert client.finish(taken).values == "'here'\n"
        client.ask("CloseSession", session=session)


def test_too_much_output_is_dropped_and_nobody_waits(client, server):
    first = WireClient(server.announced["socket"])
    session = first.ask("OpenSession", detach=True)["session"]
    client.evaluate("go = False; over = False")
    begun(first, "import time\nprint('on', flush=True)\nwhile not go: time.sleep(0.01)\n"
                 "for n in range(20000): print('%05d' % n * 20)\nover = True\n'whole'", session)
    first.close()
    left(client, session)
    client.evaluate("go = True")
    eventually(lambda: client.value("over") == "True", "the end of what was left")
    taken = client.finish(client.stream("Attach", session=session))
    (dropped,) = [event["bytes"] for event in taken.events if event["event"] == "dropped"]
    assert dropped + len(taken.out) == 20000 * 101
    assert taken.out.endswith(b"19999" * 20 + b"\n")
    assert taken.values == "'whole'\n"


def test_a_session_that_is_not_kept_ends(client, server):
    first = WireClient(server.announced["socket"])
    session = first.open()
    begun(first, "print('on', flush=True)\nwhile True: pass", session)
    first.close()
    eventually(lambda: client.ask("Sessions")["sessions"] == [], "the end of the session")


# What the process itself prints.

TALKER = """
import sys, threading
before = sys.stdout, sys.stderr
say = threading.Event()
for line in sys.stdin:
    print("line", line.strip(), flush=True)
    sys.stdout.write("written\\n"); sys.stdout.flush()
    print("wrong", file=sys.stderr, flush=True)
    print(sys.stdout is before[0] and sys.stderr is before[1], flush=True)
"""


def test_listening_in(edge, serve, tool):
    server = serve(python=edge.plain, source=TALKER, stdin=-1)
    listener, other = tool(server), tool(server, door="control")
    taps = [listener.stream("Tee"), other.stream("Tee")]
    eventually(lambda: listener.value("type(sys.stdout).__name__", place="session") and
               "Teed" in listener.value("repr(type(__import__('replserve.routing').routing.original('stdout')))"),
               "somebody listening")
    server.tell("one")
    for client, tap in ((listener, taps[0]), (other, taps[1])):
        while b"False\n" not in b"".join(tap.pieces[b"O"]):
            assert client.step() is not None
        assert b"".join(tap.pieces[b"O"]) == b"line one\nwritten\nFalse\n"
        assert b"".join(tap.pieces[b"E"]) == b"wrong\n"
    assert listener.evaluate("print('mine'); server_print('ours')").out == b"mine\n"
    while b"ours\n" not in b"".join(taps[1].pieces[b"O"]):
        assert other.step() is not None
    assert b"mine" not in b"".join(taps[1].pieces[b"O"])
    other.close()
    server.tell("two")
    while b"line two\n" not in b"".join(taps[0].pieces[b"O"]):
        assert listener.step() is not None
    listener.close()
    asker = tool(server)
    eventually(lambda: "Teed" not in asker.value(
        "repr(type(__import__('replserve.routing').routing.original('stdout')))"), "nobody listening")
    asker.close()

    def is_whole():
        server.tell("again")
        server.stdout.wait_for("line again\nwritten\n")
        return server.stdout.line() == "True"
    eventually(is_whole, "the host having its own streams")
    server.process.stdin.close()


# Passwords and pages.

def test_a_password_is_asked_of_the_client(client):
    session = client.open()
    asking = client.start("from getpass import getpass\ngetpass('Secret: ')", mode="block", session=session)
    while not asking.inputs:
        client.step()
    assert (asking.out, asking.events[-1]["echo"]) == (b"Secret: ", False)
    client.tell("Input", request=asking.request, text="s3same\n")
    assert client.finish(asking).values == "'s3same'\n"
    asking = client.start("input()", mode="block", session=session)
    while not asking.inputs:
        client.step()
    assert asking.events[-1]["echo"] is True
    client.tell("Input", request=asking.request, end=True)
    assert client.finish(asking).exception["type"] == "EOFError"


def test_help_goes_to_the_pager_of_who_has_one(client):
    session = client.open()
    paged = block(client, "help(len)", session, pages=True)
    text = b"".join(paged.pieces[b"p"])
    assert b"number of items" in text and b"\b" not in text
    assert paged.order.index("page") > paged.order.index(b"p")
    assert b"number of items" not in paged.out
    assert b"number of items" in block(client, "help(len)", session).out
    # What is caught is not shown.
    caught = block(client, "import contextlib, io\nwith contextlib.redirect_stdout(io.StringIO()) as file: help(len)\n"
                           "'number of items' in file.getvalue()", session, pages=True)
    assert (caught.values, caught.pieces[b"p"]) == ("True\n", [])


def test_the_window_of_the_client(client):
    session = client.open()
    size = "import shutil; tuple(shutil.get_terminal_size((1, 2)))"
    assert client.value(size, session=session) == "(1, 2)"
    client.ask("Resize", session=session, columns=132, rows=43)
    assert client.value(size, session=session) == "(132, 43)"
    client.ask("Resize", session=session, columns=40, rows=10)
    assert client.value(size, session=session) == "(40, 10)"
    assert client.value(size) == "(1, 2)"


def test_the_host_gets_its_functions_back(embed, tool, oldest):
    host = embed(
        "import getpass, pydoc, shutil, sys\n"
        "def functions(): return getpass.getpass, pydoc.pager, shutil.get_terminal_size\n"
        "before = functions()\nimport replserve\n"
        "address = replserve.start(locals=globals(), repl_port=0, control_port=0)\nprint(address.socket, flush=True)\n"
        "sys.stdin.readline()\nreplserve.stop()\nprint(functions() == before, flush=True)\nsys.stdin.read()",
        python=oldest.plain)
    client = WireClient(host.stdout.line())
    assert client.value("1 + 1") == "2"
    client.evaluate("help(len)")
    client.close()
    assert host.ask("stop") == "True"
