"""What the supervisor tells the Manager about Redis, read as the Manager reads it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from queueserver_manager.domain.storage import Notice, StorageState
from queueserver_manager.store.redis_report import notice_of
from queueserver_standalone.embedded_redis.disk import NEEDED_BYTES, DiskError, DiskState
from queueserver_standalone.embedded_redis.redis_report import RedisReport
from queueserver_standalone.errors import StandaloneError

MB = 1024 * 1024


class Heard:
    """A report, and what was told since the last look."""

    def __init__(self, warn_below: int) -> None:
        self.report = RedisReport(Path("/data/redis"), warn_below)
        self._pipe = self.report.open()
        os.set_blocking(self._pipe, False)

    def news(self) -> list[Notice]:
        try:
            return [notice_of(line) for line in os.read(self._pipe, 65536).splitlines()]
        except BlockingIOError:
            return []

    def close(self) -> None:
        self.report.close()
        os.close(self._pipe)


@pytest.fixture
def heard() -> Iterator[Heard]:
    made = Heard(warn_below=100 * MB)
    yield made
    made.close()


def test_how_it_is_is_told_at_once_and_then_what_is_news(heard: Heard) -> None:
    assert heard.news() == [Notice(StorageState.OK, "", None, NEEDED_BYTES)]
    heard.report.runs()
    assert heard.news() == []
    heard.report.room(1000 * MB)
    heard.report.room(990 * MB)
    assert heard.news() == [Notice(StorageState.OK, "", 1000 * MB, NEEDED_BYTES)]
    heard.report.room(800 * MB)
    assert [notice.free_bytes for notice in heard.news()] == [800 * MB]


def test_a_disk_that_is_almost_full_is_told_of_until_there_is_clearly_more_room(heard: Heard) -> None:
    heard.news()
    for free in (101, 99, 101, 99, 120):
        heard.report.room(free * MB)
    states = [notice.state for notice in heard.news()]
    assert states == [StorageState.OK, StorageState.SPACE_LOW, StorageState.OK]


def test_a_disk_that_keeps_redis_from_starting_is_told_of_until_redis_runs(heard: Heard) -> None:
    heard.news()
    full = DiskError("Redis can't run, disk full: make room.", DiskState.DISK_FULL, 0)
    for _ in range(3):
        heard.report.does_not_start(full)
    assert heard.news() == [Notice(StorageState.DISK_FULL, str(full), 0, NEEDED_BYTES)]
    heard.report.room(50 * MB)
    assert [notice.state for notice in heard.news()] == [StorageState.DISK_FULL]
    heard.report.runs()
    (notice,) = heard.news()
    assert notice.state is StorageState.SPACE_LOW
    assert "almost full: 50.0 MB are free for /data/redis" in notice.message


def test_whatever_keeps_redis_from_starting_is_told_in_its_sentence(heard: Heard) -> None:
    heard.news()
    heard.report.does_not_start(StandaloneError("Redis could not start (Bad file format)."))
    (notice,) = heard.news()
    assert (notice.state, notice.message) == (StorageState.NOT_STARTING, "Redis could not start (Bad file format).")


def test_a_manager_that_reads_nothing_or_is_gone_holds_nobody_up(heard: Heard) -> None:
    for number in range(2000):
        heard.report.does_not_start(StandaloneError(f"Redis could not start ({number}, {'x' * 900})."))
    again = heard.report.open()
    os.close(again)
    heard.report.runs()


def test_without_a_bound_nothing_is_warned_of() -> None:
    heard = Heard(warn_below=0)
    heard.report.room(0)
    assert [notice.state for notice in heard.news()] == [StorageState.OK, StorageState.OK]
    heard.close()
