"""gunicorn with several workers: each has a server of its own, which replctl finds, and serves its requests meanwhile."""

import json
import os
import re
import signal
import socket
import urllib.request

import pytest

from control_tool import Replctl
from deadline import PATIENCE, eventually
from frameworks import python_with
from host_process import HostProcess
from peers import PYTHON_PACKAGE

WORKERS = 3

APPLICATION = """
import os
count = 0
def application(environ, respond):
    global count
    count += 1
    respond("200 OK", [("Content-Type", "text/plain")])
    return [b"%d" % os.getpid()]
"""

# The server is started in each worker, after the fork, as replserve(1) says, and when that knows its signals: gunicorn
# forgets a SIGTERM that a worker gets before.
SETTINGS = """
import os
bind = "127.0.0.1:0"
workers = %d
def post_worker_init(worker):
    import application
    from replserve import server
    server.start(vars(application), repl_port=0, control_port=0, name="worker-%%d" %% os.getpid())
def worker_exit(arbiter, worker):
    from replserve import server
    server.stop()
""" % WORKERS


class Gunicorn(HostProcess):
    """A running gunicorn; `port` is that of its web server."""

    ends_by = "SIGTERM"

    def __init__(self, python, folder, environment, worker_class):
        (folder / "application.py").write_text(APPLICATION)
        (folder / "settings.py").write_text(SETTINGS)
        super().__init__([python, "-m", "gunicorn", "-c", "settings.py", "-k", worker_class, "application:application"],
                         dict(environment, PYTHONPATH="%s:%s" % (PYTHON_PACKAGE, folder)), cwd=str(folder))
        self.port = None
        while self.port is None:
            found = re.search(r"Listening at: http://127\.0\.0\.1:(\d+)", self.stderr.line())
            self.port = found and int(found.group(1))

    def ask_to_end(self):
        self.signal(signal.SIGTERM)
        super().ask_to_end()

    def request(self):
        """The process that answers a request."""
        with urllib.request.urlopen("http://127.0.0.1:%d/" % self.port, timeout=PATIENCE) as answer:
            return int(answer.read())


@pytest.fixture(params=["sync", "gthread"])
def gunicorn(request, edge, environment, closing, tmp_path):
    python = python_with(edge, "gunicorn")
    return closing(Gunicorn(python, tmp_path, environment, request.param))


@pytest.fixture
def replctl(environment, closing):
    return Replctl(environment, closing)


def servers(replctl):
    """process -> what `replctl servers` says of it."""
    status, output, _ = replctl("servers", "--json")
    rows = [json.loads(line) for line in output.splitlines()] if status == 0 else []
    return {row["pid"]: row for row in rows if "pid" in row}


def all_of(replctl):
    found = servers(replctl)
    return found if len(found) == WORKERS else None


def test_each_worker_has_its_own(gunicorn, replctl):
    found = eventually(lambda: all_of(replctl), "a server in each worker")
    assert gunicorn.pid not in found
    for pid in found:
        assert replctl("eval", "-t", "pid:%d" % pid, "__import__('os').getpid()")[:2] == (0, "%d\n" % pid)
        assert replctl("eval", "-t", "name:worker-%d" % pid, "count += 100; count >= 100")[:2] == (0, "True\n")
    assert {gunicorn.request() for _ in range(20)} <= set(found)


def test_requests_are_answered_while_sessions_are_busy(gunicorn, replctl):
    """A loop in each of the workers, and every request is served."""
    found = eventually(lambda: all_of(replctl), "a server in each worker")
    busy = [replctl.start("eval", "-t", "pid:%d" % pid, "print('on', flush=True)\nwhile not globals().get('enough'): pass")
            for pid in found]
    for process in busy:
        assert process.stdout.line() == "on"
    for _ in range(20):
        assert gunicorn.request() in found
    for pid, process in zip(found, busy):
        assert replctl("eval", "-t", "pid:%d" % pid, "enough = True")[0] == 0
        assert process.wait() == 0


def test_a_worker_that_is_replaced(gunicorn, replctl):
    """One is killed: its server is gone from the list, that of its successor is there; a reload replaces all."""
    before = eventually(lambda: all_of(replctl), "a server in each worker")
    victim = next(iter(before))
    os.kill(victim, signal.SIGKILL)
    after = eventually(lambda: [found for found in [all_of(replctl)] if found and victim not in found], "a successor")[0]
    assert len(set(after) - set(before)) == 1
    gunicorn.signal(signal.SIGHUP)
    eventually(lambda: [found for found in [all_of(replctl)] if found and not set(found) & set(after)], "all are new")
    assert gunicorn.request() not in after


def test_it_ends_as_without_us(gunicorn, replctl):
    """With sessions open and a loop in one of them: within gunicorn's time for that, and nothing is left."""
    found = eventually(lambda: all_of(replctl), "a server in each worker")
    busy = replctl.start("eval", "-t", "pid:%d" % next(iter(found)), "print('on', flush=True)\nwhile True: pass")
    assert busy.stdout.line() == "on"
    gunicorn.signal(signal.SIGTERM)
    assert gunicorn.wait() == 0
    busy.wait()
    assert servers(replctl) == {}
    assert not [pid for pid in found if os.path.exists("/proc/%d" % pid)]
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", gunicorn.port)) != 0
