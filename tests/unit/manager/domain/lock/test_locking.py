"""Who may set, renew, release and clear the lock, and to whom it goes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from queueserver_manager.domain.changes import Decision, SetLock, SettleClearOrder
from queueserver_manager.domain.events import LockChange, LockChanged
from queueserver_manager.domain.lock import locking
from queueserver_manager.domain.lock.lock import (
    Claim,
    Guard,
    KeyDigest,
    Lock,
    LockKey,
    LockRequest,
    key_from,
)
from queueserver_manager.domain.lock.lock_errors import (
    Locked,
    LockKeyInvalid,
    LockRequestNotFound,
    LockRequestWaits,
    NotLocked,
)
from queueserver_manager.domain.lock.locking import Answer, ClearOrder, Identity, LockStanding
from queueserver_manager.domain.record import Record
from queueserver_manager.domain.refusals.errors import FieldInvalid, Refused

ANNA, BOB, EMERGENCY = LockKey("annas key"), LockKey("bobs key"), LockKey("emergency key")
SALT, NOW = b"s" * 16, 1000.0
HUTCH = Claim(environment=True, queue=False, user="anna", note="in the hutch", time=NOW)
LEASED = replace(HUTCH, lease=60.0)
ALIGN = Claim(environment=False, queue=True, user="bob", note="alignment", time=NOW + 1, lease=30.0)


def record_with(lock: Lock | None = None, emergency: LockKey | None = None) -> Record:
    return Record(lock=lock, emergency_key=emergency.digest(SALT) if emergency else None)


def apply(record: Record, decision: Decision[LockStanding]) -> LockChange | None:
    """Make the changes; answers what happened."""
    for change in decision.changes:
        record.apply(change)
    assert bool(decision.events) == any(isinstance(change, SetLock) for change in decision.changes)
    for event in decision.events:
        assert isinstance(event, LockChanged)
        assert event.lock == (record.lock.told() if record.lock is not None else None)
        return event.change
    return None


def held(claim: Claim = HUTCH, emergency: LockKey | None = None) -> Record:
    """Anna holds the lock."""
    record = record_with(emergency=emergency)
    assert apply(record, locking.acquire(record, claim, ANNA, Identity("held", SALT))) is LockChange.ACQUIRED
    return record


def asked(claim: Claim = HUTCH, emergency: LockKey | None = None) -> Record:
    """Anna holds the lock and Bob asks for it, until 100 s later."""
    record = held(claim, emergency)
    assert apply(record, locking.ask(record, ALIGN, BOB, Identity("asked", SALT), 100.0)) is LockChange.REQUESTED
    return record


def lock_of(record: Record) -> Lock:
    assert record.lock is not None
    return record.lock


def request_of(record: Record) -> LockRequest:
    request = lock_of(record).request
    assert request is not None
    return request


def test_a_key_fits_itself_however_its_letters_are_composed_and_no_other() -> None:
    kept = LockKey("schl\u00fcssel").digest(SALT)
    assert LockKey("schlu\u0308ssel").fits(kept)
    assert not LockKey("schlussel").fits(kept)
    assert not LockKey("").fits(kept)
    assert not LockKey("any").fits(None)
    assert LockKey("x").digest(b"1" * 16) != LockKey("x").digest(b"2" * 16)


@pytest.mark.parametrize("text", ["", "x" * 129])
def test_a_key_has_at_least_one_character_and_at_most_128(text: str) -> None:
    with pytest.raises(FieldInvalid):
        key_from(text)
    assert key_from("x" * 128).text == "x" * 128
    assert key_from("e\u0301" * 128).fits(LockKey("\u00e9" * 128).digest(SALT))
    with pytest.raises(FieldInvalid):
        key_from("e\u0301" * 129)


def test_nothing_that_shows_itself_has_a_key() -> None:
    record = asked()
    decision = locking.release(record, ANNA, "anna", NOW)
    shown = repr([record.lock, decision, ANNA, record.emergency_key, Guard(True, True, ANNA)])
    assert "annas key" not in shown
    lock = lock_of(record)
    assert lock.key is not None
    assert lock.key.digest.hex() not in shown
    assert repr(lock.key.digest) not in shown
    told = lock.told()
    assert (told.key, told.request.key if told.request else lock.key) == (None, None)


@pytest.mark.parametrize(
    ("environment", "queue", "passes"),
    [
        (False, False, [True, True, True]),
        (True, False, [False, True, False]),
        (False, True, [True, False, False]),
        (True, True, [False, False, False]),
    ],
)
def test_a_guard_lets_pass_what_is_not_locked_and_who_has_the_key(
    environment: bool, queue: bool, passes: list[bool]
) -> None:
    lock = Lock("uid", replace(HUTCH, environment=environment, queue=queue), key=ANNA.digest(SALT))
    guards = [(True, False), (False, True), (True, True)]
    assert [Guard(*parts).lets_pass(lock) for parts in guards] == passes
    assert [Guard(*parts, BOB).lets_pass(lock) for parts in guards] == passes
    assert all(Guard(*parts, ANNA).lets_pass(lock) for parts in guards)
    assert all(Guard(*parts).lets_pass(None) for parts in guards)


def test_the_same_key_replaces_everything_but_who_asks_and_stays_the_key() -> None:
    record = asked(LEASED)
    before = lock_of(record)
    claim = Claim(environment=False, queue=True, user="eve", note="", time=NOW + 5)
    assert apply(record, locking.acquire(record, claim, ANNA, Identity("new", b"n" * 16))) is LockChange.ACQUIRED
    assert lock_of(record) == replace(before, claim=claim, lease_end=0.0)
    assert lock_of(record).request is before.request


def test_another_key_is_refused_also_the_emergency_key() -> None:
    record = held(emergency=EMERGENCY)
    for key in (BOB, EMERGENCY):
        with pytest.raises(Locked) as refusal:
            locking.acquire(record, ALIGN, key, Identity("new", SALT))
        assert (refusal.value.lock.claim, refusal.value.lock.key) == (HUTCH, None)
        assert "Emergency lock key:    set\n" in refusal.value.message


def test_who_releases_gives_the_lock_to_who_asks_for_it() -> None:
    record = held()
    assert apply(record, locking.release(record, ANNA, "anna", NOW)) is LockChange.RELEASED
    assert record.lock is None
    record = asked()
    assert apply(record, locking.release(record, ANNA, "anna", NOW + 7)) is LockChange.TAKEN_OVER
    lock = lock_of(record)
    assert lock.claim == replace(ALIGN, time=NOW + 7)
    assert (lock.uid, lock.lease_end, lock.request) == ("asked", NOW + 37, None)
    assert BOB.fits(lock.key)
    assert not ANNA.fits(lock.key)


def test_the_emergency_key_releases_and_ends_the_request_too() -> None:
    record = asked(emergency=EMERGENCY)
    decision = locking.release(record, EMERGENCY, "staff", NOW)
    assert apply(record, decision) is LockChange.RELEASED_BY_EMERGENCY_KEY
    assert record.lock is None
    (event,) = decision.events
    assert isinstance(event, LockChanged)
    assert (event.user, event.request.uid if event.request else "") == ("staff", "asked")
    assert apply(record, locking.release(record, BOB, "bob", NOW)) is None


def test_a_lease_is_renewed_for_its_length_and_a_lock_without_one_stays_as_it_is() -> None:
    record = held(LEASED)
    assert lock_of(record).lease_end == NOW + 60
    assert apply(record, locking.renew(record, ANNA, "anna", NOW + 50)) is LockChange.RENEWED
    assert lock_of(record).lease_end == NOW + 110
    record = held()
    assert apply(record, locking.renew(record, ANNA, "anna", NOW + 50)) is None


def test_one_request_waits_at_a_time_and_who_made_it_may_make_it_again() -> None:
    record = asked()
    with pytest.raises(LockRequestWaits, match="bob has already asked for the lock"):
        locking.ask(record, HUTCH, LockKey("eves key"), Identity("third", SALT), 100.0)
    again = replace(ALIGN, note="still", time=NOW + 9)
    decision = locking.ask(record, again, BOB, Identity("again", SALT), 50.0)
    assert apply(record, decision) is LockChange.REQUESTED
    request = lock_of(record).request
    assert request is not None
    assert (request.uid, request.claim, request.end) == ("again", again, NOW + 59)
    assert not decision.result.granted


@pytest.mark.parametrize("record", [record_with(), held()], ids=["unlocked", "own"])
def test_who_asks_and_nobody_else_holds_it_has_it_at_once(record: Record) -> None:
    decision = locking.ask(record, ALIGN, ANNA, Identity("new", SALT), 100.0)
    assert apply(record, decision) is LockChange.ACQUIRED
    assert decision.result.granted
    assert lock_of(record).claim == ALIGN


def test_the_holder_grants_or_refuses_the_request_that_he_means() -> None:
    record = asked()
    decision = locking.answer(record, ANNA, Answer(False, "not now", "asked"), "anna", NOW)
    assert apply(record, decision) is LockChange.REQUEST_REFUSED
    (event,) = decision.events
    assert isinstance(event, LockChanged)
    assert (event.answer_note, event.request.claim.user if event.request else "") == ("not now", "bob")
    assert (lock_of(record).claim, lock_of(record).request) == (HUTCH, None)
    record = asked()
    assert apply(record, locking.answer(record, ANNA, Answer(True, ""), "anna", NOW)) is LockChange.TAKEN_OVER
    assert lock_of(record).claim.user == "bob"


def test_a_request_is_withdrawn_with_its_own_key() -> None:
    record = asked()
    with pytest.raises(LockKeyInvalid):
        locking.withdraw(record, ANNA, "anna")
    assert apply(record, locking.withdraw(record, BOB, "bob")) is LockChange.REQUEST_WITHDRAWN
    assert lock_of(record).request is None


REFUSALS: list[tuple[Record, Callable[[Record], Any], type[Refused]]] = [
    (held(), lambda r: locking.release(r, BOB, "bob", NOW), LockKeyInvalid),
    (held(), lambda r: locking.renew(r, BOB, "bob", NOW), LockKeyInvalid),
    (record_with(), lambda r: locking.renew(r, BOB, "bob", NOW), NotLocked),
    (held(emergency=EMERGENCY), lambda r: locking.renew(r, EMERGENCY, "bob", NOW), LockKeyInvalid),
    (asked(), lambda r: locking.answer(r, BOB, Answer(True, ""), "bob", NOW), LockKeyInvalid),
    (asked(), lambda r: locking.answer(r, ANNA, Answer(True, "", "other"), "anna", NOW), LockRequestNotFound),
    (held(), lambda r: locking.answer(r, ANNA, Answer(True, ""), "anna", NOW), LockRequestNotFound),
    (record_with(), lambda r: locking.answer(r, ANNA, Answer(True, ""), "anna", NOW), LockRequestNotFound),
    (held(), lambda r: locking.withdraw(r, BOB, "bob"), LockRequestNotFound),
    (record_with(), lambda r: locking.withdraw(r, BOB, "bob"), LockRequestNotFound),
]


@pytest.mark.parametrize(("record", "decide", "kind"), REFUSALS)
def test_who_has_not_the_key_or_means_what_is_not_there_is_refused(
    record: Record, decide: Callable[[Record], Any], kind: type[Refused]
) -> None:
    with pytest.raises(kind):
        decide(record)


def test_when_the_lease_ends_the_lock_goes_to_who_asks_or_is_released() -> None:
    record = held(LEASED)
    assert apply(record, locking.end_lease(record, lock_of(record), NOW + 60)) is LockChange.EXPIRED
    assert record.lock is None
    record = asked(LEASED)
    decision = locking.end_lease(record, lock_of(record), NOW + 60)
    assert apply(record, decision) is LockChange.TAKEN_OVER
    assert lock_of(record).claim.user == "bob"
    assert [getattr(event, "user", None) for event in decision.events] == [""]


def test_a_request_that_has_waited_long_enough_ends_and_the_lock_stays() -> None:
    record = asked()
    assert apply(record, locking.end_waiting(record, request_of(record))) is LockChange.REQUEST_EXPIRED
    assert (lock_of(record).claim, lock_of(record).request) == (HUTCH, None)


def test_nothing_ends_that_was_changed_meanwhile() -> None:
    record = held(LEASED)
    before = lock_of(record)
    apply(record, locking.renew(record, ANNA, "anna", NOW + 59.9))
    assert apply(record, locking.end_lease(record, before, NOW + 60)) is None
    assert record.lock is not None


@pytest.mark.parametrize(
    ("lease_end", "extended"), [(NOW - 500, NOW + 30), (NOW + 29, NOW + 30), (NOW + 30, None), (0.0, None)]
)
def test_who_could_not_renew_has_half_a_minute(lease_end: float, extended: float | None) -> None:
    record = held(LEASED)
    record.lock = replace(lock_of(record), lease_end=lease_end)
    assert apply(record, locking.give_time(record, NOW)) is (LockChange.EXTENDED if extended else None)
    assert lock_of(record).lease_end == (extended or lease_end)


@pytest.mark.parametrize(
    ("record", "cleared"), [(asked(), True), (held(), True), (record_with(), False)], ids=["asked", "held", "unlocked"]
)
def test_an_order_clears_the_lock_that_it_means_and_is_settled(record: Record, cleared: bool) -> None:
    decision = locking.clear(record, ClearOrder("1-0", "held"))
    assert [change for change in decision.changes if isinstance(change, SettleClearOrder)] == [
        SettleClearOrder("1-0", cleared)
    ]
    assert apply(record, decision) is (LockChange.CLEARED if cleared else None)
    assert record.lock is None


def test_an_order_that_means_another_lock_clears_nothing() -> None:
    record = held()
    decision = locking.clear(record, ClearOrder("1-0", "another"))
    assert list(decision.changes) == [SettleClearOrder("1-0", cleared=False)]
    assert lock_of(record).claim == HUTCH


def test_only_changes_of_the_lock_change_its_marker() -> None:
    before = Record().revisions
    kept: Sequence[Any] = [SettleClearOrder("1-0", cleared=False)]
    assert before.after(5, kept).lock == 0
    after = before.after(6, [SetLock(Lock("uid", HUTCH, key=KeyDigest(SALT, b"d")))])
    assert (after.lock, after.queue, after.last) == (6, 0, 6)
