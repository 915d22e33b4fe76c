"""A REPL inside this process, for people and scripts that connect to it.

Quick start, in a program that is to be looked into while it runs::

    import replserve
    replserve.start(locals=globals())

and then, from a terminal of the same machine::

    rlwrap nc 127.0.0.1 1337

``replserve.start``, ``stop`` and ``wait`` are those of `replserve.server`, which takes the place of
``unpythonic.net.server``. replserve(1) describes the command of the same name.
"""

from . import _native, server
from .server import Address, start, stop, wait
from .settings import VERSION as __version__

__all__ = ["Address", "server", "start", "stop", "wait"]
