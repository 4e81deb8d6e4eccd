"""The lock: who may lock and release, what is locked then, and what is told of it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from queueserver.common.v1 import item_pb2
from queueserver.manager.v1 import environment_service_pb2 as env
from queueserver.manager.v1 import error_details_pb2, event_pb2, event_service_pb2, queue_items_pb2, status_service_pb2
from queueserver.manager.v1 import lock_pb2 as lock
from queueserver.manager.v1 import lock_service_pb2 as pb
from queueserver_client import AsyncClient

from tests.harness.raw import Refused, Stubs, refused
from tests.harness.wait import bounded

ANNA, BOB = "annas key", "bobs key"
ITEM = item_pb2.ItemSpec(name="one_run")
SINCE = r"\d\d/\d\d/\d{4} \d\d:\d\d:\d\d"


@pytest.fixture
async def locks(raw: Stubs, shared_client: AsyncClient) -> AsyncIterator[Any]:
    """LockService of an idle server; whatever a test locks with these keys is released in the end."""
    del shared_client
    yield raw.lock
    for key in (ANNA, BOB):
        await raw.lock.ReleaseLock(pb.ReleaseLockRequest(lock_key=key))


def as_user(name: str, **metadata: str) -> dict[str, Any]:
    return {"metadata": (("qserver-user", name), *((key.replace("_", "-"), value) for key, value in metadata.items()))}


async def status_of(raw: Stubs) -> Any:
    return (await raw.status.GetStatus(status_service_pb2.GetStatusRequest())).status


def assert_held(refusal: Refused, reason: str, *, queue: bool, note: str = "in the hutch") -> None:
    """A refusal names the holder in the words that people know, and in its detail; a way out is beside it."""
    code = grpc.StatusCode.FAILED_PRECONDITION if reason == "LOCKED" else grpc.StatusCode.PERMISSION_DENIED
    assert (refusal.code, refusal.reason) == (code, reason)
    assert re.fullmatch(
        "Invalid lock key: \n"
        f"RE Manager is locked by anna at {SINCE}\n"
        f"Environment is locked: {not queue}\n"
        f"Queue is locked:       {queue}\n"
        "Emergency lock key:    not set\n"
        f"Note: {note or '---'}",
        refusal.message,
    )
    held = refusal.detail(error_details_pb2.LockHeld)
    assert (held.environment, held.queue, held.user, held.note) == (not queue, queue, "anna", note)
    assert (held.time.seconds > 0, held.HasField("lease_end_time")) == (True, False)
    assert ANNA not in str(refusal)


async def test_nothing_is_locked_until_somebody_locks(raw: Stubs, locks: Any) -> None:
    got = await locks.GetLock(pb.GetLockRequest())
    assert got.lock_info == lock.LockInfo()
    status = await status_of(raw)
    assert (status.lock_info, status.lock_info_uid) == (lock.LockInfo(), got.lock_info_uid)
    assert len(got.lock_info_uid) == 36


async def test_who_locks_is_shown_to_everybody_with_the_note_and_never_the_key(raw: Stubs, locks: Any) -> None:
    before = (await locks.GetLock(pb.GetLockRequest())).lock_info_uid
    request = pb.AcquireLockRequest(environment=True, note="in the hutch", lock_key=ANNA)
    acquired = await locks.AcquireLock(request, **as_user("anna"))
    info = acquired.lock_info
    assert (info.environment, info.queue, info.user, info.note) == (True, False, "anna", "in the hutch")
    assert acquired.lock_info_uid != before
    status = await status_of(raw)
    assert (status.lock_info, status.lock_info_uid) == (info, acquired.lock_info_uid)
    assert status.revision == acquired.revision
    got = await locks.GetLock(pb.GetLockRequest())
    assert (got.lock_info, got.HasField("key_fits"), got.message) == (info, False, "")
    assert ANNA not in str(acquired) + str(got)


async def test_a_note_has_the_spaces_and_joiners_of_every_language(locks: Any) -> None:
    note = "ne pas toucher\u00a0!\u3000\u8a66\u9a13 \U0001f469\u200d\U0001f52c"
    assert (await locks.AcquireLock(pb.AcquireLockRequest(queue=True, note=note, lock_key=ANNA))).lock_info.note == note


async def test_get_lock_says_whether_a_key_fits_and_what_a_refusal_would_say(locks: Any) -> None:
    unlocked = await locks.GetLock(pb.GetLockRequest(lock_key="any"))
    assert (unlocked.key_fits, unlocked.message) == (True, "")
    await locks.AcquireLock(pb.AcquireLockRequest(environment=True, lock_key=ANNA), **as_user("anna"))
    right = await locks.GetLock(pb.GetLockRequest(lock_key=ANNA))
    assert (right.key_fits, right.message) == (True, "")
    wrong = await locks.GetLock(pb.GetLockRequest(), **as_user("bob", x_lock_key="someinvalidkey"))
    assert wrong.HasField("key_fits")
    assert not wrong.key_fits
    assert wrong.lock_info.user == "anna"
    assert wrong.message.startswith("Invalid lock key: \nRE Manager is locked by anna at ")
    assert wrong.message.endswith("\nNote: ---")


async def test_the_same_key_replaces_everything_and_another_one_is_refused(locks: Any) -> None:
    first = pb.AcquireLockRequest(environment=True, note="in the hutch", lock_key=ANNA)
    before = await locks.AcquireLock(first, **as_user("anna"))
    again = pb.AcquireLockRequest(queue=True, lock_key=ANNA)
    refusal = await refused(locks.AcquireLock(pb.AcquireLockRequest(queue=True, lock_key=BOB), **as_user("bob")))
    assert_held(refusal, "LOCKED", queue=False)
    after = await locks.AcquireLock(again, **as_user("anna"))
    info = after.lock_info
    assert (info.environment, info.queue, info.note, info.user) == (False, True, "", "anna")
    assert after.lock_info_uid != before.lock_info_uid


async def test_a_lock_is_released_with_its_key_alone_and_then_nothing_is_left_of_it(raw: Stubs, locks: Any) -> None:
    acquired = await locks.AcquireLock(
        pb.AcquireLockRequest(queue=True, note="in the hutch", lock_key=ANNA), **as_user("anna")
    )
    refusal = await refused(locks.ReleaseLock(pb.ReleaseLockRequest(lock_key=BOB)))
    assert_held(refusal, "LOCK_KEY_INVALID", queue=True)
    assert (await status_of(raw)).lock_info_uid == acquired.lock_info_uid
    released = await locks.ReleaseLock(pb.ReleaseLockRequest(lock_key=ANNA))
    assert released.lock_info == lock.LockInfo()
    again = await locks.ReleaseLock(pb.ReleaseLockRequest(lock_key="any"))
    assert (again.lock_info, again.lock_info_uid) == (lock.LockInfo(), released.lock_info_uid)
    assert again.revision == released.revision


async def test_what_is_locked_needs_the_key_in_the_request_or_beside_it(raw: Stubs, locks: Any) -> None:
    await locks.AcquireLock(pb.AcquireLockRequest(queue=True, note="in the hutch", lock_key=ANNA), **as_user("anna"))
    add, revision = raw.queue.AddItem, (await status_of(raw)).revision
    for key in ("", BOB):
        refusal = await refused(add(queue_items_pb2.AddItemRequest(item=ITEM, lock_key=key)))
        assert_held(refusal, "LOCKED", queue=True)
    assert (await status_of(raw)).revision == revision
    await add(queue_items_pb2.AddItemRequest(item=ITEM, lock_key=ANNA))
    await add(queue_items_pb2.AddItemRequest(item=ITEM), **as_user("anna", x_lock_key=ANNA))
    binary = {"metadata": (("x-lock-key-bin", ANNA.encode()), ("x-lock-key", BOB))}
    await add(queue_items_pb2.AddItemRequest(item=ITEM), **binary)
    assert (await status_of(raw)).items_in_queue == 3
    # The environment is not locked: no key is needed, and none is looked at.
    await raw.environment.CloseEnvironment(env.CloseEnvironmentRequest(lock_key="any"))
    await until_closed(raw)
    await raw.environment.OpenEnvironment(env.OpenEnvironmentRequest())


async def until_closed(raw: Stubs) -> None:
    async def look() -> None:
        async for _ in raw.environment.WaitEnvironment(env.WaitEnvironmentRequest()):
            pass

    await bounded(look())


@pytest.mark.parametrize(
    ("request_", "metadata", "field"),
    [
        (pb.AcquireLockRequest(environment=True), {}, "lock_key"),
        (pb.AcquireLockRequest(lock_key=ANNA), {}, "environment"),
        (pb.AcquireLockRequest(environment=True, lock_key="x" * 129), {}, "lock_key"),
        (pb.AcquireLockRequest(environment=True, lock_key=ANNA), {"x_lock_key": BOB}, "lock_key"),
        (pb.AcquireLockRequest(environment=True), {"x_lock_key": "x" * 129}, "x-lock-key"),
        (pb.AcquireLockRequest(environment=True, lock_key=ANNA, note="\x1b[2J"), {}, "note"),
        (pb.AcquireLockRequest(environment=True, lock_key=ANNA, note="x" * 1001), {}, "note"),
        (pb.AcquireLockRequest(environment=True, lock_key=ANNA, lease={"seconds": 4}), {}, "lease"),
        (pb.AcquireLockRequest(environment=True, lock_key=ANNA, lease={"seconds": 86401}), {}, "lease"),
        (pb.AcquireLockRequest(environment=True, lock_key=ANNA, lease={"nanos": -1}), {}, "lease"),
    ],
)
async def test_what_is_wrong_with_a_lock_is_said_of_its_field_and_nothing_is_locked(
    locks: Any, request_: pb.AcquireLockRequest, metadata: dict[str, str], field: str
) -> None:
    refusal = await refused(locks.AcquireLock(request_, **as_user("anna", **metadata)))
    assert (refusal.reason, set(refusal.violations)) == ("FIELD_INVALID", {field})
    assert (await locks.GetLock(pb.GetLockRequest())).lock_info == lock.LockInfo()


async def test_a_request_that_was_answered_gets_its_answer_again_whatever_is_locked(raw: Stubs, locks: Any) -> None:
    request = queue_items_pb2.AddItemRequest(item=ITEM, request_id="before-the-lock")
    added = await raw.queue.AddItem(request)
    await locks.AcquireLock(pb.AcquireLockRequest(queue=True, lock_key=ANNA), **as_user("anna"))
    assert await raw.queue.AddItem(request) == added
    request.lock_key = "another"
    assert await raw.queue.AddItem(request) == added
    assert (await status_of(raw)).items_in_queue == 1


async def test_a_request_to_lock_is_another_one_with_another_key(locks: Any) -> None:
    request = pb.AcquireLockRequest(environment=True, lock_key=ANNA, request_id="one-lock")
    first = await locks.AcquireLock(request)
    await locks.ReleaseLock(pb.ReleaseLockRequest(lock_key=ANNA))
    # What the first one came to, and nothing is locked.
    assert await locks.AcquireLock(request) == first
    assert (await locks.GetLock(pb.GetLockRequest())).lock_info == lock.LockInfo()
    request.lock_key = BOB
    assert (await refused(locks.AcquireLock(request))).reason == "REQUEST_ID_REUSED"


async def test_what_only_checks_needs_no_key(raw: Stubs, locks: Any) -> None:
    await locks.AcquireLock(pb.AcquireLockRequest(queue=True, lock_key=ANNA), **as_user("anna"))
    checked = await raw.queue.AddItem(queue_items_pb2.AddItemRequest(item=ITEM, validate_only=True))
    assert checked.item.name == "one_run"
    assert (await status_of(raw)).items_in_queue == 0


async def test_each_change_is_told_and_a_snapshot_has_the_lock(raw: Stubs, locks: Any) -> None:
    acquired = await locks.AcquireLock(pb.AcquireLockRequest(queue=True, lock_key=ANNA), **as_user("anna"))
    watch = raw.events.WatchEvents(event_service_pb2.WatchEventsRequest(kinds=[event_pb2.EVENT_KIND_LOCK]))
    first = await bounded(watch.read())
    assert (first.snapshot.lock_info, first.snapshot.complete) == (acquired.lock_info, True)
    released = await locks.ReleaseLock(pb.ReleaseLockRequest(lock_key=ANNA), **as_user("bob"))
    (event,) = (await bounded(watch.read())).batch.events
    watch.cancel()
    assert event.revision == released.revision
    changed = event.lock_changed
    assert (changed.change, changed.user) == (lock.LOCK_CHANGE_RELEASED, "bob")
    assert (changed.lock_info, changed.previous_lock_info) == (lock.LockInfo(), acquired.lock_info)
    # As it is read from the store by who was away.
    resumed = raw.events.WatchEvents(
        event_service_pb2.WatchEventsRequest(kinds=[event_pb2.EVENT_KIND_LOCK], resume_token=first.resume_token)
    )
    assert (await bounded(resumed.read())).batch.events[0] == event
    resumed.cancel()


async def test_who_asks_why_nothing_runs_is_told_of_the_lock(raw: Stubs, locks: Any) -> None:
    request = pb.AcquireLockRequest(environment=True, note="in the hutch", lock_key=ANNA)
    await locks.AcquireLock(request, **as_user("anna"))
    blockers = (await raw.status.ExplainIdle(status_service_pb2.ExplainIdleRequest())).blockers
    locked = next(one for one in blockers if one.kind == status_service_pb2.BLOCKER_KIND_LOCKED)
    assert "environment is locked by anna since" in locked.message
    assert "(in the hutch)" in locked.message
    assert locked.remedy_method == "queueserver.manager.v1.LockService/RequestLock"


async def test_a_lock_that_was_never_taken_has_one_marker_for_all(client: AsyncClient) -> None:
    """Also after other changes, and for who releases what is not locked."""
    await client.queue.set_mode(loop=True)
    released = await client.lock.release(key=ANNA)
    assert released.uid == (await client.lock.get()).uid == (await client.status()).lock_info_uid
