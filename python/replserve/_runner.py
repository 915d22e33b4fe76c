"""The runner: has a program run with the server beside it, and keeps the server when the program has ended."""

from __future__ import annotations

import errno
import json
import os
import sys
from typing import Any, Optional, Sequence

from . import _messages, _native, server
from ._ending import Ending, TrimmingHook
from ._program import find_program

# Some of the exit codes that all tools of repltools share.
_USAGE = 64
_NO_SERVER = 69
_NOT_PERMITTED = 77
_INTERRUPTED = 130


class _Server:
    """The server of this process, as far as the runner has to do with it."""

    def __init__(self, configuration: dict[str, Any], names: dict[str, Any]) -> None:
        """Accept connections, or end with one line that says why not."""
        self._process = os.getpid()
        try:
            started = server.start(
                locals=names,
                bind=configuration["bind"],
                repl_port=configuration["repl_port"],
                control_port=configuration["control_port"],
                banner=configuration["banner"],
                name=configuration["name"],
                socket=configuration["socket"],
                allow_uid=configuration["allow_uid"],
                insecure_bind=configuration["insecure_bind"],
                audit_log=configuration["audit_log"],
                require_reason=configuration["require_reason"],
                log_level=configuration["log_level"],
                ssh=configuration["ssh"],
                authorized_keys=configuration["authorized_keys"],
                host_key=configuration["host_key"],
            )
        except ValueError as error:
            _messages.say(f"{error} (see replserve --help)")
            sys.exit(_USAGE)
        except OSError as error:
            reason = str(error.strerror or error)
            if error.errno == errno.EADDRINUSE:
                reason += "; choose another with --port or --control-port, or 0 for any free one"
            _messages.say(reason)
            sys.exit(_NOT_PERMITTED if isinstance(error, PermissionError) else _NO_SERVER)
        _native.end_on_sigterm()
        self._bind, self._port, self._control_port = started
        self._socket = started.socket
        self._name = started.name
        self._ssh = started.ssh
        self._ssh_key = started.ssh_key

    @property
    def is_here(self) -> bool:
        """False in a child that the program forked: the server is its parent's."""
        return os.getpid() == self._process

    def introduce(self, program: str, announced: bool) -> None:
        """Tell a person what is served and how to get there, and if it is wanted, a script."""
        _messages.say(
            f"serving {program} (pid {self._process}) at {self._bind}:{self._port}, control {self._control_port}; "
            f"connect with: replconnect {self._bind} {self._port} {self._control_port}"
        )
        if self._ssh is not None:
            address, port = self._ssh
            host = f"[{address}]" if ":" in address else address
            _messages.say(f"ssh at {host}:{port}, host key {self._ssh_key}; connect with: ssh -p {port} HOST")
        if announced:
            self._announce()

    def _announce(self) -> None:
        """Write one line of JSON to standard output."""
        line = json.dumps(
            {
                "pid": self._process,
                "name": self._name,
                "bind": self._bind,
                "repl_port": self._port,
                "control_port": self._control_port,
                "socket": self._socket,
                "ssh": None
                if self._ssh is None
                else {"address": self._ssh[0], "port": self._ssh[1], "key": self._ssh_key},
                "python": sys.executable,
            }
        )
        try:
            if sys.stdout is not None:
                print(line, flush=True)
        except OSError as error:
            _messages.say(f"cannot announce the server on standard output: {error.strerror}")

    def outlive(self, program: str, status: int) -> None:
        """Tell a person that the program has ended and its data has not."""
        _messages.say(
            f"{program} ended with status {status}; its data is still served at {self._bind}:{self._port}, "
            "until Ctrl-C, SIGTERM or halt()"
        )

    def wait(self) -> None:
        """Block until the server was halted."""
        server.wait()


def _say_interrupted() -> None:
    """Tell that Ctrl-C has ended the server, where that is the way to end it and not an error."""
    # In a terminal, what was echoed for Ctrl-C has left the cursor in the middle of a line.
    _messages.write("\n" if sys.stderr is not None and sys.stderr.isatty() else "")
    _messages.say("interrupted")


def run(model: dict[str, Any], configuration_text: str, words: Sequence[str]) -> None:
    """Start the server and run the program; return or raise as the process is to end.

    `model` is a ``__main__`` as the interpreter makes it, `words` are the program's target and arguments.
    """
    # The text was decoded as a file name, but UTF-8 is what it was written in.
    configuration = json.loads(os.fsencode(configuration_text))
    program = find_program(configuration["mode"], words)
    names = program.make_main(model)
    running = _Server(configuration, names)
    # Only now, so that nothing the server is made of is looked for among the program's own files.
    if program.path0 is not None:
        sys.path.insert(0, program.path0)
    if configuration["mode"] == "playground":
        try:
            running.introduce(program.name, announced=configuration["announce"])
            running.wait()
        except KeyboardInterrupt:
            _say_interrupted()
            sys.exit(_INTERRUPTED)
        return

    running.introduce(program.name, announced=configuration["announce"])
    error: Optional[BaseException] = None
    try:
        program.run(names)
    except BaseException as raised:
        if not configuration["stay"] or not running.is_here:
            TrimmingHook.put_before(raised)
            raise
        error = raised
    if configuration["stay"] and running.is_here:
        ending = Ending(error)
        try:
            running.outlive(program.name, ending.status)
            running.wait()
        except KeyboardInterrupt:
            _say_interrupted()
        ending.repeat()
