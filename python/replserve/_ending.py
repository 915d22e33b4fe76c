"""The ending: how a program ended, told to the user and to the parent process as plain python would have told it."""

from __future__ import annotations

import os
import sys
import types
from typing import Optional

from . import _messages

_DIRECTORY = os.path.dirname(os.path.abspath(__file__)) + os.sep


class TrimmingHook:
    """An excepthook for one exception: it calls the program's own hook, with a traceback that begins in the program.

    The exception itself goes on to the interpreter. To report it here and to exit would be simpler, but then an
    interrupted program would not die of SIGINT, and the interpreter would end in another order.
    """

    def __init__(self) -> None:
        """Take over from the hook that is in place."""
        self._hook = getattr(sys, "excepthook", sys.__excepthook__)

    @classmethod
    def put_before(cls, error: BaseException) -> None:
        """Take over from the hook if the interpreter is going to call it for this exception."""
        if not isinstance(error, SystemExit):
            sys.excepthook = cls()

    def __call__(
        self, kind: type[BaseException], error: BaseException, traceback: Optional[types.TracebackType]
    ) -> None:
        """Put the program's hook back, and call it."""
        sys.excepthook = self._hook
        _trim(error)
        sys.last_traceback = error.__traceback__
        try:
            self._hook(kind, error, error.__traceback__)
        except SystemExit:
            raise
        except BaseException as failure:
            # As the interpreter does it. If it were left to it, the traceback would begin here.
            _trim(failure)
            _messages.write("Error in sys.excepthook:\n")
            sys.__excepthook__(type(failure), failure, failure.__traceback__)
            _messages.write("\nOriginal exception was:\n")
            sys.__excepthook__(kind, error, error.__traceback__)


class Ending:
    """The end of a program whose process goes on: told to the user now, repeated when the process ends."""

    #: The exit status that goes with it.
    status: int

    def __init__(self, error: Optional[BaseException]) -> None:
        """Show what the program raised, and flush what it wrote, as at the end of the process."""
        if error is not None and not isinstance(error, SystemExit):
            error = self._show(error)
        self._is_interrupt = isinstance(error, KeyboardInterrupt)
        if self._is_interrupt:
            self.status = 130
        elif isinstance(error, SystemExit):
            self.status = self._status_of(error)
        else:
            self.status = 0 if error is None else 1
        for stream in (sys.stdout, sys.stderr):
            try:
                if stream is not None:
                    stream.flush()
            except (OSError, ValueError):
                pass

    def repeat(self) -> None:
        """End the process as the program has ended."""
        if not self._is_interrupt:
            sys.exit(self.status)
        # The interpreter dies of SIGINT when this reaches it. Its traceback was shown when it happened.
        sys.excepthook = lambda *_: None
        raise KeyboardInterrupt

    @staticmethod
    def _show(error: BaseException) -> BaseException:
        """Call the program's hook; if that exits, its SystemExit is what the program ended with."""
        sys.last_type, sys.last_value = type(error), error
        if sys.version_info >= (3, 12):
            sys.last_exc = error
        try:
            TrimmingHook()(type(error), error, error.__traceback__)
        except SystemExit as instead:
            return instead
        return error

    @staticmethod
    def _status_of(error: SystemExit) -> int:
        """Return the status of ``sys.exit(...)``; a text goes to standard error and counts as a failure."""
        if error.code is None:
            return 0
        if isinstance(error.code, int):
            return error.code
        _messages.write(f"{error.code}\n")
        return 1


def _trim(error: BaseException) -> None:
    """Take the frames of this package off the front of a traceback."""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_frame.f_code.co_filename.startswith(_DIRECTORY):
        traceback = traceback.tb_next
    error.__traceback__ = traceback
