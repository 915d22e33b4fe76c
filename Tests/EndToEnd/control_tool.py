"""replctl under test: a command that is run to its end, or one that goes on while the test does something to it."""

import subprocess

from deadline import PATIENCE
from host_process import HostProcess
from peers import STAGE, built

REPLCTL = STAGE / "bin" / "replctl"


class Replctl:
    """Runs replctl at the servers of one runtime directory."""

    def __init__(self, environment, closing):
        self.environment = environment
        self._closing = closing

    def __call__(self, *words, input="", **options):
        """Runs it to its end; returns its exit status, its output and what it said."""
        options.setdefault("stdout", subprocess.PIPE)
        done = subprocess.run([str(built(REPLCTL)), *words], env=self.environment, input=input.encode(),
                              stderr=subprocess.PIPE, timeout=PATIENCE * 2, **options)
        return done.returncode, (done.stdout or b"").decode(), done.stderr.decode()

    def start(self, *words, **options):
        """Starts it. The test says how it has to end, by waiting for it."""
        process = self._closing(HostProcess([built(REPLCTL), *words], self.environment, **options))
        process.trouble_expected = True
        return process
