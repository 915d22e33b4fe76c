"""doc, server_print and halt, and what happens to names that the host already has."""

import subprocess

import pytest


def test_doc(interpreter, console, serve, connect):
    client = connect(serve(python=getattr(interpreter, console)))
    client.block('def documented():\n    """First line.\n\n        Indented.\n    """')
    answer = client.run("doc(documented)")
    assert "First line.\n\n" in answer and "Indented." in answer
    assert client.run("doc(5 .__class__)").count("\n") > 2
    assert "<no docstring>" in client.run("doc(lambda: 0)")
    answer = client.run("import textwrap; doc(textwrap.dedent)")
    assert "textwrap.py:" in answer and "Remove any common leading whitespace" in answer
    for helper in ("doc", "server_print", "halt", "bg", "fg", "jobs"):
        assert "<no docstring>" not in client.run("doc(%s)" % helper), helper


def test_server_print(interpreter, serve, connect):
    server = serve(python=interpreter.plain)
    client = connect(server)
    assert client.run("server_print('to', 'the', 'process', sep='-', end='!\\n')") == ""
    assert server.stdout.line() == "to-the-process!"
    assert client.run("server_print('žluť')") == ""
    assert server.stdout.line() == "žluť"


def test_server_print_follows_the_hosts_stdout(embed, connect):
    """`The original stdout of the server process`: what the host itself prints to."""
    host = embed("""
import sys
from replserve import server
print(server.start(globals(), repl_port=0, control_port=0)[1], flush=True)
for line in sys.stdin: pass
""")
    client = connect(int(host.stdout.line()))
    client.run("server_print('heard')")
    assert host.stdout.line() == "heard"


def test_halt_with_one_session(interpreter, serve, connect):
    server = serve(python=interpreter.plain)
    client = connect(server)
    assert "Halt requested" in client.run("halt()")
    server.stdout.wait_for("Halt requested")
    assert client.run("1 + 1") == "2\n"
    client.send("quit()\n")
    client.rest()
    assert server.wait() == 0


def test_halt_waits_for_the_last_session(server, connect):
    first, second = connect(server), connect(server)
    first.run("halt()")
    first.send("quit()\n")
    first.rest()
    assert second.run("1 + 1") == "2\n"
    third = connect(server)  # still serving
    second.close()
    assert third.run("2 + 2") == "4\n"
    third.send("quit()\n")
    third.rest()
    assert server.wait() == 0


def test_halt_and_the_client_vanishes(server, connect):
    client = connect(server)
    client.run("halt()")
    client.reset()
    assert server.wait() == 0


def test_halt_is_canceled(server, connect):
    first, second = connect(server), connect(server)
    first.run("halt()")
    answer = second.run("halt(False)")
    assert "Halt cancel" in answer, answer
    for client in (first, second):
        client.send("quit()\n")
        client.rest()
    assert connect(server).run("1 + 1") == "2\n"


def test_halt_in_a_script_leaves_the_script(serve, connect):
    """The server closes; the program goes on and ends by itself."""
    server = serve(source="import sys\nfor line in sys.stdin: print('still', line, end='', flush=True)\nsys.exit(9)\n",
                   stdin=subprocess.PIPE)
    client = connect(server)
    client.run("halt()")
    server.stdout.wait_for("Halt requested")
    server.stdout.line()
    client.send("quit()\n")
    client.rest()
    assert server.ask("here") == "still here"
    server.process.stdin.close()
    assert server.wait() == 9


HOST_WITH_NAMES = """
import sys
from replserve import server
doc = "the host's doc"
def halt():
    return "the host's halt"
own = {"own": 1}
namespace = globals()
before = dict(namespace)
print(server.start(namespace, repl_port=0, control_port=0)[1], flush=True)
for line in sys.stdin:
    exec(line)
"""


@pytest.mark.parametrize("kind", ["plain", "macros"])
def test_names_of_the_host_are_not_overwritten(newest, kind, embed, connect):
    host = embed(HOST_WITH_NAMES, python=getattr(newest, kind))
    client = connect(int(host.stdout.line()))
    assert client.run("doc, halt()") == "(\"the host's doc\", \"the host's halt\")\n"
    assert client.run("callable(bg), callable(fg), callable(server_print)") == "(True, True, True)\n"
    assert host.ask("print(doc, halt(), flush=True)") == "the host's doc the host's halt"
    assert host.ask("server.stop(); print(doc, halt(), flush=True)") == "the host's doc the host's halt"


@pytest.mark.parametrize("kind", ["plain", "macros"])
def test_injected_names_disappear(edge, kind, embed, connect):
    host = embed(HOST_WITH_NAMES, python=getattr(edge, kind))
    client = connect(int(host.stdout.line()))
    assert client.run("bg is not None") == "True\n"
    client.run("left_by_session = 1")
    client.run("fg = 'now the session\\'s'")
    client.send("quit()\n")
    client.rest()
    assert host.ask("server.stop(); now = {name for name in globals() if name not in before};"
                    " print(sorted(now - {'line', 'before', 'now', '__annotations__'}), fg, flush=True)") == \
        "['fg', 'left_by_session'] now the session's"


def test_sessions_share_the_namespace_of_the_host(interpreter, serve, connect):
    server = serve(python=interpreter.plain, source="""
import sys
value = 1
for line in sys.stdin: print(value, flush=True)
""", stdin=subprocess.PIPE)
    one, other = connect(server), connect(server)
    assert one.run("value") == "1\n"
    one.run("value = 2; shared = []")
    assert other.run("value, shared") == "(2, [])\n"
    assert server.ask("") == "2"
    assert one.run("__name__") == "'__main__'\n"
    assert one.run("import __main__; __main__.value") == "2\n"
