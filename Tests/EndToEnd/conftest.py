"""The fixtures: interpreters, servers, hosts, clients. Each test gets its own and leaves nothing running."""

import os
import shutil
import signal
import tempfile
from pathlib import Path

import pytest

from control_client import paired as pair_with
from host_process import HostProcess, ServerProcess
from interpreters import interpreters
from peers import NATIVE_MODULE, PYTHON_PACKAGE, REPLSERVE, STAGE, built, environment_python
from secure_shell import Keyring, safe_folder
from terminal import Terminal
from text_client import TextClient
from wire_client import WireClient


# Under nohup(1) and in the background of a shell these are ignored, and every process started here would inherit that.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)


def _ids(found):
    return ["py" + interpreter.minor for interpreter in found]


def _edges():
    found = interpreters()
    return [found[0], found[-1]] if len(found) > 1 else found


@pytest.fixture(params=interpreters(), ids=_ids(interpreters()))
def interpreter(request):
    """Every interpreter in turn: for what depends on CPython itself."""
    return request.param


@pytest.fixture(params=_edges(), ids=_ids(_edges()))
def edge(request):
    """The oldest and the newest interpreter: for what is expensive and depends on CPython."""
    return request.param


@pytest.fixture(params=["plain", "macros"])
def console(request):
    """Both consoles: the standard library's and mcpyrate's."""
    return request.param


@pytest.fixture(scope="session")
def newest():
    return interpreters()[-1]


@pytest.fixture(scope="session")
def oldest():
    return interpreters()[0]


@pytest.fixture(scope="session")
def stage():
    return STAGE


@pytest.fixture(scope="session")
def replserve_path():
    return built(REPLSERVE)


@pytest.fixture(scope="session")
def native_module():
    return built(NATIVE_MODULE)


@pytest.fixture
def environment():
    """The environment variables of a test's processes, with a runtime directory of their own.

    The directory's path is short: a unix socket's name has 107 bytes.
    """
    private = Path(tempfile.mkdtemp(prefix="rt-", dir="/tmp"))
    for name in ("run", "home"):
        (private / name).mkdir(mode=0o700)
    variables = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(private / "home"),
                 "XDG_RUNTIME_DIR": str(private / "run"), "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
    yield variables
    shutil.rmtree(private)


@pytest.fixture
def closing():
    """Things to close when the test is over, the last one first; every one is closed, come what may."""
    things = []
    yield lambda thing: things.append(thing) or thing
    failures = []
    for thing in reversed(things):
        try:
            thing.close()
        except AssertionError as failure:
            failures.append(str(failure))
    assert not failures, "\n".join(failures)


@pytest.fixture
def serve(replserve_path, newest, environment, closing, tmp_path):
    """Starts `replserve`: serve(*its options, python=..., source=text of a script to run, arguments=the script's)."""
    def start(*options, python=None, source=None, arguments=(), env=None, **popen):
        command = ["--python", environment_python(python or newest.plain), *options]
        if source is not None:
            script = tmp_path / "script.py"
            script.write_text(source)
            command += [str(script), *arguments]
        return closing(ServerProcess(replserve_path, command, dict(environment, **(env or {})),
                                     cwd=str(tmp_path), **popen))
    return start


@pytest.fixture
def server(serve):
    """A playground on the newest interpreter with the plain console."""
    return serve()


@pytest.fixture
def embed(newest, environment, closing, tmp_path):
    """Runs a Python script that may import replserve; it is expected to end when its input does."""
    count = iter(range(1000))

    def start(source, *arguments, python=None, env=None, options=(), **popen):
        built(NATIVE_MODULE)
        python = environment_python(python or newest.plain)
        script = tmp_path / ("host%d.py" % next(count))
        script.write_text(source)
        variables = dict(environment, PYTHONPATH=str(PYTHON_PACKAGE), **(env or {}))
        return closing(HostProcess([python, *options, script, *arguments], variables, cwd=str(tmp_path), **popen))
    return start


@pytest.fixture
def connect(closing):
    """Opens a session: connect(server or port)."""
    def start(target, **options):
        return closing(TextClient(getattr(target, "port", target), **options))
    return start


@pytest.fixture
def tool(closing):
    """Connects as a tool: tool(server), by its unix socket, or by its control port with door="control"."""
    def start(target, door="unix"):
        return closing(WireClient(target.control_port if door == "control" else target.announced["socket"]))
    return start


@pytest.fixture
def paired(closing):
    """Opens a session and a control connection paired with it."""
    def start(target):
        client, control = pair_with(target)
        closing(client)
        closing(control)
        return client, control
    return start


@pytest.fixture
def terminal(closing):
    """Runs a program in a pseudo-terminal."""
    return lambda argv, env, **options: closing(Terminal(argv, env, **options))


@pytest.fixture
def keyring(closing):
    """Keys, and an ssh that knows no others."""
    return closing(Keyring(safe_folder()))


@pytest.fixture
def door(serve, keyring):
    """A playground with an ssh door."""
    return serve(*keyring.server_options())
