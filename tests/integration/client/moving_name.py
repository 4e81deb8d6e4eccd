"""A Manager that comes back at another address of its name, as a container does: how long does a client miss it?"""

from __future__ import annotations

import asyncio
import sys
import time

from queueserver.manager.v1 import status_pb2, status_service_pb2
from queueserver_client import AsyncClient

from tests.harness.name_server import NameServer, own_loopback
from tests.integration.client.scripted_manager import ScriptedManager

_PORT, _BEFORE, _AFTER = 60630, "127.0.0.2", "127.0.0.3"
_PATIENCE = 60.0


async def main() -> None:
    """Print after how many seconds the client had an answer from the new address."""
    answers = {"GetStatus": status_service_pb2.GetStatusResponse(status=status_pb2.ManagerStatus())}
    before, after = ScriptedManager(answers), ScriptedManager(answers)
    _, names = await asyncio.get_running_loop().create_datagram_endpoint(NameServer, local_addr=("127.0.0.1", 53))
    names.address = _BEFORE
    await before.start(_PORT, _BEFORE)
    async with AsyncClient(f"manager.example:{_PORT}", timeout=_PATIENCE) as client:
        await client.status()
        names.address = _AFTER
        await before.stop()
        await after.start(_PORT, _AFTER)
        begin = time.monotonic()
        await client.status()
        sys.stdout.write(f"{len(after.calls)} {time.monotonic() - begin}\n")
    await after.stop()


if __name__ == "__main__":
    own_loopback()
    asyncio.run(main())
