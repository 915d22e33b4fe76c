"""Jobs of tools and of bg() in one list: output, results, ends, and what is kept of them."""

import pytest

from deadline import eventually
from waits import MUTEX
from macro_modules import write_number_macro
from wire_client import WireClient

LOOP = "print('on', flush=True)\nwhile True: pass"


@pytest.fixture
def client(interpreter, serve, tool):
    return tool(serve(python=interpreter.plain))


def output(client, number, **fields):
    """What a job has printed, and the reply."""
    return client.finish(client.stream("JobOutput", job=number, **fields))


def result(client, number):
    return client.finish(client.stream("AwaitJob", job=number))


def started(client, source=LOOP):
    """A job that has printed `on`, and is followed."""
    number = client.ask("StartJob", source=source)["job"]
    follower = client.stream("JobOutput", job=number, follow=True)
    client.wait_for(follower, "on")
    return number, follower


def test_both_kinds_are_listed_alike(client):
    client.evaluate("import threading; go = threading.Event()\ndef work():\n    go.wait(); return 'of bg'")
    client.evaluate("job = bg(work)")
    number = client.ask("StartJob", source="go.wait(); 'of StartJob'")["job"]
    rows = client.ask("Jobs")["jobs"]
    assert [row["job"] for row in rows] == [1, 2] and number == 2
    assert [row["state"] for row in rows] == ["running", "running"]
    assert [row["source"] for row in rows] == ["work", "go.wait(); 'of StartJob'"]
    assert "session" in rows[0]["owner"] and "pid" in rows[1]["owner"]
    assert client.value("fg(job) is job, fg(2).number, job.number") == "(True, 2, 1)"
    client.evaluate("go.set()")
    assert result(client, 1).value == "'of bg'"
    assert result(client, 2).value == "'of StartJob'"
    assert [row["state"] for row in client.ask("Jobs")["jobs"]] == ["done", "done"]
    # The tool has looked; the program may still take.
    assert client.value("fg(2)") == "'of StartJob'"
    assert client.value("fg(job)") == "'of bg'"
    taken = result(client, 2)
    assert taken.outcome == "exception" and taken.exception["type"] == "ValueError"


def test_results(client):
    number = client.ask("StartJob", source="import sys\nprint('said'); print('muttered', file=sys.stderr)\n"
                                            "{1: 2}")["job"]
    for _ in range(2):
        done = result(client, number)
        assert (done.outcome, done.value, done.reply["type"], done.out) == ("value", "{1: 2}", "dict", b"")
    said = output(client, number)
    assert (said.out, said.err, said.reply["dropped"], said.reply["state"]) == (b"said\n", b"muttered\n", 0, "done")
    failed = result(client, client.ask("StartJob", source="def f():\n    return 1 / 0  # here\nf()")["job"])
    assert failed.outcome == "exception" and failed.exception["type"] == "ZeroDivisionError"
    assert failed.exception["frames"][-1]["text"] == "return 1 / 0  # here"
    assert "replserve" not in failed.exception["traceback"]
    number = client.ask("StartJob", source="x = = 1")["job"]
    assert result(client, number).exception["type"] == "SyntaxError"
    assert client.job(number)["state"] == "failed"
    assert "SyntaxError" in output(client, number).err.decode()
    assert result(client, client.ask("StartJob", source="None")["job"]).value is None
    left = result(client, client.ask("StartJob", source="raise SystemExit(3)")["job"])
    assert left.outcome == "exception" and left.exception["type"] == "SystemExit", left.reply
    asks = result(client, client.ask("StartJob", source="input()")["job"])
    assert asks.exception["type"] == "EOFError"
    assert client.value("1 + 1") == "2"


def test_waiting_before_and_after_the_end(client):
    client.evaluate("import threading; go = threading.Event()")
    number = client.ask("StartJob", source="go.wait(); 'done'")["job"]
    before = client.stream("AwaitJob", job=number)
    assert client.value("'meanwhile'") == "'meanwhile'"
    assert before.reply is None
    client.evaluate("go.set()")
    assert client.finish(before).value == "'done'"
    assert result(client, number).value == "'done'"
    assert before.reply["duration"] == client.job(number)["duration"]
    for command in ("AwaitJob", "JobOutput", "KillJob", "Interrupt"):
        assert client.request(command, job=99)["code"] == "no-job"


def test_processor_time_grows(client):
    number, follower = started(client)
    first = client.job(number)["cpu"]
    eventually(lambda: client.job(number)["cpu"] > first, "it uses the processor")
    assert client.ask("KillJob", job=number)["state"] == "interrupted"
    assert client.finish(follower).reply["state"] == "interrupted"
    assert client.job(number)["cpu"] >= first


def test_an_interrupted_job(client):
    number, _ = started(client)
    assert client.ask("Interrupt", job=number)["outcome"] == "interrupted"
    done = result(client, number)
    assert done.outcome == "interrupted"
    assert client.ask("Interrupt", job=number)["outcome"] == "idle"
    client.evaluate("import threading; go = threading.Event()")
    client.evaluate("def loops():\n    print('on')\n    while True: pass\njob = bg(loops)")
    follower = client.stream("JobOutput", job=2, follow=True)
    client.wait_for(follower, "on")
    assert client.ask("Interrupt", job=2)["outcome"] == "interrupted"
    assert client.value("job.join(); job.state") == "'interrupted'"


def test_a_job_that_cannot_be_stopped_is_abandoned(edge, serve, tool):
    """It is listed until it ends, is not listened to any more, and keeps nobody waiting."""
    client = tool(serve(python=edge.plain))
    here = "lock.pthread_mutex_timedlock(mutex, until)  # here"
    number, follower = started(client, MUTEX % 4 + "print('on')\n%s\nprint('unheard')\n" % here)
    waits = client.stream("AwaitJob", job=number)
    eventually(lambda: any(row["role"] == "job %%%d" % number and row["frames"] and row["frames"][-1].get("text") == here
                           for row in client.ask("Threads")["threads"]), "it sleeps")
    reply = client.ask("KillJob", job=number)
    assert reply["state"] == "abandoned" and reply["where"]["text"] == here
    assert client.finish(follower).reply["state"] == "abandoned"
    assert client.finish(waits).outcome == "abandoned"
    assert client.job(number)["state"] == "abandoned"
    dropped = output(client, number)
    assert dropped.out == b"" and dropped.reply["dropped"] == 3
    eventually(lambda: not any(row["role"] == "job %%%d" % number for row in client.ask("Threads")["threads"]),
               "its thread has ended")
    assert client.job(number)["state"] == "abandoned" and output(client, number).out == b""


def test_the_newest_output_is_kept(edge, serve, tool):
    client = tool(serve(python=edge.plain))
    number = client.ask("StartJob", source="import sys\nfor n in range(200_000): print(n)\n"
                                           "sys.stderr.write('end')")["job"]
    result(client, number)
    total = sum(len(str(n)) + 1 for n in range(200_000)) + 3
    kept = output(client, number)
    assert len(kept.out) + len(kept.err) == 1 << 20
    assert kept.out.endswith(b"199998\n199999\n") and kept.err == b"end"
    assert kept.reply["dropped"] == client.job(number)["dropped"] == total - (1 << 20)
    assert client.job(number)["output"] == 1 << 20


def test_output_of_no_text(client):
    number = client.ask("StartJob", source="import sys\nsys.stdout.buffer.write(b'\\xff\\x00;'); None")["job"]
    result(client, number)
    assert output(client, number).out == b"\xff\x00;"
    assert client.value("fg(%d)" % number) is None


def test_what_is_kept_when_many_have_ended(edge, serve, tool):
    """The last 64; one that the program holds keeps its output and its result."""
    client = tool(serve(python=edge.plain))
    client.evaluate("held = bg(lambda: print('kept') or 'result'); held.join()")
    client.evaluate("for n in range(100): bg(lambda n=n: n).join()")
    rows = client.ask("Jobs")["jobs"]
    assert [row["job"] for row in rows] == list(range(38, 102))
    assert client.value("held.output, fg(held)") == "('kept\\n', 'result')"
    assert client.request("AwaitJob", job=1)["code"] == "no-job"
    assert client.value("try:\n    fg(2)\nexcept ValueError as e: print(e)\n0") == "0"


def test_jobs_outlive_their_connection(interpreter, serve, tool):
    server = serve(python=interpreter.plain)
    first = tool(server)
    first.evaluate("import threading; go = threading.Event()")
    number = first.ask("StartJob", source="go.wait(); print('on its own'); 7")["job"]
    first.stream("AwaitJob", job=number)
    first.stream("JobOutput", job=number, follow=True)
    first.close()
    second = tool(server)
    eventually(lambda: not second.ask("Sessions")["sessions"], "the first is gone")
    second.evaluate("go.set()")
    assert result(second, number).value == "7"
    assert output(second, number).out == b"on its own\n"


HOST = """
import sys
from replserve import server
for line in sys.stdin:
    if line == "start\\n":
        print(server.start(globals(), repl_port=0, control_port=0).socket, flush=True)
    elif line == "stop\\n":
        server.stop()
        print("stopped", flush=True)
"""


def test_jobs_outlive_the_server(interpreter, embed, closing):
    """They go on, and the next server lists them with the new ones."""
    host = embed(HOST, python=interpreter.plain)
    first = closing(WireClient(host.ask("start")))
    first.evaluate("import threading; go = threading.Event(); job = bg(lambda: print('said') or go.wait() and 'kept')")
    number = first.ask("StartJob", source="go.wait(); 'of a script'")["job"]
    assert host.ask("stop") == "stopped"
    assert first.at_end()
    second = closing(WireClient(host.ask("start")))
    assert [row["state"] for row in second.ask("Jobs")["jobs"]] == ["running", "running"]
    second.evaluate("go.set()")
    assert result(second, 1).value == "'kept'" and output(second, 1).out == b"said\n"
    assert result(second, number).value == "'of a script'"
    later = second.ask("StartJob", source="'later'")["job"]
    assert later == 3 and result(second, later).value == "'later'"
    assert second.value("bg(lambda: 'thunk').number") == "4"
    assert result(second, 4).value == "'thunk'"


def test_macros_in_jobs(interpreter, serve, tool, tmp_path):
    write_number_macro(tmp_path, "jobmacros", "answer", 42)
    client = tool(serve(python=interpreter.macros, env={"PYTHONPATH": str(tmp_path)}))
    number = client.ask("StartJob", source="from jobmacros import macros, answer\nanswer[x] + 1")["job"]
    done = result(client, number)
    assert done.outcome == "value" and done.value == "43", done.reply
