"""Hosts with children, and those that become somebody else: processes of every start method, daemons, closed descriptors."""

import json
import os
import signal

import pytest

from deadline import eventually
from process_facts import descriptors, listening_ports
from test_embedding import HOST, START

# As a module that is imported again by the children of `spawn` and `forkserver`, which must not start a server of their own.
WORKERS = """
import json, multiprocessing, os, sys
from replserve import server
def facts(n):
    sockets = [target for name in os.listdir("/proc/self/fd") for target in [os.path.realpath("/proc/self/fd/" + name)]
               if "socket:" in target or "anon_inode" in target]
    threads = [open("/proc/self/task/%s/comm" % task).read().strip() for task in os.listdir("/proc/self/task")]
    return [n * n, os.getpid() != parent, [name for name in threads if "repl" in name], len(sockets)]
parent = int(os.environ.setdefault("PARENT", str(os.getpid())))
if __name__ == "__main__":
    method = multiprocessing.get_context(sys.argv[1])
    print(server.start(globals(), repl_port=0, control_port=0)[1], flush=True)
    # Not sys.stdin: in CPython a child that is forked while another thread reads that hangs when it closes it.
    for line in open(0, closefd=False):
        exec(line)
"""

# What a daemon does with itself: PEP 3143 and daemon(7), less the closing of what it did not open.
DAEMONISE = """
import json, os, select, sys
from replserve import server
def daemonise():
    sys.stdout.flush()
    original = os.pidfd_open(os.getpid())
    if os.fork(): os._exit(0)
    os.setsid()
    if os.fork(): os._exit(0)
    # It is readable when that process has ended and its ports are free.
    select.select([original], [], [])
    os.close(original)
    os.chdir("/")
    null = os.open("/dev/null", os.O_RDWR)
    for number in (0, 2): os.dup2(null, number)
"""


def alive(port, connect):
    assert connect(port).run("1 + 1") == "2\n"


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_pool_of_workers(edge, embed, connect, method):
    """They work, have none of ours, and the sessions of the parent go on."""
    host = embed(WORKERS, method, python=edge.plain,
                 options=["-W", "ignore:This process:DeprecationWarning"])
    port = int(host.stdout.line())
    client = connect(port)
    client.send("exec('print(\"on\")\\nwhile not globals().get(\"enough\"): pass')\n")
    client.expect("on\n")
    host.tell("pool = method.Pool(3); print(json.dumps(pool.map(facts, range(12), 1)), flush=True)")
    answers = json.loads(host.stdout.line())
    assert [answer[0] for answer in answers] == [n * n for n in range(12)]
    assert all(answer[1:3] == [True, []] for answer in answers), answers
    if method == "fork":  # the others have channels of their own
        assert {answer[3] for answer in answers} == {0}
    alive(port, connect)
    assert host.ask("pool.close(); pool.join(); print('joined', flush=True)") == "joined"
    connect(port).run("enough = True")
    client.prompt()
    alive(port, connect)


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_pool_that_a_session_makes(edge, embed, connect, method):
    host = embed(WORKERS, method, python=edge.plain, options=["-W", "ignore:This process:DeprecationWarning"])
    client = connect(int(host.stdout.line()))
    assert client.run("__name__") == "'__main__'\n"
    client.run("import __main__; from __main__ import facts")
    client.run("pool = method.Pool(2)")
    answer = client.run("[answer[0] for answer in pool.map(facts, range(5), 1)]")
    assert answer == "[0, 1, 4, 9, 16]\n"
    assert client.run("pool.terminate(); pool.join()") == ""
    assert client.run("1 + 1") == "2\n"


def test_concurrent_futures_that_die(edge, embed, connect):
    """A worker that is killed breaks the pool of the host, and nothing of ours."""
    host = embed(WORKERS, "fork", python=edge.plain, options=["-W", "ignore:This process:DeprecationWarning"])
    port = int(host.stdout.line())
    client = connect(port)
    assert client.run("import concurrent.futures as futures") == ""
    client.run("pool = futures.ProcessPoolExecutor(2, mp_context=method)")
    assert client.run("pool.submit(pow, 2, 5).result()") == "32\n"
    assert client.run("pool.submit(os._exit, 3).exception().__class__.__name__") == "'BrokenProcessPool'\n"
    assert client.run("1 + 1") == "2\n"
    alive(port, connect)


def test_a_daemon_that_starts_its_server_afterwards(edge, embed, connect):
    """As the page has it: fork first, then start."""
    host = embed(DAEMONISE + """
daemonise()
print(json.dumps([os.getpid(), server.start(globals(), repl_port=0, control_port=0)[1]]), flush=True)
os.dup2(0, 1)
server.wait()
""", python=edge.plain, options=["-W", "error"])
    pid, port = json.loads(host.stdout.line())
    try:
        assert host.wait() == 0
        client = connect(port)
        assert client.run("print('works'); import os; os.getpid()") == "works\n%d\n" % pid
        client.run("import subprocess")
        assert client.run("subprocess.run(['echo', 'child'], stdout=subprocess.PIPE).stdout") == "b'child\\n'\n"
        assert client.run("server_print('to nobody')") == ""
        client.close()
    finally:
        os.kill(pid, signal.SIGTERM)
    eventually(lambda: not os.path.exists("/proc/%d" % pid), "the daemon ends on SIGTERM")


def test_a_daemon_that_had_a_server(edge, embed, connect):
    """The server was the parent's, and has ended with it; the daemon starts one of its own, on the same port."""
    host = embed(DAEMONISE + """
port = server.start(globals(), repl_port=0, control_port=0)[1]
print(port, flush=True)
sys.stdin.readline()
daemonise()
print(json.dumps([os.getpid(), server.start(globals(), repl_port=port, control_port=0)[1]]), flush=True)
os.dup2(0, 1)
server.wait()
""", python=edge.plain, options=["-W", "ignore:This process:DeprecationWarning"])
    port = int(host.stdout.line())
    client = connect(port)
    client.run("before = 'kept'")
    host.tell("")
    client.rest_or_reset()
    pid, now = json.loads(host.stdout.line())
    try:
        assert now == port
        assert connect(port).run("before") == "'kept'\n"
    finally:
        os.kill(pid, signal.SIGTERM)
    eventually(lambda: not os.path.exists("/proc/%d" % pid), "the daemon ends on SIGTERM")


def test_the_host_becomes_itself_again(edge, embed, connect):
    """os.execv of the same script, as programs do that reload themselves: with a server again, and nothing of the old one."""
    host = embed("""
import json, os, sys
from replserve import server
print(json.dumps(server.start(globals(), repl_port=0, control_port=0)[1:]), flush=True)
if sys.stdin.readline():
    os.execv(sys.executable, [sys.executable] + sys.argv)
""", python=edge.plain)
    for _ in range(3):
        port, control_port = json.loads(host.stdout.line())
        client = connect(port)
        assert client.run("1 + 1") == "2\n"
        own = len(descriptors(host.pid))
        assert listening_ports(host.pid) == {port, control_port}
        host.tell("again")
        client.rest_or_reset()
        first = locals().setdefault("first", own)
        assert own <= first
    port, _ = json.loads(host.stdout.line())
    alive(port, connect)


def test_system_exit_in_a_thread(edge, embed, connect):
    """It ends that thread and says nothing, whosever thread it is."""
    host = embed(HOST, python=edge.plain)
    _, port, _ = json.loads(host.ask(START))
    client = connect(port)
    host.tell("t = threading.Thread(target=sys.exit, args=(3,)); t.start(); t.join(); print('joined')")
    assert host.stdout.line() == "joined"
    client.run("import threading, sys")
    assert client.run("t = threading.Thread(target=sys.exit, args=(3,)); t.start(); t.join()") == ""
    client.block("def leave():\n    raise SystemExit(4)")
    assert client.run("job = bg(leave)") == ""
    assert client.run("1 + 1") == "2\n"
    alive(port, connect)
    assert host.ask("print(sum(range(10)))") == "45"


def test_os_exit_in_a_thread_of_the_host(edge, embed, connect):
    host = embed(HOST, python=edge.plain)
    _, port, _ = json.loads(host.ask(START))
    client = connect(port)
    client.send("exec('print(\"on\")\\nwhile True: pass')\n")
    client.expect("on\n")
    host.tell("threading.Thread(target=os._exit, args=(21,)).start()")
    assert host.wait() == 21
    client.rest_or_reset()


#: Computes in C for a long time, without the interpreter: nothing interrupts that.
STUCK = "hashlib.pbkdf2_hmac('sha512', b'', b'', 2**31 - 1)"


def test_an_abandoned_thread_that_is_stuck_in_c(interpreter, embed, connect, tool):
    """The host ends with its own status although a thread of ours will never come back."""
    host = embed("""
import json, sys
from replserve import server
print(json.dumps(server.start(globals(), repl_port=0, control_port=0, name="stuck")[1:]), flush=True)
sys.exit(int(sys.stdin.readline()))
""", python=interpreter.plain)
    port, control_port = json.loads(host.stdout.line())
    wires = tool(type("Address", (), {"control_port": control_port}), "control")
    session = wires.open()
    stuck = wires.start("import hashlib\nprint('on', flush=True)\n" + STUCK, mode="block", session=session)
    wires.wait_for(stuck, "on\n")
    job = wires.ask("Background", session=session, evaluation=stuck.number)["job"]
    assert wires.finish(stuck).outcome == "backgrounded"
    text = connect(port)
    text.send("import hashlib; print('here'); %s\n" % STUCK)
    text.expect("here\n")
    text.reset()  # interrupted, and will not hear of it for a long time
    assert wires.ask("KillJob", job=job)["state"] == "abandoned"
    host.tell("37")
    assert host.wait() == 37
    assert host.stderr.wait_end() == ""


@pytest.mark.xfail(strict=True, reason="NIO ends the process when its descriptors are closed under it")
def test_the_host_closes_all_descriptors(oldest, embed):
    """os.closerange(3, ...), as daemons do: the host itself must not suffer from it."""
    host = embed(HOST, python=oldest.plain)
    host.ask(START)
    host.trouble_expected = True
    host.expected_statuses = {0, -signal.SIGILL, -signal.SIGTRAP, -signal.SIGABRT, -signal.SIGSEGV}
    host.tell("os.closerange(3, 4096); print('closed', flush=True)")
    for n in range(20):
        host.tell("print(os.waitstatus_to_exitcode(os.system('exit 3')))")
    host.ask_to_end()
    assert host.wait() == 0
