"""The ssh door: what somebody with an ordinary ssh and a key can do, and what nobody can."""

import json
import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from deadline import PATIENCE, eventually
from prompts import at_prompt, enter
from secure_shell import door_folder, run
from wire_client import WireClient


def is_refused(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def has_ended(pid):
    """Whether a process is gone, or nobody has taken its status."""
    try:
        return Path("/proc/%d/stat" % pid).read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def daemon_of(server):
    """The process of the sshd that has the server's configuration."""
    wanted = str(door_folder(server) / "sshd_config")
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes().decode("utf-8", "replace")
            except OSError:
                continue
            if wanted in command and "sshd" in command:
                return int(entry.name)
    raise AssertionError("no sshd has %s" % wanted)


class TestCommands:
    @pytest.mark.parametrize("code, output", [
        ('{"a": 1}["a"] + len("b c")', "4\n"), ("'it''s'", "'its'\n"), ("print('$HOME `x` \\\\ !')", "$HOME `x` \\ !\n"),
        ("-- -6 * -7", "42\n"), ("--json -- 1", None), ("[n for n in range(3)]", "[0, 1, 2]\n"),
        ("x = 1\nfor n in range(3):\n    x += n\n\nx", "4\n"), ("'  two  blanks  '", "'  two  blanks  '\n")])
    def test_what_stands_behind_eval_is_the_code(self, door, keyring, code, output):
        status, written, errors = keyring.ssh(door, "eval", code)
        assert (status, errors) == (0, "")
        if output is None:
            assert json.loads(written)["value"] == "1"
        else:
            assert written == output

    def test_exit_statuses(self, door, keyring):
        assert keyring.ssh(door, "eval", "pass")[:2] == (0, "")
        status, output, errors = keyring.ssh(door, "eval", "1/0")
        assert (status, output) == (1, "") and errors.endswith("ZeroDivisionError: division by zero\n")
        assert keyring.ssh(door, "fg", "%9")[0] == 66
        assert keyring.ssh(door, "ping", "--wrong")[0] == 64
        assert keyring.ssh(door, "eval", "--timeout", "0.1", "while True: pass")[0] == 75

    def test_standard_input(self, door, keyring):
        script = "def f(n):\n    return n * 2\n\nprint(f(21))\n'value'\n"
        assert keyring.ssh(door, input=script) == (0, "42\n'value'\n", "")
        assert keyring.ssh(door, "eval", "-", input="x = 5\nx * x")[:2] == (0, "25\n")
        assert keyring.ssh(door, "eval", "input() + input()", input="a\nb\n")[:2] == (0, "'ab'\n")

    def test_the_tools_by_name(self, door, keyring):
        assert " answers in " in keyring.ssh(door, "ping")[1]
        assert keyring.ssh(door, "replctl", "--json", "jobs") == (0, "", "")
        assert keyring.ssh(door, "replcomplete", "impor") == (0, "import\n", "")
        assert keyring.ssh(door, "replconnect", "-c", "'1 + 1'") == (0, "2\n", "")
        assert "replctl (repltools)" in keyring.ssh(door, "replctl", "--version")[1]

    def test_much_output(self, door, keyring):
        status, output, errors = keyring.ssh(door, "eval", "print('0123456789' * 1_000_000)")
        assert (status, len(output), errors) == (0, 10_000_001, "")

    def test_bg_and_its_output(self, door, keyring):
        assert keyring.ssh(door, "bg", "print('it says'); 6 * 7")[:2] == (0, "%1\n")
        assert keyring.ssh(door, "fg", "%1")[:2] == (0, "42\n")
        assert keyring.ssh(door, "output", "%1")[:2] == (0, "it says\n")


class TestNothingElse:
    @pytest.mark.parametrize("command", [
        "sh", "sh -c id", "/bin/true", "scp -t /tmp", "rsync --server . /tmp", "env replctl ping", "replserve", "./replctl",
        "servers", "; id", "$(id)", "'ping", "ping; id", "replconnect 127.0.0.1 22", "replconnect -t pid:1",
        "ping -t pid:1", "ping --to=pid:1", "replctl --each ping", "eval -t pid:1 1", "jobs --each"])
    def test_other_commands_are_refused(self, door, keyring, command):
        status, output, errors = keyring.ssh(door, command)
        assert (status, output) == (64, "")
        assert errors.count("\n") == 1 and errors.startswith("repl")

    def test_subsystems_and_copies_are_refused(self, door, keyring):
        assert keyring.ssh(door, "sftp", options=["-s"])[0] != 0
        port = str(door.announced["ssh"]["port"])
        copy = ["scp", "-F", str(keyring.folder / "config"), "-P", port, "/etc/hostname", "127.0.0.1:copied"]
        assert run(copy)[0] != 0 and run([copy[0], "-O", *copy[1:]])[0] != 0

    @pytest.mark.parametrize("options", [
        ["-R", "0:127.0.0.1:22"], ["-R", "/tmp/forwarded.sock:127.0.0.1:22"], ["-w", "0:0"]])
    def test_remote_forwarding_is_refused(self, door, keyring, options):
        status, output, errors = keyring.ssh(door, "ping", options=[*options, "-o", "ExitOnForwardFailure=yes"])
        assert (status, output) == (255, "")

    def test_local_forwarding_is_refused(self, door, keyring):
        there = "127.0.0.1:%d" % door.control_port
        status, output, errors = keyring.ssh(door, options=["-W", there])
        assert (status, output) == (255, "") and "forwarding failed" in errors

    def test_the_agent_is_not_forwarded(self, door, keyring):
        agent = keyring.folder / "agent.sock"
        sockets = "import glob; sorted(glob.glob('/tmp/ssh-*/agent.*'))"
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(agent))
            listener.listen()
            there = [keyring.ssh(door, "eval", sockets, options=[*options, "-o", "ForwardAgent=%s" % forward])[:2]
                     for options, forward in ((["-A"], agent), (["-a"], "no"))]
        assert there[0][0] == 0 and there[0] == there[1]

    def test_the_display_is_not_forwarded(self, door, keyring):
        words = [*keyring.words(door, "-X", "-o", "LogLevel=DEBUG"), "ping"]
        status, output, errors = run(words, env={**os.environ, "DISPLAY": ":7"})
        assert status == 0 and "X11 forwarding request failed" in errors

    def test_no_password_is_asked_for(self, door, keyring):
        options = ["-o", "PubkeyAuthentication=no", "-o", "PreferredAuthentications=password,keyboard-interactive"]
        status, output, errors = keyring.ssh(door, "ping", options=options)
        assert status == 255 and errors.rstrip().endswith("Permission denied (publickey).")

    def test_a_stranger_and_another_user_are_refused(self, door, keyring):
        assert keyring.ssh(door, "ping", key="stranger")[0] == 255
        assert keyring.ssh(door, "ping", user="daemon")[0] == 255

    def test_the_client_chooses_no_environment(self, door, keyring):
        keyring.authorize("limited", 'environment="REPL_PERMIT=ping"')
        options = ["-o", "SetEnv=REPL_INTRODUCTION={} REPL_TO=pid:1 SSH_USER_AUTH=/dev/null"]
        assert keyring.ssh(door, "ping", options=options)[0] == 0
        assert keyring.ssh(door, "eval", "1", key="limited", options=options)[0] == 77

    def test_the_users_own_rc_is_not_run(self, door, keyring):
        configuration = (door_folder(door) / "sshd_config").read_text().splitlines()
        for line in ["PermitUserRC no", "PermitUserEnvironment no", "DisableForwarding yes", "PasswordAuthentication no"]:
            assert line in configuration
        assert not [line for line in configuration if line.startswith(("AcceptEnv", "Subsystem", "Include"))]


class TestKeys:
    def alone(self, keyring, name, options):
        """Lets one key in, and no other."""
        keyring.authorized.write_text("")
        keyring.authorize(name, options)

    def ssh(self, keyring, door, *command, key="limited", **options):
        return keyring.ssh(door, *command, key=key, **options)

    def test_a_limited_key(self, door, keyring):
        self.alone(keyring, "limited", 'no-agent-forwarding,environment="REPL_PERMIT=ping,jobs"')
        assert self.ssh(keyring, door, "ping")[0] == 0
        assert self.ssh(keyring, door, "jobs")[0] == 0
        for command in (["eval", "1"], [], ["bg", "1"], ["halt"], ["replcomplete", "x"], ["doc", "print"]):
            status, output, errors = self.ssh(keyring, door, *command)
            assert (status, output, errors.count("\n")) == (77, "", 1)
            assert "it may: ping, jobs" in errors

    def test_a_limited_key_at_the_relay(self, door, keyring, environment):
        """The server sees to it: what is relayed is any request."""
        self.alone(keyring, "first", 'environment="REPL_PERMIT=ping"')
        variables = keyring.environment(environment)
        port = door.announced["ssh"]["port"]
        replctl = Path(door.argv[0]).with_name("replctl")
        def ask(*words):
            return run([replctl, "-t", "ssh://127.0.0.1:%d" % port, *words], env=variables)
        assert ask("ping")[0] == 0
        status, output, errors = ask("eval", "1")
        assert (status, output) == (77, "") and "limited to ping" in errors

    def test_a_limited_key_has_no_files_read(self, door, keyring):
        self.alone(keyring, "limited", 'environment="REPL_PERMIT=eval"')
        assert self.ssh(keyring, door, "eval", "6 * 7")[:2] == (0, "42\n")
        for option in (["-f", "/etc/hostname"], ["--file=/etc/hostname"]):
            assert self.ssh(keyring, door, "eval", *option)[0] == 77

    @pytest.mark.parametrize("options, words", [
        ('command="backup"', "is for something else"), ('restrict,COMMAND="backup"', "is for something else"),
        ('environment="REPL_PERMIT=ping,evil"', "'evil'"), ('environment="REPL_PERMIT="', "is empty"),
        ('environment="X=1",environment="REPL_PERMIT=ping",environment="REPL_PERMIT=eval"', "twice")])
    def test_a_key_with_options_that_cannot_be_meant(self, door, keyring, options, words):
        self.alone(keyring, "limited", options)
        status, output, errors = self.ssh(keyring, door, "ping")
        assert (status, output, errors.count("\n")) == (77, "", 1)
        assert words in errors

    def test_a_key_that_stands_there_twice(self, door, keyring):
        self.alone(keyring, "limited", 'environment="REPL_PERMIT=ping"')
        keyring.authorize("limited")
        assert self.ssh(keyring, door, "ping")[0] == 77

    def test_a_certificate(self, door, keyring):
        self.alone(keyring, "authority", "cert-authority")
        user = run(["id", "-un"])[1].strip()
        assert run(["ssh-keygen", "-q", "-s", keyring.key("authority"), "-I", "me", "-n", user,
                    "%s.pub" % keyring.key("limited")])[0] == 0
        status, output, errors = self.ssh(keyring, door, "ping")
        assert (status, output) == (77, "") and "certificate" in errors

    def test_a_key_that_was_taken_out(self, door, keyring):
        keyring.authorize("limited")
        assert self.ssh(keyring, door, "ping")[0] == 0
        keyring.authorized.write_text("# nobody\n")
        assert self.ssh(keyring, door, "ping")[0] == 255

    def test_no_terminal_for_a_restricted_key(self, door, keyring):
        self.alone(keyring, "limited", "restrict")
        assert self.ssh(keyring, door, input="6 * 7\n")[:2] == (0, "42\n")

    def test_many_keys(self, door, keyring):
        line = keyring.public("first")
        others = "".join("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI%s other%d\n" % (("%043d" % n), n) for n in range(20_000))
        keyring.authorized.write_text(others + line + "\n")
        assert keyring.ssh(door, "eval", "1")[:2] == (0, "1\n")

    def test_who_it_was(self, serve, keyring, tmp_path):
        server = serve(*keyring.server_options(), "--audit-log", str(tmp_path / "audit"))
        assert keyring.ssh(server, "eval", "1")[0] == 0
        records = (tmp_path / "audit").read_text()
        assert keyring.fingerprint("first") in records and "127.0.0.1:" in records

    def test_who_it_was_not(self, serve, keyring, tmp_path):
        log = tmp_path / "audit"
        server = serve(*keyring.server_options(), "--audit-log", str(log))
        assert keyring.ssh(server, "eval", "1", key="stranger")[0] == 255

        def refused():
            records = [json.loads(line) for line in log.read_text().splitlines()]
            messages = [record["message"] for record in records
                        if record["event"] == "refuse" and record["why"] == "ssh"]
            return any(keyring.fingerprint("stranger") in message for message in messages)

        eventually(refused, "the refused key is in the audit log")


class TestPrompt:
    @pytest.fixture
    def screen(self, door, keyring, terminal, environment):
        screen = terminal([*keyring.words(door)], environment)
        at_prompt(screen)
        return screen

    def test_a_conversation(self, screen):
        enter(screen, "6 * 7")
        screen.wait_lines(">>>> 6 * 7", "42", ">>>>")
        screen.type("impor\t")
        screen.wait(lambda screen: screen.cursor_line.rstrip() == ">>>> import", "the completion")
        screen.type("\x15'žluťoučký λ'\r")
        screen.wait_lines("'žluťoučký λ'", ">>>>")
        screen.type("\x1b[A\x1b[A")
        screen.wait(lambda screen: screen.cursor_line == ">>>> 6 * 7", "the history")
        screen.type("\x03")
        at_prompt(screen)
        screen.type("\x04")
        assert screen.wait_end() == 0

    def test_an_interrupt(self, screen):
        enter(screen, "exec('print(6 * 7)\\nwhile True: pass')")
        screen.wait(lambda screen: "42" in screen.lines, "that it runs")
        screen.type("\x03")
        screen.wait_for("KeyboardInterrupt")
        at_prompt(screen)

    def test_the_size_of_the_window(self, screen):
        screen.resize(40, 77)
        enter(screen, "import shutil; tuple(shutil.get_terminal_size())")
        screen.wait_lines("(77, 40)", ">>>>")

    def test_the_end_of_the_server(self, screen, door):
        door.signal(signal.SIGTERM)
        screen.wait(lambda screen: screen.ended, "the end of ssh")
        assert screen.wait_end() == 69


class TestLife:
    def test_it_is_announced(self, door, keyring):
        announced = door.announced["ssh"]
        assert announced["address"] == "127.0.0.1" and announced["port"] > 0
        assert announced["key"] == run(["ssh-keygen", "-lf", keyring.host_key])[1].split()[1]
        assert "ssh at 127.0.0.1:%d, host key %s" % (announced["port"], announced["key"]) in door.stderr.text
        assert keyring.host_key.stat().st_mode & 0o777 == 0o600
        assert door_folder(door).stat().st_mode & 0o777 == 0o700

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
    def test_it_ends_with_the_process(self, door, number):
        daemon = daemon_of(door)
        door.signal(number)
        door.wait()
        eventually(lambda: has_ended(daemon), "the end of sshd")
        eventually(lambda: not door_folder(door).exists(), "the end of the private directory")
        assert is_refused(door.announced["ssh"]["port"])

    def test_a_child_that_was_forked_behind_our_back_does_not_keep_it(self, serve, keyring):
        source = ("import ctypes, os, signal\nchild = ctypes.CDLL(None).fork()\n"
                  "if child == 0:\n    os.setsid()\n    signal.pause()\nprint(child, flush=True)\nsignal.pause()\n")
        server = serve(*keyring.server_options(), source=source)
        child = int(server.stdout.line())
        daemon = daemon_of(server)
        try:
            server.signal(signal.SIGKILL)
            server.wait()
            eventually(lambda: has_ended(daemon), "the end of sshd")
            eventually(lambda: not door_folder(server).exists(), "the end of the private directory")
        finally:
            os.kill(child, signal.SIGKILL)

    def test_a_session_that_runs_ends_with_the_process(self, door, keyring, closing):
        ssh = subprocess.Popen([*keyring.words(door), "eval", "print('it runs'); import time; time.sleep(1000)"],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            assert ssh.stdout.readline() == b"it runs\n"
            door.signal(signal.SIGKILL)
            door.wait()
            assert ssh.wait(PATIENCE) == 69
        finally:
            ssh.kill()
            ssh.communicate()

    def test_a_shared_connection_ends_with_the_process(self, door, keyring):
        path = keyring.folder / "control"
        master = subprocess.Popen(keyring.words(door, "-M", "-N", "-S", str(path)), stdin=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL)
        try:
            eventually(path.exists, "the shared connection")
            assert keyring.ssh(door, "eval", "1", options=["-S", str(path)])[:2] == (0, "1\n")
            door.signal(signal.SIGKILL)
            door.wait()
            assert master.wait(PATIENCE) == 255
        finally:
            master.kill()
            master.wait()

    def test_the_host_has_no_child_for_it(self, embed, keyring):
        host = embed("import os, sys, replserve\n"
                     "at = replserve.start(globals(), repl_port=0, control_port=0, ssh='127.0.0.1:0',\n"
                     "                     authorized_keys=sys.argv[1], host_key=sys.argv[2])\n"
                     "print(at.ssh[0], at.ssh[1] > 0, at.ssh_key[:7], len(at), flush=True)\n"
                     "try: print(os.waitpid(-1, os.WNOHANG))\nexcept ChildProcessError: print('no child', flush=True)\n"
                     "port = at.ssh[1]\nreplserve.stop()\n"
                     "for n in range(3):\n"
                     "    again = replserve.start(globals(), repl_port=0, control_port=0, ssh=f'127.0.0.1:{port}',\n"
                     "                            authorized_keys=sys.argv[1], host_key=sys.argv[2])\n"
                     "    assert again.ssh == at.ssh and again.ssh_key == at.ssh_key\n"
                     "    replserve.stop()\n"
                     "print('again', flush=True)\ninput()\n", keyring.authorized, keyring.host_key)
        assert host.stdout.line() == "127.0.0.1 True SHA256: 3"
        assert host.stdout.line() == "no child"
        assert host.stdout.line() == "again"
        host.tell("")

    def test_two_servers(self, serve, keyring):
        first, second = serve(*keyring.server_options(), "--name", "one"), serve(*keyring.server_options(), "--name", "two")
        assert first.announced["ssh"]["key"] == second.announced["ssh"]["key"]
        assert keyring.ssh(first, "ping")[1].startswith("one ") and keyring.ssh(second, "ping")[1].startswith("two ")

    def test_the_key_of_the_user(self, serve, keyring, environment):
        options = ["--ssh", "127.0.0.1:0", "--authorized-keys", str(keyring.authorized)]
        state = {"XDG_STATE_HOME": str(keyring.folder / "state")}
        keys = {serve(*options, env=state).announced["ssh"]["key"] for _ in range(2)}
        assert len(keys) == 1
        made = keyring.folder / "state" / "repltools" / "ssh_host_ed25519_key"
        assert made.stat().st_mode & 0o777 == 0o600
        assert [path.name for path in made.parent.iterdir()] == [made.name]

    def test_sshd_that_ends_by_itself_is_told(self, door):
        os.kill(daemon_of(door), signal.SIGKILL)
        door.stderr.wait_for("sshd has ended")
        eventually(lambda: not door_folder(door).exists(), "the end of the private directory")
        with WireClient(door.announced["socket"]) as client:
            assert client


    def test_a_supervisor_that_is_killed_takes_sshd_with_it(self, door):
        daemon = daemon_of(door)
        supervisor = int(Path("/proc/%d/stat" % daemon).read_text().rpartition(")")[2].split()[1])
        os.kill(supervisor, signal.SIGKILL)
        door.stderr.wait_for("its supervisor is gone")
        eventually(lambda: has_ended(daemon), "the end of sshd")
        assert is_refused(door.announced["ssh"]["port"])


class TestRefusals:
    def refused(self, replserve_path, environment, *options):
        status, output, errors = run([replserve_path, "--port", "0", "--control-port", "0", *options], env=environment)
        assert output == "" and errors.count("\n") == 1 and errors.startswith("replserve: ")
        return status, errors

    @pytest.mark.parametrize("options", [
        ["--ssh", "x"], ["--ssh", "1.2.3.4"], ["--ssh", "::1:22"], ["--ssh", "70000"], ["--ssh", ""],
        ["--ssh", "0", "--no-socket"], ["--host-key", "/x"], ["--authorized-keys", "/x"]])
    def test_usage(self, replserve_path, environment, options):
        assert self.refused(replserve_path, environment, *options)[0] == 64

    def test_a_port_that_is_taken(self, replserve_path, environment, keyring):
        with socket.socket() as holder:
            holder.bind(("127.0.0.1", 0))
            holder.listen()
            port = holder.getsockname()[1]
            status, errors = self.refused(replserve_path, environment, *keyring.server_options(port))
            assert status == 69 and "127.0.0.1:%d" % port in errors and "choose another port" in errors

    def test_no_file_of_keys(self, replserve_path, environment, keyring):
        keyring.authorized.unlink()
        status, errors = self.refused(replserve_path, environment, *keyring.server_options())
        assert status == 77 and str(keyring.authorized) in errors

    def test_a_file_that_others_can_write_to(self, replserve_path, environment, keyring):
        keyring.authorized.chmod(0o666)
        status, errors = self.refused(replserve_path, environment, *keyring.server_options())
        assert status == 77 and "chmod go-w" in errors

    def test_a_host_key_that_others_can_read(self, replserve_path, environment, keyring):
        keyring.host_key.write_bytes(keyring.key("other").read_bytes())
        keyring.host_key.chmod(0o644)
        status, errors = self.refused(replserve_path, environment, *keyring.server_options())
        assert status == 77 and "chmod 600" in errors

    def test_a_host_key_that_is_none(self, replserve_path, environment, keyring):
        keyring.host_key.write_text("not a key\n")
        keyring.host_key.chmod(0o600)
        assert self.refused(replserve_path, environment, *keyring.server_options())[0] == 77

    def test_nothing_is_left_behind(self, replserve_path, environment, keyring):
        keyring.authorized.unlink()
        self.refused(replserve_path, environment, *keyring.server_options())
        assert list(Path(environment["XDG_RUNTIME_DIR"], "repltools").iterdir()) == []
