"""The manners in which somebody may come to a TCP port, for whoever is to try them all.

Each takes the address of the port and what to send. It returns what came back, or None when it does not wait for that.
"""

import contextlib
import os
import socket
import struct

from deadline import PATIENCE
from second_user import become_root_of_a_namespace, connected, everything, send_all

IPPROTO_MPTCP = 262


def reset(sock):
    """Closes with a RST instead of a FIN."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def sends_and_waits(address, data):
    sock = connected(address)
    send_all(sock, data)
    return everything(sock)


def only_listens(address, _):
    return everything(connected(address))


def half_closes(address, data):
    sock = connected(address)
    send_all(sock, data)
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_WR)
    return everything(sock)


def sends_byte_by_byte(address, data):
    sock = connected(address)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in data:
        send_all(sock, bytes([byte]))
    return everything(sock)


def sends_with_its_first_packet(address, data):
    """TCP Fast Open, where the system has it; without it the kernel sends the bytes right after the handshake."""
    sock = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET, socket.SOCK_STREAM)
    sock.sendto(data, socket.MSG_FASTOPEN, address)  # which connects, so it must be able to wait
    sock.settimeout(PATIENCE)
    return everything(sock)


def comes_from_another_address(address, data):
    """All of 127/8 is this machine's; of IPv6 only ::1 is."""
    sock = connected(address, source=None if ":" in address[0] else ("127.11.12.13", 0))
    send_all(sock, data)
    return everything(sock)


def comes_by_an_ipv6_socket(address, data):
    """To the kernel it is a socket of the other family."""
    mapped = address[0] if ":" in address[0] else "::ffff:" + address[0]
    sock = connected((mapped, address[1]), family=socket.AF_INET6)
    send_all(sock, data)
    return everything(sock)


def comes_by_multipath_tcp(address, data):
    """The TCP socket is then one that the kernel has made."""
    try:
        sock = connected(address, protocol=IPPROTO_MPTCP)
    except OSError:  # this kernel has none
        sock = connected(address)
    send_all(sock, data)
    return everything(sock)


def gives_its_socket_to_root(address, data):
    """fchown(2) changes the owner of a socket, for those who may."""
    sock = connected(address)
    with contextlib.suppress(PermissionError):
        os.fchown(sock.fileno(), 0, 0)
    send_all(sock, data)
    return everything(sock)


def is_root_of_a_namespace(address, data):
    """In a user namespace anybody can be user 0, and give that user files."""
    become_root_of_a_namespace()
    sock = connected(address)
    with contextlib.suppress(PermissionError):
        os.fchown(sock.fileno(), 0, 0)
    send_all(sock, data)
    return everything(sock)


def closes_at_once(address, data):
    sock = connected(address)
    send_all(sock, data)
    sock.close()


def resets(address, data):
    sock = connected(address)
    send_all(sock, data)
    reset(sock)


def half_closes_and_resets(address, data):
    sock = connected(address)
    send_all(sock, data)
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_WR)
    reset(sock)


STAYING = [sends_and_waits, only_listens, half_closes, sends_byte_by_byte, sends_with_its_first_packet,
           comes_from_another_address, comes_by_an_ipv6_socket, comes_by_multipath_tcp, gives_its_socket_to_root,
           is_root_of_a_namespace]
VANISHING = [closes_at_once, resets, half_closes_and_resets]
