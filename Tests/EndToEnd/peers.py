"""The programs that the tests drive the server with, and where the built product is."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from deadline import PATIENCE
from interpreters import ROOT, RUNNER, VENVS

STAGE = Path(os.environ.get("REPLTOOLS_STAGE", ROOT / ".build" / "stage")).resolve()
REPLSERVE = STAGE / "bin" / "replserve"
PYTHON_PACKAGE = STAGE / "lib" / "repltools" / "python"
REPLCONNECT = STAGE / "bin" / "replconnect"
NATIVE_MODULE = PYTHON_PACKAGE / "replserve" / "_native.abi3.so"
RUNNER_PYTHON = str(RUNNER / "bin" / "python")

DEBIAN = {"nc": "netcat-openbsd", "rlwrap": "rlwrap", "mandoc": "mandoc", "readelf": "binutils",
          "nm": "binutils", "ssh": "openssh-client", "ssh-keygen": "openssh-client", "bash": "bash", "zsh": "zsh", "fish": "fish"}


def tool(name):
    """The path of a program that a test needs; without it the test fails and says what to install."""
    path = shutil.which(name)
    if path is None:
        pytest.fail("%s is not installed (Debian: apt-get install %s)" % (name, DEBIAN[name]), pytrace=False)
    return path


def built(path):
    """A file of the staged product; without it the test fails and says how to make it."""
    if not path.exists():
        pytest.fail("%s is not there: run `make build`" % path, pytrace=False)
    return path


def environment_python(path):
    """A python of a virtual environment made by scripts/test-peers."""
    if not Path(path).exists():
        pytest.fail("%s is not there: run scripts/test-peers" % path, pytrace=False)
    return path


def netcat(port, data, *options):
    """Pipes `data` through netcat, which closes its sending side at the end; returns what came back."""
    done = subprocess.run([tool("nc"), "-N", *options, "127.0.0.1", str(port)], input=data,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE * 2)
    assert done.returncode == 0, (done.returncode, done.stderr)
    return done.stdout


def ancestor_environments():
    """The pythons that have unpythonic, the oldest first."""
    from interpreters import interpreters
    found = [interpreter for interpreter in interpreters() if interpreter.has_ancestor]
    if not found:
        pytest.fail("unpythonic's client needs a CPython >= 3.10: install one", pytrace=False)
    return found


__all__ = ["DEBIAN", "NATIVE_MODULE", "PYTHON_PACKAGE", "REPLCONNECT", "REPLSERVE", "RUNNER_PYTHON", "STAGE", "VENVS", "ancestor_environments",
           "built", "environment_python", "netcat", "tool"]
