"""A standby's connection to the Worker: there before it is needed.

When the owner dies, the name of the Worker need not be looked up, nor a connection made. In containers the name server
may be silent for seconds at just that time, because the name of a container goes. Nothing is sent to the Worker.
"""

from __future__ import annotations

import asyncio

from queueserver_rpc.tls_credentials import RereadFiles

from queueserver_manager.worker_client.connection import Connection


class WorkerConnection:
    """The connection while this Manager is a standby. Belongs to one event loop."""

    def __init__(self, address: str, tls: RereadFiles | None) -> None:
        self._address, self._tls = address, tls
        self._connection: Connection | None = None
        self._staying: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Connect, unless that was done before, and again whenever the connection breaks."""
        if self._connection is None:
            self._connection = Connection(self._address, self._tls)
            self._staying = asyncio.ensure_future(self._connection.stay_connected())

    def take(self) -> Connection:
        """The connection, which the caller closes; a new one if there is none."""
        taken, self._connection = self._connection, None
        if self._staying is not None:
            self._staying.cancel()
        return taken or Connection(self._address, self._tls)

    async def close(self) -> None:
        """End it."""
        await self.take().close()
