"""An old Redis with what bluesky-queueserver 0.0.25 wrote, and the command ``qserver-import``."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from queueserver_client import Client

from tests.harness.redis import RedisProcess
from tests.harness.services import COMMANDS
from tests.harness.stack import Stack, running_stack

WRITTEN: Mapping[str, Any] = json.loads((Path(__file__).parent / "written_by_0_0_25.json").read_text(encoding="utf-8"))
KEY = "Annas Schlüssel 7"
COMMAND = COMMANDS / "qserver-import"
Import = Callable[..., "subprocess.CompletedProcess[str]"]


class OldRedis:
    """The Redis of a bluesky-queueserver that was stopped."""

    def __init__(self, process: RedisProcess) -> None:
        self.process = process

    @property
    def url(self) -> str:
        """Where it is."""
        return self.process.url

    def write(self, content: Mapping[str, Any], prefix: str = "qs_default_") -> None:
        """Write keys, whose names begin with ``qs_default_`` in ``content``, under a prefix."""
        with self.process.connect() as redis:
            for name, value in content.items():
                key = prefix + name.removeprefix("qs_default_")
                if isinstance(value, list):
                    redis.rpush(key, *value)
                else:
                    redis.set(key, value)

    def content(self) -> dict[bytes, Any]:
        """Everything that it holds, byte by byte."""
        with self.process.connect() as redis:
            return {key: redis.dump(key) for key in redis.scan_iter()}


@pytest.fixture
def empty_redis(redis_server: RedisProcess) -> OldRedis:
    """A Redis without anything."""
    return OldRedis(redis_server)


@pytest.fixture
def old_redis(empty_redis: OldRedis) -> Iterator[OldRedis]:
    """A Redis with what the old server wrote; no byte of it may be changed."""
    empty_redis.write(WRITTEN)
    before = empty_redis.content()
    yield empty_redis
    assert empty_redis.content() == before


@pytest.fixture
def run_import(empty_redis: OldRedis) -> Import:
    """Runs the command."""

    def run(*words: str, address: str = "127.0.0.1:1", redis: str = "") -> subprocess.CompletedProcess[str]:
        command = [str(COMMAND), "--redis-addr", redis or empty_redis.url, "--address", address, *words]
        return subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=120, env={**os.environ, "QSERVER_CONFIG": ""}
        )

    return run


@pytest.fixture
def target() -> Iterator[Stack]:
    """The server to fill, with the demo's startup code."""
    with running_stack() as running:
        yield running


@pytest.fixture
def client(target: Stack) -> Iterator[Client]:
    """A client of it that has the key."""
    with Client(target.address, lock_key=KEY) as connected:
        yield connected
