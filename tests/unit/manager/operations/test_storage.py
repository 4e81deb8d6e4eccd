"""What is wrong with Redis: read from its errors, joined with what the process that keeps it running tells."""

from __future__ import annotations

import pytest
from queueserver_manager.domain.storage import Fault, Notice, Storage, StorageState
from queueserver_manager.operations.commit.storage import StorageWatch
from queueserver_manager.store.connection import without_password
from queueserver_manager.store.faults import fault_of, store_down
from redis import exceptions

S = StorageState
IN_SCRIPT = "Error running script (call to f_1): @user_script:22: @user_script: 22: -"
OOM = "command not allowed when used memory > 'maxmemory'"
ERRORS: list[tuple[Exception, StorageState, str]] = [
    (exceptions.OutOfMemoryError(OOM), S.OUT_OF_MEMORY, OOM),
    (exceptions.ResponseError(f"{IN_SCRIPT}OOM {OOM}."), S.OUT_OF_MEMORY, OOM),
    (exceptions.ResponseError(f"{IN_SCRIPT}READONLY You can't write"), S.READ_ONLY, "You can't write"),
    (exceptions.ReadOnlyError("You can't write"), S.READ_ONLY, "You can't write"),
    (exceptions.ResponseError("NOREPLICAS Not enough good replicas"), S.READ_ONLY, "Not enough good replicas"),
    (
        exceptions.ResponseError("MISCONF Errors: No space left on device"),
        S.DISK_FULL,
        "Errors: No space left on device",
    ),
    (exceptions.ResponseError("MISCONF Errors: Disk quota exceeded"), S.DISK_FULL, "Errors: Disk quota exceeded"),
    (exceptions.ResponseError("MISCONF Errors: Input/output error"), S.DISK_ERROR, "Errors: Input/output error"),
    (exceptions.BusyLoadingError("Redis is loading"), S.LOADING, "Redis is loading"),
    (exceptions.AuthenticationError("invalid password"), S.REFUSED, "invalid password"),
    (exceptions.NoPermissionError("no permissions"), S.REFUSED, "no permissions"),
    (exceptions.ConnectionError("refused"), S.UNREACHABLE, "refused"),
    (exceptions.ResponseError("BUSY Redis is busy running a script"), S.UNREACHABLE, "Redis is busy running a script"),
    (exceptions.TimeoutError("no answer"), S.UNREACHABLE, "no answer"),
    (ConnectionResetError("reset"), S.UNREACHABLE, "reset"),
    (exceptions.ResponseError("unknown command"), S.REFUSED, "unknown command"),
]


@pytest.mark.parametrize(("error", "state", "reason"), ERRORS)
def test_an_error_of_redis_tells_what_is_wrong_with_it(error: Exception, state: StorageState, reason: str) -> None:
    assert fault_of(error) == Fault(state, reason)


@pytest.mark.parametrize("error", [error for error, *_ in ERRORS])
def test_only_a_redis_that_takes_no_changes_is_known_to_have_made_none(error: Exception) -> None:
    certain = isinstance(error, exceptions.ResponseError) and fault_of(error).state is not S.REFUSED
    assert store_down(error, fate_known=False).fate_known is certain
    assert store_down(error, fate_known=True).fate_known


class Watched:
    """A watch whose clock counts its looks at it, and how often it told of a change."""

    def __init__(self) -> None:
        self.clock, self.changes = 0.0, 0
        self.watch = StorageWatch("redis://here:1", self._now, self._changed)

    def _now(self) -> float:
        self.clock += 1
        return self.clock

    def _changed(self) -> None:
        self.changes += 1

    @property
    def told(self) -> tuple[StorageState, str, float | None]:
        present = self.watch.present
        return present.state, present.message, present.since


def test_why_redis_does_not_run_is_known_better_by_the_process_that_starts_it() -> None:
    watched = Watched()
    full = Notice(S.DISK_FULL, "Redis can't run, disk full.", 0, 8)
    watched.watch.told(full)
    assert watched.watch.present == Storage(location="redis://here:1", free_bytes=0, needed_bytes=8)
    watched.watch.note(Fault(S.UNREACHABLE, "gone"))
    assert watched.told[:2] == (S.DISK_FULL, full.message)
    watched.watch.told(Notice(S.OK, "", 100, 8))
    assert watched.told[:2] == (S.LOADING, "Redis at redis://here:1 is loading its data: wait until it is done.")
    watched.watch.note(Fault(S.UNREACHABLE, "gone"))
    assert watched.told[:2] == (
        S.UNREACHABLE,
        "Redis at redis://here:1 can't be reached (gone): make sure that it runs and responds.",
    )
    watched.watch.note(None)
    assert watched.told == (S.OK, "", None)


def test_a_disk_that_is_almost_full_is_told_while_all_is_stored_and_since_when() -> None:
    watched = Watched()
    watched.watch.told(Notice(S.SPACE_LOW, "Almost full.", 90, 8))
    assert watched.watch.present.is_up
    since = watched.told[2]
    watched.watch.told(Notice(S.SPACE_LOW, "Almost full.", 80, 8))
    assert watched.told == (S.SPACE_LOW, "Almost full.", since)
    assert (watched.watch.present.free_bytes, watched.changes) == (80, 2)


def test_a_redis_that_is_not_heard_of_is_told_and_that_is_no_fault_for_which_changes_are_refused() -> None:
    watched = Watched()
    watched.watch.heard(Fault(S.UNREACHABLE, "gone"))
    assert watched.told[:2] == (
        S.UNREACHABLE,
        "Redis at redis://here:1 can't be reached (gone): make sure that it runs and responds.",
    )
    assert watched.watch.fault is None
    watched.watch.note(Fault(S.OUT_OF_MEMORY, OOM))
    watched.watch.heard(None)
    assert watched.told[0] is S.OUT_OF_MEMORY
    watched.watch.note(None)
    assert watched.told == (S.OK, "", None)


def test_a_fault_that_is_the_same_is_no_news() -> None:
    watched = Watched()
    for _ in range(3):
        watched.watch.note(Fault(S.OUT_OF_MEMORY, OOM))
    assert watched.changes == 1


@pytest.mark.parametrize(
    "address",
    [
        "redis://:secret@here:1/0",
        "redis://user:secret@here:1",
        "unix:///path?password=secret&db=1",
        "redis://here:1?p%61ssword=secret",
        "redis://:a\nsecret@here:1",
    ],
)
def test_an_address_is_shown_without_its_password(address: str) -> None:
    shown = without_password(address)
    assert "secret" not in shown
    assert "here:1" in shown or "/path" in shown
