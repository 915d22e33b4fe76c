"""The client that unpythonic 2.5 ships, unmodified, in a pseudo-terminal, against our server."""

import subprocess

import pytest

from deadline import PATIENCE
from interpreters import interpreters
from peers import environment_python

WITH_ANCESTOR = [found for found in interpreters() if found.has_ancestor]
assert WITH_ANCESTOR, "unpythonic's client needs a CPython >= 3.10: install one"


@pytest.fixture(params=[WITH_ANCESTOR[0], WITH_ANCESTOR[-1]], ids=lambda found: "client" + found.minor)
def client_python(request):
    return environment_python(request.param.macros)


@pytest.fixture(params=["plain", "macros"])
def session(request, client_python, newest, serve, terminal, environment):
    """The client at its first prompt."""
    server = serve(python=getattr(newest, request.param))
    screen = terminal([client_python, "-m", "unpythonic.net.client", "127.0.0.1", server.port, server.control_port],
                      environment)
    screen.wait_for("REPL session 1 connected.")
    at_prompt(screen)
    screen.server = server
    return screen


def at_prompt(screen, prompt=">>>>"):
    """The cursor is behind a prompt: after an interrupt there are two on the line, for the client sends one line more."""
    screen.wait(lambda screen: screen.cursor_line.rstrip().endswith(prompt), "the prompt " + prompt)


def enter(screen, line, prompt=">>>>"):
    """Types a line, and waits for the answer's prompt below it."""
    screen.type(line)
    screen.wait(lambda screen: screen.cursor_line.endswith(line), "echo of " + line)
    screen.type("\r")
    at_prompt(screen, prompt)


def interrupt(screen):
    """Ctrl-C, what the server says to it, and the prompt after that.

    The client's readline loses sight of a signal that arrives while it handles a character, until the next key is
    pressed: a person presses Ctrl-C again, and so do we.
    """
    before = screen.raw.count(b"KeyboardInterrupt")
    for attempt in range(4):
        screen.type("\x03")
        try:
            screen.wait(lambda screen: screen.raw.count(b"KeyboardInterrupt") > before, "KeyboardInterrupt", 5)
            break
        except AssertionError:
            if attempt == 3:
                raise
    at_prompt(screen)


def test_a_prompt_and_an_answer(session):
    enter(session, "6 * 7")
    session.wait_lines(">>>> 6 * 7", "42", ">>>>")
    session.type("print('žluť' * 2, '日本')\r")
    session.wait_for("žluťžluť")
    at_prompt(session)
    enter(session, "1/0")
    session.wait_lines("ZeroDivisionError: division by zero", ">>>>")


def test_multi_line_input(session):
    enter(session, "for i in range(3):", "....")
    enter(session, "    print('row', i)", "....")
    session.type("\r")
    session.wait_lines("row 0", "row 1", "row 2", ">>>>")


def test_history(session):
    enter(session, "40 + 2")
    session.type("\x1b[A")
    session.wait(lambda screen: screen.cursor_line.endswith("40 + 2"), "the line from the history")
    session.type("\r")
    session.wait_lines("42", ">>>> 40 + 2", "42", ">>>>")


def test_tab_completion(session):
    session.type("server_pr\t")
    session.wait(lambda screen: screen.cursor_line.startswith(">>>> server_print("), "the completed name")
    session.type("'from the client', flush=True)\r")
    assert session.server.stdout.line() == "from the client"
    at_prompt(session)
    enter(session, "import sys")
    session.type("sys.getrecursionl\t")
    session.wait(lambda screen: "sys.getrecursionlimit(" in screen.cursor_line, "the completed attribute")
    session.type("\x15")
    session.type("sys.std\t\t")
    session.wait_for("sys.stderr")
    session.wait_for("sys.stdin")
    session.type("\x15")
    enter(session, "1 + 1")
    session.wait_lines("2", ">>>>")


def test_ctrl_c_in_a_loop(session):
    for _ in range(3):
        session.type("exec('print(\"looping\")\\nwhile True: pass')\r")
        session.wait(lambda screen: [line for line in screen.lines if line][-1] == "looping", "the loop runs")
        interrupt(session)
    enter(session, "6 * 7")
    session.wait_for("\n42\n")


def test_ctrl_c_at_the_prompt(session):
    for _ in range(3):
        session.type("half a li")
        session.wait(lambda screen: screen.cursor_line.endswith("half a li"), "echo")
        interrupt(session)
    enter(session, "6 * 7")
    session.wait_for("\n42\n")


def test_ctrl_c_inside_a_block(session):
    enter(session, "if True:", "....")
    interrupt(session)
    enter(session, "6 * 7")
    session.wait_for("\n42\n")


def test_ctrl_d(session):
    session.type("\x04")
    session.wait_for("asking server to disconnect")
    session.wait_for("Session closed.")
    assert session.wait_end() == 0


def test_quit(session):
    session.type("quit()\r")
    session.wait_for("disconnected by server.")
    assert session.wait_end() == 0


def test_input(session):
    session.type("name = input('who? ')\r")
    session.wait_for("who? ")
    # The client knows no input: it waits for a prompt. Its line discipline still has the keys.
    interrupt(session)


def test_much_output(session):
    """More than the 4,096 bytes that the client reads at once."""
    enter(session, "for i in range(2000): print('%05d' % i + 'x' * 60)", "....")
    session.type("\r")
    session.wait_lines("01999" + "x" * 60, ">>>>")
    shown = bytes(session.raw)
    at = 0
    for n in range(2000):
        at = shown.find(b"%05d" % n + b"x" * 60, at)
        assert at >= 0, n


def test_a_long_completion(client_python, serve, environment, connect):
    """A reply of more than 4,096 bytes breaks its decoder, when header and body arrive in one read.

    A server may keep such a name to itself; the client must not break, and gets the next answer.
    """
    server = serve()
    connect(server).run("name_%s = 1" % ("y" * 6000))
    code = ("import socket; from unpythonic.net.client import ControlClient\n"
            "s = socket.create_connection(('127.0.0.1', %d)); c = ControlClient(s)\n"
            "d = c.describe_server(); assert d['status'] == 'ok', d\n"
            "for _ in range(20):\n    text = c.complete('name_yy', 0); assert text is None or len(text) == 6005, text\n"
            "    assert c.complete('prin', 0).startswith('print')\n"
            "print('whole')" % server.control_port)
    done = subprocess.run([client_python, "-c", code], env=environment, timeout=PATIENCE,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    assert done.stdout.decode() == "whole\n"


def test_the_documented_commands(client_python, serve, environment, connect):
    """The ancestor's own ControlClient class, method by method."""
    server = serve()
    client = connect(server)
    client.send("exec('print(\"on\")\\nwhile True: pass')\n")
    client.expect("on\n")
    code = ("import socket; from unpythonic.net.client import ControlClient\n"
            "s = socket.create_connection(('127.0.0.1', %d)); c = ControlClient(s)\n"
            "assert c.describe_server()['prompts'] == {'ps1': '>>>> ', 'ps2': '.... '}\n"
            "assert c.describe_server()['control_protocol_version'] == '1.0'\n"
            "assert not c.send_kbinterrupt()\n"
            "assert not c.pair_with_session(12345)\n"
            "assert c.pair_with_session(1)\n"
            "assert c.complete('prin', 0) and c.complete('prin', 1) is None\n"
            "assert c.send_kbinterrupt()\nprint('done')" % server.control_port)
    done = subprocess.run([client_python, "-c", code], env=environment, timeout=PATIENCE,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    assert done.stdout.decode().endswith("done\n"), done.stdout
    assert done.stdout.decode().count("reason:") == 2, done.stdout
    client.expect("KeyboardInterrupt")


def test_the_client_class_over_a_switched_import(embed, connect, newest):
    """A user of unpythonic changes one import; the rest of the program stays."""
    host = embed("""
from replserve import server  # was: from unpythonic.net import server
import sys
bind, repl_port, control_port = server.start(locals=globals(), repl_port=0, control_port=0)
print(repl_port, flush=True)
for line in sys.stdin: pass
server.stop()
""", python=newest.macros)
    assert connect(int(host.stdout.line())).run("bind") == "'127.0.0.1'\n"
