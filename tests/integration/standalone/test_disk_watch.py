"""A disk with too little room for a second log: Redis is told not to write one, until there is more."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from queueserver_standalone.embedded_redis.disk import NEEDED_BYTES, Disk
from queueserver_standalone.embedded_redis.disk_watch import DiskWatch
from queueserver_standalone.embedded_redis.redis_report import RedisReport

from tests.harness.redis import RedisProcess
from tests.harness.wait import bounded


def percentage(redis_server: RedisProcess) -> str:
    with redis_server.connect() as store:
        return str(store.config_get("auto-aof-rewrite-percentage")["auto-aof-rewrite-percentage"])


async def test_redis_writes_its_log_anew_only_where_both_have_room(
    redis_server: RedisProcess, short_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    watch = DiskWatch(Disk(short_path), RedisReport(short_path, 0), short_path / "redis.sock")
    await bounded(watch.look())
    assert percentage(redis_server) == "100"
    with monkeypatch.context() as small:
        small.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 9, NEEDED_BYTES))  # type: ignore[attr-defined]
        await bounded(watch.look())
        assert percentage(redis_server) == "0"
        redis_server.kill()
        await bounded(watch.look())
        redis_server.start()
        await bounded(watch.look())
        assert percentage(redis_server) == "0"
    await bounded(watch.look())
    assert percentage(redis_server) == "100"
    assert sum("is not written anew" in message for message in caplog.messages) == 1
