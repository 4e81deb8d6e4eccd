"""Redis by a name whose look-up takes longer than an attempt to connect may."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from queueserver_manager.store.connection import answered_within, connect
from redis.exceptions import RedisError

from tests.harness.redis import RedisProcess
from tests.harness.wait import bounded

NAME = "redis.example"
Found = list[tuple[Any, ...]]


class SlowNames:
    """A name server that answers only when the test lets it. Knows one name."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answering = threading.Event()
        self.place = "127.0.0.1"
        self._look_up = socket.getaddrinfo

    def look_up(self, host: str, port: int, *, type: int, flags: int = 0) -> Found:  # noqa: A002 - as the library has it
        """In place of ``socket.getaddrinfo``."""
        if flags or host != NAME:
            return self._look_up(host, port, type=type, flags=flags)
        self.asked.append(host)
        assert self.answering.wait(60)
        if not self.place:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return self._look_up(self.place, port, type=type)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlowNames]:
    slow = SlowNames()
    monkeypatch.setattr(socket, "getaddrinfo", slow.look_up)
    yield slow
    slow.answering.set()


@pytest.fixture
def redis_at_port(short_path: Path) -> Iterator[RedisProcess]:
    process = RedisProcess(short_path, tcp=True)
    yield process
    process.close()


async def test_an_answer_that_comes_after_an_attempt_was_given_up_serves_the_next_one(
    redis_at_port: RedisProcess, names: SlowNames
) -> None:
    redis = connect(redis_at_port.url.replace("127.0.0.1", NAME))
    for _ in range(2):
        with pytest.raises(RedisError):
            async with answered_within(0.05):
                await redis.ping()
    waiting = [asyncio.ensure_future(redis.ping()) for _ in range(3)]
    names.answering.set()
    await bounded(asyncio.gather(*waiting))
    assert names.asked == [NAME]
    await redis.connection_pool.disconnect()
    await bounded(redis.ping())
    assert names.asked == [NAME, NAME]
    await redis.aclose()


async def test_a_name_that_is_not_known_is_asked_for_again_and_the_error_says_so(
    redis_at_port: RedisProcess, names: SlowNames
) -> None:
    redis = connect(redis_at_port.url.replace("127.0.0.1", NAME))
    names.place = ""
    names.answering.set()
    with pytest.raises(RedisError, match=rf"connecting to {NAME}:\d+\. Name or service not known"):
        await bounded(redis.ping())
    names.place = "127.0.0.1"
    await bounded(redis.ping())
    await redis.aclose()
