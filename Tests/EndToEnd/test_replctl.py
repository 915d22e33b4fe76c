"""replctl as a process: what only one can show, its exit statuses, signals, pipes and terminals."""

import json
import os
import signal
import subprocess

import pytest

from control_tool import REPLCTL, Replctl
from deadline import eventually
from peers import built

ANNOUNCED_LOOP = "print('started')\nwhile True: pass"
# It waits in spite of every interrupt.
ANNOUNCED_WAIT = ("import threading\nheld = threading.Event()\nprint('started')\nwhile not held.is_set():\n"
                  "    try: held.wait()\n    except KeyboardInterrupt: pass")


@pytest.fixture
def replctl(environment, closing):
    return Replctl(environment, closing)


def test_without_a_server_there_is_nobody(replctl):
    status, output, errors = replctl("ping")
    assert (status, output) == (69, "")
    assert errors.startswith("replctl: no server") and errors.count("\n") == 1
    assert replctl("servers", "--no-header") == (0, "", "")
    assert replctl("wait", "--timeout", "0.1")[0] == 75


def test_a_server_is_found_and_described(replctl, serve):
    server = serve("--name", "main")
    assert replctl("ping")[1].startswith("main (pid %d) answers in " % server.announced["pid"])
    status, output, errors = replctl("describe", "--json")
    described = json.loads(output)
    assert (status, errors, described["instance"], described["pid"]) == (0, "", "main", server.announced["pid"])
    assert replctl("ping", "-t", "127.0.0.1:1:%d" % server.control_port)[0] == 0
    row = replctl("servers", "--no-header")[1].split("\t")
    assert row[:4] == [str(server.announced["pid"]), "main", "live", "name:main"]


def test_the_text_port_is_told_apart(replctl, server):
    status, output, errors = replctl("eval", "-t", "127.0.0.1:1:%d" % server.port, "1")
    assert (status, output) == (76, "")
    assert "is the text port of a REPL server; give its control port" in errors


def test_values_output_and_exceptions(replctl, server):
    assert replctl("eval", "1 + 1") == (0, "2\n", "")
    assert replctl("eval", "x = 3", "x", "_ + 1") == (0, "3\n4\n", "")
    assert replctl("eval", "import sys; print('out'); print('err', file=sys.stderr)") == (0, "out\n", "err\n")
    status, output, errors = replctl("eval", "1/0", "print('never')")
    assert (status, output) == (1, "")
    assert errors.startswith("Traceback") and errors.endswith("ZeroDivisionError: division by zero\n")
    status, output, errors = replctl("eval", "1 +")
    assert (status, output) == (1, "")
    assert errors.startswith("replctl: the code does not parse: ") and errors.count("\n") == 1
    assert replctl("eval", "raise SystemExit(3)") == (0, "", "")
    assert replctl("eval", "-", input="print(input())")[0] == 1
    assert replctl("eval", "print(input() + input())", input="one\ntwo\n") == (0, "onetwo\n", "")
    assert replctl("eval", "--", "-1") == (0, "-1\n", "")


def test_a_long_output_comes_whole(replctl, server):
    status, output, errors = replctl("eval", "for number in range(20000): print(number, 'x' * 100)")
    assert (status, errors) == (0, "")
    assert output == "".join("%d %s\n" % (number, "x" * 100) for number in range(20000))


@pytest.mark.parametrize("number, status", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_interrupts_the_evaluation(replctl, server, number, status):
    running = replctl.start("eval", ANNOUNCED_LOOP)
    running.stdout.wait_for("started\n")
    running.signal(number)
    assert running.wait() == status
    assert replctl("eval", "'alive'") == (0, "'alive'\n", "")


def test_ctrl_c_works_while_nobody_reads_the_output(replctl, server):
    # A pipe that is full and stays so.
    reading, writing = os.pipe()
    running = subprocess.Popen([str(REPLCTL), "eval", "while True: print('x' * 1000)"], stdout=writing,
                               stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, env=replctl.environment)
    os.close(writing)
    try:
        eventually(lambda: replctl("sessions", "--no-header")[1].count("evaluating") == 1, "the flood has begun")
        running.send_signal(signal.SIGINT)
        eventually(lambda: replctl("sessions", "--no-header")[1].count("evaluating") == 0, "the flood is over")
        running.send_signal(signal.SIGINT)
        assert running.wait() == 130
    finally:
        running.kill()
        running.wait()
        running.stderr.close()
        os.close(reading)


def test_a_second_ctrl_c_leaves_what_is_stuck(replctl, server):
    running = replctl.start("eval", ANNOUNCED_WAIT)
    running.stdout.wait_for("started\n")
    running.signal(signal.SIGINT)
    running.stderr.wait_for("blocked in ")
    running.signal(signal.SIGINT)
    assert running.wait() == 130
    assert "goes on until it can be interrupted" in running.stderr.wait_end()
    assert replctl("eval", "held.set()")[0] == 0


def test_a_timeout_interrupts(replctl, server):
    status, output, errors = replctl("eval", "--timeout", "0.2", "while True: pass")
    assert (status, output) == (75, "")
    assert errors.startswith("replctl: timed out after 0.200 s: session ") and errors.endswith(": interrupted\n")


def test_a_job_outlives_who_waits_for_it(replctl, server):
    assert replctl("bg", ANNOUNCED_WAIT + "\n42") == (0, "%1\n", "")
    waiting = replctl.start("fg", "%1")
    following = replctl.start("output", "%1", "--follow")
    following.stdout.wait_for("started\n")
    following.signal(signal.SIGINT)
    assert following.wait() == 130
    assert replctl("jobs", "--no-header")[1].startswith("%1\trunning\t")
    assert replctl("eval", "held.set()")[0] == 0
    assert waiting.wait() == 0
    assert waiting.stdout.wait_end() == "42\n"
    assert replctl("output", "1") == (0, "started\n", "")
    assert replctl("fg", "%9")[0] == 66


def test_a_failing_write_is_an_error(replctl, server):
    with open("/dev/full", "wb") as full:
        for words in (("ping",), ("eval", "1"), ("sessions",)):
            status, _, errors = replctl(*words, stdout=full)
            assert status == 1
            assert errors.startswith("replctl: cannot write the output: ")


def test_a_reader_that_leaves_ends_it(replctl, server):
    reading, writing = os.pipe()
    os.close(reading)
    try:
        assert replctl("eval", "1", stdout=writing)[0] == -signal.SIGPIPE
    finally:
        os.close(writing)


def test_each_server_is_asked(replctl, serve):
    one, two = serve("--name", "one"), serve("--name", "two")
    status, output, errors = replctl("eval", "1")
    assert (status, output) == (64, "")
    assert sorted(errors.split("\n")[1:3]) == ["  name:one", "  name:two"]
    status, output, errors = replctl("eval", "--each", "print('a\\nb')", "1/0")
    labels = {"one[%d]: " % one.announced["pid"], "two[%d]: " % two.announced["pid"]}
    assert status == 1
    assert sorted(output.splitlines()) == sorted(label + line for label in labels for line in "ab")
    assert all(any(line.startswith(label) for label in labels) for line in errors.splitlines())


def test_a_table_for_people_is_aligned(replctl, server, terminal, environment):
    screen = terminal([str(built(REPLCTL)), "sessions"], environment)
    screen.wait_for("SESSION  KIND  STATE  AGE  SINCE  EVALUATION  PEER  SOURCE")
