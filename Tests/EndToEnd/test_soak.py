"""The soak, for a short time: every step at least once, and some at random."""

import re
import subprocess

import pytest

from interpreters import ROOT
from peers import NATIVE_MODULE, RUNNER_PYTHON, built

SOAK = ROOT / "Tests" / "Soak" / "soak.py"


def soak(*options):
    built(NATIVE_MODULE)
    return subprocess.run([RUNNER_PYTHON, str(SOAK), *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=170)


@pytest.mark.parametrize("seed", [1])
def test_a_short_one(seed):
    done = soak("--minutes", "0.05", "--seed", str(seed))
    assert done.returncode == 0, done.stdout
    assert re.match(r"soak: \d+ steps in \d+ s with seed %d: " % seed, done.stdout), done.stdout


def test_it_fails_when_the_host_suffers(tmp_path):
    """A host whose work is wrong, and one that is not there, are told of in one line with the seed."""
    for body, told in (("raise SystemExit(3)", "the stream ended"), ("print('{}')", "KeyError")):
        program = tmp_path / "python"
        program.write_text("#!/bin/sh\nexec '%s' -c \"%s\"\n" % (RUNNER_PYTHON, body))
        program.chmod(0o755)
        done = soak("--minutes", "0", "--seed", "5", "--python", str(program))
        assert done.returncode == 1 and told in done.stdout and "seed 5" in done.stdout, done.stdout
        assert len(done.stdout.splitlines()) == 1, done.stdout
