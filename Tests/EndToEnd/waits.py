"""Waits: what an evaluation can be blocked in, as rows of one table. Each is waited for by what the kernel says of it.

A row is source that is run first, and the source of the wait itself, which prints `on` before it. `check` is an
expression that must be true afterwards: nothing was lost, no lock was left taken.
"""

import platform
from pathlib import Path

# The numbers of the system calls that the rows may be in, by processor. A call that a processor lacks is in no row of it.
NUMBERS = {
    "x86_64": {"read": 0, "poll": 7, "select": 23, "nanosleep": 35, "accept": 43, "connect": 42, "sendto": 44,
               "recvfrom": 45, "wait4": 61, "flock": 73, "futex": 202, "clock_nanosleep": 230, "epoll_wait": 232,
               "waitid": 247, "pselect6": 270, "ppoll": 271, "epoll_pwait": 281, "accept4": 288},
    "aarch64": {"epoll_pwait": 22, "flock": 32, "read": 63, "pselect6": 72, "ppoll": 73, "waitid": 95, "futex": 98,
                "nanosleep": 101, "clock_nanosleep": 115, "accept": 202, "connect": 203, "sendto": 206, "recvfrom": 207,
                "accept4": 242, "wait4": 260},
}


def waits_in(pid, thread, calls):
    """Whether a thread of a process is in one of these system calls."""
    numbers = NUMBERS[platform.machine()]
    text = Path("/proc/%d/task/%d/syscall" % (pid, thread)).read_text()
    return text.split()[0] in {str(numbers[name]) for name in calls if name in numbers}


PREPARED = """
import asyncio, concurrent.futures, fcntl, os, queue, select, socket, subprocess, sys, tempfile, threading, time
held = threading.Lock(); held.acquire()
gate = threading.Event()
near, far = socket.socketpair()
listener = socket.socket(); listener.bind(('127.0.0.1', 0)); listener.listen()
reading, writing = os.pipe()
buffered_reading, buffered_writing = os.pipe()
file = open(buffered_reading, 'rb')
text_reading, text_writing = os.pipe()
lines = open(text_reading)
box = queue.Queue()
event = threading.Event()
condition = threading.Condition()
semaphore = threading.Semaphore(0)
barrier = threading.Barrier(2)
future = concurrent.futures.Future()
def forever():
    while True: pass
def flood():
    while True: print('flood')
def run(wait):
    print('on', flush=True)
    return wait()
def within(lock, wait):
    with lock:
        return wait()
"""

# A lock of the C library, which nothing ends but the end of its time: `lock.pthread_mutex_timedlock(mutex, until)`.
MUTEX = """
import ctypes, time
lock, mutex = ctypes.CDLL(None), ctypes.create_string_buffer(64)
lock.pthread_mutex_lock(mutex)
until = (ctypes.c_long * 2)(int(time.time()) + %d, 0)
"""


class Wait:
    """One row. `calls` are the system calls it may be in, if it waits.

    It is interrupted from version `since` on, and before `until` where it is not on the main thread.
    """

    def __init__(self, name, source, calls, check="True", setup="", since=(3, 9), until=(9, 9)):
        self.name = name
        self.source = source
        self.calls = calls.split()
        self.check = check
        self.setup = setup
        self.since = since
        self.until = until

    def ends(self, version, place="session"):
        """Whether an interrupt ends it in a version; else it is blocked."""
        return self.since <= version and (place == "main" or version < self.until)

    def cell(self, version):
        """What the table says of it in a version."""
        found = ["interrupted" if self.ends(version, place) else "blocked" for place in ("session", "main")]
        return found[0] if found[0] == found[1] else "%s; on the main thread %s" % tuple(found)

    def __repr__(self):
        return self.name


SLEEP = "clock_nanosleep select pselect6 nanosleep"
POLL = "poll ppoll"

WAITS = [
    Wait("a loop", "forever()", ""),
    Wait("a generator", "sum(1 for _ in iter(int, 1))", ""),
    Wait("list.sort with a key", "sorted(range(10 ** 6), key=lambda n: sum(range(1000)))", ""),
    Wait("print without end", "flood()", ""),
    Wait("input()", "input()", "futex"),
    Wait("time.sleep", "time.sleep(1000)", SLEEP),
    Wait("Lock.acquire", "held.acquire()", "futex", "held.locked()", since=(3, 12)),
    Wait("Lock.acquire with a timeout", "held.acquire(timeout=1000)", "futex", "held.locked()", since=(3, 12)),
    Wait("with lock", "within(held, lambda: print('never'))", "futex", "held.locked()", since=(3, 12)),
    Wait("Event.wait", "event.wait()", "futex", "not event._cond._waiters and not event._cond._lock.locked()"),
    Wait("Event.wait with a timeout", "event.wait(1000)", "futex", "not event._cond._waiters"),
    Wait("Condition.wait", "within(condition, condition.wait)", "futex",
         "not condition._waiters and condition.acquire(False) and not condition.release()"),
    Wait("Semaphore.acquire", "semaphore.acquire()", "futex", "semaphore._value == 0"),
    Wait("Barrier.wait", "barrier.wait()", "futex", "not barrier.broken and barrier.n_waiting == 0"),
    Wait("Queue.get", "box.get()", "futex", "box.mutex.acquire(False) and not box.mutex.release()"),
    Wait("Future.result", "future.result()", "futex", "not future.done()"),
    Wait("Thread.join", "thread.join()", "futex", "thread.is_alive()",
         "thread = threading.Thread(target=gate.wait, daemon=True); thread.start()", since=(3, 12), until=(3, 13)),
    Wait("select.select", "select.select([near], [], [])", "select pselect6"),
    Wait("select.poll", "poll.poll()", POLL, setup="poll = select.poll(); poll.register(near, select.POLLIN)"),
    Wait("select.epoll", "epoll.poll()", "epoll_wait epoll_pwait",
         setup="epoll = select.epoll(); epoll.register(near, select.EPOLLIN)"),
    Wait("socket.recv", "near.recv(10)", "recvfrom", "far.send(b'yes') == 3 and near.recv(9) == b'yes'"),
    Wait("socket.recv with a timeout", "near.recv(10)", POLL, "far.send(b'yes') == 3 and near.recv(9) == b'yes'",
         "near.settimeout(1000)"),
    Wait("socket.accept", "listener.accept()", "accept accept4"),
    Wait("socket.sendall", "near.sendall(bytes(10 ** 8))", "sendto"),
    Wait("socket.connect", "late.connect(listener.getsockname())", "connect",
         setup="listener.listen(0)\nfull = [socket.socket() for _ in range(4)]\n"
               "for each in full:\n    each.setblocking(False)\n    each.connect_ex(listener.getsockname())\n"
               "late = socket.socket()"),
    Wait("Popen.wait", "child.wait()", "wait4 waitid", "child.poll() is None and not child._waitpid_lock.locked()",
         "child = subprocess.Popen(['cat'], stdin=subprocess.PIPE)"),
    Wait("subprocess.run", "subprocess.run(['sleep', '1000'])", "wait4 waitid"),
    Wait("os.waitpid", "os.waitpid(child.pid, 0)", "wait4 waitid", "child.poll() is None",
         "child = subprocess.Popen(['cat'], stdin=subprocess.PIPE)"),
    Wait("os.read", "os.read(reading, 10)", "read", "os.write(writing, b'yes') and os.read(reading, 10) == b'yes'"),
    Wait("file.read", "file.read(3)", "read", "os.write(buffered_writing, b'yes') and file.read(3) == b'yes'"),
    Wait("file.readline", "lines.readline()", "read", "os.write(text_writing, b'yes\\n') and lines.readline() == 'yes\\n'"),
    Wait("fcntl.flock", "fcntl.flock(second, fcntl.LOCK_EX)", "flock",
         setup="first = tempfile.NamedTemporaryFile(); second = open(first.name)\nfcntl.flock(first, fcntl.LOCK_EX)"),
    Wait("asyncio.run", "asyncio.run(asyncio.sleep(1000))", "epoll_wait epoll_pwait"),
]
