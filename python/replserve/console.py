"""The console: compiles and runs the blocks of one session.

The server's core drives it, block by block; ``interact()`` of ``code.InteractiveConsole`` is not used.
"""

from __future__ import annotations

import ast
import code
import codeop
import sys
import threading
import traceback
import types
from typing import Any, Callable, Optional

from . import _native, routing, sources
from .awaits import Await, OwnLoop
from .blocks import BlockScanner
from .interruption import as_interrupt
from .reports import cut, exception_report, format_exception, trim
from .results import Results
from .streams import VALUE as VALUE_STREAM

__all__ = ["Console", "Outcome"]


class Outcome:
    """What became of a block; the numbers are those of the native side."""

    VALUE = 0
    EXCEPTION = 1
    INCOMPLETE = 2
    INTERRUPTED = 3
    END_OF_SESSION = 4

    #: As the wire has them.
    NAMES = {VALUE: "value", EXCEPTION: "exception", INCOMPLETE: "incomplete", INTERRUPTED: "interrupted",
             END_OF_SESSION: "ended"}  # fmt: skip


def forget_unhandled_interrupt() -> None:
    """Undo what an interrupt that left ``exec()`` of a string does to the whole process.

    CPython remembers it as one that nobody handled, whoever handles it later, and ends the process by SIGINT in the
    end, whatever its own exit status was. The next string that is run makes it forget.
    """
    exec("")


#: Characters of a value that are encoded and sent at a time.
_VALUE_PIECE = 1 << 18


def send_value(session: int, text: str) -> None:
    """Send the text of a value to the client of a session, however long it is."""
    for start in range(0, len(text), _VALUE_PIECE):
        piece = text[start : start + _VALUE_PIECE]
        _native.write(session, VALUE_STREAM, piece.encode("utf-8", "backslashreplace"))


#: The flag of a code object that has to be awaited, as `inspect` has it.
_COROUTINE = 0x80


class _Current(threading.local):
    """The evaluation that runs in the calling thread: one that was made a job goes on beside the next one."""

    def __init__(self) -> None:
        super().__init__()
        self.outcome = Outcome.VALUE
        #: While it is for a program: what it has raised. None while it is for a person.
        self.failures: Optional[list[BaseException]] = None
        #: What the last one for a program has raised, or else shown last.
        self.last: Any = None
        #: Its session and number, or 0 and the number of its job, and the event loop that was asked for.
        self.evaluation = (0, 0)
        self.loop: Optional[int] = None
        self.own_loop = OwnLoop()


class Console(code.InteractiveConsole):
    """A console for one session, in a namespace that it shares with others."""

    def __init__(self, label: str, namespace: dict[str, Any]) -> None:
        """``label`` is what the console is for: ``session 3``, ``job 2``."""
        super().__init__(namespace, f"<{label}>")
        self._begin(label)

    def _begin(self, label: str) -> None:
        self.label = label
        self.results = Results(label)
        self._scanner = BlockScanner()
        self._current = _Current()
        #: The event loop that runs what is awaited, as `loops.choose` has it, where no evaluation asks for another.
        self.loop: Optional[int] = None
        self.compile.compiler.flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT

    def begin(self, session: int, number: int, loop: Optional[int] = None) -> None:
        """Say what the calling thread evaluates next: an evaluation of a session, or, for session 0, a job."""
        self._current.evaluation, self._current.loop = (session, number), loop

    def perform(self, code: types.CodeType, run: Callable[..., Any] = exec) -> Any:
        """Run code in the namespace by ``exec`` or ``eval``; what has to be awaited is awaited, and its value returned."""
        bound = self.results.bind(code, self.locals)  # type: ignore[arg-type]
        if not bound.co_flags & _COROUTINE:
            return run(bound, self.locals)
        current = self._current
        coroutine = types.FunctionType(bound, self.locals)()  # type: ignore[arg-type]
        loop = self.loop if current.loop is None else current.loop
        return Await(current.evaluation, coroutine, f"replserve {self.label}", current.own_loop, loop).result()

    def close_loop(self) -> None:
        """Let go of the calling thread's own event loop, and of the tasks in it."""
        self._current.own_loop.close()

    def evaluate(self, source: str, number: int, is_final: bool) -> int:
        """Run a block for a person.

        ``number`` counts the evaluations of the session. With ``is_final`` nothing more can follow, and a block that
        is not complete is a syntax error. Return an ``Outcome``; everything else has been written to the streams.
        """
        return self._guarded(lambda: self.run_block(source, f"<{self.label}:{number}>", is_final))

    def _guarded(self, run: Callable[[], bool]) -> int:
        """Run something that returns whether more source is needed; return an ``Outcome``."""
        outcome = self._outcome_of(run)
        if outcome == Outcome.INTERRUPTED:
            forget_unhandled_interrupt()
        return outcome

    def _outcome_of(self, run: Callable[[], bool]) -> int:
        self._current.outcome = Outcome.VALUE
        try:
            if run():
                return Outcome.INCOMPLETE
        except SystemExit:
            return Outcome.END_OF_SESSION
        except KeyboardInterrupt as error:
            if self._current.failures is None:
                self.write("KeyboardInterrupt\n")
            else:
                self._current.failures.append(error)
            return Outcome.INTERRUPTED
        return self._current.outcome

    # Evaluations for a program. What they return are the members of a reply to Evaluate.

    def report_block(self, source: str, number: int) -> dict[str, Any]:
        """Run a block of any number of statements; each value is shown by the display hook."""
        return self._report(lambda: self.run_statements(source, f"<{self.label}:{number}>"))

    def report_script(self, source: str, number: int, session: int) -> dict[str, Any]:
        """Run a whole text; the value of its last expression goes to the stream for that."""
        return self._report_value(session, lambda: self.run_script(source, f"<{self.label}:{number}>"))

    def report_result(self, fetch: Callable[[], Any], session: int) -> dict[str, Any]:
        """Give what ``fetch`` returns or raises as if it had been evaluated here."""
        return self._report_value(session, fetch, may_end=False)

    def _report_value(self, session: int, compute: Callable[[], Any], may_end: bool = True) -> dict[str, Any]:
        """Report what ``compute`` does. Without ``may_end`` a SystemExit is an exception like any other."""
        kinds: list[str] = []

        def run() -> bool:
            try:
                value = compute()
                if value is not None:
                    self.results.value = value
                    text = repr(value)
                    kinds.append(cut(type(value).__name__, 1024))
                    send_value(session, text)
            except SystemExit:
                if may_end:
                    raise
                self.show_failure()
            except BaseException:
                self.show_failure()
            return False

        report = self._report(run)
        if kinds and report["outcome"] == Outcome.NAMES[Outcome.VALUE]:
            report["type"] = kinds[0]
        return report

    def _report(self, run: Callable[[], bool]) -> dict[str, Any]:
        failures = self._current.failures = []
        self._current.last = None
        try:
            report: dict[str, Any] = {"outcome": Outcome.NAMES[self._guarded(run)]}
            if failures:
                self._current.last = failures[-1]
                report["exception"] = exception_report(failures[-1])
            return report
        finally:
            self._current.failures = None

    def keep(self, shown: Any) -> None:
        """Keep what a block has shown last as the session's last result."""
        if hasattr(shown, "value"):
            self.results.value = shown.value
            if self._current.last is None:
                self._current.last = shown.value

    def last_result(self) -> Any:
        """What the calling thread's last evaluation for a program has raised, or else shown last."""
        return self._current.last

    def run_statements(self, source: str, filename: str) -> bool:
        """Run statements as the prompt does, and show what each expression gives."""
        sources.register(filename, source)
        try:
            flags = self._flags()
            tree = self.expand(compile(source, filename, "exec", flags | ast.PyCF_ONLY_AST, True))
            compiled = compile(ast.Interactive(tree.body), filename, "single", flags, True)
        except (OverflowError, SyntaxError, ValueError):
            self.showsyntaxerror(filename)
            return False
        self._remember_futures(compiled)
        self.runcode(compiled)
        return False

    def run_script(self, source: str, filename: str) -> Any:
        """Run a whole text; return the value of its last expression, or None."""
        body, last = self._compile_script(source, filename)
        sources.register(filename, source)
        if body is not None:
            self.perform(body)
        if last is None:
            return None
        return self.perform(last, eval)

    def _compile_script(
        self, source: str, filename: str
    ) -> tuple[Optional[types.CodeType], Optional[types.CodeType]]:
        """The code of all but the last expression of a text, and that of the expression."""
        flags = self._flags()
        tree = compile(source, filename, "exec", flags | ast.PyCF_ONLY_AST, True)
        tree = self.expand(tree)
        statements = list(tree.body)
        last = statements.pop() if statements and isinstance(statements[-1], ast.Expr) else None
        if statements and ast.get_docstring(tree, clean=False) is not None:
            # It would become the docstring of the program's own module.
            del statements[0]
        body = None
        if statements:
            tree.body = statements
            body = compile(tree, filename, "exec", flags, True)
            self._remember_futures(body)
        if last is None:
            return body, None
        assert isinstance(last, ast.Expr)
        return body, compile(ast.Expression(last.value), filename, "eval", self._flags(), True)

    def expand(self, tree: Any) -> Any:
        """The syntax tree with its macros expanded; a plain console has none."""
        return tree

    def _flags(self) -> int:
        """Flags of ``compile``: the ``from __future__`` imports that this session has made, and that it may await."""
        known = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        for feature in codeop._features:
            known |= feature.compiler_flag
        return self.compile.compiler.flags & known

    def _remember_futures(self, body: types.CodeType) -> None:
        for feature in codeop._features:
            if body.co_flags & feature.compiler_flag:
                self.compile.compiler.flags |= feature.compiler_flag

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
            self.perform(code)
        except SystemExit:
            raise
        except BaseException:
            self.show_failure()

    def show_failure(self) -> None:
        """Show the exception that is being handled, and count it as the block's outcome."""
        error = as_interrupt(sys.exc_info()[1])
        self._current.outcome = Outcome.INTERRUPTED if type(error) is KeyboardInterrupt else Outcome.EXCEPTION
        if self._current.failures is None or error is None:
            self._show(error)
        else:
            self._remember(error)
            self._current.failures.append(error)

    def note_failure(self) -> None:
        """The block has failed, and its user has been told."""
        self._current.outcome = Outcome.EXCEPTION

    def write(self, data: str) -> None:
        """Write to the session's standard error; to nowhere once the server has stopped without this evaluation."""
        if routing.route_of_this_thread() is not None:
            sys.stderr.write(data)

    # A program's own sys.excepthook is for what the program itself fails to catch: it may report to somebody, or end
    # the process. So these two never call it.

    def showtraceback(self) -> None:
        """Show the exception that is being handled, from the frames that are not ours."""
        self._show(sys.exc_info()[1])

    def _show(self, error: Optional[BaseException]) -> None:
        try:
            self._remember(error)
            text, _ = format_exception(type(error), error, sys.last_traceback)
        finally:
            del error
        self.write(text)

    def _remember(self, error: Optional[BaseException]) -> None:
        """Keep an exception where ``pdb.pm()`` looks for it: the session's own `sys.last_*`, see routing."""
        trace = trim(error.__traceback__) if error is not None else None
        sys.last_type, sys.last_value, sys.last_traceback = type(error), error, trace  # type: ignore[assignment]

    def showsyntaxerror(self, filename: Optional[str] = None, **_options: Any) -> None:
        """Show the syntax error that is being handled, with a mark below where it is."""
        kind, error, _ = sys.exc_info()
        self._current.outcome = Outcome.EXCEPTION
        if self._current.failures is not None and error is not None:
            self._current.failures.append(error)
            return
        self.write("".join(traceback.format_exception_only(kind, error)))

    def close(self) -> None:
        """Let go of everything the session held."""
        self.results.clear()
