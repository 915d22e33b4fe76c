"""Evaluations of tools: values, scripts, what they raise, print and read, and the sessions they belong to."""

import pytest

from deadline import eventually
from macro_modules import write_number_macro
from process_facts import resident_mib

DOORS = ["unix", "control"]


@pytest.fixture
def client(interpreter, serve, tool):
    return tool(serve(python=interpreter.plain))


@pytest.mark.parametrize("door", DOORS)
def test_everything_in_its_order(server, tool, door):
    client = tool(server, door)
    done = client.evaluate("import sys\nprint('a'); sys.stderr.write('b'); print('c')\n6 * 7")
    assert done.order == ["started", b"o", b"e", b"o", b"v", "reply"]
    assert (done.out, done.err, done.value) == (b"a\nc\n", b"b", "42")
    assert done.outcome == "value" and done.reply["type"] == "int" and done.reply["duration"] >= 0
    assert done.reply["session"] == done.session and done.reply["evaluation"] == done.number == 1
    assert "exception" not in done.reply


@pytest.mark.parametrize("door", DOORS)
def test_two_at_once_and_questions_meanwhile(server, tool, door):
    client = tool(server, door)
    first = client.start("input()")
    second = client.start("while True: pass")
    assert [row["state"] for row in client.ask("Sessions")["sessions"]] == ["evaluating", "evaluating"]
    assert client.interrupt(second)["outcome"] == "interrupted"
    assert client.finish(second).outcome == "interrupted"
    client.tell("Input", request=first.request, text="there\n")
    assert client.finish(first).value == "'there'"


def test_values(client):
    assert client.value("1 + 1") == "2"
    nothing = client.evaluate("None")
    assert nothing.outcome == "value" and nothing.value is None and nothing.order == ["started", "reply"]
    assert client.evaluate("x = 5").value is None
    assert client.value("x") == "5"
    assert client.value("'\\udc80é'") == "'\\udc80é'"
    assert client.value("class Odd:\n    def __repr__(self): return '\\udc80'\nOdd()") == "\\udc80"
    empty = client.evaluate("class Empty:\n    def __repr__(self): return ''\nEmpty()")
    assert empty.value == "" and empty.reply["type"] == "Empty" and b"v" not in empty.order
    prints = client.evaluate("class Prints:\n    def __repr__(self):\n        print('in repr')\n"
                             "        return 'shown'\nPrints()")
    assert (prints.out, prints.value, prints.outcome) == (b"in repr\n", "shown", "value")


def test_a_repr_that_fails(client):
    fails = client.evaluate("class Fails:\n    def __repr__(self): return 1 / 0\nFails()")
    assert fails.outcome == "exception" and "type" not in fails.reply
    assert fails.exception["type"] == "ZeroDivisionError"
    wrong = client.evaluate("class Wrong:\n    def __repr__(self): return 5\nWrong()")
    assert wrong.outcome == "exception" and wrong.exception["type"] == "TypeError"
    leaves = client.evaluate("class Leaves:\n    def __repr__(self): raise SystemExit\nLeaves()")
    assert leaves.outcome == "ended"
    assert client.value("1 + 1") == "2"


def test_the_last_value_belongs_to_the_session(client):
    one, two = client.open(), client.open()
    assert client.value("'first'", session=one) == "'first'"
    assert client.value("'second'", session=two) == "'second'"
    assert client.value("_", session=one) == "'first'"
    assert client.evaluate("None", session=one).value is None
    assert client.value("_ * 2", session=one) == "'firstfirst'"
    assert client.value("_", session=two) == "'second'"
    # A failure leaves it as it was, and whoever has no result yet has no such name.
    assert client.evaluate("1 / 0", session=two).outcome == "exception"
    assert client.value("_", session=two) == "'second'"
    assert client.evaluate("_").exception["type"] == "NameError"


def test_a_huge_value_is_streamed(edge, serve, tool):
    """With a small credit the host keeps little more than the text itself, whatever the client does."""
    server = serve(python=edge.plain)
    client = tool(server)
    client.evaluate("text = 'x' * 20_000_000")
    before = resident_mib(server.pid)
    done = client.start("text", credit=1000)
    while b"v" not in done.order:
        client.step()
    assert client.ask("Sessions")["sessions"][0]["state"] == "evaluating"
    client.grant(done, 1 << 20)
    length = 0
    while done.reply is None:
        if client.step() == b"v":
            length += len(done.pieces[b"v"].pop())
            client.grant(done, 1 << 16)
            if length == 5_000_000 // 65536 * 65536:
                break
    assert resident_mib(server.pid) - before < 80
    client.finish(done)
    length += sum(map(len, done.pieces[b"v"]))
    assert length == 20_000_002 and done.reply["type"] == "str"
    eventually(lambda: resident_mib(server.pid) - before < 48, "the copy of the text is given back")


def test_a_value_that_is_not_taken(edge, serve, tool):
    """Whoever has seen enough of it interrupts."""
    client = tool(serve(python=edge.plain))
    session = client.open()
    done = client.start("'x' * 10_000_000", credit=100, session=session)
    while b"v" not in done.order:
        client.step()
    assert client.interrupt(done)["outcome"] == "interrupted"
    assert client.finish(done).outcome == "interrupted" and "type" not in done.reply
    assert client.value("1 + 1", session=session) == "2"


# Scripts.

def test_scripts(client):
    assert client.value("def f(n):\n    return n + 1\n\nf(1)\n\n# the end\n") == "2"
    assert client.evaluate("").value is None
    assert client.evaluate("# nothing").value is None
    assert client.evaluate("for i in range(3): i").value is None
    assert client.evaluate("for i in range(3): i").out == b""
    assert client.value("1; 2; 3") == "3"
    assert client.value("'é' + \"\\u00e9\"\r\n") == "'éé'"
    assert client.value("x: int = 3\nx") == "3"
    assert client.value("(y := 4)") == "4"
    assert client.value("import os; os") .startswith("<module 'os'")


def test_a_docstring_is_not_the_hosts(client):
    assert client.value("__doc__ = 'the host'; __doc__") == "'the host'"
    assert client.evaluate("'''A docstring.'''\nx = 1").value is None
    assert client.value("__doc__") == "'the host'"
    # Alone it is the value.
    assert client.value("'''A docstring.'''") == "'A docstring.'"
    assert client.value("__doc__") == "'the host'"
    assert client.value("__name__") == "'__main__'"


def test_future_imports_stay_in_their_session(client):
    one, two = client.open(), client.open()
    annotated = "def f(x: undefined_name): pass\nf.__annotations__['x']"
    assert client.evaluate("from __future__ import annotations", session=one).outcome == "value"
    assert client.value(annotated, session=one) == "'undefined_name'"
    assert client.evaluate(annotated, session=two).exception["type"] == "NameError"
    assert client.value("from __future__ import annotations\n" + annotated, session=two) == "'undefined_name'"
    late = client.evaluate("x = 1\nfrom __future__ import annotations", session=client.open())
    assert late.exception["type"] == "SyntaxError"


def test_names_are_shared_and_scopes_are_a_modules(client):
    client.evaluate("n = 3\nsquares = [n * i for i in range(n)]\nclass C:\n    m = n")
    assert client.value("squares, C.m") == "([0, 3, 6], 3)"
    assert client.value("(lambda: n)()") == "3"
    assert client.evaluate("del n").outcome == "value"
    assert client.evaluate("n").exception["message"] == "name 'n' is not defined"


NO_SOURCE = ["1 +", "def f(:", "  x = 1", "'open", "x = = 1", "return 5", "\x00", "a\x00b", "(" * 300,
             "é é", "nonlocal x", "break", "'''open"]


@pytest.mark.parametrize("source", NO_SOURCE)
def test_what_is_no_source(server, tool, source):
    client = tool(server)
    done = client.evaluate("print('never')\n" + source)
    assert done.outcome == "exception" and done.out == b"" and done.value is None
    assert done.exception["type"] in ("SyntaxError", "IndentationError", "ValueError", "MemoryError"), done.exception
    assert done.exception["frames"] == [] and done.exception["message"]
    assert done.exception["traceback"].endswith("\n")
    assert client.value("1 + 1") == "2"


def test_syntax_errors_say_where(client):
    done = client.evaluate("x = 1\ny = = 2\n")
    assert "line 2" in done.exception["message"] and "y = = 2" in done.exception["message"]
    assert "y = = 2" in done.exception["traceback"]


def test_surrogates_in_the_source(client):
    """JSON can say what UTF-8 cannot: it arrives as U+FFFD, and hurts nobody."""
    assert client.value("ascii('\ud800 \u00e9') # \udfff") == "\"'\\\\ufffd \\\\xe9'\""
    assert client.value("1 + 1") == "2"


def test_input_that_another_session_had(client):
    """Whoever lets go of the streams of a session that is over, in whatever thread, ends no other input."""
    first = client.open()
    client.evaluate("import sys; old = sys.stdin; old_output = sys.stdout", session=first)
    client.ask("CloseSession", session=first)
    session = client.open()
    asking = client.start("old.close(); old_output.close(); input()", session=session)
    while not asking.inputs:
        assert client.step() != "reply", asking.reply
    client.tell("Input", request=asking.request, text="still there\n")
    assert client.finish(asking).value == "'still there'"


def test_blocks(client):
    """Blocks are for prompts: each value has a line."""
    session = client.open()
    shown = client.evaluate("6 * 7", mode="block", session=session)
    assert (shown.out, shown.values, shown.outcome) == (b"", "42\n", "value")
    more = client.evaluate("for i in range(2):", mode="block", session=session)
    assert (more.outcome, more.exception["type"]) in [("exception", "SyntaxError"), ("exception", "IndentationError")]
    assert client.evaluate("for i in range(2):\n    i\n", mode="block", session=session).values == "0\n1\n"
    assert client.evaluate("_ + 1", mode="block", session=session).values == "2\n"
    assert client.evaluate("x = = 1", mode="block", session=session).exception["type"] == "SyntaxError"
    assert client.evaluate("1 / 0", mode="block", session=session).exception["type"] == "ZeroDivisionError"


# Exceptions.

def test_where_an_exception_comes_from(client):
    client.evaluate("def inner():\n    raise KeyError('the key')  # here\ndef outer():\n    inner()")
    done = client.evaluate("x = 1\nouter()")
    exception = done.exception
    assert (done.outcome, done.err) == ("exception", b"")
    assert (exception["type"], exception["message"]) == ("KeyError", "'the key'")
    assert [frame["function"] for frame in exception["frames"]] == ["<module>", "outer", "inner"]
    assert [frame["line"] for frame in exception["frames"]] == [2, 4, 2]
    assert exception["frames"][2]["text"] == "raise KeyError('the key')  # here"
    assert exception["frames"][0]["text"] == "outer()"
    assert exception["traceback"].startswith("Traceback (most recent call last):\n")
    assert exception["traceback"].endswith("KeyError: 'the key'\n")
    assert "replserve" not in exception["traceback"]


def test_deep_recursion(client):
    done = client.evaluate("def down(): down()\ndown()")
    assert done.exception["type"] == "RecursionError"
    assert 2 < len(done.exception["frames"]) <= 100
    assert len(done.exception["traceback"]) <= 70_000
    assert client.value("1 + 1") == "2"


def test_exceptions_that_misbehave(client):
    client.evaluate("class Bad(Exception):\n    def __str__(self): raise ValueError('no')\n    __repr__ = __str__")
    done = client.evaluate("raise Bad()")
    assert done.exception["type"] == "Bad" and "cannot be shown" in done.exception["message"]
    assert "Bad" in done.exception["traceback"]
    client.evaluate("class Leaves(Exception):\n    def __str__(self): raise SystemExit(3)")
    assert client.evaluate("raise Leaves()").exception["type"] == "Leaves"
    long = client.evaluate("raise ValueError('m' * 1_000_000)")
    assert len(long.exception["message"]) < 20_000 and len(long.exception["traceback"]) < 70_000
    odd = client.evaluate("raise ValueError('\\udc80 \\x00 é')")
    assert odd.exception["message"] == "\\udc80 \x00 é"
    assert client.evaluate("raise type('X' * 100_000, (Exception,), {})").outcome == "exception"
    assert client.value("1 + 1") == "2"


def test_chained_exceptions(client):
    done = client.evaluate("try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    raise KeyError('k') from e")
    assert done.exception["type"] == "KeyError"
    text = done.exception["traceback"]
    assert text.index("ZeroDivisionError") < text.index("direct cause") < text.index("KeyError: 'k'")
    cycle = client.evaluate("a, b = ValueError('a'), ValueError('b')\na.__context__ = b; b.__context__ = a\nraise a")
    assert cycle.exception["message"] == "a"


def test_exception_groups(interpreter, client):
    if interpreter.version < (3, 11):
        assert client.evaluate("ExceptionGroup").exception["type"] == "NameError"
        return
    done = client.evaluate("raise ExceptionGroup('many', [ValueError('one'), ExceptionGroup('in', [KeyError('two')])])")
    assert done.exception["type"] == "ExceptionGroup" and "many" in done.exception["message"]
    assert all(word in done.exception["traceback"] for word in ("ValueError: one", "KeyError: 'two'", "in"))
    assert "replserve" not in done.exception["traceback"]


def test_code_that_ends_or_interrupts_itself(client):
    session = client.open()
    for source in ("raise SystemExit", "exit()", "import sys; sys.exit('words')"):
        session = client.open()
        done = client.evaluate(source, session=session)
        assert done.outcome == "ended", done.reply
        reply = client.request("Evaluate", source="1", session=session)
        assert reply["code"] == "no-session"
    raised = client.evaluate("raise KeyboardInterrupt('of its own')")
    assert raised.outcome == "interrupted" and raised.exception["type"] == "KeyboardInterrupt"
    assert client.value("1 + 1") == "2"


# Streams.

def test_bytes_that_are_no_text(client):
    done = client.evaluate("import sys\nsys.stdout.buffer.write(bytes(range(256)) * 300); print('é\\udc80')\n"
                           "sys.stderr.buffer.write(b'\\xff\\xfe;'); sys.stderr.flush(); None")
    assert done.out == bytes(range(256)) * 300 + "é".encode() + b"\\udc80\n"
    assert done.err == b"\xff\xfe;"


def test_reading(client):
    asks = client.start("name = input('name? ')\nimport sys\nrest = sys.stdin.read()\n(name, rest)")
    client.wait_for(asks, "name? ")
    while asks.inputs < 1:
        client.step()
    client.tell("Input", request=asks.request, text="Zoë\n")
    while asks.inputs < 2:
        client.step()
    client.tell("Input", request=asks.request, text="one\ntwo", end=True)
    assert client.finish(asks).value == "('Zoë', 'one\\ntwo')"
    assert asks.order == ["started", b"o", "input", "input", b"v", "reply"]
    ends = client.start("input()")
    client.tell("Input", request=ends.request, end=True)
    assert client.finish(ends).exception["type"] == "EOFError"
    ahead = client.stream("Evaluate", source="input(), input()")
    client.tell("Input", request=ahead.request, text="a\nb\n")
    assert client.finish(ahead).value == "('a', 'b')"
    # What one evaluation did not read is not the next one's.
    leaves = client.open()
    first = client.stream("Evaluate", source="input()", session=leaves)
    client.tell("Input", request=first.request, text="read\nleft\n")
    assert client.finish(first).value == "'read'"
    second = client.start("input()", session=leaves)
    client.tell("Input", request=second.request, text="new\n")
    assert client.finish(second).value == "'new'"


def test_the_hosts_own_streams_are_left_alone(interpreter, serve, tool):
    server = serve(python=interpreter.plain)
    client = tool(server)
    assert client.value("import sys; sys.stdout is sys.__stdout__") == "False"
    client.evaluate("print('for the tool'); server_print('for the host', flush=True)")
    server.stdout.wait_for("for the host\n")
    assert "for the tool" not in server.stdout.text + server.stderr.text


# Sessions.

def test_in_a_text_session(interpreter, serve, tool, connect):
    """A tool looks into somebody's session: its `_`, its last exception; typed lines wait and then run."""
    server = serve(python=interpreter.plain)
    text, client = connect(server), tool(server)
    text.run("'of the prompt'")
    assert client.value("_", session=text.session) == "'of the prompt'"
    waits = client.start("input()", session=text.session)
    text.send("print('typed')\n")
    assert client.request("Evaluate", source="1", session=text.session)["code"] == "busy"
    client.tell("Input", request=waits.request, text="x\n")
    assert client.finish(waits).value == "'x'"
    assert text.prompt() == "typed\n"
    assert text.run("_") == "'x'\n"
    row = client.ask("Sessions")["sessions"][0]
    assert (row["session"], row["kind"], row["state"]) == (text.session, "text", "idle")


@pytest.mark.parametrize("door", DOORS)
def test_a_client_that_vanishes(server, tool, door):
    """Its evaluations are interrupted, on either kind of socket, whether or not it has read what came."""
    watcher = tool(server)
    watcher.evaluate("cleaned = []\ndef waste():\n    for _ in range(1000): pass")
    for source in ("print('on')\nwhile True: pass", "while True: print('on')", "print('on')\ninput()",
                   "try:\n    print('on')\n    while True:\n        waste()\n        waste()\n"
                   "finally: cleaned.append(1)"):
        client = tool(server, door)
        client.wait_for(client.start(source), "on")
        client.close()
        eventually(lambda: not watcher.ask("Sessions")["sessions"], "the session has ended")
    eventually(lambda: watcher.value("cleaned") == "[1]", "the last one has cleaned up")


@pytest.mark.parametrize("door", DOORS)
def test_a_half_closed_client_is_answered(server, tool, door):
    client = tool(server, door)
    done = client.stream("Evaluate", source="import time; time.sleep(0.3); 'late'")
    client.socket.shutdown(1)
    assert client.finish(done, grant=False).value == "'late'"
    assert client.at_end()


# Macros.

def test_macros_in_scripts(interpreter, serve, tool, tmp_path):
    write_number_macro(tmp_path, "mymacros", "answer", 42)
    client = tool(serve(python=interpreter.macros, env={"PYTHONPATH": str(tmp_path)}))
    session = client.open()
    assert client.evaluate("from mymacros import macros, answer", session=session).outcome == "value"
    assert client.value("answer[nothing] * 2", session=session) == "84"
    assert client.value("def f():\n    return answer[nothing]\nf()", session=session) == "42"
    assert client.evaluate("answer[nothing]; print(answer[x])", session=session).out == b"42\n"
    # The macros are the session's.
    assert client.evaluate("answer[nothing]", session=client.open()).exception["type"] == "NameError"
    assert client.evaluate("from mymacros import macros, nope", session=session).outcome == "exception"
    assert client.value("1 + 1", session=session) == "2"
