"""The console: compiles and runs the blocks of one session.

The server's core drives it, block by block; ``interact()`` of ``code.InteractiveConsole`` is not used.
"""

from __future__ import annotations

import code
import os
import sys
import traceback
import types
from typing import Any, Optional

from . import routing, sources
from .blocks import BlockScanner
from .results import Results

__all__ = ["Console", "Outcome"]

_PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep


class Outcome:
    """What became of a block; the numbers are those of the native side."""

    VALUE = 0
    EXCEPTION = 1
    INCOMPLETE = 2
    INTERRUPTED = 3
    END_OF_SESSION = 4


def forget_unhandled_interrupt() -> None:
    """Undo what an interrupt that left ``exec()`` of a string does to the whole process.

    CPython remembers it as one that nobody handled, whoever handles it later, and ends the process by SIGINT in the
    end, whatever its own exit status was. The next string that is run makes it forget.
    """
    exec("")


def _hide_own_frames(shown: Optional[traceback.TracebackException]) -> None:
    """Take the frames of this package out of a traceback, and out of those it is chained to."""
    pending, seen = [shown], set()
    while pending:
        each = pending.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        each.stack[:] = [frame for frame in each.stack if not frame.filename.startswith(_PACKAGE)]
        pending += [each.__cause__, each.__context__, *(getattr(each, "exceptions", None) or ())]


class Console(code.InteractiveConsole):
    """A console for one session, in a namespace that it shares with others."""

    def __init__(self, session: int, namespace: dict[str, Any]) -> None:
        super().__init__(namespace, f"<session {session}>")
        self._begin(session)

    def _begin(self, session: int) -> None:
        self.session = session
        self.results = Results(session)
        self._scanner = BlockScanner()
        self._outcome = Outcome.VALUE

    def evaluate(self, source: str, number: int, is_final: bool) -> int:
        """Run a block.

        ``number`` counts the evaluations of the session. With ``is_final`` nothing more can follow, and a block that
        is not complete is a syntax error. Return an ``Outcome``; everything else has been written to the streams.
        """
        outcome = self._evaluate(source, number, is_final)
        if outcome == Outcome.INTERRUPTED:
            forget_unhandled_interrupt()
        return outcome

    def _evaluate(self, source: str, number: int, is_final: bool) -> int:
        self._outcome = Outcome.VALUE
        try:
            if self.run_block(source, f"<session {self.session}:{number}>", is_final):
                return Outcome.INCOMPLETE
        except SystemExit:
            return Outcome.END_OF_SESSION
        except KeyboardInterrupt:
            self.write("KeyboardInterrupt\n")
            return Outcome.INTERRUPTED
        return self._outcome

    def run_block(self, source: str, filename: str, is_final: bool) -> bool:
        """Compile and run; return whether more source is needed."""
        if not is_final and not self._scanner.may_be_complete(source):
            return True
        try:
            compiled = self.compile_block(source, filename, is_final)
        except (OverflowError, SyntaxError, ValueError):
            sources.register(filename, source)
            self.showsyntaxerror(filename)
            return False
        if compiled is None:
            return True
        sources.register(filename, source)
        self.runcode(compiled)
        return False

    def compile_block(self, source: str, filename: str, is_final: bool) -> Optional[types.CodeType]:
        """The code of a block; None when more source is needed, which ``is_final`` makes an error."""
        compiled = self.compile(source, filename, "single")
        if compiled is None and is_final:
            compiled = self.compile.compiler(source + "\n", filename, "single")
        return compiled

    def runcode(self, code: types.CodeType) -> None:  # type: ignore[override]
        """Run code in the namespace, and show what it raises."""
        try:
            exec(self.results.bind(code, self.locals), self.locals)  # type: ignore[arg-type]
        except SystemExit:
            raise
        except BaseException:
            self.show_failure()

    def show_failure(self) -> None:
        """Show the exception that is being handled, and count it as the block's outcome."""
        self._outcome = Outcome.INTERRUPTED if sys.exc_info()[0] is KeyboardInterrupt else Outcome.EXCEPTION
        self.showtraceback()

    def note_failure(self) -> None:
        """The block has failed, and its user has been told."""
        self._outcome = Outcome.EXCEPTION

    def write(self, data: str) -> None:
        """Write to the session's standard error; to nowhere once the server has stopped without this evaluation."""
        if routing.route_of_this_thread() is not None:
            sys.stderr.write(data)

    # A program's own sys.excepthook is for what the program itself fails to catch: it may report to somebody, or end
    # the process. So these two never call it.

    def showtraceback(self) -> None:
        """Show the exception that is being handled, from the frames that are not ours."""
        kind, error, trace = sys.exc_info()
        while trace is not None and trace.tb_frame.f_code.co_filename.startswith(_PACKAGE):
            trace = trace.tb_next
        sys.last_type, sys.last_value, sys.last_traceback = kind, error, trace  # the session's own: see routing
        try:
            shown = traceback.TracebackException(kind, error, trace)  # type: ignore[arg-type]
            _hide_own_frames(shown)
            lines = list(shown.format())
        except KeyboardInterrupt:
            raise
        except BaseException as failure:
            lines = [f"{getattr(kind, '__name__', kind)}: <cannot be shown: {type(failure).__name__}>\n"]
        finally:
            del error, trace
        self.write("".join(lines))

    def showsyntaxerror(self, filename: Optional[str] = None, **_options: Any) -> None:
        """Show the syntax error that is being handled, with a mark below where it is."""
        kind, error, _ = sys.exc_info()
        self._outcome = Outcome.EXCEPTION
        self.write("".join(traceback.format_exception_only(kind, error)))

    def close(self) -> None:
        """Let go of everything the session held."""
        self.results.clear()
