"""Ports for servers that come back at the same address, or that can't pick a free one themselves.

A port that the kernel gave out once is anybody's as soon as its server is dead: it may be that of another test when the
server is started again. These lie below those that the kernel gives out, where there are any.
"""

from __future__ import annotations

import os
import random
import socket
from collections import deque
from pathlib import Path

_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
#: What Linux has unless it is told otherwise, the lowest that needs no privileges, and enough of them.
_USUAL_LOWEST = 32_768
_LOWEST = 1024
_COUNT = 10_000
#: More servers than this a test never has at once; the oldest names are given up then.
_HELD = 50
_held: deque[int] = deque()


def reserved_port(*, distance: int = 0) -> int:
    """A free port of the loopback interface that no other test gets while its server may be needed.

    With ``distance``, so is the port that many above it, for a server that takes that one too.
    """
    candidates = _below_the_kernels(_LOWEST + distance)
    for highest in random.sample(candidates, len(candidates)):
        port = highest - distance
        if _reserve(port) and (port == highest or _reserve(highest)):
            return port
    raise AssertionError(f"there is no free port in {candidates}")


def _below_the_kernels(least: int) -> range:
    try:
        lowest = int(_RANGE.read_text(encoding="ascii").split()[0])
    except OSError:
        lowest = _USUAL_LOWEST
    # A system may give out nearly all: then the lowest of these are at least the least likely.
    return range(max(least, lowest - _COUNT), max(least + _COUNT, lowest))


def _reserve(port: int) -> bool:
    # Names in this namespace belong to one process, and are free again when it ends, however it ends.
    name = socket.socket(socket.AF_UNIX)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            name.bind(f"\0queueserver-test-port-{port}")
            probe.bind(("127.0.0.1", port))
        except OSError:
            name.close()
            return False
    # Not as a socket, which would complain at the end of the process.
    _held.append(name.detach())
    if len(_held) > _HELD:
        os.close(_held.popleft())
    return True
