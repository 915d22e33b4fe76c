"""The tools under test, run as a shell runs them: every command with arguments that it can do something with."""

import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from deadline import PATIENCE
from peers import STAGE, built

REPLCTL = STAGE / "bin" / "replctl"
REPLCOMPLETE = STAGE / "bin" / "replcomplete"

# Exit statuses that a tool may end with: Shared/ExitCode.swift.
DONE, FAILED, USAGE, NO_ITEM, NO_SERVER, TIMED_OUT, PROTOCOL, NOT_PERMITTED, INTERRUPTED = 0, 1, 64, 66, 69, 75, 76, 77, 130
STATUSES = {DONE, FAILED, USAGE, NO_ITEM, NO_SERVER, TIMED_OUT, PROTOCOL, NOT_PERMITTED, INTERRUPTED}

# What stands before a command that may have so much memory and no more: in KiB, and of addresses, as the kernel counts it.
WITHIN_100_MB = ["sh", "-c", 'ulimit -v 100000 && exec "$@"', "sh"]

# Every command that talks to a server.
COMMANDS = [
    ("replctl", "ping"), ("replctl", "describe"), ("replctl", "eval", "work()"), ("replctl", "eval", "one", "two"),
    ("replctl", "doc", "work"), ("replctl", "source", "work"), ("replctl", "sessions"), ("replctl", "threads"),
    ("replctl", "threads", "--stacks"), ("replctl", "interrupt"), ("replctl", "interrupt", "1"),
    ("replctl", "interrupt", "%1"), ("replctl", "disconnect", "1"), ("replctl", "disconnect", "--all"),
    ("replctl", "bg", "work()"), ("replctl", "jobs"), ("replctl", "output", "%1"),
    ("replctl", "output", "--follow", "%1"), ("replctl", "fg", "%1"), ("replctl", "kill", "%1", "%2"),
    ("replctl", "halt"), ("replctl", "halt", "--cancel"), ("replctl", "wait"), ("replcomplete", "pri"),
    ("replcomplete", "--kind", "--doc", "pri"),
]
ALL = COMMANDS + [(*words, "--json") for words in COMMANDS]


class Finished(NamedTuple):
    """What came of a tool: the streams are bytes."""

    status: int
    output: bytes
    errors: bytes


def run(words, environment, *options, input=b"", **popen):
    """Runs a tool to its end: (its name, its words...), and options behind the words."""
    popen.setdefault("stdout", subprocess.PIPE)
    popen.setdefault("stderr", subprocess.PIPE)
    if "stdin" not in popen:
        popen["input"] = input
    done = subprocess.run([str(built(STAGE / "bin" / words[0])), *words[1:], *options], env=environment, check=False,
                          timeout=PATIENCE * 2, **popen)
    return Finished(done.returncode, done.stdout or b"", done.stderr or b"")


def run_all(commands, environment, *options):
    """Runs many, a few at a time; (words, what came of them) of each."""
    with ThreadPoolExecutor(8) as pool:
        return list(zip(commands, pool.map(lambda words: run(words, environment, *options), commands)))
