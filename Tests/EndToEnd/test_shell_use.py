"""replctl in scripts as people write them: pipelines, loops, redirections, many at once, much output."""

import os
import re
import signal
import subprocess

import pytest

import process_facts
import tools
from deadline import PATIENCE, eventually
from host_process import HostProcess
from peers import STAGE, built

LOOP = "print('started', flush=True)\nwhile True: pass"


@pytest.fixture
def shell(environment, tmp_path):
    """Runs a script with sh -eu, the tools in its PATH."""
    built(tools.REPLCTL)
    variables = dict(environment, PATH="%s:%s" % (STAGE / "bin", environment["PATH"]))

    def run(script, *arguments, status=0, **options):
        options.setdefault("stdin", subprocess.DEVNULL)
        done = subprocess.run(["sh", "-eu", "-c", script, "sh", *arguments], cwd=str(tmp_path), env=variables,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE * 2, check=False, **options)
        assert done.returncode == status, (done.returncode, done.stdout[-2000:], done.stderr[-2000:])
        return tools.Finished(done.returncode, done.stdout, done.stderr)
    return run


@pytest.fixture
def sessions(environment):
    return lambda: tools.run(("replctl", "sessions", "--no-header"), environment).output.count(b"\n")


@pytest.fixture
def nobody_left(server, environment, sessions):
    """What a client leaves behind when it is gone, at the end: no session and no thread."""
    assert tools.run(("replctl", "eval", "1"), environment).output == b"1\n"
    before = process_facts.threads(server.pid)
    yield
    eventually(lambda: sessions() == 0, "no session is left")
    eventually(lambda: process_facts.threads(server.pid) <= before, "no thread is left")


# MARK: pipelines


def test_a_pipe_to_head(shell, nobody_left):
    found = shell("replctl eval 'for number in range(10 ** 9): print(number)' | head -1")
    assert (found.output, found.errors) == (b"0\n", b"")


def test_grep_that_leaves_early(shell, nobody_left):
    assert shell("replctl eval 'while True: print(\"healthy\")' | grep -q healthy && echo yes").output == b"yes\n"


def test_every_job_is_killed(shell, server):
    found = shell("""
        for number in 1 2 3; do replctl bg 'while True: pass'; done
        replctl jobs --no-header | cut -f1 | xargs -n1 replctl kill
        replctl jobs --no-header | cut -f2 | sort | uniq -c
    """)
    assert found.output.split() == b"%1 %2 %3 %1: interrupted %2: interrupted %3: interrupted 3 interrupted".split()


def test_xargs_in_parallel(shell, nobody_left):
    found = shell("seq 40 | xargs -P4 -I{} replctl eval '{} * {}' | sort -n")
    assert found.output == b"".join(b"%d\n" % (number * number) for number in range(1, 41))


def test_command_substitution(shell, server):
    assert shell('x=$(replctl eval 40+2); echo "[$x]"').output == b"[42]\n"
    found = shell('x=$(replctl eval 1/0); echo "never"', status=1)
    assert found.output == b"" and found.errors.endswith(b"ZeroDivisionError: division by zero\n")
    assert shell("if replctl eval 'assert 0' 2> /dev/null; then echo healthy; else echo ill; fi").output == b"ill\n"
    assert shell("replctl eval 'x = 5' && replctl eval x || echo never").output == b"5\n"


def test_a_loop_keeps_its_input(shell, server):
    """What replctl does not need of standard input it leaves to the next one."""
    found = shell("printf 'a\\nb\\nc\\n' | while read -r line; do replctl eval \"'$line'\"; done")
    assert found.output == b"'a'\n'b'\n'c'\n"


def test_input_by_the_line(shell, nobody_left):
    found = shell("seq 3000 | replctl eval 'import sys; sum(int(line) for line in sys.stdin)'")
    assert found.output == b"4501500\n"
    assert shell("printf 'a\\377b\\nc' | replctl eval 'input(), input()'").output == "('a\ufffdb', 'c')\n".encode()
    assert shell("head -c 300000 /dev/zero | tr '\\0' x | replctl eval 'len(input())'").output == b"300000\n"
    assert shell("replctl eval 'len(input())' < .", status=1).errors.endswith(b"EOFError: EOF when reading a line\n")


def test_a_here_document(shell, server):
    found = shell("""replctl eval - 'total' <<END
total = 0
for number in range(4):
    total += number

print("dollar: \\$x")
END
""")
    assert found.output == b"dollar: $x\n6\n"


def test_under_timeout(shell, nobody_left):
    assert shell("timeout 0.5 replctl eval 'while True: pass' || echo $?").output == b"124\n"


# MARK: streams that fail


EVERY = [("replctl", "ping"), ("replctl", "servers"), ("replctl", "describe"), ("replctl", "eval", "'text'"),
         ("replctl", "eval", "print('text')"), ("replctl", "eval", "--json", "1"), ("replctl", "doc", "len"),
         ("replctl", "sessions"), ("replctl", "threads"), ("replctl", "interrupt"), ("replctl", "bg", "1"),
         ("replctl", "jobs"), ("replctl", "fg", "1"), ("replctl", "kill", "1"), ("replctl", "halt", "--cancel"),
         ("replctl", "wait"), ("replctl", "--help"), ("replctl", "--version"), ("replctl", "help", "eval"),
         ("replcomplete", "le"), ("replcomplete", "--help")]


@pytest.mark.parametrize("redirection, reason", [(">/dev/full", "No space left on device"), (">&-", "Bad file descriptor"),
                                                 ("<&- >&-", "Bad file descriptor")])
def test_an_output_that_cannot_be_written(redirection, reason, shell, server, environment):
    assert tools.run(("replctl", "bg", "1"), environment).output == b"%1\n"
    for words in EVERY:
        found = shell('"$@" %s' % redirection, *words, status=1)
        assert found.output == b"" and re.fullmatch("%s: [^\n]*%s\n" % (words[0], reason), found.errors.decode()), (words, found)


def test_an_input_that_is_closed(shell, server):
    assert shell("replctl eval 1 <&-").output == b"1\n"
    assert shell("replctl eval 'input()' <&-", status=1).errors.endswith(b"EOFError: EOF when reading a line\n")
    found = shell("replctl eval - <&-", status=64)
    assert found.errors == b"replctl: cannot read standard input: Bad file descriptor\n"


def test_errors_that_nobody_reads(shell, server, environment):
    assert tools.run(("replctl", "bg", "1"), environment).output == b"%1\n"
    for words in EVERY:
        wanted = shell('"$@" < /dev/null', *words)
        for redirection in ("2>&-", "2>/dev/full", "<&- 2>&-"):
            found = shell('"$@" %s' % redirection, *words)
            assert (found.output == b"") == (wanted.output == b""), (words, redirection, found)
    for redirection in ("2>&-", "2>/dev/full", "<&- >&- 2>&-"):
        shell("replctl eval 'raise ValueError' " + redirection, status=1)
        shell("replctl fg 99 " + redirection, status=66)
        shell("replctl -t pid:1 ping " + redirection, status=69)
        shell("replctl frobnicate " + redirection, status=64)


def test_an_evaluation_that_writes_to_errors_that_are_closed(shell, nobody_left):
    """What it wrote is lost, and that is told by the exit status."""
    shell("replctl eval 'import sys; print(1, file=sys.stderr)' 2>&-", status=1)


@pytest.mark.parametrize("words", [("eval", "--json", "print('x' * 3_000_000)"), ("eval", "print('x' * 3_000_000)"),
                                   ("eval", "'x' * 2_999_998")], ids=["json", "output", "value"])
def test_a_pipe_that_does_not_block(words, server, environment):
    """Whoever made the pipe may have set O_NONBLOCK, which all who share it get."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    process = subprocess.Popen([str(built(tools.REPLCTL)), *words], env=environment, stdin=subprocess.DEVNULL, stdout=writing,
                               stderr=subprocess.PIPE)
    os.close(writing)
    with open(reading, "rb") as pipe, process.stderr as errors:
        data = pipe.read()
        said = errors.read()
    assert (process.wait(PATIENCE), said) == (0, b"")
    assert data.count(b"x") >= 2_999_998 and data.endswith(b"\n")


# MARK: the end of the tool


def test_kill_9_in_the_middle(server, environment, nobody_left, sessions):
    for code in (LOOP, "import time\nprint('started', flush=True)\nwhile True: time.sleep(0.01)", "print('started', flush=True)\ninput()"):
        process = subprocess.Popen([str(built(tools.REPLCTL)), "eval", code], env=environment, stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE)
        with process.stdout as output, process.stdin:
            assert output.readline() == b"started\n"
            assert sessions() == 1
            process.kill()
            assert process.wait(PATIENCE) == -signal.SIGKILL
        eventually(lambda: sessions() == 0, "the session is gone")


def test_a_stopped_tool_goes_on(server, environment):
    process = subprocess.Popen([str(built(tools.REPLCTL)), "eval", "print('started', flush=True); print(input())"],
                               env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with process.stdout as output:
        assert output.readline() == b"started\n"
        process.send_signal(signal.SIGSTOP)
        process.stdin.write(b"later\n")
        process.stdin.close()
        process.send_signal(signal.SIGCONT)
        assert output.read() == b"later\n"
    assert process.wait(PATIENCE) == 0


# MARK: much


def test_fifty_at_once(server, environment, nobody_left):
    processes = [subprocess.Popen([str(built(tools.REPLCTL)), "eval", "import time; %d" % number], env=environment,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                 for number in range(50)]
    for number, process in enumerate(processes):
        output, errors = process.communicate(timeout=PATIENCE * 2)
        assert (process.returncode, output, errors) == (0, b"%d\n" % number, b"")


def test_100_mb(server, environment, nobody_left):
    """All of it comes, and neither side keeps much of it."""
    before = process_facts.resident_mib(server.pid)
    code = "for _ in range(1000): print('x' * 99_999)"
    process = subprocess.Popen([*tools.WITHIN_100_MB, str(built(tools.REPLCTL)), "eval", code], env=environment,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    count, lines = 0, 0
    with process.stdout as output:
        for piece in iter(lambda: os.read(output.fileno(), 1 << 16), b""):
            count += len(piece)
            lines += piece.count(b"\n")
    assert (process.wait(PATIENCE), count, lines) == (0, 100_000_000, 1000)
    assert process_facts.resident_mib(server.pid) < before + 30


def test_a_reader_that_is_slow_keeps_memory_small(server, environment, nobody_left):
    before = process_facts.resident_mib(server.pid)
    process = subprocess.Popen([str(built(tools.REPLCTL)), "eval", "for number in range(10**6): print('x' * 999)"],
                               env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    with process.stdout as output:
        assert output.read(1000) == b"x" * 999 + b"\n"
        # What is between fills up, and then all of them wait: the program uses no more of the processor.
        eventually(lambda: sleeps(process.pid) and sleeps(server.pid), "both wait for the reader")
        assert process_facts.resident_mib(process.pid) < 64
        assert process_facts.resident_mib(server.pid) < before + 30
    assert process.wait(PATIENCE) == -signal.SIGPIPE


def sleeps(pid):
    """Whether every thread of a process sleeps, now."""
    states = []
    for thread in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/stat" % (pid, thread)) as stat:
            states.append(stat.read().rpartition(") ")[2][0])
    return set(states) == {"S"}


def test_binary_output(shell, nobody_left):
    found = shell("replctl eval 'import sys; sys.stdout.buffer.write(bytes(range(256)) * 5000); None'")
    assert found.output == bytes(range(256)) * 5000
    found = shell("replctl eval 'import sys; sys.stderr.buffer.write(bytes(range(256)) * 5000); None'")
    assert (found.output, found.errors) == (b"", bytes(range(256)) * 5000)


def test_a_long_script(shell, server, tmp_path):
    line = "total += len('%s')\n" % ("x" * 980)
    (tmp_path / "long.py").write_text("total = 0\n" + line * 900 + "total\n")
    assert (tmp_path / "long.py").stat().st_size > 890_000
    assert shell("replctl eval -f long.py").output == b"882000\n"
    (tmp_path / "longer.py").write_text(line * 1100)
    found = shell("replctl eval -f longer.py", status=64)
    assert found.output == b"" and found.errors.count(b"\n") == 1 and b"'longer.py' is too long to be sent" in found.errors


def test_a_long_value(shell, nobody_left):
    found = shell("replctl eval 'list(range(1000000))'")
    assert found.output == b"%s\n" % str(list(range(1000000))).encode()


def test_output_and_errors_keep_their_order(shell, server):
    found = shell("replctl eval 'import sys\nfor number in range(500): print(number, file=[sys.stdout, sys.stderr][number % 2])' 2>&1")
    assert found.output == b"".join(b"%d\n" % number for number in range(500))


def test_a_form_feed_in_a_source(shell, server, tmp_path):
    (tmp_path / "paged.py").write_bytes(b"def paged():\n    x = 1\n\x0c\n    return 'a\xe2\x80\xa8b'\n")
    shell("replctl eval 'import sys; sys.path.insert(0, \".\")' \"sys.path.insert(0, '$PWD')\" 'import paged as module'")
    assert shell("replctl source module.paged").output == (tmp_path / "paged.py").read_bytes()


# MARK: servers that come, go and are not there


def waiting(environment, closing, *options):
    return closing(HostProcess([built(tools.REPLCTL), "wait", *options], environment))


def test_wait_until_a_server_comes(serve, environment, closing):
    port = process_facts.unused_port()
    waits = [waiting(environment, closing), waiting(environment, closing, "-t", "name:late"),
             waiting(environment, closing, "-t", "127.0.0.1:1:%d" % port)]
    server = serve("--name", "late", "--control-port", str(port))
    for wait in waits:
        assert wait.wait() == 0
        assert re.fullmatch("late \\(pid %d\\) answers in .* ms\n" % server.pid, wait.stdout.wait_end())
        assert wait.stderr.wait_end() == ""


def test_a_server_that_is_killed_is_forgotten(serve, environment, sessions):
    server = serve("--name", "brief")
    server.expected_statuses = {-signal.SIGKILL}
    process = subprocess.Popen([str(built(tools.REPLCTL)), "eval", LOOP], env=environment, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with process.stdout as output, process.stderr as errors:
        assert output.readline() == b"started\n"
        server.signal(signal.SIGKILL)
        assert process.wait(PATIENCE) == tools.NO_SERVER
        assert re.fullmatch(b"replctl: the server at .* closed the connection\n", errors.read())
    server.wait()
    assert tools.run(("replctl", "servers", "--no-header"), environment) == (0, b"", b"")
    assert tools.run(("replctl", "ping"), environment).status == tools.NO_SERVER
    assert os.listdir(os.path.dirname(server.announced["socket"])) == []


def test_whatever_lies_in_the_directory_of_servers(server, environment):
    """Nothing there keeps the tools from the server that lives, and what is not a server's is left alone."""
    folder = os.path.dirname(server.announced["socket"])
    foreign = ["notes.txt", "x-y.lock", "-1-a.lock", "99999999999999999999-a.lock", "7-.lock", "7-\x1b[2J.lock", "7-a b.lock"]
    for name in foreign:
        open(os.path.join(folder, name), "w").close()
    os.mkdir(os.path.join(folder, "8-folder.lock"))
    os.symlink("/nowhere", os.path.join(folder, "9-link.lock"))
    os.symlink(os.path.join(folder, "notes.txt"), os.path.join(folder, "10-link.lock"))
    for words in (("replctl", "ping"), ("replctl", "eval", "1"), ("replcomplete", "le")):
        assert tools.run(words, environment)[::2] == (0, b"")
    listed = tools.run(("replctl", "servers", "--no-header"), environment)
    assert (listed.output.count(b"\n"), listed.errors) == (1, b"")
    assert set(foreign) | {"8-folder.lock", "9-link.lock", "10-link.lock"} <= set(os.listdir(folder))
    assert os.path.exists(os.path.join(folder, "notes.txt"))


def test_a_directory_of_servers_that_is_none(environment, tmp_path):
    place = os.path.join(environment["XDG_RUNTIME_DIR"], "repltools")
    (tmp_path / "real").mkdir(mode=0o700)
    for make in (lambda: open(place, "w").close(), lambda: os.symlink(tmp_path / "real", place), lambda: os.mkfifo(place, 0o600)):
        make()
        found = tools.run(("replctl", "ping"), environment)
        assert found.status == tools.NOT_PERMITTED and found.errors.count(b"\n") == 1
        os.unlink(place)


def test_output_that_is_no_longer_kept(shell, server):
    """It says how much, and gives the rest."""
    shell("replctl bg 'print(\"x\" * 3_000_000)' && replctl fg %1")
    found = shell("replctl output %1")
    assert len(found.output) == 1 << 20 and found.output.endswith(b"x\n")
    assert found.errors == b"replctl: %%1: %d bytes of its output are no longer kept\n" % (3_000_001 - (1 << 20))


def test_a_followed_output_comes_whole(shell, server):
    """What a job prints while it is followed is not lost, though only the newest of it is kept."""
    found = shell("""
        replctl bg 'import os, time
while not os.path.exists("'"$PWD"'/go"): time.sleep(0.01)
for number in range(200000): print(number)'
        replctl output %1 --follow > followed &
        touch go
        wait $!
        replctl fg %1
        seq 0 199999 | cmp - followed
    """)
    assert (found.output, found.errors) == (b"%1\n", b"")


def test_words_that_are_not_text(environment, server):
    for words in ((b"eval", b"'\xff'"), (b"\xff",), (b"doc", b"\xff"), (b"-t", b"name:\xff", b"ping"), (b"eval", b"-f", b"\xff"),
                  (b"--timeout", b"\xff", b"ping"), (b"interrupt", b"\xff"), (b"fg", b"%\xff")):
        found = tools.run(("replctl", *words), environment)
        assert found.status in (tools.DONE, tools.FAILED, tools.USAGE, tools.NO_SERVER), (words, found)
        assert found.errors.count(b"\n") <= 1
