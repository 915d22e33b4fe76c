"""bg and fg: work in the background, its result, what it raises, what it prints."""

import subprocess

import pytest

from process_facts import resident_mib


@pytest.fixture
def client(interpreter, serve, connect):
    return connect(serve(python=interpreter.plain))


def test_a_value(client):
    assert client.run("job = bg(lambda: 6 * 7)") == ""
    client.run("job.join()")
    assert client.run("fg(job)") == "42\n"


def test_a_job_is_a_thread(client):
    client.run("import threading; job = bg(lambda: None)")
    assert client.run("isinstance(job, threading.Thread)") == "True\n"
    client.run("job.join()")
    assert client.run("job.is_alive()") == "False\n"


def test_fetching_twice(client):
    client.run("job = bg(lambda: 'once'); job.join()")
    assert client.run("fg(job)") == "'once'\n"
    assert "ValueError" in client.run("fg(job)")


def test_of_the_wrong_type(client):
    for wrong in ("1.5", "None", "'job'", "bg", "object()"):
        answer = client.run("fg(%s)" % wrong)
        assert "TypeError" in answer, answer
    client.run("import threading")
    answer = client.run("fg(threading.current_thread())")
    assert "ValueError" in answer or "TypeError" in answer, answer
    for wrong in ("5", "None", "'text'"):
        assert "TypeError" in client.run("bg(%s)" % wrong)


def test_while_it_runs(client):
    client.run("import threading; go = threading.Event()")
    client.run("job = bg(lambda: go.wait() and 'done')")
    assert client.run("fg(job) is job") == "True\n"
    assert client.run("fg(job) is job") == "True\n"
    client.run("go.set(); job.join()")
    assert client.run("fg(job)") == "'done'\n"


def test_it_raises_what_the_job_raised(client):
    client.block("def fails():\n    raise KeyError('the key')  # in the job")
    client.run("job = bg(fails); job.join()")
    answer = client.run("fg(job)")
    assert "KeyError: 'the key'" in answer and "# in the job" in answer, answer
    assert "ValueError" in client.run("fg(job)")


def test_a_job_that_exits(client):
    """SystemExit ends the job, neither the session nor the host."""
    client.block("def leaves():\n    raise SystemExit(5)")
    client.run("job = bg(leaves); job.join()")
    client.send("try:\n    print(fg(job))\nexcept SystemExit as e:\n    print('exit', e.code)\n\n")
    client.expect("exit 5\n>>>> ")
    assert client.run("1 + 1") == "2\n"


def test_any_callable(client):
    client.run("import functools; job = bg(functools.partial(int, '21')); job.join()")
    assert client.run("fg(job)") == "21\n"
    client.block("class Callable:\n    def __call__(self):\n        return 'called'")
    client.run("job = bg(Callable()); job.join()")
    assert client.run("fg(job)") == "'called'\n"


def test_output_is_kept_with_the_job(interpreter, serve, connect):
    server = serve(python=interpreter.plain)
    client, other = connect(server), connect(server)
    client.run("import sys")
    client.block("def talks():\n    print('said aloud')\n    print('muttered', file=sys.stderr)\n    return 'r'")
    assert client.run("job = bg(talks); job.join()") == ""
    assert client.run("job.output") == "'said aloud\\nmuttered\\n'\n"
    assert client.run("fg(job)") == "'r'\n"
    assert client.run("job.output") == "'said aloud\\nmuttered\\n'\n"
    assert other.run("2") == "2\n"
    client.run("server_print('mark', flush=True)")
    server.stdout.wait_for("mark")
    assert "said aloud" not in server.stdout.text and "muttered" not in server.stderr.text


def test_output_while_it_runs(client):
    client.run("import threading; said, go = threading.Event(), threading.Event()")
    client.run("job = bg(lambda: (print('so far'), said.set(), go.wait(), print('more')))")
    client.run("said.wait()")
    assert client.run("job.output") == "'so far\\n'\n"
    client.run("go.set(); job.join()")
    assert client.run("job.output") == "'so far\\nmore\\n'\n"


def test_a_job_that_prints_without_end_is_bounded(server, connect):
    client = connect(server)
    before = resident_mib(server.pid)
    client.run("job = bg(lambda: [print('x' * 999) for _ in range(100_000)] and None); job.join()")
    assert resident_mib(server.pid) - before < 64
    assert client.run("job.output.endswith('xxx\\n'), len(job.output) < 100_000_000") == "(True, True)\n"


def test_a_job_outlives_its_session(interpreter, serve, connect):
    server = serve(python=interpreter.plain)
    first = connect(server)
    first.run("import threading; go = threading.Event(); job = bg(lambda: go.wait() and 'survived')")
    first.send("quit()\n")
    first.rest()
    second = connect(server)
    assert second.run("fg(job) is job") == "True\n"
    second.run("go.set(); job.join()")
    assert second.run("fg(job)") == "'survived'\n"


def test_many_jobs(client):
    client.run("jobs = [bg(lambda n=n: n * n) for n in range(200)]")
    assert client.run("any(job.join() for job in jobs)") == "False\n"
    assert client.run("sum(fg(job) for job in jobs)") == "%d\n" % sum(n * n for n in range(200))


def test_a_job_has_no_input(client):
    """It cannot take the lines that its session types."""
    client.run("job = bg(lambda: input('asks'))")
    client.run("job.join()")
    answer = client.run("fg(job)")
    assert "Error" in answer, answer
    assert client.run("1 + 1") == "2\n"


def test_a_job_does_not_keep_the_host(interpreter, serve, connect):
    """The host ends although a job still runs."""
    server = serve(python=interpreter.plain, source="import sys\nsys.exit(len(sys.stdin.read()))\n", stdin=subprocess.PIPE)
    client = connect(server)
    client.run("import threading; job = bg(lambda: threading.Event().wait())")
    server.process.stdin.close()
    assert server.wait() == 0


def test_the_list(client):
    assert client.run("jobs()") == "[]\n"
    client.run("import threading; go = threading.Event()")
    client.run("runs = lambda: go.wait(); runs.__name__ = 'runs'")
    client.run("first = bg(runs); second = bg(lambda: 1 / 0); second.join()")
    assert client.run("jobs()") == "[<Job %1 'runs' running>, <Job %2 '<lambda>' failed>]\n"
    assert client.run("jobs()[0] is first") == "True\n"
    client.run("go.set(); first.join()")
    client.run("fg(first)")
    assert client.run("jobs()[0]") == "<Job %1 'runs' fetched>\n"
