"""The golden tests: scripts in Tests/Golden, and what they print.

NAME.sh is run with `sh -eu` in an empty directory, with the tools in PATH, against servers of its own, and has to write
NAME.out to standard output and NAME.err to standard error (a file that is not there stands for nothing), and to exit
with 0. Comments at its start say what it gets:

    # servers: one two silent    the names of its servers, in the order of their pids; `silent` is one that never
                                 answers, `fake` one with fixed answers, `none` is none. Without it: app. All others
                                 run app.py, and NAME_PID, NAME_SOCKET, NAME_PORT and NAME_CONTROL are set.
    # ends: yes                  the servers end, without a signal
    # terminal: 60               standard output is a terminal of so many columns

`UPDATE_GOLDEN=1 pytest test_golden.py` writes the files anew: look at the difference before it is committed.
"""

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import termios

import pytest

from deadline import PATIENCE
from fake_server import FakeServer, silent, whole
from host_process import Collected
from interpreters import ROOT
from peers import STAGE

GOLDEN = ROOT / "Tests" / "Golden"
SCRIPTS = sorted(GOLDEN.glob("*.sh"))
PARTS = {"silent": silent, "fake": whole()}
# The pid of those: they are the last in every list.
GREATEST_PID = 2 ** 31 - 1

# What differs from run to run, and what stands for it. Known words are replaced before: see `known`.
VARIABLE = [
    # Of the interpreter: its library, where it points in a line, its version.
    (r"(?m)(?:(?<=[ \"(])|^)/[^\s\"()]*/lib/python3\.\d+/", "LIBRARY/"),
    (r"(LIBRARY/[\w./]+(?::|\",\"line\":))\d+", r"\1N"),
    (r"(?<=\n)[^\n]*?: +[~^]+\n|(?<=\n) +[~^]+\n|(?<=\\n) +[~^]+\\n", ""),
    (r"\b3\.\d+\.\d+\b", "VERSION"),
    (r"\bin \d+\.\d{3} ms", "in N ms"),
    (r"(?<![\d.])\d+\.\d{3}\b", "S.SSS"),
    (r'"(seconds|age|since|duration|cpu|uptime|load)":[-+.e\d]+', r'"\1":N'),
    (r"\bpid \d+ uid \d+", "pid N uid N"),
    (r"<session \d+:", "<session N:"),
    (r'"session":\d+', '"session":N'),
    (r"\b([Ss])ession \d+\b", r"\1ession N"),
    (r"(?m)^\d+(?=\ttool\t)", "N"),
    # The numbers of sessions among the details of an error, and of a terminal's ages.
    (r"(?m)^  \d+(?=  )", "  N"),
    (r"\bthread \d+ ", "thread N "),
    # The length of a traceback.
    (r"(?<=failed\tS.SSS\tS.SSS\tS.SSS\t)\d+", "N"),
    (r'(?<="output":)\d+(?=,"dropped")', "N"),
]


def directive(script, name, default=None):
    match = re.search(r"^# %s: (.*)$" % name, script.read_text(), re.M)
    return match.group(1) if match else default


def known(environment, servers, folder):
    """The words of this run, and what stands for each: the longest first."""
    words = {str(folder): "HERE", str(folder.parent): "TMP", environment["XDG_RUNTIME_DIR"]: "RUN", str(STAGE): "STAGE",
             str(ROOT): "ROOT", os.path.dirname(environment["HOME"]): "PRIVATE"}
    for name, server in servers.items():
        described = server.announced
        words.update({str(described["pid"]): name.upper() + "_PID", str(described["repl_port"]): name.upper() + "_PORT",
                      str(described["control_port"]): name.upper() + "_CONTROL", described["python"]: "PYTHON"})
    return sorted(words.items(), key=lambda pair: -len(pair[0]))


def filtered(text, words):
    for word, name in words:
        text = re.sub(r"(?<![\w.])%s(?!\w)" % re.escape(word), name, text)
    for pattern, name in VARIABLE:
        text = re.sub(pattern, name, text)
    return text


@pytest.fixture
def servers_named(serve, closing, environment):
    """Starts servers with these names, their pids in this order."""
    def start(names):
        found, last = {}, 0
        for name in names:
            if name in PARTS:
                closing(FakeServer(PARTS[name], environment["XDG_RUNTIME_DIR"], name=name, pid=GREATEST_PID))
                continue
            server = serve("--name", name, "--stay", source=(GOLDEN / "app.py").read_text())
            server.stdout.wait_for("ready\n")
            # The kernel begins anew at the greatest pid.
            assert server.pid > last, "the pids have wrapped around; run this again"
            found[name], last = server, server.pid
        return found
    return start


def run(script, environment, folder, columns):
    """Runs a script; returns its exit status and what it wrote to the two streams."""
    command = ["sh", "-eu", str(script)]
    if columns is None:
        done = subprocess.run(command, cwd=str(folder), env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=PATIENCE * 2, check=False)
        return done.returncode, done.stdout.decode(), done.stderr.decode()
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen(command, cwd=str(folder), env=environment, stdin=subprocess.DEVNULL, stdout=theirs,
                               stderr=subprocess.PIPE, start_new_session=True)
    os.close(theirs)
    output, errors = Collected(os.fdopen(ours, "rb", buffering=0)), Collected(process.stderr)
    try:
        status = process.wait(PATIENCE * 2)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    texts = output.wait_end().replace("\r\n", "\n"), errors.wait_end()
    output.close()
    errors.close()
    return (status, *texts)


@pytest.mark.parametrize("script", SCRIPTS, ids=[script.stem for script in SCRIPTS])
def test_golden(script, servers_named, environment, tmp_path):
    names = directive(script, "servers", "app").split()
    servers = servers_named([] if names == ["none"] else names)
    folder = tmp_path / "here"
    folder.mkdir()
    variables = dict(environment, PATH="%s:%s" % (STAGE / "bin", environment["PATH"]))
    for name, server in servers.items():
        for variable, key in (("PID", "pid"), ("SOCKET", "socket"), ("PORT", "repl_port"), ("CONTROL", "control_port")):
            variables["%s_%s" % (name.upper(), variable)] = str(server.announced[key])
    columns = directive(script, "terminal")
    status, output, errors = run(script, variables, folder, int(columns) if columns else None)
    words = known(environment, servers, folder)
    if directive(script, "ends"):
        assert [server.wait() for server in servers.values()] == [0] * len(servers)
    assert status == 0, (status, output, errors)
    for kind, text in (("out", filtered(output, words)), ("err", filtered(errors, words))):
        path = script.with_suffix("." + kind)
        if os.environ.get("UPDATE_GOLDEN"):
            if text:
                path.write_text(text)
            elif path.exists():
                path.unlink()
        wanted = path.read_text() if path.exists() else ""
        assert text.splitlines() == wanted.splitlines() and text == wanted, "%s differs" % path.name
