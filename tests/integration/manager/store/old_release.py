"""An owner of a release that called its keys after the bare prefix."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest
import redis as blocking
from queueserver_manager.store.connection import connect
from queueserver_manager.store.keys import Keys
from queueserver_manager.store.lease import Lease

from tests.integration.manager.store.owner import Owner

OLD_INSTANCE = "old"


@contextmanager
def old_names() -> Iterator[None]:
    """What is made inside uses the old names for as long as it exists."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("queueserver_manager.store.keys.with_hash_tag", lambda prefix: prefix)
        yield


@asynccontextmanager
async def old_owner(url: str, prefix: str = "") -> AsyncIterator[Owner]:
    """Own a store under the old names (a new one, without a prefix), with two items and a lock order."""
    prefix = prefix or f"old-{secrets.token_hex(6)}"
    redis = connect(url)
    try:
        with old_names():
            lease = Lease(redis, prefix, OLD_INSTANCE, "old:1")
            grant = await lease.acquire()
            assert grant.epoch
            owning = Owner(redis, prefix, grant.epoch)
        try:
            owning.record = await owning.store.load()
            await owning.put("first", "second")
            yield owning
        finally:
            await owning.store.close()
    finally:
        await redis.aclose()


def old_keys(prefix: str) -> Keys:
    return Keys(prefix, tagged=False)


def end_old_lease(client: blocking.Redis, prefix: str) -> None:
    """As it ends by itself when the owner was killed or hangs."""
    client.delete(old_keys(prefix).lease)
