"""``python3 -m replserve``: the launcher, for the interpreter that runs this."""

import os
import shutil
import subprocess
import sys

_NO_SERVER = 69


def _launcher() -> "str | None":
    """Return the path of the launcher: the one this package was installed with, else the one on PATH."""
    package = os.path.dirname(os.path.abspath(__file__))
    prefix = os.path.normpath(os.path.join(package, *[os.pardir] * 4))
    installed = os.path.join(prefix, "bin", "replserve")
    return installed if os.access(installed, os.X_OK) else shutil.which("replserve")


def main() -> None:
    """Become the launcher."""
    launcher = _launcher()
    if launcher is None:
        print("replserve: the launcher is not installed with this package and not on PATH; run make install",
              file=sys.stderr)
        sys.exit(_NO_SERVER)
    # These come first: a --python of the user's own has the last word.
    options = ["--python", sys.executable]
    for flag in subprocess._args_from_interpreter_flags():  # type: ignore[attr-defined]
        options += ["--python-arg", flag]
    os.execv(launcher, [launcher, *options, *sys.argv[1:]])


if __name__ == "__main__":
    main()
