"""One Redis for the tests of a module that leave it running; ``redis_server`` is one that may be killed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import redis as blocking

from tests.harness.redis import RedisProcess
from tests.harness.stack import short_directory
from tests.integration.manager.store.owner import Owner, owner


@pytest.fixture(scope="module")
def shared_redis() -> Iterator[RedisProcess]:
    with short_directory() as directory:
        redis = RedisProcess(directory)
        try:
            yield redis
        finally:
            redis.close()


@pytest.fixture
def client(shared_redis: RedisProcess) -> Iterator[blocking.Redis]:
    """A client of ``shared_redis`` that shows what is stored."""
    with shared_redis.connect() as connected:
        yield connected


@pytest.fixture
async def new(shared_redis: RedisProcess) -> AsyncIterator[Owner]:
    """The owner of a new, empty store in ``shared_redis``."""
    async with owner(shared_redis.url) as owning:
        yield owning
