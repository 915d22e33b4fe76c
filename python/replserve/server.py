"""The server of this process: ``start``, ``stop`` and ``wait``.

It takes the place of ``unpythonic.net.server``: change the import, keep the call::

    from replserve import server
    server.start(locals=globals())

One server runs per process. It listens on the loopback interface only. See replserve(1) for what sessions find, and
replwire(7) for what is spoken on the ports.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
from typing import Any, Iterable, NamedTuple, Optional, Union

from . import _native, paging, passwords, routing, sources, windows
from .namespace import Injection, printing
from .sessions import Sessions
from .settings import settings, text

__all__ = ["Address", "start", "stop", "wait"]

#: Seconds that `stop` waits for each of its threads to end after it has come out of the native side.
_JOIN_SECONDS = 1.0


class _Triple(NamedTuple):
    bind: str
    repl_port: int
    control_port: int


class Address(_Triple):
    """Where a server can be reached: ``(bind, repl_port, control_port)``.

    ``socket`` is the path of its unix socket, or None, and ``name`` is what tells it from others. ``ssh`` is the
    address and the port of its ssh door, or None, and ``ssh_key`` the fingerprint of the door's host key.
    """

    socket: Optional[str]
    name: str
    ssh: Optional[tuple[str, int]]
    ssh_key: Optional[str]

    def __new__(
        cls,
        bind: str,
        repl_port: int,
        control_port: int,
        socket: Optional[str] = None,
        name: str = "",
        ssh: Optional[tuple[str, int, str]] = None,
    ) -> Address:
        self = super().__new__(cls, bind, repl_port, control_port)
        self.socket = socket
        self.name = name
        self.ssh = None if ssh is None else ssh[:2]
        self.ssh_key = None if ssh is None else ssh[2]
        return self


class _Running:
    """What a server has changed in this process, to be put back."""

    def __init__(self, namespace: dict[str, Any], on_halt: Any) -> None:
        self.injection = Injection(namespace)
        self.sessions = Sessions(namespace, self.injection, on_halt)


_lock = threading.RLock()
_running: Optional[_Running] = None
_has_fork_hooks = False


def start(
    locals: dict[str, Any],
    bind: str = "127.0.0.1",
    repl_port: int = 1337,
    control_port: int = 8128,
    banner: Optional[str] = None,
    *,
    name: Optional[str] = None,
    socket: bool = True,
    allow_uid: Iterable[Union[int, str]] = (),
    insecure_bind: bool = False,
    audit_log: Optional[Union[str, os.PathLike[str]]] = None,
    require_reason: bool = False,
    log_level: str = "warning",
    ssh: Optional[Union[int, str]] = None,
    authorized_keys: Optional[Union[str, os.PathLike[str]]] = None,
    host_key: Optional[Union[str, os.PathLike[str]]] = None,
) -> Address:
    """Start the server; return ``(bind, repl_port, control_port)``.

    ``locals`` is the top-level namespace of all sessions: ``globals()`` for that of the calling module, or a dict of
    your own. ``bind`` is an address of the loopback interface. Port 0 lets the system choose
    a free one, and the result says which. ``banner`` is shown to every text client; None stands for a short help, and
    "" for nothing. ``name`` is how tools tell this server from others of the same user. With ``socket`` there is a
    unix socket, too, that speaks the control protocol.

    Only the user of this process can connect, and those of ``allow_uid``, who are numbers or names. ``insecure_bind``
    lets ``bind`` be an address that other machines can reach: whoever reaches it, gets in. ``audit_log`` is a file
    that says who did what; ``require_reason`` asks everybody why they connect; ``log_level`` is how much is logged on
    standard error, from "trace" to "critical".

    ``ssh`` is a port, or "ADDRESS:PORT", at which an sshd of the system lets keys in that stand in the file
    ``authorized_keys``, by default ~/.ssh/authorized_keys; it ends with this server. ``host_key`` is the file of its
    own key, by default one for all servers of this user, made once.

    Raise ``RuntimeError`` when a server runs already, ``PermissionError`` when the address can be reached from
    elsewhere, and another ``OSError`` when it cannot be listened on.
    """
    global _running
    if not isinstance(locals, dict):
        raise TypeError(f"locals must be a dict, such as globals(), not {type(locals).__name__}")
    values = settings(
        bind=bind,
        repl_port=repl_port,
        control_port=control_port,
        banner=banner,
        name=name,
        socket=socket,
        allow_uid=allow_uid,
        insecure_bind=insecure_bind,
        audit_log=audit_log,
        require_reason=require_reason,
        log_level=log_level,
        ssh=ssh,
        authorized_keys=authorized_keys,
        host_key=host_key,
    )
    with _lock:
        if _running is not None:
            raise RuntimeError("this process already has a running REPL server; stop() it first")
        running = _Running(locals, _on_halt)
        try:
            repl_port, control_port, path, door = _native.start(text(values), running.sessions)
        except BaseException:
            running.injection.remove()
            raise
        _running = running
        atexit.register(_stop_at_exit)
        _register_fork_hooks()
        return Address(bind, repl_port, control_port, path, values["name"], door)


def stop() -> None:
    """Stop the server: end its sessions, free its ports, and put back whatever it has changed.

    What sessions still run is interrupted. Called by itself when the process exits; calling it without a server does
    nothing. A session that stops its own server is ended, too, a moment later.
    """
    global _running
    route = routing.route_of_this_thread()
    if route is not None:
        threading.Thread(target=stop, name="replserve-stop", daemon=True).start()
        return
    with _lock:
        running, _running = _running, None
        if running is None:
            return
        have_ended = _native.stop()
        running.sessions.join(_JOIN_SECONDS if have_ended else 0)
        routing.uninstall()
        for module in (paging, passwords, windows):
            module.detour.restore()
        sources.forget_all()
        running.injection.remove()
        atexit.unregister(_stop_at_exit)
        running.sessions.main_thread.end()


def _stop_at_exit() -> None:
    stop()
    if getattr(sys, "last_type", None) is KeyboardInterrupt:
        # The program ends by a Ctrl-C that it did not handle, and the process is to end by SIGINT as ever. A session
        # that was interrupted just now has made the interpreter forget that: see `forget_unhandled_interrupt`.
        try:
            exec("raise KeyboardInterrupt")
        except KeyboardInterrupt:
            pass


def wait() -> None:
    """Block until the server has stopped, for example by ``halt()``; return at once when none runs.

    In the main thread Ctrl-C ends the wait, as a KeyboardInterrupt, and meanwhile it runs what sessions have for it.
    """
    running = _running
    if running is not None:
        running.sessions.main_thread.serve()


def _on_halt() -> None:
    # The worker of the native side calls this, and a stop waits for that worker.
    threading.Thread(target=stop, name="replserve-stop", daemon=True).start()


# Forks. The hooks stay for the life of the process, since they cannot be taken back; without a server they do nothing.


def _register_fork_hooks() -> None:
    global _has_fork_hooks
    if not _has_fork_hooks and hasattr(os, "register_at_fork"):
        os.register_at_fork(
            before=_before_fork,
            after_in_parent=_after_fork_in_parent,
            after_in_child=_after_fork_in_child,
        )
        _has_fork_hooks = True


_holds_printing = False
#: Seconds that a fork waits for a `server_print` that is blocked by whoever should read it.
_PRINTING_SECONDS = 1.0


def _before_fork() -> None:
    global _holds_printing
    if _running is not None:
        _holds_printing = printing.acquire(timeout=_PRINTING_SECONDS)
    _native.before_fork()


def _after_fork() -> None:
    global _holds_printing
    if _holds_printing:
        _holds_printing = False
        printing.release()


def _after_fork_in_parent() -> None:
    _native.after_fork_in_parent()
    _after_fork()


def _after_fork_in_child() -> None:
    """A child serves nothing, and finds everything as if there had never been a server."""
    global _running, _lock
    running, _running = _running, None
    _lock = threading.RLock()
    _native.after_fork_in_child()
    _after_fork()
    if running is not None:
        routing.forget_after_fork()
        running.injection.remove()
        atexit.unregister(_stop_at_exit)
