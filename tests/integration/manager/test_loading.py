"""A Manager that loads its queue from a Redis that takes long, or can't be used for a while."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from queueserver_client import ConnectionState, ManagerState, ServiceUnavailable
from queueserver_manager.domain.record import Record
from queueserver_manager.store import renewal
from queueserver_manager.store.lease import Lease
from queueserver_manager.store.redis import RedisStore

from tests.harness.progress import until
from tests.harness.redis import RedisProcess
from tests.harness.wait import bounded
from tests.integration.manager.manager_here import manager_here

Load, Renew = RedisStore.load, Lease.renew


async def test_the_lease_is_renewed_while_the_queue_is_loaded(
    redis_server: RedisProcess, short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    renewed = asyncio.Event()

    async def load(store: RedisStore) -> Record:
        await bounded(renewed.wait())
        return await Load(store)

    async def renew(lease: Lease, epoch: int, stored: int = 0) -> bool:
        still_ours = await Renew(lease, epoch, stored)
        renewed.set()
        return still_ours

    monkeypatch.setattr(RedisStore, "load", load)
    monkeypatch.setattr(Lease, "renew", renew)
    monkeypatch.setattr(renewal, "RENEWAL_SECONDS", 0.01)
    async with manager_here(redis_server, short_path) as client:
        assert (await client.status()).epoch == 1


@pytest.mark.parametrize("problem", ["full", "a replica"])
async def test_a_redis_that_answers_and_takes_no_changes_is_waited_for_and_the_term_goes_on(
    redis_server: RedisProcess, short_path: Path, problem: str
) -> None:
    async with manager_here(redis_server, short_path) as client:
        with redis_server.connect() as redis:
            if problem == "full":
                redis.config_set("maxmemory", 1)
            else:
                redis.execute_command("REPLICAOF", "127.0.0.1", "1")
            client._connection.timeout = 3.0
            with pytest.raises(ServiceUnavailable) as caught:
                await client.queue.set_mode(loop=False)
            assert caught.value.reason == "STORAGE_UNAVAILABLE"
            before = await client.status()
            assert before.storage is ConnectionState.DOWN
            redis.config_set("maxmemory", 0)
            redis.execute_command("REPLICAOF", "NO", "ONE")
        await until(client, lambda status: status.storage is ConnectionState.UP)
        client._connection.timeout = 30.0
        assert (await client.queue.set_mode(loop=False)).loop is False
        assert (await client.status()).manager_state is not ManagerState.INITIALIZING
