"""What the kernel tells of a process: its threads, descriptors, memory and connections."""

import os
import re
import socket
from pathlib import Path


def threads(pid):
    return len(os.listdir("/proc/%d/task" % pid))


def descriptors(pid):
    """Descriptor number -> what it refers to."""
    found = {}
    folder = "/proc/%d/fd" % pid
    for name in os.listdir(folder):
        try:
            found[int(name)] = os.readlink("%s/%s" % (folder, name))
        except FileNotFoundError:  # closed since it was listed
            pass
    return found


def resident_mib(pid):
    status = Path("/proc/%d/status" % pid).read_text()
    return int(re.search(r"^VmRSS:\s+(\d+) kB", status, re.M).group(1)) / 1024


def listening_ports(pid):
    """The TCP ports of any address that the process listens on."""
    inodes = {target[len("socket:["):-1] for target in descriptors(pid).values()
              if target.startswith("socket:[")}
    ports = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:
                ports.add(int(fields[1].rpartition(":")[2], 16))
    return ports


def server_side_timer(client_socket):
    """The timer of the other end of a loopback connection: (kind, seconds left).

    Kind 2 is keepalive; see Documentation/networking/proc_net_tcp in the kernel's sources.
    """
    local, remote = client_socket.getpeername()[1], client_socket.getsockname()[1]
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        ends = [int(fields[index].rpartition(":")[2], 16) for index in (1, 2)]
        if ends == [local, remote]:
            kind, _, when = fields[5].partition(":")
            return int(kind, 16), int(when, 16) / os.sysconf("SC_CLK_TCK")
    raise AssertionError("the server has no connection %d -> %d" % (remote, local))


def unused_port():
    """A port that nothing listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def status(pid, field):
    """A line of /proc/PID/status, as text."""
    text = Path("/proc/%d/status" % pid).read_text()
    return re.search(r"^%s:\s+(.*)$" % field, text, re.M).group(1)
