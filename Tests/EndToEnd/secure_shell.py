"""ssh to a server: keys, a configuration of its own, and a directory in which sshd believes what it reads."""

import os
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path

import pytest

from deadline import PATIENCE
from interpreters import ROOT
from peers import tool

# Where a test may make a directory: nobody else may be able to write to it, or to what is above it.
PLACES = [ROOT / ".build", Path("/run"), Path(os.path.expanduser("~"))]


def _is_safe(folder):
    """The rule of sshd's StrictModes."""
    for place in [folder, *folder.parents]:
        status = place.stat()
        if status.st_uid not in (0, os.getuid()) or stat.S_IMODE(status.st_mode) & 0o022:
            return False
    return os.access(folder, os.W_OK)


def safe_folder():
    """Makes a directory that sshd takes keys from; whoever asks removes it."""
    place = next((place for place in PLACES if place.is_dir() and _is_safe(place)), None)
    if place is None:
        pytest.fail("others can write to %s: sshd would take no key from there" % ", ".join(map(str, PLACES)))
    return Path(tempfile.mkdtemp(prefix="ssh-", dir=place))


def run(words, **options):
    if options.get("input") is None:
        options.setdefault("stdin", subprocess.DEVNULL)
    done = subprocess.run([str(word) for word in words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=PATIENCE * 2, **options)
    return done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")


class Keyring:
    """Keys, the file of those that are authorized, and an ssh that knows nothing else."""

    def __init__(self, folder):
        self.folder = folder
        self.authorized = folder / "authorized_keys"
        self.authorized.touch(mode=0o600)
        self.host_key = folder / "host_key"
        self._config = folder / "config"
        self._config.write_text(
            "Host *\n UserKnownHostsFile %s\n GlobalKnownHostsFile /dev/null\n StrictHostKeyChecking accept-new\n"
            " IdentitiesOnly yes\n BatchMode yes\n LogLevel ERROR\n" % (folder / "known_hosts"))
        # The ssh that the tools find: theirs, with this configuration.
        self.path = folder / "bin"
        self.path.mkdir()
        wrapper = self.path / "ssh"
        wrapper.write_text('#!/bin/sh\nexec %s -F "%s" -i "%s" "$@"\n' % (tool("ssh"), self._config, folder / "first"))
        wrapper.chmod(0o755)
        self.authorize("first")

    def key(self, name):
        """The path of a key, made if it is not there."""
        path = self.folder / name
        if not path.exists():
            subprocess.run([tool("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(path)], check=True)
        return path

    def public(self, name):
        return Path("%s.pub" % self.key(name)).read_text().strip()

    def authorize(self, name, options=""):
        with self.authorized.open("a") as file:
            file.write(("%s %s" % (options, self.public(name))).strip() + "\n")

    def fingerprint(self, name):
        return run(["ssh-keygen", "-lf", "%s.pub" % self.key(name)])[1].split()[1]

    def server_options(self, port=0):
        return ["--ssh", "127.0.0.1:%d" % port, "--authorized-keys", str(self.authorized), "--host-key",
                str(self.host_key)]

    def words(self, server, *options, key="first", user=None):
        """The beginning of a command line of ssh to a server."""
        who = [] if user is None else ["-l", user]
        return [tool("ssh"), "-F", str(self._config), "-i", str(self.key(key)), "-p",
                str(server.announced["ssh"]["port"]), *who, *options, "127.0.0.1"]

    def ssh(self, server, *command, options=(), key="first", user=None, input=None):
        """Runs a command by ssh: (status, output, errors)."""
        given = {} if input is None else {"input": input.encode()}
        return run([*self.words(server, *options, key=key, user=user), *command], **given)

    def environment(self, variables):
        """What the tools need to go through this ssh."""
        return dict(variables, PATH="%s:%s" % (self.path, variables["PATH"]))

    def close(self):
        shutil.rmtree(self.folder)


def endpoint(server):
    return "ssh://127.0.0.1:%d" % server.announced["ssh"]["port"]


def door_folder(server):
    """The private directory of a server's sshd."""
    return Path(server.announced["socket"]).with_suffix(".ssh")
