"""The settings: what a server is started with, checked, and written for the native side."""

from __future__ import annotations

import json
import os
import platform
import pwd
import re
import sys
from typing import Any, Iterable, Optional, Union

VERSION = "0.1.0"
PS1 = ">>>> "
PS2 = ".... "
#: The program that runs sshd for a server; it is installed with this package.
REPLSSH = os.path.normpath(
    os.path.join(os.path.dirname(os.path.realpath(__file__)), *[os.pardir] * 4, "libexec", "repltools", "replssh")
)
#: Stands for ADDRESS:PORT in the default banner until the ports are known.
MARK = "\x01"
#: From the one that tells all to the one that tells least, as swift-log has them.
LOG_LEVELS = ("trace", "debug", "info", "notice", "warning", "error", "critical")


def settings(
    *,
    bind: str,
    repl_port: int,
    control_port: int,
    banner: Optional[str],
    name: Optional[str],
    socket: bool,
    allow_uid: Iterable[Union[int, str]],
    insecure_bind: bool,
    audit_log: Optional[Any],
    require_reason: bool,
    log_level: str,
    ssh: Optional[Union[int, str]],
    authorized_keys: Optional[Any],
    host_key: Optional[Any],
) -> dict[str, Any]:
    """What `text` writes; raise ``TypeError`` or ``ValueError`` for what cannot be meant."""
    _expect(str, bind=bind)
    _expect((str, type(None)), banner=banner, name=name)
    for port in (repl_port, control_port):
        if not 0 <= port <= 65535:
            raise ValueError(f"{port} is not a port; ports are 0 to 65535, and 0 stands for any free one")
    users = _user_numbers(allow_uid)
    _expect((int, str, type(None)), ssh=ssh)
    if ssh is None and (authorized_keys is not None or host_key is not None):
        raise ValueError("authorized_keys and host_key are about ssh, which is not asked for")
    if ssh is not None and not socket:
        raise ValueError("ssh leads to the unix socket; it cannot be had without one")
    if log_level not in LOG_LEVELS:
        raise ValueError(f"{log_level!r} is not a log level; choose one of {', '.join(LOG_LEVELS)}")
    return {
        "bind": bind,
        "repl_port": int(repl_port),
        "control_port": int(control_port),
        "name": _checked_name(name),
        "socket": bool(socket),
        "banner": _default_banner() if banner is None else banner,
        "allow_uid": users,
        "user_names": _user_names([*users, os.geteuid()]),
        "insecure_bind": bool(insecure_bind),
        "audit_log": None if audit_log is None else _path(audit_log),
        "require_reason": bool(require_reason),
        "log_level": log_level,
        "ssh": None if ssh is None else str(ssh),
        "authorized_keys": None if authorized_keys is None else _path(authorized_keys),
        "host_key": None if host_key is None else _path(host_key),
        "replssh": _path(REPLSSH),
        "version": VERSION,
        "python_version": platform.python_version(),
        "ps1": PS1,
        "ps2": PS2,
        "executable": os.fsencode(sys.executable or "").decode("utf-8", "backslashreplace"),
        "program": _program(),
    }


def text(values: dict[str, Any]) -> str:
    """Settings as the native side reads them."""
    return json.dumps(values)


def _expect(types: Any, **values: Any) -> None:
    for name, value in values.items():
        if not isinstance(value, types):
            raise TypeError(f"{name} cannot be of type {type(value).__name__}")


def _user_numbers(users: Iterable[Union[int, str]]) -> list[int]:
    """The numbers of users, who are given by number or by name."""
    if isinstance(users, (int, str)):
        users = [users]
    numbers = []
    for user in users:
        if isinstance(user, str) and not re.fullmatch("[0-9]+", user):
            try:
                user = pwd.getpwnam(user).pw_uid
            except KeyError:
                raise ValueError(f"there is no user {user!r} here; write a name or a number") from None
        number = int(user)
        if not 0 <= number < 0xFFFFFFFF:
            raise ValueError(f"{number} is no number of a user")
        numbers.append(number)
    return sorted(set(numbers))


def _user_names(numbers: Iterable[int]) -> dict[str, str]:
    """The names of users, by their numbers as text, as far as they have any."""
    names = {}
    for number in numbers:
        try:
            names[str(number)] = pwd.getpwuid(number).pw_name
        except KeyError:
            pass
    return names


def _path(path: Any) -> str:
    """An absolute path: the program may change its directory later."""
    absolute = os.path.abspath(os.fsdecode(path))
    try:
        absolute.encode()
    except UnicodeEncodeError:
        raise ValueError(f"the path {absolute!r} is not UTF-8; use another") from None
    if "\0" in absolute:
        raise ValueError(f"the path {absolute!r} holds a zero byte")
    return absolute


def _checked_name(name: Optional[str]) -> str:
    """A name that can be part of a file's; the program's own by default."""
    if name is None:
        main = getattr(sys.modules.get("__main__"), "__file__", None)
        stem = os.path.splitext(os.path.basename(main))[0] if isinstance(main, str) else "python"
        return re.sub(r"[^A-Za-z0-9._-]+", "-", stem)[:64].lstrip(".-") or "python"
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}", name):
        raise ValueError(f"{name!r} cannot be a server's name: use up to 64 letters, digits, '.', '_' and '-'")
    return name


def _program() -> str:
    """The command line of the program, in one line; empty for a playground."""
    program = " ".join(str(word) for word in getattr(sys, "argv", None) or []).strip()
    # An argument need not be UTF-8.
    return " ".join(program.encode("utf-8", "backslashreplace").decode().split())[:4096]


def _default_banner() -> str:
    program = _program() or "no program: a playground"
    return (
        f"repltools {VERSION}, Python {platform.python_version()}, at {MARK}, on behalf of:\n"
        f"  {program.replace(MARK, '')}\n"
        "    quit(), exit() or EOF (Ctrl+D) at the prompt ends this session.\n"
        "    halt() stops the server after the last session has ended; halt(False) takes that back.\n"
        "    doc(obj) shows obj's docstring, help(obj) all that is known of it.\n"
        "    print() prints in this session, server_print(...) on the stdout of the process.\n"
        "    bg(thunk) runs thunk in the background and returns its job; job.output is what it prints.\n"
        "    fg(job) gives the job's result once it has one, and the job itself until then; jobs() lists them."
    )
