"""The host is unaffected: what a thread outside the sessions can see stays as it was."""

import json
import subprocess

import pytest

# What a host looks at. Everything here is compared by identity or value with what it was.
SNAPSHOT = """
import atexit, builtins, gc, json, os, signal, sys, threading, warnings
def snapshot():
    seen = {}
    for name in ("stdin", "stdout", "stderr", "__stdin__", "__stdout__", "__stderr__", "excepthook", "__excepthook__",
                 "displayhook", "__displayhook__", "unraisablehook", "breakpointhook", "ps1", "ps2", "flags", "stdlib_module_names"):
        seen["sys." + name] = repr(id(getattr(sys, name))) if hasattr(sys, name) else "absent"
    for name in ("path", "argv", "meta_path", "path_hooks", "warnoptions", "dont_write_bytecode", "executable"):
        seen["sys." + name] = repr(getattr(sys, name))
    seen["trace"] = repr((sys.gettrace(), sys.getprofile(), threading.gettrace() if hasattr(threading, "gettrace") else 0))
    seen["limits"] = repr((sys.getrecursionlimit(), sys.getswitchinterval(), gc.get_threshold(), gc.isenabled(),
                           threading.stack_size()))
    for name in ("input", "print", "open", "exit", "quit", "help", "copyright", "__import__", "__build_class__", "_"):
        seen["builtins." + name] = repr(id(getattr(builtins, name))) if hasattr(builtins, name) else "absent"
    seen["builtins"] = repr(sorted(set(vars(builtins)) - {"_"}))
    seen["signals"] = repr([(number, str(signal.getsignal(number))) for number in sorted(signal.valid_signals())])
    seen["mask"] = repr(sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])))
    seen["wakeup"] = repr(os.environ.get("PYTHONINSPECT"))
    fd = signal.set_wakeup_fd(-1); signal.set_wakeup_fd(fd); seen["wakeup"] = repr(fd)
    seen["threading"] = repr((id(threading.excepthook), id(threading.settrace)))
    seen["warnings"] = repr((warnings.filters, id(warnings.showwarning), id(warnings._showwarnmsg)))
    seen["environ"] = repr(sorted(os.environ.items()))
    seen["place"] = repr((os.getcwd(), os.getpid()))
    mask = os.umask(0o22); os.umask(mask); seen["umask"] = repr(mask)
    return seen
def differences(a, b):
    return {name: [a.get(name), b.get(name)] for name in set(a) | set(b) if a.get(name) != b.get(name)}
"""

HOST = SNAPSHOT + """
import warnings
first = snapshot()
first = snapshot()
import replserve
from replserve import server
ports = server.start(locals={}, repl_port=0, control_port=0)
print(ports[1], flush=True)
for line in sys.stdin:
    if line == "compare\\n":
        print(json.dumps(differences(first, snapshot())), flush=True)
    else:
        exec(line)
"""


def comparison(host):
    return json.loads(host.ask("compare"))


def test_nothing_changes_before_the_first_session(interpreter, embed):
    host = embed(HOST, python=interpreter.plain)
    host.stdout.line()
    assert comparison(host) == {}


def test_everything_is_as_before_after_stop(interpreter, console, embed, connect, tmp_path):
    host = embed(HOST, python=getattr(interpreter, console))
    port = int(host.stdout.line())
    client = connect(port)
    client.run("1 + 1; print(2); input\n1/0")
    client.prompt()
    client.run("import warnings; warnings.warn('w')")
    client.send("breakpoint()\n")
    client.expect("(Pdb) ")
    client.send("c\n")
    client.prompt()
    client.run("help(len)")
    client.send("quit()\n")
    client.rest()
    host.tell("server.stop()")
    left = comparison(host)
    if console == "macros":  # mcpyrate's own importer hooks stay, as in any process that imports it
        left.pop("sys.meta_path", None)
        left.pop("sys.path_hooks", None)
    assert left == {}


def test_during_sessions_only_the_streams_are_routed(interpreter, embed, connect):
    """Other hooks, signals, prompts, paths and filters are the host's own even then."""
    host = embed(HOST, python=interpreter.plain)
    port = int(host.stdout.line())
    one, other = connect(port), connect(port)
    one.run("1 + 1")
    other.run("1/0")
    changed = set(comparison(host)) - {"sys.stdin", "sys.stdout", "sys.stderr", "sys.displayhook"}
    assert not changed, changed


def test_host_output_during_sessions_is_the_hosts(interpreter, serve, connect):
    """A thread of the host prints without pause; every line arrives on the process's stdout, none in a session."""
    server = serve(python=interpreter.plain, stdin=subprocess.PIPE, source="""
import sys, threading
stop = threading.Event()
def talk():
    n = 0
    while not stop.is_set():
        print("host line", n)
        n += 1
    print("lines:", n, flush=True)
thread = threading.Thread(target=talk)
thread.start()
sys.stdin.readline()
stop.set()
thread.join()
for line in sys.stdin: pass
""")
    one, other = connect(server), connect(server)
    for n in range(50):
        assert one.run("print('one', %d)" % n) == "one %d\n" % n
        assert other.run("%d" % n) == "%d\n" % n
    server.tell("stop")
    server.stdout.wait_for("\nlines: ")
    count = int(server.stdout.line())
    lines = [line for line in server.stdout.text.splitlines() if line.startswith("host line")]
    assert lines == ["host line %d" % n for n in range(count)]
    assert "one" not in server.stdout.text


def test_the_hosts_streams_behave_during_a_session(interpreter, embed, connect):
    host = embed(HOST, python=interpreter.plain)
    client = connect(int(host.stdout.line()))
    client.run("print('routed')")
    assert host.ask("print(sys.stdout.fileno(), sys.stderr.fileno(), sys.stdin.fileno(), flush=True)") == "1 2 0"
    assert host.ask("print(sys.stdout.encoding, sys.stdout.isatty(), flush=True)") == "utf-8 False"
    assert host.ask("sys.stdout.write('written\\n'); sys.stdout.flush()") == "written"
    assert host.ask("sys.stdout.buffer.write(b'bytes\\n'); sys.stdout.buffer.flush()") == "bytes"
    assert host.ask("os.write(1, b'raw\\n')") == "raw"
    assert host.ask("import subprocess; _ = subprocess.run(['echo', 'child'])") == "child"
    assert host.ask("import io, contextlib; s = io.StringIO(); c = contextlib.redirect_stdout(s); c.__enter__();"
                    " print('caught'); c.__exit__(None, None, None); print(repr(s.getvalue()), flush=True)") \
        == "'caught\\n'"
    assert host.ask("sys.stdout.reconfigure(line_buffering=True); print('reconfigured')") == "reconfigured"
    assert client.run("print('still routed')") == "still routed\n"


def test_the_host_reads_its_own_stdin_during_a_session(interpreter, embed, connect):
    """Also after a session called quit(), which closes sys.stdin at a plain prompt."""
    host = embed(HOST, python=interpreter.plain)
    port = int(host.stdout.line())
    client = connect(port)
    client.run("1")
    client.send("quit()\n")
    client.rest()
    connect(port).run("1")
    assert host.ask("print('got', sys.stdin.readline().strip(), flush=True)\nown line") == "got own line"
    assert host.ask("print(input('asks '), flush=True)\nanswer") == "asks answer"


def test_exceptions_of_host_threads_stay_with_the_host(interpreter, embed, connect):
    host = embed(HOST, python=interpreter.plain)
    client = connect(int(host.stdout.line()))
    client.run("1")
    host.tell("t = threading.Thread(target=lambda: 1/0, name='hosts own'); t.start(); t.join()")
    host.stderr.wait_for("ZeroDivisionError")
    host.trouble_expected = True
    assert client.run("2") == "2\n"


def test_a_host_with_streams_of_its_own(embed, connect):
    """The host replaced sys.stdout before the start: it keeps that object, and gets it back."""
    host = embed("""
import io, sys
real = sys.stdout
class Tee(io.StringIO): pass
sys.stdout = tee = Tee()
from replserve import server
print(server.start({}, repl_port=0, control_port=0)[1], file=real, flush=True)
for line in sys.stdin:
    exec(line)
""")
    client = connect(int(host.stdout.line()))
    assert client.run("print('in session')") == "in session\n"
    assert client.run("server_print('to the tee')") == ""
    host.tell("print('host')")
    assert host.ask("print(repr(tee.getvalue()), file=real, flush=True)") == repr("to the tee\nhost\n")
    assert host.ask("server.stop(); print(sys.stdout is tee, file=real, flush=True)") == "True"


def test_a_host_that_replaces_its_stream_during_a_session(embed, connect):
    """stop() undoes what we did, not what the host did since."""
    host = embed(HOST)
    client = connect(int(host.stdout.line()))
    client.run("1")
    host.tell("import io; keep = sys.stdout; mine = sys.stdout = io.StringIO(); print('to mine')")
    assert client.run("1 + 1").endswith("2\n") or client.run("1") is not None
    host.tell("server.stop(); same = sys.stdout is mine; sys.stdout = sys.__stdout__")
    assert host.ask("print(same, repr(mine.getvalue()), flush=True)") == "True 'to mine\\n'"


@pytest.mark.parametrize("name", ["stdin", "stdout", "stderr"])
def test_a_host_without_a_stream(embed, connect, name):
    """As in a daemon: sys.stdout is None."""
    host = embed("""
import os, sys
from replserve import server
sys.%s = None
port = server.start({}, repl_port=0, control_port=0)[1]
os.write(1, b"%%d\\n" %% port)
while os.read(0, 1): pass
server.stop()
assert sys.%s is None
""" % (name, name))
    client = connect(int(host.stdout.line()))
    assert client.run("print('works')") == "works\n"
    client.send("input('?')\n")
    client.expect("?")
    assert client.run("yes") == "'yes'\n"
    client.run("server_print('nowhere perhaps')")
    assert client.run("1/0").endswith("division by zero\n")


def test_a_host_with_closed_descriptors(embed, connect, environment, tmp_path):
    """Started without descriptors 0 and 2: ours must not end up there and be written to by others."""
    host = embed("""
import os, sys
from replserve import server
port = server.start({}, repl_port=0, control_port=0)[1]
os.write(1, b"%d\\n" % port)
import threading
threading.Event().wait()
""", preexec_fn=close_two)
    host.expected_statuses = {-15}
    client = connect(int(host.stdout.line()))
    assert client.run("print('works')") == "works\n"
    client.run("import os")
    client.run("os.system('echo to nobody >&2')")
    assert client.run("1 + 1") == "2\n"
    host.signal(15)
    host.wait()


def close_two():
    import os
    os.close(0)
    os.close(2)


def test_signals_reach_the_host(interpreter, embed, connect):
    """SIGINT and SIGTERM handlers of the host run while sessions are open."""
    host = embed("""
import os, signal, sys
from replserve import server
print(server.start({}, repl_port=0, control_port=0)[1], flush=True)
signal.signal(signal.SIGTERM, lambda *_: os.write(1, b"terminated\\n"))
signal.signal(signal.SIGUSR1, lambda *_: os.write(1, b"usr1\\n"))
signal.signal(signal.SIGALRM, lambda *_: os.write(1, b"alarm\\n"))
print("ready", flush=True)
while True:
    try:
        line = sys.stdin.readline()
        if not line: break
        if line == "alarm\\n": signal.setitimer(signal.ITIMER_REAL, 0.01)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
""", python=interpreter.plain)
    client = connect(int(host.stdout.line()))
    assert host.stdout.line() == "ready"
    client.send("exec('print(\"on\")\\nwhile True: pass')\n")
    client.expect("on\n")
    for number, word in ((15, "terminated"), (10, "usr1"), (2, "interrupted"), (15, "terminated")):
        host.signal(number)
        assert host.stdout.line() == word
    assert host.ask("alarm") == "alarm"
    client.reset()


def test_sigpipe_is_as_python_has_it(interpreter, embed, connect):
    """A client that vanishes while it is written to does not kill the host, nor change SIGPIPE."""
    host = embed(HOST, python=interpreter.plain)
    port = int(host.stdout.line())
    for _ in range(20):
        client = connect(port)
        client.send("while True: print('x' * 10000)\n\n")
        client.expect("xxxx")
        client.reset()
    assert "signals" not in comparison(host)
    assert connect(port).run("1") == "1\n"


def test_asyncio_and_threads_of_the_host_go_on(interpreter, serve, connect):
    server = serve(python=interpreter.plain, stdin=subprocess.PIPE, source="""
import asyncio, sys
async def main():
    loop = asyncio.get_running_loop()
    while True:
        line = await loop.run_in_executor(None, sys.stdin.readline)
        if not line: break
        await asyncio.sleep(0)
        print("echo", line, end="", flush=True)
asyncio.run(main())
""")
    client = connect(server)
    client.send("exec('print(\"on\")\\nwhile True: pass')\n")
    client.expect("on\n")
    for n in range(10):
        assert server.ask(str(n)) == "echo %d" % n
    client.reset()


