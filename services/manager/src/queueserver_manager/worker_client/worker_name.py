"""Where the name of the Worker leads, which may change while a connection is down.

gRPC looks names up by itself, but after an attempt that failed it waits longer each time, up to two minutes. A
container that is started again gets a new address, and until then its name may be unknown for some seconds.
"""

from __future__ import annotations

import asyncio

from queueserver_long_work.patience import within
from queueserver_rpc.listening import UNIX, host_and_port
from queueserver_rpc.resolving import NameLookup, Place

#: Seconds for which an attempt to connect waits for a name server. The look-up continues afterwards.
_PATIENCE_SECONDS = 0.5


class WorkerName:
    """The name in an address. Belongs to one event loop."""

    def __init__(self, address: str) -> None:
        self._lookup = None if address.startswith(UNIX) else NameLookup(*host_and_port(address))

    async def places(self) -> frozenset[Place]:
        """Where it leads now; empty if that is unknown, or if the address has no name."""
        if self._lookup is None:
            return frozenset()
        try:
            async with within(_PATIENCE_SECONDS):
                return frozenset(await self._lookup.places())
        except (asyncio.TimeoutError, OSError):
            return frozenset()
