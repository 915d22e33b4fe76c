"""The log on standard error: it holds nobody up, and is written nowhere else, whatever becomes of that descriptor."""

import re
import subprocess

import pytest

from deadline import PATIENCE
from peers import netcat
from test_embedding import HOST
from tools import USAGE

#: One line, from the doorkeeper.
LINE = re.compile(r"replserve: \S+Z warning: refused a connection to the text door: it does not speak our protocol, "
                  r"as a web page's would not \(127\.0\.0\.1:\d+\)")


@pytest.fixture
def host(newest, embed):
    """A program that starts a server when it is told to."""
    return embed(HOST, python=newest.plain)


def begin(host, options=""):
    return int(host.ask("print(server.start(globals(), repl_port=0, control_port=0, %s)[1])" % options))


def provoke(port):
    """Something is refused, and would be logged; then the server serves as before."""
    netcat(port, b"GET / HTTP/1.1\r\n\r\n")
    assert b"42\n" in netcat(port, b"6 * 7\n")


def test_a_line(host):
    provoke(begin(host))
    assert LINE.fullmatch(host.stderr.line())


@pytest.mark.parametrize("level", ["error", "critical"])
def test_a_level_above(host, level):
    provoke(begin(host, "log_level=%r" % level))
    assert host.stderr.text == ""


def test_a_level_below(serve):
    server = serve("--log-level", "trace")
    provoke(server.port)
    server.stderr.wait_for("serving")
    server.stderr.line()
    assert LINE.fullmatch(server.stderr.line())


def test_a_level_that_does_not_exist(replserve_path, newest, environment, host):
    done = subprocess.run([replserve_path, "--python", newest.plain, "--log-level", "loud"], env=environment,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=PATIENCE, text=True)
    assert done.returncode == USAGE
    assert done.stderr.count("\n") == 1 and "loud" in done.stderr and "warning" in done.stderr, done.stderr
    assert host.ask("server.start(globals(), log_level='loud')") == (
        "ValueError: 'loud' is not a log level; choose one of trace, debug, info, notice, warning, error, critical")
    assert host.ask("print(as_before())") == "True"


def test_a_full_pipe(host):
    host.ask("reading, writing = os.pipe(); kept = os.dup(2); os.set_blocking(writing, False)\n".strip() + "; print()")
    host.ask("exec('try:\\n while os.write(writing, b\".\"): pass\\nexcept BlockingIOError: os.set_blocking(writing, True)')"
             "; os.dup2(writing, 2); print()")
    port = begin(host)
    provoke(port)
    # Nothing was written, and nothing is: the line is lost.
    assert host.ask("os.dup2(kept, 2); os.close(writing); "
                    "print(set(iter(lambda: os.read(reading, 1), b'')))") == "{b'.'}"


def test_a_descriptor_that_is_closed_before(host):
    host.ask("os.close(2); file = open('database', 'w'); print()")
    assert host.ask("print(file.fileno())") == "2"
    assert host.ask("os.dup2(os.dup(file.fileno()), 9); os.close(2); print()") == ""
    port = begin(host)
    host.ask("os.dup2(9, 2); print()")
    provoke(port)
    assert host.ask("print(os.path.getsize('database'))") == "0"


def test_a_descriptor_that_is_another_file_now(host):
    port = begin(host)
    host.ask("os.close(2); file = os.open('database', os.O_WRONLY | os.O_CREAT); print()")
    assert host.ask("print(file)") == "2"
    provoke(port)
    assert host.ask("print(os.path.getsize('database'))") == "0"


def test_a_daemon(host):
    port = begin(host)
    host.ask("null = os.open(os.devnull, os.O_RDWR); os.dup2(null, 2); os.close(null); print()")
    provoke(port)
    assert host.stderr.wait_end() == ""
