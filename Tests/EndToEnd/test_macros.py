"""The macro console: mcpyrate's features at the prompt, on every interpreter, in several sessions at once."""

import re
import threading

import pytest

from macro_modules import write_number_macro


@pytest.fixture
def macro_server(interpreter, serve):
    return serve(python=interpreter.macros)


def plain_text(text):
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def test_quasiquotes(macro_server, connect):
    client = connect(macro_server)
    assert client.run("from mcpyrate.quotes import macros, q, u") == ""
    assert re.match(r"<.*BinOp.*>\n", client.run("q[1 + 2]"))
    client.run("x = 21")
    assert client.run("from mcpyrate import unparse; unparse(q[u[x] * 2]).strip('()')") == "'21 * 2'\n"


def test_block_macros(macro_server, connect):
    client = connect(macro_server)
    client.run("from mcpyrate.quotes import macros, q")
    assert client.block("with q as quoted:\n    print('not run')\n    y = 1") == ""
    assert client.run("len(quoted)") == "2\n"


def test_a_macro_of_ones_own(macro_server, connect, tmp_path):
    write_number_macro(tmp_path, "numbers_one", "ten", 10)
    client = connect(macro_server)
    client.run("import sys; sys.path.insert(0, %r)" % str(tmp_path))
    assert client.run("from numbers_one import macros, ten") == ""
    assert client.run("ten[...]") == "10\n"
    client.block("def f():\n    return ten[0] + 1")
    assert client.run("f()") == "11\n"


def test_importing_again_refreshes_a_macro(macro_server, connect, tmp_path):
    write_number_macro(tmp_path, "numbers_two", "number", 10)
    client = connect(macro_server)
    client.run("import sys; sys.path.insert(0, %r)" % str(tmp_path))
    client.run("from numbers_two import macros, number")
    assert client.run("number[0]") == "10\n"
    write_number_macro(tmp_path, "numbers_two", "number", 1234567)
    client.run("from numbers_two import macros, number")
    assert client.run("number[0]") == "1234567\n"


def test_documentation_of_macros(macro_server, connect, tmp_path):
    write_number_macro(tmp_path, "numbers_doc", "documented", 1, doc="What it is good for.")
    client = connect(macro_server)
    client.run("import sys; sys.path.insert(0, %r)" % str(tmp_path))
    client.run("from numbers_doc import macros, documented")
    assert "What it is good for." in plain_text(client.run("doc(documented)"))
    assert "What it is good for." in plain_text(client.run("documented?"))
    assert "return ast.copy_location" in plain_text(client.run("documented??"))
    assert "numbers_doc.documented" in plain_text(client.run("macros?"))


def test_questions_about_any_object(macro_server, connect):
    client = connect(macro_server)
    client.run("import textwrap")
    assert "Remove any common leading whitespace" in plain_text(client.run("textwrap.dedent?"))
    assert "def dedent(text):" in plain_text(client.run("textwrap.dedent??"))
    client.run("five = 5")
    client.run("five?")
    assert "NameError" in client.run("nosuchname?")
    assert "no source code" in plain_text(client.run("len??"))
    client.run("macros?")
    assert client.run("1 + 1") == "2\n"


def test_a_function_as_a_macro(macro_server, connect):
    client = connect(macro_server)
    client.run("import ast")
    client.block("@macro\ndef seven(tree, **kw):\n    return ast.Constant(value=7)")
    assert client.run("seven[0]") == "7\n"
    client.block("def eight(tree, **kw):\n    return ast.Constant(value=8)")
    client.run("m = macro(eight)")
    assert client.run("eight[0]") == "8\n"
    assert "seven" in plain_text(client.run("macros?"))
    assert "TypeError" in client.run("macro(5)")
    assert "TypeError" in client.run("macro(lambda tree, **kw: tree)")


def test_functions_of_the_session_as_macros(macro_server, connect):
    """`from __self__ import macros, ...`"""
    client = connect(macro_server)
    client.run("import ast")
    client.block("def nine(tree, **kw):\n    return ast.Constant(value=9)")
    assert client.run("from __self__ import macros, nine") == ""
    assert client.run("nine[0]") == "9\n"


def test_macro_errors_are_short(macro_server, connect, tmp_path):
    (tmp_path / "broken_macro.py").write_text("def broken(tree, **kw):\n    raise ValueError('not today')\n")
    client = connect(macro_server)
    client.run("import sys; sys.path.insert(0, %r)" % str(tmp_path))
    client.run("from broken_macro import macros, broken")
    answer = plain_text(client.run("broken[0]"))
    assert "broken" in answer and "expr macro invocation" in answer and len(answer.splitlines()) < 10, answer
    assert "ModuleNotFoundError" in client.run("from nosuchmodule import macros, x")
    assert "ImportError" in client.run("from broken_macro import macros, nosuch")
    assert client.run("1 + 1") == "2\n"


def test_two_sessions_with_different_macros_of_one_name(macro_server, connect, tmp_path):
    write_number_macro(tmp_path, "numbers_a", "which", "of a")
    write_number_macro(tmp_path, "numbers_b", "which", "of b")
    one, other = connect(macro_server), connect(macro_server)
    one.run("import sys; sys.path.insert(0, %r)" % str(tmp_path))
    one.run("from numbers_a import macros, which")
    other.run("from numbers_b import macros, which")
    for _ in range(10):
        assert one.run("which[0]") == "'of a'\n"
        assert other.run("which[0]") == "'of b'\n"
    assert "numbers_a" in one.run("macros?") and "numbers_b" not in one.run("macros?")
    assert "numbers_b" in other.run("macros?") and "numbers_a" not in other.run("macros?")
    third = connect(macro_server)
    assert "which" not in plain_text(third.run("macros?"))
    assert one.run("which[0]") == "'of a'\n"


def test_macro_binds_in_its_own_session(macro_server, connect):
    """The namespace is shared, the macros are not, although `macro` is a name in the namespace."""
    one = connect(macro_server)
    other = connect(macro_server)  # made after it: in the ancestor, its expander wins
    one.run("import ast")
    one.block("def mine(tree, **kw):\n    return ast.Constant(value='expanded')")
    one.run("m = macro(mine)")
    assert one.run("mine[0]") == "'expanded'\n"
    assert "TypeError" in other.run("mine[0]")
    assert "mine" not in plain_text(other.run("macros?"))


def test_sessions_with_macros_at_once(macro_server, connect):
    """Many inputs in several sessions at the same time: each finds its own functions as macros."""
    clients = [connect(macro_server) for _ in range(4)]
    clients[0].run("import ast")
    failures = []

    def work(number, client):
        try:
            for n in range(25):
                name = "own_%d_%d" % (number, n)
                client.block("def %s(tree, **kw):\n    return ast.Constant(value=%r)" % (name, name))
                assert client.run("from __self__ import macros, %s" % name) == ""
                assert client.run("%s[0]" % name) == "%r\n" % name
        except BaseException as failure:
            failures.append(failure)
            raise

    workers = [threading.Thread(target=work, args=pair) for pair in enumerate(clients)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not failures, failures


def test_the_host_keeps_its_own_imports(macro_server, connect, tmp_path):
    """A module with macros in it is imported expanded, as with macropython."""
    write_number_macro(tmp_path, "numbers_c", "hundred", 100)
    (tmp_path / "uses_it.py").write_text("from numbers_c import macros, hundred\nvalue = hundred[0]\n")
    client = connect(macro_server)
    client.run("import sys; sys.path.insert(0, %r)" % str(tmp_path))
    assert client.run("import uses_it; uses_it.value") == "100\n"
