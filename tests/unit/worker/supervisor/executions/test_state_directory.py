"""The Worker's directory while its disk takes nothing: what is to be written waits, is tried again, and is told."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from queueserver.common.v1 import storage_pb2
from queueserver.common.v1.storage_pb2 import StorageStatus
from queueserver_worker.supervisor.executions import state_directory
from queueserver_worker.supervisor.executions.state_directory import RESERVED_BYTES, StateDirectory

from tests.harness.full_disk import disk_full_for
from tests.harness.wait import bounded

OK, FULL, ERROR = (
    storage_pb2.STORAGE_STATE_OK,
    storage_pb2.STORAGE_STATE_DISK_FULL,
    storage_pb2.STORAGE_STATE_DISK_ERROR,
)


class Told(StateDirectory):
    """A directory, and what it told."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.news: asyncio.Queue[StorageStatus] = asyncio.Queue()
        self.on_change = self.news.put_nowait

    def states(self) -> list[int]:
        return [self.news.get_nowait().state for _ in range(self.news.qsize())]


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Told]:
    with closing(Told(tmp_path)) as made:
        yield made


@pytest.fixture
def without_reserve(directory: Told) -> Told:
    (directory.path / "reserve").unlink()
    return directory


def no_space(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_while_all_is_well_nothing_is_told(directory: Told) -> None:
    assert directory.write(directory.path / "a.outcome", b"whole")
    assert (directory.path / "a.outcome").read_bytes() == b"whole"
    assert directory.storage == StorageStatus(state=OK, location=str(directory.path))
    assert directory.states() == []


def test_what_a_full_disk_refuses_waits_and_is_written_when_there_is_room(without_reserve: Told) -> None:
    directory, paths = without_reserve, [without_reserve.path / f"{number}.outcome" for number in range(3)]
    with disk_full_for(os.getpid()):
        assert not any(directory.write(path, path.name.encode()) for path in paths)
        assert not directory.try_again()
        told = directory.storage
        assert (told.state, told.location) == (FULL, str(directory.path))
        assert f"The Worker can't write to {directory.path}, disk full (File too large)" in told.message
        assert "is lost if the Worker is killed before" in told.message
        assert told.HasField("free_bytes")
        assert told.needed_bytes > RESERVED_BYTES
        directory.remove(paths[1])
        assert not any(path.exists() for path in paths)
    assert directory.try_again()
    assert [path.read_bytes() if path.exists() else b"" for path in paths] == [b"0.outcome", b"", b"2.outcome"]
    assert directory.states() == [FULL, OK]


def test_one_outcome_has_room_on_a_full_disk(directory: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = directory.path / "1.outcome", directory.path / "2.outcome"
    with monkeypatch.context() as full:
        full.setattr(state_directory, "_write", no_space)
        assert directory.write(first, b"an outcome")
        assert "disk full (No space left on device). What has ended so far is kept." in directory.storage.message
        assert not directory.write(second, b"another")
    assert first.read_bytes() == b"an outcome"
    assert directory.try_again()
    assert second.read_bytes() == b"another"
    assert (directory.path / "reserve").stat().st_size == RESERVED_BYTES
    assert directory.states() == [FULL, FULL, OK]


def test_what_is_larger_than_the_reserve_leaves_it_alone(directory: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_directory, "_write", no_space)
    assert not directory.write(directory.path / "1.task", bytes(RESERVED_BYTES + 1))
    assert directory.write(directory.path / "2.outcome", bytes(RESERVED_BYTES))


def test_a_directory_that_can_not_be_written_is_no_full_disk(without_reserve: Told) -> None:
    (without_reserve.path / "a.part").mkdir()
    assert not without_reserve.write(without_reserve.path / "a.outcome", b"whole")
    assert without_reserve.storage.state == ERROR
    assert "(Is a directory)" in without_reserve.storage.message


async def test_it_is_tried_again_until_it_can_be_written(
    without_reserve: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state_directory, "_FIRST_DELAY", 0.01)
    monkeypatch.setattr(state_directory, "_LONGEST_DELAY", 0.02)
    trying = asyncio.create_task(without_reserve.keep_trying())
    try:
        with disk_full_for(os.getpid()):
            without_reserve.write(without_reserve.path / "a.outcome", b"whole")
            assert (await bounded(without_reserve.news.get())).state == FULL
        assert (await bounded(without_reserve.news.get())).state == OK
        assert (without_reserve.path / "a.outcome").read_bytes() == b"whole"
    finally:
        trying.cancel()


def test_a_worker_starts_on_a_full_disk_with_what_is_kept_there(directory: Told) -> None:
    directory.write(directory.path / "1.outcome", b"kept")
    directory.close()
    with disk_full_for(os.getpid()), closing(StateDirectory(directory.path)) as again:
        assert again.storage.state == FULL
        assert not again.write(again.path / "2.outcome", b"new")


def test_that_there_is_nothing_to_write_does_not_mean_that_it_can_be_written(directory: Told) -> None:
    with disk_full_for(os.getpid()):
        directory.write(directory.path / "1.outcome", b"stored elsewhere soon")
        (directory.path / "reserve").write_bytes(b"")
        directory.remove(directory.path / "1.outcome")
        assert not directory.try_again()
    assert directory.try_again()
    assert directory.states() == [FULL, FULL, OK]
