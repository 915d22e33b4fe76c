"""The console of a session: its streams, input, help, pdb, warnings, tracebacks, and `_`."""

import re

import pytest


def test_print_and_stderr_go_to_the_session(console, newest, serve, connect):
    server = serve(python=getattr(newest, console))
    one, other = connect(server), connect(server)
    assert one.run("print('to one')") == "to one\n"
    assert one.run("import sys; n = sys.stderr.write('to its stderr\\n')") == "to its stderr\n"
    assert one.run("n = sys.stdout.write('x' * 3)") == "xxx"
    assert other.run("print('to other')") == "to other\n"
    assert one.run("1") == "1\n"
    other.run("server_print('mark', flush=True)")
    server.stdout.wait_for("mark")
    assert "to " not in server.stdout.text.partition("\n")[2]
    assert "to " not in server.stderr.text


def test_order_of_stdout_stderr_and_results(server, connect):
    client = connect(server)
    client.run("import sys")
    client.send("for i in range(50): print('out', i); print('err', i, file=sys.stderr)\n\n")
    client.expect(".... ")
    assert client.prompt() == "".join("out %d\nerr %d\n" % (i, i) for i in range(50))


def test_output_comes_as_it_is_printed(server, connect):
    """Not only at the end of the evaluation, and without a flush."""
    client = connect(server)
    client.run("import threading; go = threading.Event()")
    client.send("print('first', end=' '); go.wait(); print('second')\n")
    client.expect("first")
    connect(server).run("go.set()")
    client.expect("second\n>>>> ")


def test_the_sessions_streams_behave_as_streams(interpreter, serve, connect):
    client = connect(serve(python=interpreter.plain))
    client.run("import sys, io, contextlib")
    for name in ("stdin", "stdout", "stderr"):
        assert client.run("sys.%s.encoding.lower().replace('_', '-')" % name) == "'utf-8'\n"
        assert client.run("isinstance(sys.%s.isatty(), bool), sys.%s.closed" % (name, name)) == "(True, False)\n"
    assert client.run("sys.stdout.writable(), sys.stdin.readable()") == "(True, True)\n"
    assert client.run("sys.stdout.writelines(['a', 'b', '\\n']); sys.stdout.flush()") == "ab\n"
    assert client.run("n = sys.stdout.buffer.write(b'bytes\\n'); sys.stdout.buffer.flush()") == "bytes\n"
    assert "TypeError" in client.run("sys.stdout.write(5)")
    assert "TypeError" in client.run("sys.stdout.write(b'x')")
    client.block("with contextlib.redirect_stdout(io.StringIO()) as caught:\n    print('caught')")
    assert client.run("caught.getvalue()") == "'caught\\n'\n"
    assert client.run("print('back')") == "back\n"
    assert client.run("import logging; logging.warning('logged')").endswith("logged\n")
    assert client.run("import traceback; print(len(traceback.format_stack()) > 0)") == "True\n"


def test_redirection_in_one_session_is_not_seen_in_another(server, connect):
    one, other = connect(server), connect(server)
    one.run("import contextlib, io, threading; go = threading.Event(); caught = io.StringIO()")
    one.send("with contextlib.redirect_stdout(caught): server_print('inside', flush=True); waited = go.wait(); print('kept')\n\n")
    server.stdout.wait_for("inside")
    assert other.run("print('mine')") == "mine\n"
    assert other.run("go.set()") == ""
    one.expect(".... ")
    assert one.prompt() == ""
    assert one.run("caught.getvalue()") == "'kept\\n'\n"


def test_a_session_that_closes_its_stdout(server, connect):
    """`sys.stdout.close()` is the session's own trouble."""
    client, other = connect(server), connect(server)
    client.send("import sys; sys.stdout.close()\nprint('gone')\nquit()\n")
    client.rest_or_reset()
    assert other.run("print('alive')") == "alive\n"
    assert connect(server).run("print('new')") == "new\n"


def test_a_session_without_a_stdout(server, connect):
    """`sys.stdout = None` means to Python that printing is nothing."""
    client, other = connect(server), connect(server)
    assert client.run("import sys; keep, sys.stdout = sys.stdout, None") == ""
    assert client.run("print('nothing')") == ""
    assert other.run("print('something')") == "something\n"
    assert client.run("sys.stdout = keep") == ""
    assert client.run("print('again')") == "again\n"


def test_input(interpreter, console, serve, connect):
    client = connect(serve(python=getattr(interpreter, console)))
    client.send("name = input('who? ')\n")
    assert client.expect("who? ") == b"who? "
    assert client.run("Žofie") == ""
    assert client.run("name") == "'Žofie'\n"
    client.send("a, b = input(), input('b')\none\n")
    client.expect("b")
    assert client.run("two") == ""
    assert client.run("a, b") == "('one', 'two')\n"
    client.send("import sys; sys.stdin.readline()\nwhole line\n")
    client.expect("'whole line\\n'\n>>>> ")
    client.send("input()\n")
    assert client.run("") == "''\n"


def test_input_at_the_end_of_input(server, connect):
    client = connect(server)
    client.send("input('asks ')\n")
    client.expect("asks ")
    client.end_input()
    assert b"EOFError" in client.rest()
    assert connect(server).run("1 + 1") == "2\n"


def test_input_of_two_sessions_at_once(server, connect):
    one, other = connect(server), connect(server)
    for client, prompt in ((one, "one? "), (other, "other? ")):
        client.send("input('%s')\n" % prompt)
        client.expect(prompt)
    assert other.run("to the other") == "'to the other'\n"
    assert one.run("to the one") == "'to the one'\n"


def test_iterating_over_stdin(server, connect):
    client = connect(server)
    client.send("import sys; lines = [next(iter(sys.stdin)) for _ in range(2)]\na\nb\nlines\n")
    client.expect("['a\\n', 'b\\n']\n>>>> ")


def test_help_is_plain_text_and_does_not_hang(interpreter, console, serve, connect):
    client = connect(serve(python=getattr(interpreter, console)))
    text = client.run("help(len)")
    assert text.startswith("Help on built-in function len in module builtins:\n"), text
    assert not re.search("[\b\x1b]", text)
    text = client.run("help(dict)")
    assert "fromkeys" in text and len(text.splitlines()) > 40
    assert not re.search("[\b\x1b]", text)
    assert "No Python documentation found" in client.run("help('no_such_thing_at_all')")
    assert client.run("1 + 1") == "2\n"


def test_interactive_help(server, connect):
    client = connect(server)
    client.send("help()\n")
    client.expect("help> ")
    client.send("len\n")
    client.expect("Help on built-in function len")
    client.expect("help> ")
    client.send("quit\n")
    client.prompt()
    assert client.run("1 + 1") == "2\n"


def test_breakpoint(interpreter, console, serve, connect):
    server = serve(python=getattr(interpreter, console))
    client, other = connect(server), connect(server)
    client.block("def f():\n    x = 6\n    breakpoint()\n    return x * 7")
    client.send("f()\n")
    client.expect("(Pdb) ")
    client.send("p x\n")
    assert client.expect("(Pdb) ") == b"6\n(Pdb) "
    assert other.run("1 + 1") == "2\n"
    client.send("x = 10\n")
    client.expect("(Pdb) ")
    client.send("c\n")
    assert client.prompt().endswith("70\n")
    assert client.run("1 + 1") == "2\n"


def test_quitting_pdb_ends_the_evaluation_only(interpreter, serve, connect):
    client = connect(serve(python=interpreter.plain))
    client.send("for i in range(3): breakpoint()\n\n")
    client.expect("(Pdb) ")
    client.send("q\n")
    assert "BdbQuit" in client.prompt() or interpreter.version >= (3, 13)
    assert client.run("1 + 1") == "2\n"


def test_post_mortem(interpreter, serve, connect):
    client = connect(serve(python=interpreter.plain))
    client.block("def broken(value):\n    return 1 / value")
    client.send("try:\n    broken(0)\nexcept Exception as e:\n    import pdb; pdb.post_mortem(e.__traceback__)\n\n")
    client.expect("(Pdb) ")
    client.send("p value\n")
    client.expect("0\n(Pdb) ")
    client.send("q\n")
    client.prompt()
    assert client.run("1 + 1") == "2\n"


def test_warnings_go_to_the_session(console, newest, serve, connect):
    server = serve(python=getattr(newest, console))
    client, other = connect(server), connect(server)
    answer = client.run("import warnings; warnings.warn('have a care')")
    assert "UserWarning: have a care" in answer
    assert "SyntaxWarning" in client.run("x = 1 is 1")
    assert other.run("2") == "2\n"
    assert "have a care" not in server.stderr.text + server.stdout.text


def test_tracebacks_go_to_the_session_that_caused_them(server, connect):
    one, other = connect(server), connect(server)
    for n in range(20):
        assert "ValueError: one %d\n" % n in one.run("raise ValueError('one %d')" % n)
        assert "KeyError: 'other %d'\n" % n in other.run("raise KeyError('other %d')" % n)
    assert "Error" not in server.stderr.text


def test_tracebacks_show_the_line_that_was_typed(interpreter, console, serve, connect):
    client = connect(serve(python=getattr(interpreter, console)))
    assert "\n    1 / 0  # typed here\n" in client.run("1 / 0  # typed here")
    client.block("def inner(value):\n    return 100 // value  # in inner\n")
    client.block("def outer():\n    first = 1\n    return inner(0)  # in outer\n")
    for _ in range(3):  # later input does not disturb what was typed before
        answer = client.run("outer()")
        for line in ("\n    outer()\n", "\n    return inner(0)  # in outer\n", "\n    return 100 // value  # in inner\n"):
            assert line in answer, (line, answer)
        assert re.search(r"line 3, in outer", answer) and re.search(r"line 2, in inner", answer), answer
    assert "replserve" not in answer and "mcpyrate" not in answer, answer


def test_tracebacks_of_two_sessions_show_their_own_lines(server, connect):
    one, other = connect(server), connect(server)
    one.block("def boom_one():\n    raise ValueError('x')  # typed in one")
    other.block("def boom_other():\n    raise ValueError('y')  # typed in other")
    for client in (one, other):
        assert "# typed in one" in client.run("boom_one()")
        assert "# typed in other" in client.run("boom_other()")


def test_source_of_what_was_typed(interpreter, console, serve, connect):
    """inspect finds the source of a function typed at the prompt."""
    client = connect(serve(python=getattr(interpreter, console)))
    client.block("def typed(a):\n    return a + 1  # a remark")
    client.run("import inspect")
    assert client.run("print(inspect.getsource(typed))") == "def typed(a):\n    return a + 1  # a remark\n\n"


def test_chained_exceptions(server, connect):
    client = connect(server)
    answer = client.block("try:\n    1/0\nexcept ZeroDivisionError as e:\n    raise ValueError('second') from e")
    assert "ZeroDivisionError" in answer and "direct cause" in answer and "ValueError: second" in answer


@pytest.mark.parametrize("console", ["plain", "macros"])
def test_last_value_belongs_to_the_session(edge, console, serve, connect):
    server = serve(python=getattr(edge, console))
    one, other = connect(server), connect(server)
    for n in range(20):
        one.run("'one' * 0 + 'one %d'" % n)
        other.run("'other %d'" % n)
        assert one.run("_") == "'one %d'\n" % n
        assert other.run("_") == "'other %d'\n" % n
    assert one.run("_ + '!'") == "'one 19!'\n"
    assert one.run("None") == ""
    assert one.run("_") == "'one 19!'\n"
    assert "NameError" in connect(server).run("_")
    assert other.run("import builtins; hasattr(builtins, '_')") == "False\n"


def test_last_value_that_the_host_owns(embed, connect):
    host = embed(HOST_WITH_UNDERSCORE)
    client = connect(int(host.stdout.line()))
    assert client.run("40 + 2") == "42\n"
    assert client.run("_('hello')") == "'HELLO'\n"
    assert host.ask("check") == "SHOUT still mine"


HOST_WITH_UNDERSCORE = """
import builtins, sys
from replserve import server
def _(text):
    return text.upper()
original = _
print(server.start(globals(), repl_port=0, control_port=0)[1], flush=True)
for line in sys.stdin:
    print(_("shout"), "still mine" if _ is original and not hasattr(builtins, "_") else "changed", flush=True)
"""


def test_a_session_assigns_underscore(server, connect):
    """As at any prompt: an assignment of one's own is not overwritten by results."""
    client = connect(server)
    client.block("for _ in range(3):\n    pass")
    client.run("_ = 'mine'")
    assert client.run("_") == "'mine'\n"


def test_displayhook_of_a_session(server, connect):
    """Replacing sys.displayhook is not lost, or at least not fatal."""
    client = connect(server)
    client.run("import sys; keep = sys.displayhook")
    client.run("sys.displayhook = lambda value: print('shown', value)")
    client.run("5")
    client.run("sys.displayhook = keep")
    assert client.run("1 + 1") == "2\n"
