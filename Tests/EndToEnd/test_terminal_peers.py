"""netcat and rlwrap in a pseudo-terminal, as a person uses them."""

import pytest

from peers import tool


@pytest.fixture(params=["nc", "rlwrap nc"])
def session(request, server, terminal, environment):
    argv = [tool(word) for word in request.param.split()]
    screen = terminal([*argv, "127.0.0.1", str(server.port)], environment)
    screen.wait_for("REPL session 1 connected.")
    at_prompt(screen)
    return screen


def at_prompt(screen, prompt=">>>>"):
    screen.wait(lambda screen: screen.cursor_line.rstrip() == prompt, "the prompt " + prompt)


def enter(screen, line, prompt=">>>>"):
    """Types a line, and waits for the prompt below it."""
    screen.type(line)
    screen.wait(lambda screen: screen.cursor_line.rstrip().endswith(line.strip()), "echo of " + line)
    screen.type("\r")
    at_prompt(screen, prompt)


def test_a_conversation(session):
    session.type("6 * 7\r")
    session.wait_lines(">>>> 6 * 7", "42", ">>>>")
    enter(session, "for i in range(2):", "....")
    enter(session, "    print('row', i)", "....")
    session.type("\r")
    session.wait_lines("row 0", "row 1", ">>>>")
    session.type("1/0\r")
    session.wait_lines("ZeroDivisionError: division by zero", ">>>>")


def test_quit(session):
    """netcat itself waits for the end of its own input."""
    session.type("quit()\r")
    session.wait(lambda screen: "Bye." in screen.text, "the session's end")
    session.type("\x04")
    session.wait_end()


def test_input(session):
    session.type("name = input('who? ')\r")
    session.wait(lambda screen: screen.cursor_line.rstrip() == "who?", "the question")
    session.type("Karel\r")
    at_prompt(session)
    session.type("name\r")
    session.wait_lines("'Karel'", ">>>>")


def test_ctrl_c_ends_the_client_only(session, server, connect):
    session.type("exec('print(\"on\")\\nwhile True: pass')\r")
    session.wait(lambda screen: [line for line in screen.lines if line][-1] == "on", "the loop runs")
    session.type("\x03")
    session.wait_end()
    assert connect(server).run("1 + 1") == "2\n"


def test_rlwrap_has_history(server, terminal, environment):
    screen = terminal([tool("rlwrap"), tool("nc"), "127.0.0.1", str(server.port)], environment)
    at_prompt(screen)
    screen.type("40 + 2\r")
    screen.wait_lines("42", ">>>>")
    screen.type("\x1b[A")
    screen.wait(lambda screen: screen.cursor_line.endswith("40 + 2"), "the line from the history")
    screen.type("\r")
    screen.wait_lines("42", ">>>> 40 + 2", "42", ">>>>")
