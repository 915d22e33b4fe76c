"""The CPython interpreters that the tests run on: one for each minor version found.

`scripts/test-peers` makes the virtual environments and uses this file too, so it needs
nothing but the standard library.
"""

import json
import os
import re
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENVS = ROOT / ".venv-test"
RUNNER = VENVS / "runner"
OLDEST_SERVED = (3, 9)
OLDEST_WITH_ANCESTOR = (3, 10)  # unpythonic 2.5 requires it

_PROBE = """
import json, platform, sys, sysconfig
print(json.dumps([platform.python_implementation(), sys.version_info[:3],
                  bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
                  sys.prefix != sys.base_prefix, sys.executable]))
"""


class Interpreter:
    """One CPython: the program itself, and the virtual environments made from it."""

    def __init__(self, program, version):
        self.program = str(program)
        self.version = tuple(version)

    @property
    def minor(self):
        return "%d.%d" % self.version[:2]

    @property
    def plain(self):
        """A python without mcpyrate: sessions get the standard library's console."""
        return str(VENVS / (self.minor + "-plain") / "bin" / "python")

    @property
    def macros(self):
        """A python with mcpyrate: sessions get its MacroConsole."""
        return str(VENVS / self.minor / "bin" / "python")

    @property
    def jedi(self):
        """A python with jedi; there is one for the oldest and one for the newest interpreter."""
        return str(VENVS / (self.minor + "-jedi") / "bin" / "python")

    @property
    def frameworks(self):
        """A python with gunicorn, gevent and uvloop, as far as there are wheels; for the oldest and the newest."""
        return str(VENVS / (self.minor + "-frameworks") / "bin" / "python")

    @property
    def uvloop(self):
        """A python with uvloop."""
        return str(VENVS / (self.minor + "-uvloop") / "bin" / "python")

    @property
    def has_ancestor(self):
        """Whether unpythonic 2.5 can be installed for this version."""
        return self.version[:2] >= OLDEST_WITH_ANCESTOR

    def __repr__(self):
        return "Interpreter(%s)" % self.minor


def _pyenv_versions():
    roots = []
    if shutil.which("pyenv"):
        found = subprocess.run(["pyenv", "root"], capture_output=True, text=True)
        roots.append(found.stdout.strip())
    roots += [os.environ.get("PYENV_ROOT", ""), str(Path.home() / ".pyenv")]
    for root in roots:
        if root and (Path(root) / "versions").is_dir():
            return sorted((Path(root) / "versions").glob("*/bin/python3.*"))
    return []


def _candidates():
    override = os.environ.get("REPLTOOLS_TEST_PYTHONS")
    if override:
        return [Path(entry) for entry in override.split(":") if entry]
    found = list(_pyenv_versions())
    for folder in os.environ.get("PATH", "").split(os.pathsep) + ["/usr/bin"]:
        if folder and Path(folder).is_dir():
            found += sorted(Path(folder).glob("python3.*"))
    return [path for path in found if re.fullmatch(r"python3\.\d+", path.name)]


def _probe(program):
    try:
        answer = subprocess.run([str(program), "-I", "-c", _PROBE],
                                capture_output=True, text=True, timeout=60)
        name, version, free_threaded, is_venv, executable = json.loads(answer.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    if name != "CPython" or free_threaded or is_venv or tuple(version[:2]) < OLDEST_SERVED:
        return None
    return Interpreter(executable, version)


@lru_cache(maxsize=None)
def interpreters():
    """All of them, the oldest first. At least one, or a failure that says what to install."""
    by_minor = {}
    for program in _candidates():
        interpreter = _probe(program)
        if interpreter is not None:
            by_minor.setdefault(interpreter.minor, interpreter)
    if not by_minor:
        raise RuntimeError("no CPython >= 3.9 found: install python3 (Debian: apt-get install "
                           "python3 python3-venv) or name some in REPLTOOLS_TEST_PYTHONS")
    return sorted(by_minor.values(), key=lambda interpreter: interpreter.version)
