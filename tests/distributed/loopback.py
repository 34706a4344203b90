"""A network of its own for a cluster that is tested: loopback, and nothing else to be reached.

Whoever reaches a cluster's ports may run programs on it, if they have its token. Linux gives a
thread, and the processes that it starts, a network namespace of their own (network_namespaces(7)).
"""

import ctypes
import fcntl
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager

NETWORK = 0x40000000  # CLONE_NEWNET of linux/sched.h
SET_FLAGS, UP = 0x8914, 1  # SIOCSIFFLAGS of linux/sockios.h, IFF_UP of linux/if.h
PRESENT = "/proc/thread-self/ns/net"


class Loopback:
    """A network namespace that this process can enter.

    Raises:
        OSError: where the system has no such thing, or not for this user.
    """

    def __init__(self) -> None:
        with _back_again():
            _called("unshare", NETWORK)
            _bring_up()
            self._inside = os.open(PRESENT, os.O_RDONLY)

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Have this thread, and what it starts, know no other network until the block ends."""
        with _back_again():
            _called("setns", self._inside, NETWORK)
            yield


@contextmanager
def _back_again() -> Iterator[None]:
    """Return to the present network when the block ends."""
    before = os.open(PRESENT, os.O_RDONLY)
    try:
        yield
    finally:
        _called("setns", before, NETWORK)
        os.close(before)


def _called(name: str, *arguments: int) -> None:
    """Call a function of the C library, which Python has from 3.12 on.

    Raises:
        OSError: if it fails, or is not there.
    """
    function = getattr(ctypes.CDLL(None, use_errno=True), name, None)
    if function is None:
        raise OSError(f"this system has no {name}")
    if function(*arguments):
        raise OSError(ctypes.get_errno(), f"{name}: {os.strerror(ctypes.get_errno())}")


def _bring_up() -> None:
    """Turn the loopback interface on, which is off in a new network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SET_FLAGS, struct.pack("16sh14x", b"lo", UP))
