"""The audit log: who did what, with the tools that people use; files that are rotated, full or not fit; and forks."""

import json
import os
import subprocess

import pytest

import tools
from audit_log import AuditLog, own
from control_tool import Replctl
from deadline import PATIENCE, eventually
from host_process import ServerProcess
from peers import environment_python, netcat
from test_embedding import HOST


@pytest.fixture
def audited(serve, tmp_path):
    """A playground with an audit log; its attribute `log`."""
    def start(*options, **more):
        server = serve("--audit-log", "audit.log", *options, **more)
        server.log = AuditLog(tmp_path / "audit.log", server.pid)
        return server
    return start


@pytest.fixture
def replctl(environment, closing):
    return Replctl(environment, closing)


@pytest.fixture
def host(newest, embed, tmp_path):
    """A program that has started a server with an audit log, and then does what it is told; its attribute `log`."""
    host = embed(HOST, python=newest.plain, options=["-W", "ignore:This process:DeprecationWarning"])
    started = "server.start(globals(), repl_port=0, control_port=0, audit_log='audit.log', name='audited')"
    assert host.ask("print(len(%s))" % started) == "3"
    host.log = AuditLog(tmp_path / "audit.log", host.pid)
    return host


# Who did what.


def test_a_scene_with_replctl(audited, replctl):
    server = audited()
    assert server.log.path.stat().st_mode & 0o7777 == 0o600
    process = replctl.start("eval", "6 * 7")
    assert process.stdout.line() == "42"
    assert process.wait() == tools.DONE
    begun = server.log.wait_for("evaluation")
    assert begun["peer"]["door"] == "unix"
    assert (begun["peer"]["program"], begun["peer"]["pid"]) == ("replctl", process.pid)
    assert own(begun) == {"session": 1, "evaluation": 1, "source": "6 * 7"}
    ended = server.log.wait_for("result")
    assert ended["status"] == "value" and 0 <= ended["duration"] < PATIENCE
    server.log.wait_for("disconnect")
    assert server.log.story(begun["connection"]) == [
        "connect", "session opened", "evaluation", "result", "session ended", "disconnect"]
    assert replctl("eval", "1/0")[0] == tools.FAILED
    assert server.log.of("result")[-1]["status"] == "exception"


def test_a_scene_with_jobs(audited, replctl):
    server = audited()
    assert replctl("bg", "while True: pass")[:2] == (0, "%1\n")
    assert own(server.log.wait_for("job", change="started")) == {
        "job": 1, "change": "started", "source": "while True: pass"}
    assert replctl("interrupt", "%1")[0] == tools.DONE
    interrupted = server.log.wait_for("job", change="interrupted")
    assert own(interrupted) == {"job": 1, "change": "interrupted", "outcome": "interrupted"}
    assert interrupted["peer"]["program"] == "replctl"
    ended = server.log.wait_for("job", change="ended", job=1)
    assert ended["state"] == "interrupted" and "peer" not in ended
    assert replctl("bg", "import hashlib; hashlib.pbkdf2_hmac('sha512', b'', b'', 2**31 - 1)")[1] == "%2\n"
    # So much it can have computed in C only, where nothing interrupts it.
    eventually(lambda: json.loads(replctl("jobs", "--json")[1].splitlines()[-1])["cpu"] > 0.5, "the job computes")
    assert replctl("kill", "%2")[0] == tools.FAILED
    assert server.log.wait_for("job", change="killed", job=2)["state"] == "abandoned"
    assert replctl("halt", "--cancel")[0] == tools.DONE
    assert own(server.log.wait_for("halt")) == {"when": "cancel"}


def test_a_job_of_the_program(audited, connect):
    server = audited()
    client = connect(server)
    client.run("job = bg(lambda: 7)")
    assert own(server.log.wait_for("job", change="started"))["owner"] == "session 1"
    assert server.log.wait_for("job", change="ended")["state"] == "done"


def test_an_interrupt_of_somebody_elses_session(audited, connect, replctl):
    server = audited()
    client = connect(server)
    client.send("exec('print(\"on\")\\nwhile True: pass')\n")
    client.expect("on\n")
    assert replctl("interrupt", "1")[0] == tools.DONE
    client.prompt()
    record = server.log.wait_for("interrupt")
    assert own(record) == {"session": 1, "evaluation": 1, "outcome": "interrupted"}
    assert record["peer"]["program"] == "replctl"
    assert server.log.wait_for("result")["status"] == "interrupted"
    assert replctl("disconnect", "1")[0] == tools.DONE
    assert server.log.of("session", change="disconnected")[0]["peer"]["program"] == "replctl"
    assert server.log.wait_for("session", change="ended", session=1)["peer"]["door"] == "text"


def test_a_scene_with_netcat(audited):
    server = audited()
    assert b"1\n" in netcat(server.port, b"for x in range(2):\n    print(x)\n\n'last'\n")
    begun = server.log.of("evaluation")
    assert [record["source"] for record in begun] == ["for x in range(2):", "    print(x)", "", "'last'"]
    assert [record.get("continues") for record in begun] == [None, 1, 2, None]
    assert {record["peer"]["program"] for record in begun} == {"nc"}
    assert [record["status"] for record in server.log.of("result")] == ["incomplete"] * 2 + ["value"] * 2
    assert server.log.wait_for("disconnect")


def test_a_scene_with_the_ancestors_client(audited, newest, terminal, environment):
    server = audited()
    screen = terminal([environment_python(newest.macros), "-m", "unpythonic.net.client", "127.0.0.1", server.port,
                       server.control_port], environment)
    screen.wait_for(">>>>")
    screen.type("6 * 7\r")
    screen.wait_for("\n42\n")
    begun = server.log.wait_for("evaluation", source="6 * 7")
    assert begun["peer"]["pid"] == screen.pid and begun["peer"]["program"].startswith("python")
    assert {record["peer"]["door"] for record in server.log.of("connect")} == {"text", "control"}


def test_a_scene_with_replconnect(audited, environment, terminal, stage):
    server = audited()
    screen = terminal([stage / "bin" / "replconnect"], environment)
    screen.wait_for(">>>>")
    screen.type("6 * 7\r")
    screen.wait_for("\n42\n")
    begun = server.log.wait_for("evaluation", source="6 * 7")
    assert (begun["peer"]["program"], begun["peer"]["pid"]) == ("replconnect", screen.pid)


def test_the_whole_life_of_a_server(audited):
    server = audited("--name", "lively")
    server.close()
    records = server.log.records
    assert [record["event"] for record in records] == ["start", "stop"]
    assert {record["server"] for record in records} == {"lively"}
    assert records[0]["endpoints"] == [
        "127.0.0.1:%d:%d" % (server.port, server.control_port), "unix:" + server.announced["socket"]]


def test_what_is_refused(audited):
    server = audited()
    netcat(server.port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\nprint()\n")
    record = server.log.wait_for("refuse")
    assert own(record) == {"why": "foreign"} and record["peer"]["program"] == "nc"
    assert server.log.of("evaluation") == []


def test_characters_of_all_kinds(audited, replctl, connect):
    """Every line is one line for everybody, and nothing in it is obeyed by a terminal that shows it."""
    server = audited()
    source = "'žluť 日本 \U0001f600 \\\"\\\\ \u2028'"
    assert replctl("eval", source)[0] == tools.DONE
    assert server.log.wait_for("evaluation")["source"] == source
    client = connect(server)
    source = "x = '\x01\t\x7f\x85\x9b2J\u202e\u2029\U000e0041'"
    client.run(source)
    assert server.log.of("evaluation")[-1]["source"] == source
    assert server.log.text.replace("\n", "").isprintable()


# The file.


def rename(log):
    """`create` of logrotate(8), which leaves the new file to the program."""
    log.path.rename(log.path.with_suffix(".1"))
    return log.path.with_suffix(".1")


def rename_and_create(log):
    kept = rename(log)
    os.close(os.open(log.path, os.O_CREAT | os.O_EXCL, 0o600))
    return kept


def copy_and_truncate(log):
    kept = log.path.with_suffix(".1")
    kept.write_text(log.text)
    os.truncate(log.path, 0)
    return kept


def remove(log):
    log.path.unlink()


@pytest.mark.parametrize("rotate", [rename, rename_and_create, copy_and_truncate, remove])
def test_rotation(audited, replctl, rotate):
    server = audited()
    assert replctl("eval", "'before'")[0] == tools.DONE
    server.log.wait_for("disconnect")
    kept = rotate(server.log)
    assert replctl("eval", "'after'")[0] == tools.DONE
    assert [record["source"] for record in server.log.of("evaluation")] == ["'after'"]
    assert server.log.path.stat().st_mode & 0o7777 == 0o600
    if kept is not None:
        assert "'before'" in kept.read_text() and "'after'" not in kept.read_text()


def test_a_full_disk(host, replctl):
    """No more than some bytes fit, as on a full disk: the last record is cut short."""
    host.ask("import resource, signal; unlimited = resource.getrlimit(resource.RLIMIT_FSIZE); "
             # As in a program that is not written in Python.
             "signal.signal(signal.SIGXFSZ, signal.SIG_DFL); print()")
    assert replctl("eval", "seen = 1")[0] == tools.DONE
    host.log.wait_for("disconnect")
    size = host.log.path.stat().st_size + 40
    host.ask("resource.setrlimit(resource.RLIMIT_FSIZE, (%d, unlimited[1])); print()" % size)
    for words in (["eval", "seen = 2"], ["bg", "seen = 2"], ["eval", "--main-thread", "seen = 2"]):
        status, output, errors = replctl(*words)
        assert (status, output) == (tools.NOT_PERMITTED, "")
        assert errors == "replctl: The audit log cannot be written, so nothing is run: File too large.\n"
    assert host.ask("print(seen)") == "1"
    assert host.log.path.stat().st_size == size
    assert replctl("ping")[0] == replctl("sessions")[0] == tools.DONE
    host.stderr.wait_for("error: cannot write to the audit log %s: File too large; " % host.log.path)
    host.ask("resource.setrlimit(resource.RLIMIT_FSIZE, unlimited); print()")
    assert replctl("eval", "seen = 3")[0] == tools.DONE
    assert host.ask("print(seen)") == "3"
    lines = host.log.path.read_bytes()
    cut = lines[size - 40:size]
    assert b"\n" not in cut and lines[size - 41:size - 40] == lines[size:size + 1] == b"\n"
    for line in lines.split(b"\n"):
        assert line in (b"", cut) or json.loads(line)["pid"] == host.pid, line
    assert b"seen = 2" not in lines
    assert lines.count(b"\n\n") == 0
    assert host.stderr.text.count("cannot write to the audit log") == 1


def test_a_person_at_a_full_disk(host, connect):
    port = int(host.ask("print(server.start.__module__ and open('audit.log').readline().split('127.0.0.1:')[1].split(':')[0])"))
    host.ask("import resource; unlimited = resource.getrlimit(resource.RLIMIT_FSIZE); print()")
    client = connect(port)
    host.ask("resource.setrlimit(resource.RLIMIT_FSIZE, (1, unlimited[1])); print()")
    assert client.run("seen = 1") == \
        "replserve: The audit log cannot be written, so nothing is run: File too large.\n"
    host.ask("resource.setrlimit(resource.RLIMIT_FSIZE, unlimited); print()")
    assert client.run("'seen' in globals()") == "False\n"


def others_can_write(path):
    path.touch()
    path.chmod(0o622)
    return "others can write to it; chmod go-w it"


def a_link(path):
    path.symlink_to(path.with_suffix(".other"))
    return "it is a symbolic link; name the file itself"


def a_directory(path):
    path.mkdir()
    return "Is a directory"


def a_pipe(path):
    os.mkfifo(path)
    return "it is not a regular file"


def a_device(path):
    path.symlink_to("/dev/full")
    return "it is a symbolic link; name the file itself"


@pytest.mark.parametrize("make", [others_can_write, a_link, a_directory, a_pipe, a_device])
def test_a_file_that_is_not_fit(make, replserve_path, newest, environment, tmp_path):
    path = tmp_path / "audit.log"
    reason = make(path)
    done = subprocess.run([replserve_path, "--python", newest.plain, "--port", "0", "--control-port", "0",
                           "--audit-log", "audit.log", "-c", "print('ran')"], env=environment, cwd=tmp_path,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=PATIENCE)
    assert done.returncode == tools.NOT_PERMITTED
    assert done.stderr.decode() == "replserve: cannot write to the audit log %s: %s\n" % (path, reason)
    assert done.stdout == b""
    assert not path.with_suffix(".other").exists()


def test_a_directory_that_does_not_exist(newest, embed, tmp_path):
    host = embed(HOST, python=newest.plain)
    assert host.ask("server.start(globals(), repl_port=0, control_port=0, audit_log='no/such.log')") == (
        "PermissionError: cannot write to the audit log %s/no/such.log: No such file or directory" % tmp_path)
    assert host.ask("print(as_before())") == "True"


def test_an_embedded_server_gives_the_file_back(host):
    assert host.ask("server.stop(); print(as_before())") == "True"
    assert [record["event"] for record in host.log.records] == ["start", "stop"]


def test_the_path_is_that_of_the_start(host, replctl, tmp_path):
    host.ask("os.mkdir('elsewhere'); os.chdir('elsewhere'); print()")
    assert replctl("eval", "1")[0] == tools.DONE
    rename(host.log)
    assert replctl("eval", "2")[0] == tools.DONE
    assert [record["source"] for record in host.log.of("evaluation")] == ["2"]
    assert os.listdir(tmp_path / "elsewhere") == []


# Processes.

HOLDERS = "[name for name in os.listdir('/proc/self/fd') if 'audit.log' in os.path.realpath('/proc/self/fd/' + name)]"


def test_a_forked_child_has_nothing_of_it(host, replctl):
    assert host.ask("print(len(%s))" % HOLDERS) == "1"
    host.tell("pid = os.fork()")
    host.tell("if pid == 0: print(len(%s), flush=True); os._exit(0)" % HOLDERS)
    assert host.stdout.line() == "0"
    assert host.ask("print(os.waitpid(pid, 0)[1])") == "0"
    rename(host.log)
    host.tell("pid = os.fork() if replserve is not None else None")
    host.tell("if pid == 0: print(len(%s), flush=True); os._exit(0)" % HOLDERS)
    assert host.stdout.line() == "0"
    host.ask("os.waitpid(pid, 0); print()")
    assert replctl("eval", "1")[0] == tools.DONE
    assert [record["source"] for record in host.log.of("evaluation")] == ["1"]


def test_a_program_that_is_started_has_nothing_of_it(host):
    child = ("import os; print([name for name in os.listdir('/proc/self/fd')"
             " if 'audit.log' in os.path.realpath('/proc/self/fd/' + name)])")
    assert host.ask("import subprocess; print(subprocess.check_output("
                    "[sys.executable, '-c', %r], close_fds=False).decode().strip())" % child) == "[]"


def test_what_it_costs(newest, embed):
    """One descriptor and no thread; without it, nothing."""
    start = "server.start(globals(), repl_port=0, control_port=0, %s); print(facts()); server.stop()"
    facts = []
    for options in ("", "audit_log='audit.log'", "allow_uid=[1], require_reason=True, log_level='info'"):
        host = embed(HOST, python=newest.plain)
        before = json.loads(host.ask("print(facts())"))
        after = json.loads(host.ask(start % options))
        facts.append([now - then for now, then in zip(after, before)])
    without, with_log, with_others = facts
    assert with_others == without
    assert with_log == [without[0] + 1, without[1], without[2]]


def test_several_servers_share_a_file(audited, replctl, replserve_path, newest, environment, closing, tmp_path):
    first = audited("--name", "one")
    second = closing(ServerProcess(replserve_path, ["--python", newest.plain, "--audit-log", "audit.log", "--name", "two"],
                                   environment, cwd=str(tmp_path)))
    for name in ("one", "two", "one"):
        assert replctl("-t", "name:" + name, "eval", repr(name))[0] == tools.DONE
    found = [json.loads(line) for line in first.log.text.splitlines()]
    assert [(record["server"], record["pid"]) for record in found if record["event"] == "evaluation"] == [
        ("one", first.pid), ("two", second.pid), ("one", first.pid)]
