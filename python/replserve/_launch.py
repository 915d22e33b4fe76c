"""The launch: what the launcher starts the interpreter with.

::

    PYTHON _launch.py CONFIGURATION [TARGET] [ARGS...]

CONFIGURATION is one JSON object, the `LaunchConfiguration` of the launcher. TARGET is the script, the module's
name or the source. It is not part of the object because a file name need not be UTF-8.

An interpreter that is too old must be able to parse this file, if only to be told so. All that follows from
the launch is in other modules.
"""

import sys

# What this interpreter puts into a `__main__`, taken before anything is added to it.
_MODEL = dict(globals())
del _MODEL["sys"]

_NO_SERVER = 69  # one of the exit codes that all tools of repltools share


def _fail(text):  # type: (str) -> None
    """End with one line, because there can be no server."""
    sys.stderr.write("replserve: {}; choose another interpreter with --python\n".format(text))
    sys.exit(_NO_SERVER)


def _load_package():  # type: () -> None
    """Import the package ``replserve`` that this file is part of, without a change to ``sys.path``."""
    import importlib.util
    import os

    directory = os.path.dirname(os.path.abspath(__file__))
    spec = importlib.util.spec_from_file_location(
        "replserve", os.path.join(directory, "__init__.py"), submodule_search_locations=[directory]
    )
    assert spec is not None and spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules["replserve"] = package
    try:
        spec.loader.exec_module(package)
    except ImportError as error:
        _fail("{} cannot load the server ({})".format(sys.executable, error))


if sys.version_info < (3, 9):
    _fail("{} is Python {}.{}, and 3.9 is the oldest that can be served".format(sys.executable, *sys.version_info[:2]))

# Our own directory must be off the path before anything is imported: its modules would hide others.
# Under -I and -P the interpreter has not put it there.
if not getattr(sys.flags, "safe_path", sys.flags.isolated):
    del sys.path[0]

_load_package()
from replserve._runner import run

run(_MODEL, sys.argv[1], sys.argv[2:])
