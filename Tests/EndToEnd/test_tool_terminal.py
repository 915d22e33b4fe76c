"""The tools in a terminal: Ctrl-C at every stage, input by hand."""

import signal

import pytest

import tools
from deadline import eventually
from fake_server import FakeServer
from peers import built

CTRL_C, CTRL_D = "\x03", "\x04"
LOOP = "print('started', flush=True)\nwhile True: pass"
SLEEP = "import time\nprint('started', flush=True)\ntime.sleep(1000)"
FLOOD = "while True: print('started')"
# It waits in spite of every interrupt.
STUCK = ("import threading\nheld = threading.Event()\nprint('started', flush=True)\nwhile not held.is_set():\n"
         "    try: held.wait()\n    except KeyboardInterrupt: pass")


@pytest.fixture
def replctl(terminal, environment):
    built(tools.REPLCTL)
    return lambda *words, **options: terminal([tools.REPLCTL, *words], environment, **options)


@pytest.fixture
def ask(environment):
    return lambda *words: tools.run(("replctl", *words), environment)


@pytest.mark.parametrize("code", [LOOP, FLOOD], ids=["loop", "flood"])
def test_ctrl_c_ends_an_evaluation(code, replctl, server, ask):
    screen = replctl("eval", code)
    screen.wait_raw(b"started")
    screen.type(CTRL_C)
    assert screen.wait_end() == 130
    eventually(lambda: ask("sessions", "--no-header").output == b"", "the session is gone")


@pytest.mark.parametrize("code", [SLEEP, STUCK], ids=["sleep", "lock"])
def test_ctrl_c_in_what_blocks(code, replctl, server, ask):
    """It ends, or is told where it is stuck and may be left."""
    screen = replctl("eval", code)
    screen.wait_raw(b"started")
    screen.type(CTRL_C)
    screen.wait(lambda screen: screen.ended or b"Ctrl-C again leaves it" in screen.raw or b"interrupted" in screen.raw, "an answer")
    if b"Ctrl-C again leaves it" in screen.raw:
        assert b"blocked in " in screen.raw
        screen.type(CTRL_C)
    assert screen.wait_end() == 130
    if code is STUCK:
        ask("eval", "held.set()")


def test_ctrl_c_three_times_at_once(replctl, server):
    screen = replctl("eval", LOOP)
    screen.wait_raw(b"started")
    screen.type(CTRL_C * 3)
    assert screen.wait_end() == 130


def test_ctrl_c_between_pieces_of_code(replctl, server, ask):
    """None of the later ones is run."""
    screen = replctl("eval", LOOP, "print('never')", "later = 1")
    screen.wait_raw(b"started")
    screen.type(CTRL_C)
    assert screen.wait_end() == 130
    assert b"never" not in screen.raw
    assert ask("eval", "later").status == tools.FAILED


def test_ctrl_c_at_a_question(replctl, server):
    screen = replctl("eval", "name = input('who? ')")
    screen.wait_for("who?")
    screen.type(CTRL_C)
    assert screen.wait_end() == 130


def test_a_question_is_answered(replctl, server):
    screen = replctl("eval", "print('hello', input('who? '))")
    screen.wait_for("who?")
    screen.type("Karel\r")
    assert screen.wait_end() == 0
    assert screen.lines[:2] == ["who? Karel", "hello Karel"]


def test_ctrl_d_at_a_question(replctl, server):
    screen = replctl("eval", "input('who? ')")
    screen.wait_for("who?")
    screen.type(CTRL_D)
    assert screen.wait_end() == 1
    assert b"EOFError" in screen.raw


@pytest.mark.parametrize("words", [("fg", "%1"), ("output", "--follow", "%1")], ids=["fg", "output"])
def test_ctrl_c_leaves_a_job_alone(words, replctl, server, ask):
    assert ask("bg", LOOP).output == b"%1\n"
    screen = replctl(*words)
    if words[0] == "output":
        screen.wait_raw(b"started")
    else:
        # It shows nothing before the end.
        eventually(lambda: connections(server) >= 1, "fg is connected")
    screen.type(CTRL_C)
    assert screen.wait_end() in (130, -signal.SIGINT)
    assert ask("jobs", "--no-header").output.startswith(b"%1\trunning\t")
    assert ask("kill", "%1").status == 0


def connections(server):
    """How many connections of the server's unix socket there are: unix(7) says 03 of one that is connected."""
    with open("/proc/net/unix") as table:
        return sum(line.rstrip().endswith(" " + server.announced["socket"]) and line.split()[5] == "03" for line in table)


def test_ctrl_c_while_no_server_comes(replctl):
    # There is nothing to see of it; whenever Ctrl-C comes, it ends.
    screen = replctl("wait")
    screen.type(CTRL_C)
    assert screen.wait_end() in (130, -signal.SIGINT)


@pytest.mark.parametrize("words", [("ping",), ("eval", "1"), ("eval", "1", "2"), ("eval", "--json", "1"), ("fg", "%1"), ("jobs",), ("wait",),
                                   ("kill", "%1"), ("bg", "1")], ids=" ".join)
def test_ctrl_c_while_a_server_is_silent(words, replctl, environment, closing):
    asked = []

    def part(conversation):
        for request in conversation.requests():
            asked.append(request)
    closing(FakeServer(part, environment["XDG_RUNTIME_DIR"]))
    screen = replctl(*words, "--timeout", "1000")
    eventually(lambda: len(asked) >= (1 if words[0] in ("ping", "wait") else 2), "it has asked")
    screen.type(CTRL_C)
    assert screen.wait_end() in (130, -signal.SIGINT)


def test_ctrl_c_with_each(replctl, serve):
    serve("--name", "one")
    serve("--name", "two")
    screen = replctl("--each", "eval", LOOP)
    screen.wait_raw(b"started")
    screen.type(CTRL_C)
    assert screen.wait_end() == 130
    assert screen.raw.count(b"started") == 1


def test_a_table_has_the_width_of_the_terminal(terminal, replctl, server, ask):
    ask("bg", "'%s'" % ("long " * 100))
    for columns in (80, 100, 200):
        screen = replctl("jobs", columns=columns)
        assert screen.wait_end() == 0
        rows = [line for line in screen.lines if line]
        assert len(rows) == 2 and rows[1].startswith("%1 ") and rows[1].endswith("..."), rows
        assert len(rows[1]) == columns
