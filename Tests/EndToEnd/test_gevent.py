"""A host that gevent has patched: its greenlets go on while sessions evaluate, and sessions may use gevent themselves."""

import json

import pytest

from frameworks import python_with

HOST = """
import gevent.monkey
gevent.monkey.patch_all()
import gevent, json, os, sys, threading
from replserve import server
import faulthandler
faulthandler.dump_traceback_later(%d, exit=True)
beats = 0
def beat():
    global beats
    while True:
        gevent.sleep(0.001)
        beats += 1
heart = gevent.spawn(beat)
started = server.start(globals(), repl_port=0, control_port=0)
faulthandler.cancel_dump_traceback_later()
print(json.dumps(started[1:]), flush=True)
from gevent.fileobject import FileObject
for line in FileObject(sys.stdin, "rb", close=False):
    exec(line)
"""

STUCK = ("start() hangs: gevent makes threading.Thread a greenlet, so the session threads of replserve run on the main "
         "thread, and never give it back")
NOT_YET = pytest.mark.skip(reason=STUCK)


@pytest.fixture
def host(edge, embed):
    process = embed(HOST % 20, python=python_with(edge, "gevent"))
    process.port, process.control_port = json.loads(process.stdout.line())
    return process


@pytest.mark.xfail(strict=True, reason=STUCK)
def test_it_starts(newest, embed):
    host = embed(HOST % 5, python=python_with(newest, "gevent"))
    host.expected_statuses = {0, 1}
    assert len(json.loads(host.stdout.line())) == 2


def beats(host):
    return int(host.ask("print(beats, flush=True)"))


def goes_on(host):
    """The greenlets of the host are scheduled: `beats` grows between two lines that it is told."""
    first = beats(host)
    assert host.ask("gevent.sleep(0.05); print(beats > %d, flush=True)" % first) == "True"


@NOT_YET
def test_sessions_and_greenlets(host, connect):
    client = connect(host)
    assert client.run("print('works'); 6 * 7") == "works\n42\n"
    assert client.run("beats >= 0") == "True\n"
    assert "ZeroDivisionError" in client.run("1/0")
    client.send("input('?')\n")
    client.expect("?")
    assert client.run("yes") == "'yes'\n"
    goes_on(host)
    first = int(client.run("beats"))
    assert int(client.run("import time; time.sleep(0.05); beats")) > first


@NOT_YET
def test_busy_sessions_do_not_stop_them(host, connect):
    clients = [connect(host) for _ in range(3)]
    for client in clients:
        client.send("exec('print(\"on\")\\nwhile not globals().get(\"enough\"): pass')\n")
        client.expect("on\n")
    goes_on(host)
    connect(host).run("enough = True")
    for client in clients:
        client.prompt()
    goes_on(host)


@NOT_YET
def test_gevent_in_a_session(host, connect):
    """A session's thread has a hub of its own."""
    client = connect(host)
    assert client.run("gevent.joinall([gevent.spawn(pow, 2, 5)])[0].value") == "32\n"
    assert client.run("with_timeout = gevent.with_timeout(5, lambda: 'in time'); with_timeout") == "'in time'\n"
    client.run("from gevent.event import Event; event = Event()")
    assert client.run("gevent.spawn_later(0.01, event.set); event.wait(10)").endswith("True\n")
    goes_on(host)


@NOT_YET
def test_interrupts_and_completion(host, paired):
    client, control = paired(host)
    client.send("exec('print(\"on\")\\nwhile True: pass')\n")
    client.expect("on\n")
    control.interrupt()
    assert "KeyboardInterrupt" in client.prompt()
    assert "gevent" in control.completions("geve")
    assert client.run("1 + 1") == "2\n"
    goes_on(host)


@NOT_YET
def test_clients_that_vanish_and_the_end(host, connect):
    for _ in range(5):
        client = connect(host)
        client.send("exec('print(\"on\")\\nwhile True: pass')\n")
        client.expect("on\n")
        client.reset()
    assert connect(host).run("1 + 1") == "2\n"
    goes_on(host)
    assert host.ask("server.stop(); print('stopped', flush=True)") == "stopped"
    goes_on(host)
