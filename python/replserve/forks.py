"""Forks: what becomes of a child that code of a session or a job has forked and forgotten."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

__all__ = ["end_forked_child"]


def end_forked_child(status: int) -> NoReturn:
    """End a child whose code has run to its end: it has no client, and must not haunt the machine."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError):
            pass
    os._exit(status)
