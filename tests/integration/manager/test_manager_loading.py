"""A Manager that loads a long queue: it stays the owner meanwhile, and ends when it is told to."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from queueserver_manager import app
from queueserver_manager.domain.record import Record
from queueserver_manager.store.lease import Lease
from queueserver_manager.store.redis import RedisStore

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

    async def renew(lease: Lease, epoch: int) -> bool:
        still_ours = await Renew(lease, epoch)
        renewed.set()
        return still_ours

    monkeypatch.setattr(RedisStore, "load", load)
    monkeypatch.setattr(Lease, "renew", renew)
    monkeypatch.setattr(app, "RENEWAL_SECONDS", 0.01)
    async with manager_here(redis_server, short_path) as client:
        assert (await client.status()).epoch == 1
