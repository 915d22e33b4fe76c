"""`-t ssh://`: the tools by way of the system's ssh, to our own sshd and to any machine where repltools is installed."""

import json
import os
import select
import signal
import subprocess

import pytest

from control_client import frame
from control_tool import REPLCTL, Replctl
from deadline import PATIENCE
from host_process import HostProcess
from peers import REPLCONNECT, STAGE, built
from prompts import at_prompt, enter
from secure_shell import endpoint, run


@pytest.fixture
def away(door, keyring, environment, closing):
    """replctl on another machine, as it were: it knows nothing of the server but its ssh door."""
    variables = dict(keyring.environment(environment), REPL_TO=endpoint(door), XDG_RUNTIME_DIR=str(keyring.folder))
    return Replctl(variables, closing)


class TestOurOwnDoor:
    def test_values_and_statuses(self, away):
        assert away("eval", "6 * 7") == (0, "42\n", "")
        assert away("eval", "1/0")[0] == 1
        assert away("eval", "--timeout", "5", "while True: pass")[0] == 75
        assert away("fg", "%9")[0] == 66
        assert away("wait")[0] == 0
        assert away("servers", "--no-header") == (0, "", "")

    def test_much_output(self, away):
        status, output, errors = away("eval", "print('0123456789' * 2_000_000)")
        assert (status, len(output), errors) == (0, 20_000_001, "")

    def test_input(self, away):
        assert away("eval", "input() + input()", input="a\nb\n")[:2] == (0, "'ab'\n")

    def test_the_other_tools(self, away):
        words = [built(STAGE / "bin" / "replconnect")]
        assert run(words, env=away.environment, input=b"def f(n):\n    return n\n\nf(5)\n")[:2] == (0, "5\n")
        assert run([built(STAGE / "bin" / "replcomplete"), "impor"], env=away.environment)[:2] == (0, "import\n")

    def test_an_interrupt(self, away, door):
        process = away.start("eval", "print('it runs')\nwhile True: pass")
        assert process.stdout.line() == "it runs"
        process.signal(signal.SIGINT)
        assert process.wait() == 130

    def test_a_prompt(self, away, terminal):
        screen = terminal([built(REPLCONNECT)], away.environment)
        at_prompt(screen)
        enter(screen, "exec('print(6 * 7)\\nwhile True: pass')")
        screen.wait(lambda screen: "42" in screen.lines, "that it runs")
        screen.type("\x03")
        screen.wait_for("KeyboardInterrupt")
        at_prompt(screen)
        enter(screen, "1 + 1")
        screen.wait_lines(">>>> 1 + 1", "2", ">>>>")
        screen.type("\x04")
        assert screen.wait_end() == 0

    def test_the_end_of_the_server(self, away, door):
        process = away.start("eval", "print('it runs'); import time; time.sleep(1000)")
        assert process.stdout.line() == "it runs"
        door.signal(signal.SIGKILL)
        door.wait()
        assert process.wait() == 69

    def test_a_reason_for_a_server_that_asks(self, serve, keyring, environment, tmp_path):
        server = serve(*keyring.server_options(), "--require-reason", "--audit-log", str(tmp_path / "audit"))
        variables = keyring.environment(environment)
        words = [built(REPLCTL), "-t", endpoint(server), "eval", "1"]
        assert run(words, env=variables)[0] == 77
        assert run([*words, "--reason", "to see"], env=variables)[:2] == (0, "1\n")
        records = [json.loads(line) for line in (tmp_path / "audit").read_text().splitlines()]
        assert any(record.get("reason") == "to see" for record in records)
        assert keyring.fingerprint("first") in (tmp_path / "audit").read_text()


@pytest.fixture
def fake_ssh(tmp_path, environment):
    """Puts a script in the place of ssh; returns the environment in which the tools find it."""
    folder = tmp_path / "fake"
    folder.mkdir()

    def make(script, **variables):
        path = folder / "ssh"
        path.write_text("#!/bin/sh\n" + script)
        path.chmod(0o755)
        return dict(environment, PATH="%s:%s" % (folder, environment["PATH"]), **variables)
    return make


class TestAnyMachine:
    """An ordinary sshd gives the command to the user's shell."""

    # The last word of its command line is the command.
    RUN = 'for word in "$@"; do command=$word; done\nPATH="%s"; exec sh -c "$command"\n'

    def test_the_only_server_there(self, fake_ssh, server, environment):
        variables = fake_ssh(self.RUN % ("%s:$PATH" % (STAGE / "bin")))
        assert run([built(REPLCTL), "-t", "ssh://there", "eval", "6 * 7"], env=variables)[:2] == (0, "42\n")

    def test_what_ssh_is_told(self, fake_ssh, tmp_path):
        variables = fake_ssh('printf "%%s\\n" "$@" >%s\nexit 255\n' % (tmp_path / "words"))
        run([built(REPLCTL), "-t", "ssh://me@there:2022", "--timeout", "7.5", "ping"], env=variables)
        words = (tmp_path / "words").read_text().splitlines()
        assert words[:5] == ["-T", "-p", "2022", "-l", "me"] and words[-3:] == ["--", "there", "replctl relay"]
        assert "ConnectTimeout=8" in words
        run([built(REPLCTL), "-t", "ssh://[::1]", "ping"], env=variables)
        words = (tmp_path / "words").read_text().splitlines()
        assert words[-3:] == ["--", "::1", "replctl relay"] and "-p" not in words and "-l" not in words

    @pytest.mark.parametrize("script, status, words", [
        ("echo 'ssh: no route' >&2; exit 255", 69, "ssh has said why"), ("exit 127", 69, "there is no replctl on PATH"),
        ("exit 77", 77, "has ended with 77"), ("exit 64", 64, "has ended with 64"), ("exit 0", 69, "closed the connection"),
        ("kill -9 $$", 69, "was ended by signal 9"), ("echo hello; exec sleep 1000", 76, "does not speak")])
    def test_how_it_ends(self, fake_ssh, script, status, words):
        done, output, errors = run([built(REPLCTL), "-t", "ssh://there", "ping"], env=fake_ssh(script))
        assert (done, output) == (status, "")
        own = [line for line in errors.splitlines() if line.startswith("replctl: ")]
        assert len(own) == 1 and words in own[0]

    def test_no_server_there(self, fake_ssh):
        variables = fake_ssh(self.RUN % ("%s:$PATH" % (STAGE / "bin")))
        status, output, errors = run([built(REPLCTL), "-t", "ssh://there", "ping"], env=variables)
        assert (status, output) == (69, "") and "no server of this user" in errors

    def test_no_ssh_here(self, environment, tmp_path):
        status, output, errors = run([built(REPLCTL), "-t", "ssh://there", "ping"],
                                     env=dict(environment, PATH=str(tmp_path)))
        assert (status, output, errors.count("\n")) == (69, "", 1) and "openssh-client" in errors

    def test_a_limit_of_time(self, fake_ssh):
        variables = fake_ssh("exec sleep 1000\n")
        status, output, errors = run([built(REPLCTL), "--timeout", "0.3", "-t", "ssh://there", "ping"], env=variables)
        assert (status, output) == (75, "")

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_a_signal_while_ssh_asks_ends_both(self, fake_ssh, tmp_path, closing, number):
        os.mkfifo(tmp_path / "pid")
        variables = fake_ssh("echo $$ >%s\nexec sleep 1000\n" % (tmp_path / "pid"))
        process = closing(HostProcess([built(REPLCTL), "-t", "ssh://there", "ping"], variables))
        shell = int((tmp_path / "pid").read_text())
        handle = os.pidfd_open(shell)
        process.signal(number)
        assert process.wait() == -number
        assert select.select([handle], [], [], PATIENCE)[0]
        os.close(handle)

    def test_nothing_is_completed_by_way_of_ssh(self, fake_ssh, tmp_path):
        variables = fake_ssh("echo called >%s\n" % (tmp_path / "called"))
        run([built(STAGE / "bin" / "replcomplete"), "--complete-shell", "bash", "5", "replctl -t ssh://there fg %"],
            env=variables)
        assert not (tmp_path / "called").exists()


class TestRelay:
    def relay(self, environment, closing, *words, **options):
        process = closing(HostProcess([built(REPLCTL), "relay", *words], environment, **options))
        process.trouble_expected = True
        return process

    DESCRIBE = frame(b'{"command": "DescribeServer", "id": 7}')

    def test_bytes_come_and_go(self, server, environment, closing):
        process = self.relay(environment, closing)
        process.process.stdin.write(self.DESCRIBE)
        process.process.stdin.flush()
        process.stdout.wait_for('"id":7')
        process.process.stdin.close()
        assert process.wait() == 0

    def test_a_half_closed_input_still_gets_its_answer(self, server, environment):
        done = subprocess.run([str(built(REPLCTL)), "relay"], input=self.DESCRIBE * 100, env=environment,
                              stdout=subprocess.PIPE, timeout=PATIENCE)
        assert done.returncode == 0 and done.stdout.count(b'"id":7') == 100

    def test_it_ends_when_nobody_reads(self, server, environment):
        ours, theirs = os.pipe()
        with subprocess.Popen([str(built(REPLCTL)), "relay"], stdin=subprocess.PIPE, stdout=theirs, env=environment) as process:
            os.close(theirs)
            os.close(ours)
            assert process.wait(PATIENCE) == 0

    def test_a_reader_that_is_slow_holds_up_no_requests(self, server, environment):
        """Neither direction waits for the other, and neither is kept without bound."""
        source = b'{"command": "Evaluate", "id": 1, "source": "print(\'x\' * 10_000_000)", "credit": 100000000, "mode": "script"}'
        with subprocess.Popen([str(built(REPLCTL)), "relay"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              env=environment) as process:
            process.stdin.write(self.DESCRIBE + frame(source))
            process.stdin.flush()
            process.stdin.write(self.DESCRIBE * 1000)
            process.stdin.close()
            output = process.stdout.read()
        assert output.count(b'"id":7') == 1001 and output.count(b"x") > 9_000_000

    def test_an_introduction_that_is_refused(self, server, environment):
        for text, status in (("{", 64), ('{"permit": 1}', 64), ('{"permit": ["evil"]}', 77)):
            done = run([built(REPLCTL), "relay"], env=dict(environment, REPL_INTRODUCTION=text))
            assert done[:2] == (status, "") and done[2].count("\n") == 1

    def test_an_introduction_is_made_before_anything_else(self, server, environment):
        variables = dict(environment, REPL_INTRODUCTION='{"permit": ["ping"]}')
        request = frame(b'{"command": "Sessions", "id": 1}')
        done = subprocess.run([str(built(REPLCTL)), "relay"], input=request, env=variables, stdout=subprocess.PIPE,
                              timeout=PATIENCE)
        assert done.returncode == 0 and b"not-permitted" in done.stdout and b'"relay"' not in done.stdout


def test_what_was_said_without_a_reason_may_be_given_one(serve, tool):
    """Whoever relays a connection has said for whom, and cannot know why."""
    client = tool(serve("--require-reason"))
    whose = {"user": "me", "address": "192.0.2.1:5", "key": "SHA256:x"}
    assert client.request("Introduce", ssh=whose, permit=["sessions"])["status"] == "ok"
    assert client.request("Sessions")["code"] == "reason-required"
    for more in ({"reason": "to see", "permit": []}, {"reason": "to see", "ssh": whose}, {}):
        assert client.request("Introduce", **more)["status"] == "failed"
    assert client.request("Introduce", reason="to see")["status"] == "ok"
    assert client.request("Sessions")["status"] == "ok" and client.request("Jobs")["code"] == "not-permitted"
    assert client.request("Introduce", reason="again")["status"] == "failed"
