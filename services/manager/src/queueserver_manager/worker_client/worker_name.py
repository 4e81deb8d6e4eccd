"""Where the name of the Worker leads, which may change while a connection is down.

gRPC looks names up by itself, but after an attempt that failed it waits longer each time, up to two minutes. A
container that is started again gets a new address, and until then its name may be unknown for some seconds.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Any

from queueserver_rpc.listening import UNIX, host_and_port

#: Seconds for which an attempt to connect waits for a name server. The look-up continues afterwards.
_PATIENCE_SECONDS = 0.5


class WorkerName:
    """The name in an address. One question is asked at a time. Belongs to one event loop."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._question: asyncio.Task[frozenset[Any]] | None = None

    async def places(self) -> frozenset[Any]:
        """Where it leads now; empty if that is unknown, or if the address has no name."""
        if self._address.startswith(UNIX):
            return frozenset()
        if self._question is None:
            self._question = asyncio.ensure_future(_looked_up(self._address))
        await asyncio.wait({self._question}, timeout=_PATIENCE_SECONDS)
        if not self._question.done():
            return frozenset()
        question, self._question = self._question, None
        return question.result()

    def close(self) -> None:
        """Wait for no answer any more."""
        if self._question is not None:
            self._question.cancel()
            self._question = None


async def _looked_up(address: str) -> frozenset[Any]:
    host, port = host_and_port(address)
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        return frozenset()
    return frozenset(place for *_, place in found)
