"""`await` in a session: in the event loop of the host, in one of several, or in the session's own; and how it is ended."""

import subprocess

import pytest

from deadline import PATIENCE
from peers import REPLCONNECT, STAGE, built

from wire_client import WireClient

# A program that serves from within its event loop, with a task that counts. It ends with its input.
HOST = """
import asyncio, sys, threading
from replserve import server

beats = 0
before = sys.stdout

async def heartbeat():
    global beats
    while True:
        beats += 1
        await asyncio.sleep(0.001)

async def beaten(count):
    "Returns when the heartbeat has come that often since."
    wanted = beats + count
    while beats < wanted:
        await asyncio.sleep(0)
    return "alive"

async def main():
    global heart
    heart = asyncio.ensure_future(heartbeat())
    print(server.start(globals(), repl_port=0, control_port=0).socket, flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    print("ending", sys.stdout is before, flush=True)

def run():
    WAY
    server.stop()
    print("ended", sys.stdout is before, type(sys).__name__, flush=True)

WHERE
"""

WAYS = {
    "asyncio": "asyncio.run(main())",
    "until": "loop = asyncio.new_event_loop(); asyncio.set_event_loop(loop); loop.run_until_complete(main()); loop.close()",
    "uvloop": "import uvloop; uvloop.install(); asyncio.run(main())",
}
IN_MAIN = "run()"
IN_THREAD = "thread = threading.Thread(target=run, name='of the loop'); thread.start(); thread.join()"

IN_LOOP = "async def in_loop(): return (asyncio.get_running_loop(), threading.current_thread().name)"


def host_source(way="asyncio", where=IN_MAIN):
    return HOST.replace("WAY", WAYS[way]).replace("WHERE", where)


@pytest.fixture
def host(embed, closing):
    """Starts a program; gives it, and a connection to it."""
    def start(source, python):
        process = embed(source, python=python)
        client = closing(WireClient(process.stdout.line()))
        client.evaluate(IN_LOOP)
        return process, client
    return start


@pytest.fixture(params=["main thread", "other thread", "run_until_complete", "uvloop"])
def looped(request, host, interpreter):
    """A program with one event loop, on every interpreter."""
    ways = {"main thread": ("asyncio", IN_MAIN), "other thread": ("asyncio", IN_THREAD),
            "run_until_complete": ("until", IN_THREAD), "uvloop": ("uvloop", IN_MAIN)}
    way, where = ways[request.param]
    python = interpreter.uvloop if way == "uvloop" else interpreter.plain
    return host(host_source(way, where), python)


def end(process):
    process.tell("end")
    assert process.wait() == 0
    said = process.stdout.wait_end()
    assert said.endswith("ended True module\n"), said
    return said


def end_of(client, job):
    """Waits for a job to end; returns how it has."""
    return client.finish(client.stream("AwaitJob", job=job)).outcome


def test_in_the_hosts_loop(looped):
    process, client = looped
    thread = client.value("(await in_loop())[1]")
    assert thread in ("'MainThread'", "'of the loop'")
    assert client.value("(await in_loop())[0] is heart.get_loop()") == "True"
    # Output of the coroutine and of tasks that it makes is this session's; the value and `_` are as ever.
    done = client.evaluate(
        "async def say(n):\n    await asyncio.sleep(0)\n    print('task', n)\n    return n\n"
        "print('first'); print('error', file=sys.stderr)\n"
        "await asyncio.gather(say(1), say(2))")
    assert (done.out, done.err, done.value) == (b"first\ntask 1\ntask 2\n", b"error\n", "[1, 2]")
    session = client.open()
    assert client.evaluate("await say(3)", session=session).value == "3"
    assert client.value("_ + 1", session=session) == "4"
    block = client.evaluate("await say(4)\nx = await say(5)\nfor n in range(2):\n    await say(n)", mode="block",
                            session=session)
    assert block.outcome == "value" and block.out == b"task 4\ntask 5\ntask 0\ntask 1\n", block.reply
    assert block.values == "4\n0\n1\n" and client.value("x") == "5"
    # Comprehensions, `async for` and `async with`.
    client.evaluate("import contextlib\nasync def numbers():\n    for n in range(3):\n        await asyncio.sleep(0)\n"
                    "        yield n\n@contextlib.asynccontextmanager\nasync def holding():\n    print('in')\n"
                    "    yield 7\n    print('out')")
    assert client.value("[n async for n in numbers()]") == "[0, 1, 2]"
    done = client.evaluate("async with holding() as held:\n    async for n in numbers(): print(held, n)")
    assert done.out == b"in\n7 0\n7 1\n7 2\nout\n"
    # What is raised has the traceback of the session's own code.
    failed = client.evaluate("async def fail():\n    await asyncio.sleep(0)\n    raise KeyError('k')\nawait fail()")
    assert failed.exception["type"] == "KeyError"
    assert [frame["function"] for frame in failed.exception["frames"]] == ["<module>", "fail"]
    assert client.evaluate("raise SystemExit(await say(6))").outcome == "ended"
    assert client.value("await beaten(3)") == "'alive'"
    assert "task" not in process.stdout.text
    end(process)


def test_the_loop_goes_on_meanwhile(looped):
    """Whatever an evaluation waits for, and however slowly its client reads: the host's callbacks come as ever."""
    process, client = looped
    waits = client.start("print('on')\nawait asyncio.Event().wait()\n0")
    client.wait_for(waits, "on")
    assert client.value("await beaten(5)") == "'alive'"
    # One that prints more than its client takes.
    floods = client.start("print('on')\nwhile True:\n    print('x' * 100_000)\n    await asyncio.sleep(0)", credit=2)
    client.wait_for(floods, "on")
    assert client.value("await beaten(300)") == "'alive'"
    assert client.value("await beaten(300)") == "'alive'"
    client.tell("Grant", request=floods.request, bytes=1 << 30)
    assert client.interrupt(floods)["outcome"] == "interrupted"
    assert b"bytes of output came too fast, and were dropped\n" in client.finish(floods).err
    # And one that wants to read: it is told, and has not waited.
    reads = client.evaluate("async def ask(): return input('? ')\nawait ask()")
    assert reads.exception["type"] == "RuntimeError" and "read it before" in reads.exception["message"]
    assert client.interrupt(waits)["outcome"] == "interrupted"
    assert client.finish(waits).outcome == "interrupted"
    end(process)


# What is not the last expression is one coroutine.
INTERRUPTED = {
    "asleep": "print('on')\nawait asyncio.sleep(1000)\n0",
    "in a task": "print('on')\nawait asyncio.gather(asyncio.sleep(1000), asyncio.sleep(1000))\n0",
    "turning": "print('on')\nwhile True: await asyncio.sleep(0)",
    "hogging": "await asyncio.sleep(0)\nprint('on')\nwhile True: pass",
    "hogging at once": "print('on')\nwhile True: pass\nawait asyncio.sleep(0)",
}


@pytest.mark.parametrize("kind", INTERRUPTED)
def test_an_interrupt(looped, kind):
    """It ends the evaluation, and the loop goes on: no KeyboardInterrupt ever reaches it."""
    process, client = looped
    for _ in range(5):
        runs = client.start(INTERRUPTED[kind])
        client.wait_for(runs, "on")
        assert client.interrupt(runs)["outcome"] == "interrupted"
        assert client.finish(runs).outcome == "interrupted"
        assert client.value("await beaten(2)") == "'alive'"
    assert client.value("heart.done()") == "False"
    assert client.value("len([t for t in asyncio.all_tasks(heart.get_loop()) if 'replserve' in t.get_name()])") == "0"
    end(process)


def test_one_that_will_not_be_cancelled(looped):
    """It is said to be blocked, and where; as a job it goes on."""
    process, client = looped
    client.evaluate(
        "async def stubborn():\n    while not done.is_set():\n        try:\n            await done.wait()  # stubborn\n"
        "        except asyncio.CancelledError:\n            print('no')\n    return 'in the end'\n"
        "async def make():\n    global done\n    done = asyncio.Event()\nawait make()")
    runs = client.start("print('on')\nvalue = await stubborn()")
    client.wait_for(runs, "on")
    told = client.interrupt(runs)
    assert told["outcome"] == "blocked", told
    assert "await" in told["where"]["text"] or told["where"]["function"] == "wait", told
    client.wait_for(runs, "no")
    job = client.ask("Background", session=runs.session, evaluation=runs.number)["job"]
    assert client.finish(runs).outcome == "backgrounded"
    told = client.ask("Interrupt", job=job)
    assert told["outcome"] == "blocked" and "where" in told, told
    client.evaluate("async def finish(): done.set()\nawait finish()")
    assert end_of(client, job) == "value"
    assert client.value("value") == "'in the end'"
    end(process)


def test_a_job(looped):
    process, client = looped
    job = client.ask("StartJob", source="print('on')\nawait beaten(2)")["job"]
    assert end_of(client, job) == "value"
    assert client.value("fg(%d)" % job) == "'alive'"
    job = client.ask("StartJob", source="await asyncio.Event().wait()")["job"]
    assert client.ask("Interrupt", job=job)["outcome"] == "interrupted"
    assert end_of(client, job) == "interrupted"
    end(process)


@pytest.mark.parametrize("how", ["connection", "session"])
def test_a_client_that_vanishes(looped, closing, how):
    """What it awaited is cancelled, and the loop goes on."""
    process, client = looped
    client.evaluate("async def held():\n    print('on')\n    try: await asyncio.Event().wait()\n    finally: released.set()\n"
                    "async def make():\n    global released\n    released = asyncio.Event()\nawait make()")
    other = closing(WireClient(client.socket.getpeername()))
    runs = other.start("await held()")
    other.wait_for(runs, "on")
    if how == "connection":
        other.close()
    else:
        client.ask("Disconnect", session=runs.session)
    assert client.value("await asyncio.wait_for(released.wait(), 20)") == "True"
    assert client.value("await beaten(2)") == "'alive'"
    end(process)


def test_the_servers_end(looped):
    """A stop cancels what is awaited; a loop that ends under it is told of in one line."""
    process, client = looped
    runs = client.start("print('on')\ntry:\n    await asyncio.Event().wait()\nfinally: print('released', file=before)")
    client.wait_for(runs, "on")
    process.tell("end")
    assert process.wait() == 0
    said = process.stdout.wait_end()
    assert "ended True module\n" in said and "released\n" in said, said


def test_a_loop_that_stops(host, interpreter):
    """The evaluation ends with a line that says so; the next one has a loop of its own."""
    source = host_source("until", IN_THREAD).replace("server.stop()", "print('over', flush=True); sys.stdin.readline(); server.stop()")
    process, client = host(source, interpreter.plain)
    runs = client.start("print('on')\nawait asyncio.Event().wait()\n0")
    client.wait_for(runs, "on")
    process.tell("end the loop")
    failed = client.finish(runs)
    assert failed.exception["type"] == "RuntimeError", failed.reply
    assert failed.exception["message"].startswith("the program's event loop has stopped"), failed.reply
    process.stdout.wait_for("over")
    assert client.value("(await in_loop())[1].startswith('replserve-session')") == "True"
    end(process)


NO_LOOP = """
import asyncio, sys, threading
from replserve import server
before = sys.stdout
print(server.start(globals(), repl_port=0, control_port=0).socket, flush=True)
sys.stdin.readline()
server.stop()
print("ended", sys.stdout is before, type(sys).__name__, flush=True)
"""


def test_a_loop_of_the_sessions_own(host, interpreter, console):
    """It runs while the session awaits something, and its tasks are there the next time."""
    process, client = host(NO_LOOP, getattr(interpreter, console))
    session = client.open()

    def value(source, **fields):
        return client.value(source, session=session, **fields)

    assert value("(await in_loop())[1]") == "'replserve-session-%d'" % session
    client.evaluate("async def ticks():\n    while True:\n        n.append(0)\n        await asyncio.sleep(0)\nn = []")
    client.evaluate("async def start():\n    global task\n    task = asyncio.ensure_future(ticks())\nawait start()",
                    session=session)
    assert value("await asyncio.sleep(0)\nseen = len(n)\nawait asyncio.sleep(0.01)\nlen(n) > seen") == "True"
    assert value("len(n) == len(n) and task.done()") == "False"
    assert value("(await in_loop())[0] is task.get_loop()") == "True"
    # It reads as ever, since nothing of the host waits for it.
    asks = client.start("await asyncio.sleep(0)\ninput('? ')", session=session)
    client.wait_for(asks, "? ")
    client.tell("Input", request=asks.request, text="answer\n")
    assert client.finish(asks).value == "'answer'"
    for kind in INTERRUPTED.values():
        runs = client.start(kind, session=session)
        client.wait_for(runs, "on")
        assert client.interrupt(runs)["outcome"] == "interrupted"
        assert client.finish(runs).outcome == "interrupted"
        assert value("await asyncio.sleep(0, 'alive')") == "'alive'"
    # A task that it has made, which hogs.
    runs = client.start("async def hog():\n    print('on')\n    while True: pass\nawait asyncio.gather(hog())", session=session)
    client.wait_for(runs, "on")
    assert client.interrupt(runs)["outcome"] == "interrupted"
    assert client.finish(runs).outcome == "interrupted"
    assert value("await asyncio.sleep(0, 'alive')") == "'alive'"
    # With the session it is closed, and its tasks are cancelled.
    client.evaluate("ended = threading.Event()\nasync def until_the_end():\n    try: await asyncio.Event().wait()\n"
                    "    finally: ended.set()\nasync def more():\n    global last\n"
                    "    last = asyncio.ensure_future(until_the_end()); await asyncio.sleep(0)\nawait more()",
                    session=session)
    client.ask("CloseSession", session=session)
    assert client.value("ended.wait(20)") == "True"
    end(process)


TWO_LOOPS = host_source().replace(
    "async def main():", "other = asyncio.new_event_loop()\nsecond = threading.Thread(target=other.run_forever, "
    "name='second', daemon=True)\nsecond.start()\n\nasync def main():")


def test_two_loops(host, interpreter):
    """Without a choice it is refused, in a line that says what there is to choose from."""
    process, client = host(TWO_LOOPS, interpreter.plain)
    refused = client.evaluate("await in_loop()")
    assert refused.exception["type"] == "RuntimeError"
    message = refused.exception["message"]
    assert "2 event loops: 1 (thread MainThread), 2 (thread second)" in message and "--loop" in message, message
    for number, thread in (1, "MainThread"), (2, "second"), (0, "replserve-session"):
        assert client.value("(await in_loop())[1]", loop=number).startswith("'" + thread)
    refused = client.evaluate("await in_loop()", loop=9)
    assert "no event loop 9" in refused.exception["message"], refused.reply
    # A session may choose once for all; another one has not.
    session = client.open()
    assert client.evaluate("use_loop(2)", session=session).outcome == "value"
    assert client.value("(await in_loop())[1]", session=session) == "'second'"
    assert client.value("(await in_loop())[1]", session=session, loop=1) == "'MainThread'"
    listed = client.evaluate("use_loop()", session=session)
    assert listed.out.splitlines()[1] == b"this session uses: number 2", listed.out
    assert client.evaluate("use_loop(9)", session=session).exception["type"] == "RuntimeError"
    assert client.evaluate("await in_loop()").outcome == "exception"
    job = client.ask("StartJob", source="(await in_loop())[1]", loop=2)["job"]
    assert client.value("fg(%d)" % job if end_of(client, job) == "value" else "") == "'second'"
    # What runs in the thread of a session is none of them.
    runs = client.start("asyncio.run(asyncio.sleep(1000, print('on')))")
    client.wait_for(runs, "on")
    assert b"1 (thread MainThread), 2 (thread second)\n" in client.evaluate("use_loop()", session=session).out
    client.request("Interrupt", session=runs.session)
    end(process)


def test_the_option_of_the_tools(embed, environment, edge):
    """`--loop` of each tool that runs code; without it they say what there is, and end with 1."""
    process = embed(TWO_LOOPS, python=edge.plain)
    server = "unix:" + process.stdout.line()

    def run(name, *words):
        done = subprocess.run([str(built(STAGE / "bin" / name)), "-t", server, *words], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, timeout=PATIENCE * 2)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    source = "await asyncio.sleep(0, threading.current_thread().name)"
    for name, words, code in ("replctl", ["eval"], []), (REPLCONNECT.name, [], ["-c"]):
        status, out, errors = run(name, *words, *code, source)
        assert status == 1 and out == "" and "2 (thread second)" in errors and "--loop N" in errors, errors
        assert "Traceback" not in errors, errors
        assert run(name, *words, "--loop", "2", *code, IN_LOOP + "\n\n(await in_loop())[1]")[:2] == (0, "'second'\n"), name
    status, out, errors = run("replctl", "bg", "--loop", "2", "(await in_loop())[1]")
    assert (status, out) == (0, "%1\n"), errors
    assert run("replctl", "fg", "%1")[:2] == (0, "'second'\n")
    status, _, errors = run("replctl", "eval", "--loop", "-1", "1")
    assert status == 64, errors
    end(process)


STOPS = host_source().replace("    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)",
                              "    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)\n"
                              "    server.stop()\n    await beaten(1)")


def test_a_stop_within_the_loop(host, edge):
    """The host may stop the server in the thread that runs what a session awaits."""
    process, client = host(STOPS, edge.plain)
    runs = client.start("async def held():\n    print('on')\n    try: await asyncio.Event().wait()\n"
                        "    finally: print('released', file=before, flush=True)\nawait held()")
    client.wait_for(runs, "on")
    assert "released\n" in end(process)


def test_the_main_thread_that_runs_the_loop(host, edge):
    """There an evaluation may run, but it cannot wait for the loop that it interrupts."""
    process, client = host(host_source(), edge.plain)
    assert client.value("threading.current_thread().name", place="main") == "'MainThread'"
    refused = client.evaluate("await beaten(1)", place="main")
    assert "--main-thread" in refused.exception["message"], refused.reply
    assert client.value("await beaten(1)") == "'alive'"
    end(process)


def test_what_a_task_prints_later(host, edge):
    """A task that the evaluation leaves behind prints where the program does."""
    process, client = host(host_source(), edge.plain)
    done = client.evaluate(
        "async def later():\n    print('now')\n    await go.wait()\n    print('later', flush=True)\n"
        "async def start():\n    global task, go\n    go = asyncio.Event()\n    task = asyncio.ensure_future(later())\n"
        "    await asyncio.sleep(0)\nawait start()")
    assert done.out == b"now\n"
    done = client.evaluate("async def release():\n    go.set()\n    await task\nawait release()")
    assert done.out == b"", done.out
    assert process.stdout.line() == "later"
    end(process)


def test_a_fork_in_a_loop(host, edge):
    """The child ends with the step that forked it: it never goes on with the host's loop."""
    process, client = host(host_source(), edge.plain)
    client.evaluate("import os, warnings; warnings.simplefilter('ignore')")
    done = client.evaluate("await asyncio.sleep(0)\npid = os.fork()\nawait asyncio.sleep(0)\npid > 0")
    assert done.value == "True", done.reply
    assert client.value("os.waitpid(pid, 0)[0] == pid") == "True"
    assert end(process).count("ended") == 1


def test_at_a_text_prompt(embed, interpreter, console, connect):
    """Blocks that await are typed as others are; an interrupt ends one, and the session goes on."""
    process = embed(host_source().replace(".socket, flush", ".repl_port, flush"), python=getattr(interpreter, console))
    text = connect(int(process.stdout.line()))
    assert text.run("await beaten(1)") == "'alive'\n"
    assert text.run("_") == "'alive'\n"
    text.run("import contextlib")
    text.block("@contextlib.asynccontextmanager\nasync def holding():\n    yield 7\n")
    assert text.block("async with holding() as held:\n    print(held)\n    held + 1") == "7\n8\n"
    failed = text.run("await asyncio.wait_for(asyncio.sleep(1000), 0)")
    assert "  File \"<session 1:" in failed and "TimeoutError" in failed
    assert "replserve" not in failed, failed
    text.run("use_loop(0)")
    assert text.run("threading.current_thread() is (await asyncio.sleep(0, threading.current_thread()))") == "True\n"
    assert "RuntimeError" in text.run("use_loop(3)")
    end(process)


def test_whether_a_block_is_complete(server, tool):
    client = tool(server)
    for source, is_complete in [("await x", True), ("await f(", False), ("async with a as b:", False),
                                ("async for n in a:\n    await n", False), ("async for n in a:\n    await n\n", True),
                                ("x = [n async for n in a]", True)]:
        assert client.ask("Check", source=source)["complete"] is is_complete, source
