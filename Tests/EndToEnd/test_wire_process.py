"""What a tool sees of the process, and what is left of tools in it: threads, forks, descriptors."""

import os

import pytest

from deadline import eventually
from process_facts import descriptors, threads
from wire_client import WireClient


def rows(client):
    return {row["role"] or row["name"]: row for row in client.ask("Threads")["threads"]}


def test_threads(interpreter, serve, tool):
    server = serve(python=interpreter.plain, stdin=-1, source="""
import sys, threading
def waits():
    threading.Event().wait()  # in the program's thread
threading.Thread(target=waits, name="of the program", daemon=True).start()
def main():
    sys.stdin.read()  # in main
main()
""")
    client = tool(server)
    loop = client.start("def spins():\n    print('on')\n    while True: pass\nspins()")
    client.wait_for(loop, "on")
    job = client.ask("StartJob", source="import threading; threading.Event().wait()")["job"]
    eventually(lambda: "job %%%d" % job in rows(client), "the job's thread is there")
    found = rows(client)
    assert set(os.listdir("/proc/%d/task" % server.pid)) >= {str(row["thread"]) for row in found.values()}
    assert found["MainThread"]["thread"] == server.pid
    assert [frame["text"] for frame in found["MainThread"]["frames"]][-2:] == ["main()", "sys.stdin.read()  # in main"]
    waits = found["of the program"]
    assert any(frame["text"] == "threading.Event().wait()  # in the program's thread" for frame in waits["frames"])
    assert waits["state"] == "S" and waits["role"] is None and waits["load"] < 0.5
    spins = found["session %d" % loop.session]
    assert spins["frames"][-1]["function"] == "spins" and spins["cpu"] > 0
    assert all(0 <= row["load"] <= 1 and row["cpu"] >= 0 for row in found.values())
    assert "server" in found
    assert client.interrupt(loop)["outcome"] == "interrupted"


def test_questions_meanwhile(interpreter, serve, tool):
    """While an evaluation runs everything else is answered."""
    client = tool(serve(python=interpreter.plain))
    client.evaluate("class Known:\n    '''What is known.'''\n    def method(self): pass")
    loop = client.start("while True: pass")
    assert client.ask("Document", name="Known")["doc"] == "What is known."
    assert client.ask("Document", name="Known.method")["kind"] in ("function", "method")
    missing = client.request("Document", name="Known.nothing")
    assert missing["status"] == "failed" and "nothing" in missing["reason"]
    found = client.ask("Complete", line="Known.me", cursor=8)
    assert "Known.method" in [c["text"] for c in found["candidates"]] or \
        "method" in [c["text"] for c in found["candidates"]], found
    assert client.ask("DescribeServer", protocol=1)["server"]["language"] == "python"
    assert client.interrupt(loop)["outcome"] == "interrupted"


FORKS = """
import os, sys, warnings
warnings.simplefilter("ignore")
from replserve import server
print(server.start(globals(), repl_port=0, control_port=0).socket, flush=True)
def sockets():
    found = []
    for name in os.listdir("/proc/self/fd"):
        try: target = os.readlink("/proc/self/fd/" + name)
        except OSError: continue
        if not (target.startswith("pipe:") or target.startswith("/")): found.append(target)
    return found
for line in sys.stdin:
    pid = os.fork()
    if not pid:
        print("child", sockets(), sys.stdout is sys.__stdout__, flush=True)
        os._exit(5)
    print("status", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""


def test_forks_of_the_host(interpreter, embed, closing):
    """The child has nothing of the tools; their evaluations, output and jobs go on in the parent."""
    host = embed(FORKS, python=interpreter.plain)
    client = closing(WireClient(host.stdout.line()))
    client.evaluate("import threading; go = threading.Event(); stop = []")
    session = client.open()
    client.evaluate("'last'", session=session)
    waits = client.start("input()")
    floods = client.start("n = 0\nwhile not stop:\n    n += 1; print(n)\nn", credit=5000)
    job = client.ask("StartJob", source="go.wait(); print('said'); 'result'")["job"]
    waits_for_job = client.stream("AwaitJob", job=job)
    for _ in range(20):
        assert host.ask("fork") == "child [] True"
        assert host.stdout.line() == "status 5"
    assert client.value("_", session=session) == "'last'"
    client.tell("Input", request=waits.request, text="x\n")
    assert client.finish(waits).value == "'x'"
    client.evaluate("go.set(); stop.append(1)")
    assert client.finish(waits_for_job).value == "'result'"
    done = client.finish(floods)
    count = int(done.value)
    assert done.out.split() == [b"%d" % n for n in range(1, count + 1)]


@pytest.mark.parametrize("place", ["session", "main"])
def test_a_forgotten_child(interpreter, serve, tool, place):
    """os.fork() in an evaluation: the child ends when its evaluation does, and says how that went."""
    client = tool(serve(python=interpreter.plain))
    client.evaluate("import os, warnings; warnings.simplefilter('ignore')")
    status = "os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])"
    assert client.evaluate("pid = os.fork()\npid > 0", place=place).value == "True"
    assert client.value(status) == "0"
    assert client.evaluate("pid = os.fork()\npid or 1 / 0", place=place).outcome == "value"
    assert client.value(status) == "1"
    job = client.ask("StartJob", source="pid = os.fork()\nprint('once')\npid > 0")["job"]
    assert client.finish(client.stream("AwaitJob", job=job)).value == "True"
    assert client.value(status) == "0"
    assert client.finish(client.stream("JobOutput", job=job)).out == b"once\n"


def test_long_replies(interpreter, serve, tool):
    """Longer than what a connection takes at once."""
    client = tool(serve(python=interpreter.plain))
    client.evaluate("for n in range(4000): globals()['a_rather_long_name_%d' % n] = n")
    for _ in range(3):
        found = client.ask("Complete", line="a_rather_")
        assert len(found["candidates"]) == 4000 and not found["truncated"]
    requests = [client.send("Complete", line="a_rather_") for _ in range(10)]
    assert all(len(client.reply(request)["candidates"]) == 4000 for request in requests)


def test_disconnect_and_halt(edge, serve, tool, connect):
    server = serve(python=edge.plain)
    text, other, client = connect(server), tool(server, "control"), tool(server)
    text.send("while True: pass\n\n")
    loop = other.start("while True: pass")
    mine = client.open()
    ended = client.ask("Disconnect")["sessions"]
    assert sorted(ended) == sorted([text.session, loop.session])
    assert text.rest().endswith(b"This session was ended by another client.\n")
    assert other.finish(loop, grant=False).reply["code"] == "no-session"
    assert other.at_end()
    assert [row["session"] for row in client.ask("Sessions")["sessions"]] == [mine]
    assert client.ask("Halt", when="idle")["sessions"] == 1
    assert client.value("1 + 1", session=mine) == "2"
    client.ask("CloseSession", session=mine)
    assert client.at_end()
    server.wait()


@pytest.mark.parametrize("console", ["plain", "macros"])
def test_nothing_is_left(edge, serve, tool, console):
    """After tools of every kind, however they ended: as many threads and descriptors as before."""
    server = serve(python=getattr(edge, console))
    keeps = tool(server)
    keeps.evaluate("1")
    keeps.ask("Complete", line="imp")
    before = None
    for round_ in range(3):
        clients = [tool(server, door) for door in ("unix", "control") * 4]
        running = []
        for client in clients:
            client.evaluate("'alone'")
            client.open()
            client.evaluate("raise SystemExit")
            running.append(client.start("while True: pass" if not running else "input()"))
            number = client.ask("StartJob", source="print('x' * 100)\n1")["job"]
            client.finish(client.stream("AwaitJob", job=number))
        for number, client in enumerate(clients):
            if number % 3 == 0:
                client.interrupt(running[number])
            client.close()
        eventually(lambda: not keeps.ask("Sessions")["sessions"], "all sessions have ended")
        if before is None:
            eventually(lambda: len(keeps.ask("Threads")["threads"]) <= 6, "their threads have ended")
            before = threads(server.pid), len(descriptors(server.pid))
    eventually(lambda: (threads(server.pid), len(descriptors(server.pid))) <= before, "nothing is left of them")
    assert keeps.value("1 + 1") == "2"
