"""The program: what runs as ``__main__``, and what plain python would show it of its start.

Each kind of program does what CPython's ``Modules/main.c`` and ``Python/pythonrun.c`` do for it. It stays visible
that modules the server needs are in ``sys.modules`` from the start, and that there are frames below the program's.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import sys
import types
from typing import Any, Optional, Sequence

from . import _messages

# Under -I and -P, the place of the program does not go onto the path. The flag of that name is from 3.11.
_IS_SAFE_PATH = bool(getattr(sys.flags, "safe_path", sys.flags.isolated))

_Names = dict[str, Any]


class Program:
    """Something to run. The base class is the one that does nothing, a playground."""

    #: What a person calls it.
    name = "a playground"

    #: What goes in front of ``sys.path``; None for nothing.
    path0: Optional[str] = None if _IS_SAFE_PATH else ""

    def __init__(self, selection: Sequence[str] = (), arguments: Sequence[str] = (), argv0: str = "") -> None:
        """Remember the command line: the words that select the program, its arguments, and its own name."""
        self._selection = [*selection]
        self._argv = [argv0, *arguments]

    def make_main(self, model: _Names) -> _Names:
        """Make a fresh ``__main__`` and the command line for it.

        `model` is what the interpreter had put into the ``__main__`` of a script, so that it is its own version
        that decides what there is. The result is the namespace.
        """
        main = types.ModuleType("__main__")
        names = main.__dict__
        names.update(model, __doc__=None)
        if "__annotations__" in names:
            names["__annotations__"] = {}
        self._describe(names)
        sys.modules["__main__"] = main
        if sys.version_info >= (3, 10):
            # A program that starts itself again does it with these; its second process is a plain one.
            options = sys.orig_argv[: -len(sys.argv)]
            sys.orig_argv = [*options, *self._selection, *self._argv[1:]]
        sys.argv = self._argv
        return names

    def run(self, names: _Names) -> None:
        """Run to the end, in the namespace."""

    def _describe(self, names: _Names) -> None:
        """Change what the model says of a script; here, that there is none."""
        names.pop("__file__", None)
        names.pop("__cached__", None)
        names["__loader__"] = importlib.machinery.BuiltinImporter


class _Script(Program):
    """A file of source, or of bytecode."""

    def __init__(self, target: str, path: str, arguments: Sequence[str]) -> None:
        """Read the file, which may be a pipe, or end as python does when it can not."""
        # Where this line is used again, a name like an option's must not be taken for one.
        super().__init__(["--", target] if target.startswith("-") else [target], arguments, target)
        self.name = target
        self._path = path
        try:
            with open(path, "rb") as file:
                self._content = file.read()
        except OSError as error:
            if sys.version_info >= (3, 10):
                python, shown = sys.orig_argv[0], repr(path)
            else:
                python, shown = sys.executable, f"'{path}'"
            _messages.write(f"{python}: can't open file {shown}: [Errno {error.errno}] {error.strerror}\n")
            sys.exit(2)
        real = os.path.realpath(path)
        # What /dev/fd/N leads to, when that is a pipe, is not the path of anything.
        self.path0 = None if _IS_SAFE_PATH else os.path.dirname(real if os.path.exists(real) else path)
        self._is_bytecode = target.endswith(".pyc") or self._content.startswith(importlib.util.MAGIC_NUMBER[:2])

    def _describe(self, names: _Names) -> None:
        machinery = importlib.machinery
        kind = machinery.SourcelessFileLoader if self._is_bytecode else machinery.SourceFileLoader
        names.update(__file__=self._path, __loader__=kind("__main__", self._path))

    def run(self, names: _Names) -> None:
        """Compile and execute the file."""
        if self._is_bytecode:
            code: Any = importlib.machinery.SourcelessFileLoader("__main__", self._path).get_code("__main__")
        else:
            code = compile(self._content, self._path, "exec", dont_inherit=True)
        exec(code, names)


class _StandardInput(Program):
    """Source on standard input, which is named ``-``."""

    name = "standard input"

    def _describe(self, names: _Names) -> None:
        super()._describe(names)
        names["__file__"] = "<stdin>"
        names["__cached__"] = None

    def run(self, names: _Names) -> None:
        """Read it all, then compile and execute it."""
        with open(0, "rb", closefd=False) as file:
            source = file.read()
        exec(compile(source, "<stdin>", "exec", dont_inherit=True), names)


class _Archive(Program):
    """A directory or a zip file that holds a ``__main__``."""

    def __init__(self, target: str, path: str, arguments: Sequence[str]) -> None:
        """Go in front of the path even under -I and -P: it is the only way to find the program."""
        super().__init__([target], arguments, target)
        self.name = target
        self.path0 = path

    def run(self, names: _Names) -> None:
        """Run the ``__main__`` that the front of the path has."""
        _run_module("__main__", alter_argv=False)


class _Module(Program):
    """A module or package, by its name."""

    def __init__(self, target: str, arguments: Sequence[str]) -> None:
        """Put the working directory in front of the path; one that was deleted is left out."""
        super().__init__(["-m", target], arguments, "-m")
        self.name = f"-m {target}"
        self.path0 = None if _IS_SAFE_PATH else _working_directory() or None
        self._target = target

    def run(self, names: _Names) -> None:
        """Find the module and run it."""
        _run_module(self._target, alter_argv=True)


class _Code(Program):
    """Source on the command line."""

    name = "-c"

    def __init__(self, source: str, arguments: Sequence[str]) -> None:
        """Keep the source."""
        super().__init__(["-c", source], arguments, "-c")
        self._source = source

    def run(self, names: _Names) -> None:
        """Compile and execute the source."""
        source = self._source + "\n"
        if sys.version_info >= (3, 14):
            import textwrap

            source = textwrap.dedent(source)
        code = compile(source, "<string>", "exec", dont_inherit=True)
        if sys.version_info >= (3, 13):
            # From 3.13 on, a traceback shows the lines of -c.
            import linecache

            # At first it was the file name that stood for the code.
            key = code if hasattr(linecache, "_interactive_cache") else "<string>"
            linecache._register_code(key, source, "<string>")  # type: ignore[attr-defined]
        exec(code, names)


def find_program(mode: object, words: Sequence[str]) -> Program:
    """Find out what the words of a command line mean: for all but a playground, the first is the target."""
    if mode == "playground":
        return Program()
    target, *arguments = words
    if mode == "module":
        return _Module(target, arguments)
    if mode == "code":
        return _Code(target, arguments)
    if target == "-":
        return _StandardInput(["-"], arguments, "-")
    path = _absolute(target)
    return _Archive(target, path, arguments) if _has_importer(path) else _Script(target, path, arguments)


def _working_directory() -> str:
    """Return the working directory, or an empty text when it was deleted."""
    try:
        return os.getcwd()
    except OSError:
        return ""


def _absolute(path: str) -> str:
    """Put the working directory before a path, and like python leave the rest as it is."""
    if path in ("", ".") and sys.version_info >= (3, 11):
        return _working_directory()
    return os.path.join(_working_directory(), path)


def _has_importer(path: str) -> bool:
    """Tell whether modules can be imported from a path, which makes it a directory or a zip file."""
    for hook in sys.path_hooks:
        try:
            hook(path)
        except ImportError:
            continue
        return True
    return False


def _run_module(name: str, alter_argv: bool) -> None:
    """Run a module in the ``__main__`` that there is. This is the function that CPython itself calls."""
    import runpy

    runpy._run_module_as_main(name, alter_argv)  # type: ignore[attr-defined]
