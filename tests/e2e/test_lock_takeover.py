"""Asking the holder for the lock, and locks that end by themselves: as both sides see it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from queueserver.manager.v1 import event_pb2, event_service_pb2, status_service_pb2
from queueserver.manager.v1 import lock_pb2 as lock
from queueserver.manager.v1 import lock_service_pb2 as pb
from queueserver_client import AsyncClient, ManagerState, Plan, RunEngineState

from tests.harness.gate import Gate
from tests.harness.progress import until, until_state
from tests.harness.raw import Stubs, refused
from tests.harness.wait import bounded

ANNA, BOB = "annas key", "bobs key"


def by(name: str) -> dict[str, Any]:
    return {"metadata": (("qserver-user", name),)}


class Changes:
    """What a watcher of the lock is told, one change after the other."""

    def __init__(self, raw: Stubs) -> None:
        request = event_service_pb2.WatchEventsRequest(kinds=[event_pb2.EVENT_KIND_LOCK])
        self._watch = raw.events.WatchEvents(request)
        self._events: list[Any] = []

    async def next(self) -> Any:
        while not self._events:
            self._events += (await bounded(self._watch.read())).batch.events
        return self._events.pop(0).lock_changed

    def close(self) -> None:
        self._watch.cancel()


@pytest.fixture
async def locks(raw: Stubs, shared_client: AsyncClient) -> AsyncIterator[Any]:
    """LockService of an idle server; whatever a test locks with these keys is released in the end."""
    del shared_client
    yield raw.lock
    for key in (ANNA, BOB):
        # A key that does not fit any more is refused.
        with contextlib.suppress(grpc.aio.AioRpcError):
            await raw.lock.ReleaseLock(pb.ReleaseLockRequest(lock_key=key))


@pytest.fixture
async def changes(raw: Stubs, locks: Any) -> AsyncIterator[Changes]:
    """Changes after Anna has locked the environment."""
    await locks.AcquireLock(pb.AcquireLockRequest(environment=True, note="in the hutch", lock_key=ANNA), **by("anna"))
    opened = Changes(raw)
    yield opened
    opened.close()


async def ask(locks: Any) -> Any:
    request = pb.RequestLockRequest(queue=True, note="alignment", lock_key=BOB, lease={"seconds": 3600})
    return await locks.RequestLock(request, **by("bob"))


async def test_who_asks_is_seen_by_everybody_and_the_holder_grants_it(raw: Stubs, locks: Any, changes: Changes) -> None:
    asked = await ask(locks)
    request = asked.lock_info.request
    assert (asked.granted, asked.lock_info.user) == (False, "anna")
    assert (request.user, request.note, request.environment, request.queue) == ("bob", "alignment", False, True)
    assert 3590 < request.end_time.seconds - time.time() < 3610
    told = await changes.next()
    assert (told.change, told.user, told.request) == (lock.LOCK_CHANGE_REQUESTED, "bob", request)
    status = (await raw.status.GetStatus(status_service_pb2.GetStatusRequest())).status
    assert (status.lock_info, status.lock_info_uid) == (asked.lock_info, asked.lock_info_uid)
    answer = pb.AnswerLockRequestRequest(
        answer=lock.LOCK_ANSWER_GRANT, note="all yours", lock_key=ANNA, lock_request_uid=request.lock_request_uid
    )
    granted = await locks.AnswerLockRequest(answer, **by("anna"))
    told = await changes.next()
    assert (told.change, told.user, told.answer_note) == (lock.LOCK_CHANGE_TAKEN_OVER, "anna", "all yours")
    assert (told.lock_info, told.request, told.previous_lock_info.user) == (granted.lock_info, request, "anna")
    info = granted.lock_info
    assert (info.user, info.note, info.environment, info.queue) == ("bob", "alignment", False, True)
    assert (info.lease.seconds, info.HasField("request")) == (3600, False)
    assert (await locks.GetLock(pb.GetLockRequest(lock_key=BOB))).key_fits
    assert (await refused(locks.ReleaseLock(pb.ReleaseLockRequest(lock_key=ANNA)))).reason == "LOCK_KEY_INVALID"


async def test_a_refused_request_leaves_the_lock_as_it_was(locks: Any, changes: Changes) -> None:
    await ask(locks)
    await changes.next()
    answer = pb.AnswerLockRequestRequest(answer=lock.LOCK_ANSWER_REFUSE, note="not now", lock_key=ANNA)
    answered = await locks.AnswerLockRequest(answer, **by("anna"))
    told = await changes.next()
    assert (told.change, told.answer_note) == (lock.LOCK_CHANGE_REQUEST_REFUSED, "not now")
    assert (answered.lock_info.user, answered.lock_info.HasField("request")) == ("anna", False)
    assert (await refused(locks.AnswerLockRequest(answer))).reason == "LOCK_REQUEST_NOT_FOUND"


async def test_a_request_is_withdrawn_and_one_at_a_time_waits(locks: Any, changes: Changes) -> None:
    await ask(locks)
    third = pb.RequestLockRequest(environment=True, lock_key="eves key")
    refusal = await refused(locks.RequestLock(third, **by("eve")))
    assert (refusal.reason, refusal.message.startswith("bob has already asked")) == ("LOCK_REQUEST_WAITS", True)
    wrong = pb.WithdrawLockRequestRequest(lock_key="eves key")
    assert (await refused(locks.WithdrawLockRequest(wrong))).reason == "LOCK_KEY_INVALID"
    await locks.WithdrawLockRequest(pb.WithdrawLockRequestRequest(lock_key=BOB), **by("bob"))
    assert [(await changes.next()).change for _ in range(2)] == [
        *(lock.LOCK_CHANGE_REQUESTED, lock.LOCK_CHANGE_REQUEST_WITHDRAWN)
    ]


async def test_who_releases_gives_the_lock_to_who_asks(locks: Any, changes: Changes) -> None:
    await ask(locks)
    released = await locks.ReleaseLock(pb.ReleaseLockRequest(lock_key=ANNA), **by("anna"))
    assert (released.lock_info.user, released.lock_info.queue) == ("bob", True)
    assert [(await changes.next()).change for _ in range(2)] == [
        *(lock.LOCK_CHANGE_REQUESTED, lock.LOCK_CHANGE_TAKEN_OVER)
    ]


async def test_a_lease_ends_by_itself_unless_it_is_renewed(raw: Stubs, locks: Any) -> None:
    begun = time.monotonic()
    request = pb.AcquireLockRequest(environment=True, lock_key=ANNA, lease={"seconds": 5})
    first = await locks.AcquireLock(request, **by("anna"))
    assert first.lock_info.lease.seconds == 5
    watched = Changes(raw)
    renewed = await locks.RenewLock(pb.RenewLockRequest(lock_key=ANNA), **by("anna"))
    before, after = first.lock_info.lease_end_time.ToNanoseconds(), renewed.lock_info.lease_end_time.ToNanoseconds()
    assert before < after
    told = await watched.next()
    if told.change == lock.LOCK_CHANGE_RENEWED:
        told = await watched.next()
    watched.close()
    assert (told.change, told.user, told.lock_info) == (lock.LOCK_CHANGE_EXPIRED, "", lock.LockInfo())
    assert told.previous_lock_info == renewed.lock_info
    assert time.monotonic() - begun >= (after - before) / 1e9 + 5
    assert (await refused(locks.RenewLock(pb.RenewLockRequest(lock_key=ANNA)))).reason == "NOT_LOCKED"


async def test_who_asks_has_the_lock_when_the_lease_ends(raw: Stubs, locks: Any) -> None:
    request = pb.AcquireLockRequest(environment=True, lock_key=ANNA, lease={"seconds": 5})
    await locks.AcquireLock(request, **by("anna"))
    watched = Changes(raw)
    await ask(locks)
    told = await watched.next()
    if told.change == lock.LOCK_CHANGE_REQUESTED:
        told = await watched.next()
    watched.close()
    assert (told.change, told.user, told.lock_info.user) == (lock.LOCK_CHANGE_TAKEN_OVER, "", "bob")


async def test_who_looks_while_a_plan_runs_is_told_that_somebody_asks(
    raw: Stubs, shared_client: AsyncClient, locks: Any, gate: Gate
) -> None:
    await shared_client.queue.execute(Plan("gated_run", gate.path))
    await until(shared_client, lambda status: status.environment.run_engine_state is RunEngineState.RUNNING)
    await locks.AcquireLock(pb.AcquireLockRequest(environment=True, lock_key=ANNA), **by("anna"))
    await ask(locks)
    explained = await raw.status.ExplainIdle(status_service_pb2.ExplainIdleRequest())
    assert "bob asks anna for the lock (alignment)." in explained.warnings
    gate.open()
    await until_state(shared_client, ManagerState.IDLE)


@pytest.mark.parametrize("wait", [{"seconds": 4}, {"seconds": 86401}])
async def test_a_request_waits_no_shorter_and_no_longer_than_it_may(locks: Any, wait: dict[str, int]) -> None:
    request = pb.RequestLockRequest(queue=True, lock_key=BOB, wait=wait)
    refusal = await refused(locks.RequestLock(request))
    assert (refusal.reason, set(refusal.violations)) == ("FIELD_INVALID", {"wait"})
    unsaid = pb.AnswerLockRequestRequest(lock_key=BOB)
    assert set((await refused(locks.AnswerLockRequest(unsaid))).violations) == {"answer"}
