"""The ssh door of an ordinary user, and of a machine that lacks something: both in a mount namespace of their own."""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from deadline import eventually
from host_process import HostProcess
from peers import STAGE, built
from secure_shell import Keyring, door_folder, endpoint, run

SYSTEM_PYTHON = "/usr/bin/python3"
# A user whom only the file knows that takes the place of /etc/passwd.
NAME, USER = "visitor", 64998


def _reason():
    """Why these tests cannot be, or None."""
    if os.getuid() != 0:
        return "only root can make another user's processes"
    for name in ("unshare", "setpriv", "mount"):
        if shutil.which(name) is None:
            return "%s is not installed (Debian: util-linux)" % name
    if run(["unshare", "-m", "true"])[0] != 0:
        return "mount namespaces cannot be made here"
    if run(["setpriv", "--reuid=%d" % USER, "--regid=%d" % USER, "--clear-groups", SYSTEM_PYTHON, "-c",
            "import sys; assert sys.version_info >= (3, 9)"])[0] != 0:
        return "another user has no %s, 3.9 or later, to run" % SYSTEM_PYTHON
    return None


REASON = _reason()
pytestmark = pytest.mark.skipif(REASON is not None, reason=REASON or "")


@pytest.fixture(scope="module")
def stage():
    """What was built, where everybody can run it: the project may lie where nobody else may look."""
    folder = Path(tempfile.mkdtemp(prefix="stage-", dir="/run"))
    folder.chmod(0o755)
    shutil.copytree(built(STAGE), folder / "stage")
    yield folder / "stage"
    shutil.rmtree(folder)


@pytest.fixture
def home(closing, stage):
    """The home of a user, with keys."""
    keyring = closing(Keyring(Path(tempfile.mkdtemp(prefix="visitor-", dir="/run"))))
    home = keyring.folder / "home"
    for folder in (home, home / "run", home / ".ssh"):
        folder.mkdir(mode=0o700)
    (home / ".ssh" / "authorized_keys").write_text(keyring.public("first") + "\n")
    subprocess.run(["chown", "-R", "%d:%d" % (USER, USER), str(home)], check=True)
    keyring.folder.chmod(0o755)
    keyring.home = home
    keyring.stage = stage
    return keyring


def entering(passwd, command, user=USER):
    """A command line that runs another one as a user, where /etc/passwd is this file."""
    script = 'mount --bind "$0" /etc/passwd && exec setpriv --reuid=%d --regid=%d --clear-groups -- "$@"' % (user, user)
    return ["unshare", "-m", "sh", "-c", script, str(passwd), *map(str, command)]


def passwd_with(home, shell):
    path = home.folder / "passwd"
    lines = Path("/etc/passwd").read_text().splitlines()
    path.write_text("\n".join([*lines, "%s:x:%d:%d::%s:%s" % (NAME, USER, USER, home.home, shell)]) + "\n")
    path.chmod(0o644)
    return path


def replserve(home, *options):
    return [home.stage / "bin" / "replserve", "--python", SYSTEM_PYTHON, "--port", "0", "--control-port", "0", "--ssh",
            "127.0.0.1:0", *options]


def variables(home):
    return {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(home.home), "LC_ALL": "C.UTF-8",
            "XDG_RUNTIME_DIR": str(home.home / "run")}


def test_an_ordinary_user(home, closing):
    words = entering(passwd_with(home, "/bin/sh"), replserve(home, "--announce"))
    server = closing(HostProcess(words, variables(home), cwd="/"))
    server.announced = json.loads(server.stdout.line())
    assert home.ssh(server, "eval", "import os; os.getuid()", user=NAME) == (0, "%d\n" % USER, "")
    assert home.ssh(server, "ping", user="root")[0] == 255
    assert home.ssh(server, input="6 * 7\n", user=NAME)[:2] == (0, "42\n")
    made = home.home / ".local" / "state" / "repltools" / "ssh_host_ed25519_key"
    assert made.stat().st_uid == USER and made.stat().st_mode & 0o777 == 0o600
    there = dict(home.environment(variables(home)), XDG_RUNTIME_DIR=str(home.folder))
    where = endpoint(server).replace("ssh://", "ssh://%s@" % NAME)
    assert run([built(STAGE / "bin" / "replctl"), "-t", where, "eval", "1"], env=there)[:2] == (0, "1\n")
    server.process.kill()
    server.wait()
    eventually(lambda: not door_folder(server).exists(), "the end of the private directory")


@pytest.mark.parametrize("shell", ["/usr/sbin/nologin", "/bin/false", "/nonexistent/shell"])
def test_a_user_who_cannot_log_in(home, shell):
    words = entering(passwd_with(home, shell), replserve(home))
    status, output, errors = run(words, env=variables(home), cwd="/")
    assert (status, output, errors.count("\n")) == (77, "", 1)
    assert shell in errors and "chsh" in errors


def test_a_user_without_an_entry(home):
    words = entering(passwd_with(home, "/bin/sh"), replserve(home), user=64999)
    status, output, errors = run(words, env=dict(variables(home), XDG_RUNTIME_DIR=""), cwd="/")
    assert (status, output) == (77, "") and "64999 has no entry" in errors


def test_a_machine_without_sshd(environment, keyring):
    script = 'for sshd in /usr/sbin/sshd /usr/local/sbin/sshd; do [ ! -e $sshd ] || mount --bind /dev/null $sshd; done; exec "$@"'
    words = ["unshare", "-m", "sh", "-c", script, "sh", built(STAGE / "bin" / "replserve"), "--port", "0",
             "--control-port", "0", *keyring.server_options()]
    status, output, errors = run(words, env=environment)
    assert (status, output, errors.count("\n")) == (69, "", 1) and "openssh-server" in errors


def test_a_locked_account(home):
    path = passwd_with(home, "/bin/sh")
    shadow = home.folder / "shadow"
    shadow.write_text("%s:!*:19000::::::\n" % NAME)
    shadow.chmod(0o644)
    words = ["unshare", "-m", "sh", "-c", 'mount --bind "$0" /etc/shadow && exec "$@"', str(shadow),
             *entering(path, replserve(home))]
    status, output, errors = run(words, env=variables(home), cwd="/")
    assert (status, output, errors.count("\n")) == (77, "", 1) and "is locked" in errors
