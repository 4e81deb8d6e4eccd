"""Every change of the lock as a line."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from queueserver_cli.words.event_words import event_name, event_words
from queueserver_cli.words.lock_words import change_words
from queueserver_client import LockChange, LockChanged, LockInfo, LockRequest

NOON = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
FREE = LockInfo()
HELD = LockInfo(environment=True, user="jane", note="in the hutch", time=NOON)
ASKED = LockRequest("u", True, True, "jim", "please", NOON, None, NOON)


def words(
    change: LockChange, lock: LockInfo, *, by: str = "", note: str = "", request: LockRequest | None = None
) -> str:
    event = LockChanged(1, NOON, change, lock, None, by, note, request)
    assert event_name(event) == "lock_changed"
    return change_words(event)


@pytest.mark.parametrize(
    ("change", "lock", "line"),
    [
        (LockChange.ACQUIRED, HELD, "environment locked by jane: in the hutch"),
        (LockChange.RELEASED, FREE, "unlocked by bob"),
        (LockChange.RELEASED_BY_EMERGENCY_KEY, FREE, "unlocked by bob with the emergency key"),
        (LockChange.EXPIRED, FREE, "unlocked: the lease of the lock has ended"),
        (LockChange.CLEARED, FREE, "unlocked with qserver-clear-lock"),
        (LockChange.TAKEN_OVER, HELD, "environment locked by jane, who had asked for it: in the hutch"),
        (LockChange.UNSPECIFIED, HELD, "lock changed: environment locked by jane"),
        (LockChange.UNSPECIFIED, FREE, "lock changed: nothing is locked"),
    ],
)
def test_a_change_of_the_lock_is_told_with_who_did_it(change: LockChange, lock: LockInfo, line: str) -> None:
    assert words(change, lock, by="bob") == line


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            LockChange.REQUESTED,
            (
                "jim asks for the lock of environment and queue: please. "
                "Answer: qserver lock grant, or qserver lock refuse"
            ),
        ),
        (LockChange.REQUEST_REFUSED, "the request of jim for the lock was refused: later"),
        (LockChange.REQUEST_WITHDRAWN, "the request of jim for the lock was withdrawn: later"),
        (LockChange.REQUEST_EXPIRED, "the request of jim for the lock has ended: it was not answered: later"),
    ],
)
def test_what_becomes_of_a_request_is_told(change: LockChange, line: str) -> None:
    assert words(change, HELD, note="later", request=ASKED) == line


def test_a_renewal_is_no_news() -> None:
    assert event_words(LockChanged(1, NOON, LockChange.RENEWED, HELD, None, "jane", "", None)) is None


@pytest.mark.parametrize("change", list(LockChange))
def test_every_change_has_words_without_gaps(change: LockChange) -> None:
    assert "{" not in words(change, HELD, by="bob", request=ASKED)
