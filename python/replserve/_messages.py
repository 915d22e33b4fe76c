"""The messages: what replserve itself writes to standard error, in lines of its own."""

from __future__ import annotations

import sys


def write(text: str) -> None:
    """Write to standard error, if there is one and somebody reads it: the program runs all the same."""
    try:
        if sys.stderr is not None:
            sys.stderr.write(text)
            sys.stderr.flush()
    except (OSError, ValueError):
        pass


def say(text: str) -> None:
    """Write one line in the name of replserve, with everything replaced that a terminal could obey."""
    printable = "".join(letter if letter.isprintable() else "?" for letter in text)
    write(f"replserve: {printable}\n")
