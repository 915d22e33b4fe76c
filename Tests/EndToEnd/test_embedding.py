"""The Python interface: start, stop, both names of it, wrong uses, and that nothing stays behind."""

import re
import socket

import pytest

from control_client import ControlClient
from process_facts import listening_ports, unused_port

# A host that runs the lines it is given. `as_before()` compares its descriptors and threads with those at its start;
# a thread that ended and was joined is still seen in /proc for a moment.
HOST = """
import json, os, sys, threading, time
def facts():
    return [len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task")), threading.active_count()]
def as_before(seconds=10):
    end = time.monotonic() + seconds
    while facts() != before and time.monotonic() < end:
        time.sleep(0.01)
    return facts() == before
before = facts()
before = facts()
import replserve
from replserve import server
for line in sys.stdin:
    try:
        exec(line)
    except Exception as error:
        print(type(error).__name__ + ": " + str(error).replace("\\n", " "))
    sys.stdout.flush()
"""
START = "result = server.start(globals(), repl_port=0, control_port=0); print(json.dumps(result))"


@pytest.fixture
def host(interpreter, embed):
    return embed(HOST, python=interpreter.plain)


def started(host):
    bind, repl_port, control_port = eval(host.ask(START))
    assert bind == "127.0.0.1"
    return repl_port, control_port


def test_start_as_the_ancestor_does(host, connect):
    repl_port, control_port = started(host)
    assert repl_port and control_port and repl_port != control_port
    assert host.ask("print(isinstance(result, tuple), [type(x).__name__ for x in result])") == \
        "True ['str', 'int', 'int']"
    client = connect(repl_port)
    assert client.run("1 + 1") == "2\n"
    with ControlClient(control_port) as control:
        assert control.request("PairWithSession", id=client.session)["status"] == "ok"


def test_start_from_the_package(host, connect):
    port = int(host.ask("print(replserve.start(locals=globals(), repl_port=0, control_port=0, banner=None)[1])"))
    assert connect(port).run("before == before") == "True\n"


def test_positional_arguments_and_chosen_ports(host, connect):
    first, second = unused_port(), unused_port()
    assert eval(host.ask("print(tuple(server.start({}, '127.0.0.1', %d, %d, 'Mine.')))" % (first, second))) == \
        ("127.0.0.1", first, second)
    assert connect(first).greeting == "REPL session 1 connected.\nMine.\n"


def test_an_empty_banner(host, connect):
    port = int(host.ask("print(server.start({}, repl_port=0, control_port=0, banner='')[1])"))
    assert connect(port).greeting == "REPL session 1 connected.\n"


def test_an_empty_namespace(host, connect):
    port = int(host.ask("ns = {}; print(server.start(locals=ns, repl_port=0, control_port=0)[1])"))
    client = connect(port)
    assert "NameError" in client.run("before")
    client.run("made_here = 1")
    assert client.run("import sys; sys.modules['__main__'].ns['made_here']") == "1\n"
    assert host.ask("print(ns['made_here'])") == "1"


def test_listens_on_loopback_only(host):
    repl_port, control_port = started(host)
    assert {repl_port, control_port} <= listening_ports(host.pid)
    outside = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        outside.connect(("192.0.2.1", 9))  # sends nothing: asks which address of ours is not loopback
        address = outside.getsockname()[0]
    except OSError:
        address = "127.0.0.2"
    finally:
        outside.close()
    for port in (repl_port, control_port):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((address, port), timeout=10)


def test_start_twice(host, connect):
    repl_port, _ = started(host)
    answer = host.ask(START)
    assert answer.startswith("RuntimeError: ") and len(answer) > 25, answer
    assert connect(repl_port).run("1 + 1") == "2\n"


def test_stop_and_start_again(host, connect):
    for _ in range(5):
        repl_port, control_port = started(host)
        client = connect(repl_port)
        assert client.run("1 + 1") == "2\n"
        host.ask("server.stop(); print('stopped')")
        client.rest_or_reset()
        for port in (repl_port, control_port):
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", port), timeout=10)


def test_stop_twice_or_without_start(host):
    assert host.ask("server.stop(); server.stop(); print('fine')") == "fine"
    started(host)
    assert host.ask("server.stop(); server.stop(); replserve.stop(); print('fine')") == "fine"


def test_nothing_is_left_after_stop(host, connect):
    for _ in range(3):
        repl_port, control_port = started(host)
        connect(repl_port).run("print(1); import threading")
        client = connect(repl_port)
        client.send("quit()\n")
        client.rest()
        ControlClient(control_port).request("DescribeServer")
        assert host.ask("server.stop(); print(as_before(), facts(), before)").startswith("True"), \
            host.ask("print({f: os.readlink('/proc/self/fd/' + f) for f in os.listdir('/proc/self/fd')"
                     " if os.path.exists('/proc/self/fd/' + f)})")


@pytest.mark.parametrize("state", ["idle", "evaluating", "flooding", "reading"])
def test_stop_with_a_session(host, connect, state):
    repl_port, _ = started(host)
    client = connect(repl_port)
    if state == "evaluating":
        client.send("exec('print(\"on\")\\nwhile True: pass')\n")
        client.expect("on\n")
    elif state == "flooding":
        client.send("while True: print('x' * 1000)\n\n")
        client.expect("xxx")
    elif state == "reading":
        client.send("input('asks ')\n")
        client.expect("asks ")
    assert host.ask("server.stop(); print('stopped')") == "stopped"
    client.rest_or_reset()
    answer = host.ask("print(as_before(), facts(), before)")
    assert answer.startswith("True"), answer
    repl_port, _ = started(host)
    assert connect(repl_port).run("1 + 1") == "2\n"


def test_stop_from_a_session(host, connect):
    repl_port, _ = started(host)
    client = connect(repl_port)
    client.send("import replserve; replserve.stop()\n")
    client.rest_or_reset()
    assert host.ask("print('alive')") == "alive"
    repl_port, _ = started(host)
    assert connect(repl_port).run("1 + 1") == "2\n"


def test_stop_from_another_thread_while_starting_again(host, connect):
    host.tell("def cycle():\n".strip() + " [(server.start({}, repl_port=0, control_port=0), server.stop())"
              " for _ in range(20)]")
    assert host.ask("threads = [threading.Thread(target=server.stop) for _ in range(20)]; cycle();"
                    " [t.start() for t in threads]; [t.join() for t in threads]; print(as_before())") == "True"


def test_threads_are_gone_as_the_host_sees_them(host, connect):
    """threading.enumerate() in the host does not fill with our dummies."""
    repl_port, _ = started(host)
    for _ in range(5):
        client = connect(repl_port)
        client.run("import threading; threading.current_thread().name")
        client.send("quit()\n")
        client.rest()
    assert host.ask("server.stop(); print([t.name for t in threading.enumerate()])") == "['MainThread']"


@pytest.mark.parametrize("which", ["repl_port", "control_port"])
def test_a_port_in_use(host, which, environment):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ports = dict(repl_port=0, control_port=0)
        ports[which] = taken.getsockname()[1]
        names = host.ask("print(sorted(globals()))")
        answer = host.ask("server.start(globals(), repl_port=%(repl_port)d, control_port=%(control_port)d)" % ports)
        assert answer.startswith("OSError: "), answer
        assert str(ports[which]) in answer or "in use" in answer, answer
        assert host.ask("print(as_before(), facts(), before)").startswith("True")
        assert host.ask("print(sorted(set(globals()) - {'error'}))") == names
        assert listening_ports(host.pid) == set()
    started(host)


def test_the_port_of_a_server_that_just_stopped(host, connect):
    """With connections in TIME_WAIT, the same port can be had again at once."""
    port, control_port = unused_port(), unused_port()
    for _ in range(3):
        host.ask("print(server.start({}, repl_port=%d, control_port=%d))" % (port, control_port))
        client = connect(port)
        client.send("quit()\n")
        client.rest()
        host.ask("server.stop(); print()")


@pytest.mark.parametrize("call, error", [
    ("server.start(5)", "TypeError"), ("server.start([])", "TypeError"), ("server.start('globals')", "TypeError"),
    ("server.start({}, repl_port='x')", "TypeError"), ("server.start({}, repl_port=-1)", "ValueError|OverflowError"),
    ("server.start({}, repl_port=65536)", "ValueError|OverflowError"), ("server.start({}, bind=5)", "TypeError"),
    ("server.start({}, banner=5)", "TypeError"), ("server.start({}, nosuch=1)", "TypeError"),
    ("server.start({}, bind='256.1.1.1')", "OSError|ValueError|gaierror"),
    ("server.start({}, bind='')", "OSError|ValueError"),
    ("server.start({}, bind='a\\0b')", "OSError|ValueError"),
])
def test_wrong_arguments(host, call, error):
    answer = host.ask(call)
    assert re.match("(%s): ." % error, answer), answer
    assert host.ask("print(as_before(), facts(), before)").startswith("True")
    started(host)


def test_import_does_nothing(embed):
    """Importing starts no thread and opens nothing."""
    host = embed(HOST)
    assert host.ask("print(as_before(), facts(), before)").startswith("True")


def test_import_in_a_thread_and_use_there(interpreter, embed, connect):
    host = embed("""
import sys, threading
def work():
    from replserve import server
    print(server.start({}, repl_port=0, control_port=0)[1], flush=True)
thread = threading.Thread(target=work)
thread.start()
thread.join()
for line in sys.stdin: pass
""", python=interpreter.plain)
    assert connect(int(host.stdout.line())).run("1 + 1") == "2\n"


def test_playground_by_module_name(interpreter, embed, connect):
    """`python3 -m replserve` equals `replserve`."""
    host = embed("import os, sys\nos.execv(sys.executable, [sys.executable, '-m', 'replserve', '--announce',"
                 " '--port', '0', '--control-port', '0'])\n", python=interpreter.plain)
    announced = eval(host.stdout.line().replace("null", "None"))
    assert set(announced) >= {"pid", "name", "bind", "repl_port", "control_port", "socket", "python"}
    assert announced["pid"] == host.pid
    assert connect(announced["repl_port"]).run("1 + 1") == "2\n"
    host.signal(15)
    assert host.wait() in {0, -15, 143}


def test_an_evaluation_that_outlives_the_server(host, connect):
    """It is stuck in C while the server stops; when it comes back, it ends without a word on the host's stderr."""
    repl_port, _ = started(host)
    client = connect(repl_port)
    assert host.ask("import os; ends = os.pipe(); answer = []; said = []; print('set')") == "set"
    # It takes the interrupt, which may come before it is stuck, and goes on.
    client.send("exec('while not answer:\\n try:\\n  said or said.append(print(\"on\"))\\n  answer.append(os.read(ends[0], 1))\\n"
                " except KeyboardInterrupt: pass')\n")
    client.expect("on\n")
    assert host.ask("server.stop(); print(threading.active_count())") == "2"
    assert host.ask("left = [t for t in threading.enumerate() if t is not threading.current_thread()];"
                    " os.write(ends[1], b'xx'); [t.join() for t in left]; print(threading.active_count())") == "1"


def test_looking_for_macros_leaves_no_mark(host, connect):
    """Without mcpyrate, the failed look for it changes nothing for the host's own imports."""
    repl_port, _ = started(host)
    assert connect(repl_port).run("1 + 1") == "2\n"
    assert host.ask("print([name for name in sys.modules if name.startswith('mcpyrate')])") == "[]"
