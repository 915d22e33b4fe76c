"""Hosts that run a framework: which is in the environment of the test's interpreter, and the skip when it is not."""

import subprocess
from functools import lru_cache

import pytest

from peers import environment_python


@lru_cache(maxsize=None)
def _imports(python, name):
    return subprocess.run([python, "-c", "import " + name], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


def python_with(interpreter, name):
    """The interpreter that can import the framework; skips the test where scripts/test-peers found no wheel of it."""
    python = environment_python(interpreter.frameworks)
    if not _imports(python, name):
        pytest.skip("there is no wheel of %s for CPython %s here" % (name, interpreter.minor))
    return python
