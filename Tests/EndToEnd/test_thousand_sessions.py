"""A thousand sessions at once, each of them evaluating: all are served, the host works on, and all is given back."""

import resource
from concurrent.futures import ThreadPoolExecutor

import pytest

from deadline import Deadline, eventually
from process_facts import descriptors, resident_mib, threads
from test_embedding import HOST
from wire_client import WireClient

SESSIONS = 1000
OF_TOOLS = 4  # connections, which share half of the sessions between them
START = ("import threading; go = threading.Event(); here = []; "
         "print(*server.start(globals(), repl_port=0, control_port=0)[1:])")
SPARE = 2  # threads that a server may keep for the next session
BOUND = 10.0  # seconds that the host, or somebody new, may have to wait among a thousand who evaluate


@pytest.fixture
def many_descriptors():
    """As many as the sessions need, here and in the host, which inherits the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4 * SESSIONS
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip("%d descriptors are needed, and the hard limit is %d (ulimit -Hn)" % (wanted, hard))
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("many_descriptors")
def test_each_evaluates(edge, embed, connect):
    host = embed(HOST, python=edge.plain)
    port, control_port = map(int, host.ask(START).split())
    for _ in range(2):
        connect(port).run("1 + 1")
    host.ask("import gc; gc.collect(); print()")
    known = threads(host.pid), len(descriptors(host.pid))
    with ThreadPoolExecutor(16) as pool:
        texts = list(pool.map(lambda _: connect(port), range(SESSIONS // 2)))
    tools = [WireClient(control_port) for _ in range(OF_TOOLS)]
    evaluations = []
    try:
        for number, text in enumerate(texts):
            text.send("here.append(1); go.wait(); %d * 2\n" % number)
        for number in range(SESSIONS // 2):
            tool = tools[number % OF_TOOLS]
            source = "here.append(1); go.wait(); %d * 3" % number
            evaluations.append((tool, number, tool.stream("Evaluate", source=source, session=tool.open())))
        eventually(lambda: host.ask("print(len(here))") == str(SESSIONS), "all of them evaluate")
        assert threads(host.pid) >= SESSIONS
        # Nobody waits for them: not the host, and not who comes now.
        deadline = Deadline(BOUND)
        assert host.ask("print(sum(range(100_000)))") == "4999950000"
        with connect(port) as another:
            assert another.run("6 * 7") == "42\n"
        assert not deadline.passed
        host.tell("go.set()")
        for number, text in enumerate(texts):
            assert text.prompt() == "True\n%d\n" % (number * 2)
        for tool, number, evaluation in evaluations:
            assert tool.finish(evaluation, grant=False).value == str(number * 3)
        full = resident_mib(host.pid)
    finally:
        for client in texts + tools:
            client.close()
    eventually(lambda: threads(host.pid) <= known[0] + SPARE and len(descriptors(host.pid)) <= known[1],
               "threads and descriptors are back")
    # Python keeps some of what it has had; as much again is not needed.
    host.ask("go.clear(); here.clear(); gc.collect(); print()")
    with ThreadPoolExecutor(16) as pool:
        texts = list(pool.map(lambda _: connect(port), range(SESSIONS)))
    for text in texts:
        text.send("here.append(1); go.wait()\n")
    eventually(lambda: host.ask("print(len(here))") == str(SESSIONS), "they evaluate once more")
    assert resident_mib(host.pid) < full * 2
    for text in texts:
        text.reset()
    host.tell("go.set()")
    eventually(lambda: threads(host.pid) <= known[0] + SPARE and len(descriptors(host.pid)) <= known[1],
               "threads and descriptors are back once more")
    assert connect(port).run("1 + 1") == "2\n"
