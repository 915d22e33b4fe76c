"""The text door: first line, banner, prompts, blocks, results, exceptions, the end of a session."""

import re

from text_client import PS1, TextClient, said_farewell


def test_first_line_and_numbers(server, connect):
    first, second = connect(server), connect(server)
    assert first.greeting.startswith("REPL session 1 connected.\n")
    assert second.greeting.startswith("REPL session 2 connected.\n")


def test_the_first_line_comes_in_one_piece_with_a_prompt_after_it(server, connect):
    client = connect(server, greet=False)
    assert client.expect("\n") == b"REPL session 1 connected.\n"
    client.expect(PS1)


def test_default_banner_says_what_there_is(server, connect):
    banner = connect(server).greeting.partition("\n")[2]
    for word in ("quit", "exit", "halt", "doc", "server_print", "bg", "fg"):
        assert re.search(r"\b%s\b" % word, banner), (word, banner)
    assert str(server.port) in banner


def test_empty_banner_is_no_banner(serve, connect, console, newest):
    server = serve("--banner", "", python=getattr(newest, console))
    assert connect(server).greeting == "REPL session 1 connected.\n"


def test_own_banner(serve, connect):
    server = serve("--banner", "Vítejte. This is the shop.")
    assert connect(server).greeting == "REPL session 1 connected.\nVítejte. This is the shop.\n"


def test_results(interpreter, console, serve, connect):
    client = connect(serve(python=getattr(interpreter, console)))
    assert client.run("1 + 1") == "2\n"
    assert client.run("None") == ""
    assert client.run("x = 5") == ""
    assert client.run("x") == "5\n"
    assert client.run("'a\\nb'") == "'a\\nb'\n"
    assert client.run("1; 2") == "1\n2\n"
    assert client.run("print('out', end='')") == "out"
    assert client.run("") == ""
    assert client.run("   ") == ""
    assert client.run("# a comment") == ""


def test_multi_line_input(interpreter, console, serve, connect):
    client = connect(serve(python=getattr(interpreter, console)))
    assert client.block("for i in range(3):\n    print(i)") == "0\n1\n2\n"
    assert client.block("def double(x):\n    y = 2 * x\n    return y") == ""
    assert client.run("double(21)") == "42\n"
    client.send("text = '''one\n")
    assert client.expect(".... ") == b".... "
    client.send("two'''\n")
    assert client.prompt() == ""
    assert client.run("text") == "'one\\ntwo'\n"
    client.send("(1 +\n")
    assert client.expect(".... ") == b".... "
    assert client.run("2)") == "3\n"
    assert client.block("class C:\n    def f(self):\n        if True:\n            return 'deep'\n        return 0") == ""
    assert client.run("C().f()") == "'deep'\n"
    assert client.block("try:\n    1/0\nexcept ZeroDivisionError:\n    print('caught')\nfinally:\n    print('done')") \
        == "caught\ndone\n"
    assert client.block("@staticmethod\ndef g():\n    return 1") == ""


def test_a_pasted_block_comes_back_whole(server, connect):
    client = connect(server)
    client.send("def f(n):\n    total = 0\n    for i in range(n):\n        total += i\n    return total\n\nf(10)\n")
    client.expect("45\n>>>> ")


def test_exceptions(interpreter, console, serve, connect):
    client = connect(serve(python=getattr(interpreter, console)))
    answer = client.run("1/0")
    assert answer.startswith("Traceback (most recent call last):\n")
    assert answer.endswith("ZeroDivisionError: division by zero\n")
    assert client.run("undefined_name").endswith("NameError: name 'undefined_name' is not defined\n")
    answer = client.run("def f(:")
    assert "SyntaxError" in answer and "\n    def f(:\n" in answer and re.search(r"\n +\^", answer), answer
    assert "Traceback" not in answer
    assert "IndentationError" in client.run("  1")
    assert client.run("raise KeyboardInterrupt").rstrip().endswith("KeyboardInterrupt")
    assert "OverflowError" in client.run("raise OverflowError('own')")
    assert "RecursionError" in client.run("f = lambda: f(); f()")
    assert client.run("1 + 1") == "2\n"


def test_a_deeply_nested_expression_hurts_nobody(interpreter, serve, connect):
    server = serve(python=interpreter.plain)
    client = connect(server)
    answer = client.run("-" * 100000 + "1") + client.run("(" * 500 + ")" * 500)
    assert re.search("MemoryError|RecursionError|SyntaxError", answer), answer
    assert client.run("1 + 1") == "2\n"
    assert server.running


def test_exceptions_that_cannot_be_shown(server, connect):
    client = connect(server)
    client.block("class Bad(Exception):\n    def __str__(self):\n        raise ValueError('no')\n    __repr__ = __str__")
    assert "Bad" in client.run("raise Bad")
    client.block("class Odd:\n    def __repr__(self):\n        raise ValueError('no repr')")
    assert "no repr" in client.run("Odd()")
    client.block("class Rude:\n    def __repr__(self):\n        raise SystemExit('rude')")
    client.send("Rude()\n")
    client.rest_or_reset()
    assert connect(server).run("1 + 1") == "2\n"


def test_quit_and_exit_end_the_session_only(interpreter, console, serve, connect):
    server = serve(python=getattr(interpreter, console))
    for goodbye in ("quit()", "exit()", "exit(3)", "raise SystemExit", "import sys; sys.exit('bye')"):
        client = connect(server)
        client.send(goodbye + "\n")
        last = client.rest().decode()
        assert said_farewell(last.replace("bye\n", "").encode()), (goodbye, last)
    assert connect(server).run("1 + 1") == "2\n"


def test_end_of_input_ends_the_session(server, connect):
    client = connect(server)
    client.end_input()
    assert said_farewell(client.rest())
    assert connect(server).run("1 + 1") == "2\n"


def test_end_of_input_inside_a_block(server, connect):
    """What is complete is run, what is not is dropped; the session ends."""
    client = connect(server)
    client.send("print('before')\ndef f():\n    return 1\n")
    client.end_input()
    last = client.rest()
    assert last.startswith(b"before\n>>>> .... .... "), last
    assert connect(server).run("1 + 1") == "2\n"


def test_end_of_input_while_evaluating_lets_it_finish(server, connect):
    """A half-closed connection is an end of input, not a client that is gone."""
    client = connect(server)
    client.send("import threading; go = threading.Event()\n")
    client.prompt()
    client.send("print('began'); waited = w = go.wait(); print('finished')\n'last'\n")
    client.expect("began\n")
    client.end_input()
    assert connect(server).run("go.set()") == ""
    last = client.rest()
    assert last.startswith(b"finished\n>>>> 'last'\n>>>> "), last


def test_input_after_the_end_is_ignored(server):
    """Lines after quit() are not run by anybody."""
    with TextClient(server.port) as client:
        client.send("quit()\nserver_print('must not run', flush=True)\n")
        client.rest_or_reset()
    with TextClient(server.port) as client:
        client.run("server_print('this ran', flush=True)")
    server.stdout.wait_for("this ran")
    assert "must not run" not in server.stdout.text


def test_typing_ahead(server, connect):
    """Lines sent while something runs wait for their turn."""
    client = connect(server)
    client.send("".join("print('line', %d)\n" % n for n in range(50)))
    for n in range(50):
        assert client.prompt() == "line %d\n" % n


def test_prompts_printed_by_the_program_are_only_text(server, connect):
    client = connect(server)
    client.send("print('>>>> not a prompt')\n")
    client.expect(">>>> not a prompt\n>>>> ")
    assert client.run("1 + 1") == "2\n"


def test_the_prompts_are_not_taken_from_sys_ps1(server, connect):
    client = connect(server)
    client.send("import sys; sys.ps1 = 'mine> '\n")
    client.prompt()
    assert client.run("1 + 1") == "2\n"
