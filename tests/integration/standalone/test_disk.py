"""The disk of the embedded Redis: one that can't be written or does not answer is told of, and holds nothing up."""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest
from queueserver_standalone.embedded_redis import disk
from queueserver_standalone.embedded_redis.disk import Disk, DiskError, DiskState, megabytes

from tests.harness.full_disk import disk_full_for
from tests.harness.wait import bounded


def files_in(directory: Path) -> list[Path]:
    return list(directory.iterdir())


async def test_a_disk_with_room_is_fine_and_nothing_is_left_on_it(tmp_path: Path) -> None:
    await bounded(Disk(tmp_path).require_room())
    assert await bounded(Disk(tmp_path).free()) > disk.NEEDED_BYTES
    assert files_in(tmp_path) == []


async def test_a_limit_is_told_of_as_a_full_disk_though_there_is_room(tmp_path: Path) -> None:
    with (
        disk_full_for(os.getpid()),
        pytest.raises(DiskError, match=r"disk full: 8\.0 MB or more are needed .*although") as caught,
    ):
        await bounded(Disk(tmp_path).require_room())
    assert caught.value.state is DiskState.DISK_FULL
    assert files_in(tmp_path) == []


async def test_a_full_disk_says_how_much_is_free_and_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 9, 1024 * 1024))  # type: ignore[attr-defined]
    with disk_full_for(os.getpid()), pytest.raises(DiskError, match=r"disk full: 1\.0 MB .*, and 8\.0 MB") as caught:
        await bounded(Disk(tmp_path).require_room())
    assert caught.value.free == 1024 * 1024


async def test_a_directory_that_can_not_be_written_is_no_full_disk(tmp_path: Path) -> None:
    with pytest.raises(DiskError, match="No such file or directory") as caught:
        await bounded(Disk(tmp_path / "gone").require_room())
    assert (caught.value.state, caught.value.free) == (DiskState.DISK_ERROR, None)


async def test_a_disk_that_does_not_answer_is_asked_once_until_it_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers, asked = threading.Event(), []

    def hanging(_: Any) -> Any:
        asked.append(threading.current_thread())
        answers.wait(30)
        return real(tmp_path)

    real = shutil.disk_usage
    monkeypatch.setattr(shutil, "disk_usage", hanging)
    monkeypatch.setattr(disk, "_ANSWER_SECONDS", 0.05)
    watched = Disk(tmp_path)
    for _ in range(3):
        with pytest.raises(DiskError, match="does not respond"):
            await bounded(watched.free())
    assert len(asked) == 1
    answers.set()
    asked[0].join(30)
    monkeypatch.setattr(disk, "_ANSWER_SECONDS", 30.0)
    assert await bounded(watched.free()) > 0


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0.0 MB"), (8 * 1024**2, "8.0 MB"), (99 * 1024**2, "99.0 MB"), (5 * 1024**3, "5120 MB")]
)
def test_a_number_of_bytes_is_told_in_megabytes(number: int, text: str) -> None:
    assert megabytes(number) == text
