"""One Redis for the tests of a module that leave it running; ``redis_server`` is one that may be killed."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import redis as blocking

from tests.harness.redis import RedisProcess
from tests.harness.stack import short_directory
from tests.integration.manager.store.owner import Owner, owner
from tests.integration.manager.store.slow_names import SlowNames


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


@pytest.fixture
def redis_at_port(short_path: Path) -> Iterator[RedisProcess]:
    """One that is reached over TCP, and may be killed."""
    process = RedisProcess(short_path, tcp=True)
    yield process
    process.close()


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlowNames]:
    """The name server of this process."""
    slow = SlowNames()
    monkeypatch.setattr(socket, "getaddrinfo", slow.look_up)
    yield slow
    slow.answering.set()
