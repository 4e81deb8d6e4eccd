"""A network between client and Manager that loses everything without a word, as a pulled cable does."""

from __future__ import annotations

import asyncio

from queueserver_client import AsyncClient, ItemAdded, Snapshot

from tests.harness.silent_network import silent_network
from tests.integration.client.scripted_manager import ScriptedManager
from tests.integration.client.test_watch import added, script, snapshot

#: More than the 15 s in which a silent connection is tested and given up, and much less than TCP needs for that.
_SECONDS = 45.0


async def test_a_watch_continues_on_a_new_connection(manager: ScriptedManager) -> None:
    manager.answers["WatchEvents"] = script([snapshot(token="t1"), None], [added("a", token="t2"), None])
    port = int(manager.address.rpartition(":")[2])
    async with silent_network(port) as network, AsyncClient(network.address) as client, client.watch() as watch:
        assert isinstance(await asyncio.wait_for(anext(watch), _SECONDS), Snapshot)
        network.lose()
        assert isinstance(await asyncio.wait_for(anext(watch), _SECONDS), ItemAdded)
    assert [request.resume_token for request in manager.requests("WatchEvents")] == ["", "t1"]
