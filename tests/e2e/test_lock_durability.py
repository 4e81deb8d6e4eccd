"""The lock outlives whatever dies, and is cleared in Redis beside a running Manager or without one."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from queueserver.manager.v1 import environment_service_pb2 as env
from queueserver.manager.v1 import event_pb2, event_service_pb2, status_service_pb2
from queueserver.manager.v1 import lock_pb2 as lock
from queueserver.manager.v1 import lock_service_pb2 as pb
from queueserver_client import AsyncClient

from tests.harness.parts import Parts
from tests.harness.raw import Stubs, connect, refused
from tests.harness.wait import bounded

ANNA, EMERGENCY = "annas secret key", "emlockkey"


@pytest.fixture
async def stubs(parts: Parts, parts_client: AsyncClient) -> AsyncIterator[Stubs]:
    """Stubs of ``parts``; nothing is locked afterwards."""
    del parts_client
    async with connect(parts.address) as connected:
        yield connected
        await connected.lock.ReleaseLock(pb.ReleaseLockRequest(lock_key=ANNA))


async def acquire(stubs: Stubs, **more: Any) -> Any:
    request = pb.AcquireLockRequest(environment=True, note="in the hutch", lock_key=ANNA, **more)
    return await stubs.lock.AcquireLock(request, metadata=(("qserver-user", "anna"),))


async def test_a_killed_manager_comes_back_with_the_same_lock_and_marker(parts: Parts, stubs: Stubs) -> None:
    acquired = await acquire(stubs)
    with parts.manager_killed():
        pass
    async with connect(parts.address) as fresh:
        got = await fresh.lock.GetLock(pb.GetLockRequest(lock_key=ANNA))
        assert (got.lock_info, got.lock_info_uid, got.key_fits) == (acquired.lock_info, acquired.lock_info_uid, True)
        refusal = await refused(fresh.environment.CloseEnvironment(env.CloseEnvironmentRequest()))
        assert refusal.reason == "LOCKED"


async def test_a_lock_outlives_redis_and_power(parts: Parts, stubs: Stubs) -> None:
    acquired = await acquire(stubs)
    with parts.manager_killed(), parts.redis_killed():
        pass
    async with connect(parts.address) as fresh:
        got = await fresh.lock.GetLock(pb.GetLockRequest())
        assert (got.lock_info, got.lock_info_uid) == (acquired.lock_info, acquired.lock_info_uid)


async def test_a_lease_that_nobody_could_renew_meanwhile_lasts_for_half_a_minute(parts: Parts, stubs: Stubs) -> None:
    acquired = await acquire(stubs, lease={"seconds": 5})
    with parts.manager_killed():
        pass
    async with connect(parts.address) as fresh:
        got = await fresh.lock.GetLock(pb.GetLockRequest())
        extended = got.lock_info.lease_end_time.seconds - acquired.lock_info.lease_end_time.seconds
        assert extended >= 25
        assert got.lock_info.lease.seconds == 5
        renewed = await fresh.lock.RenewLock(pb.RenewLockRequest(lock_key=ANNA))
        assert renewed.lock_info.lease_end_time.seconds < got.lock_info.lease_end_time.seconds


async def test_no_key_is_in_redis_nor_in_the_log(parts: Parts, stubs: Stubs) -> None:
    request = pb.AcquireLockRequest(environment=True, lock_key=ANNA, request_id="with-an-id")
    await stubs.lock.AcquireLock(request)
    await stubs.lock.RequestLock(pb.RequestLockRequest(queue=True, lock_key="bobs secret key", request_id="asks"))
    await stubs.environment.CloseEnvironment(env.CloseEnvironmentRequest(lock_key=ANNA, request_id="closes"))
    await stubs.lock.ReleaseLock(pb.ReleaseLockRequest(lock_key=ANNA, request_id="releases"))
    await stubs.lock.ReleaseLock(pb.ReleaseLockRequest(lock_key="bobs secret key"))
    async for _ in stubs.environment.WaitEnvironment(env.WaitEnvironmentRequest()):
        pass
    with parts.redis.connect() as redis:
        stored = {key: redis.dump(key) for key in redis.scan_iter()}
        kept = [redis.hgetall(key) for key in redis.scan_iter() if redis.type(key) == b"hash"]
        events = redis.xrange("{qs}:events")
    assert b"{qs}:requests" in stored
    everything = str(kept) + str(events) + str(stored) + parts.log()
    assert "secret key" not in everything


def order(parts: Parts, uid: str) -> str:
    """Leave an order as ``qserver-clear-lock`` does; answers its id."""
    with parts.redis.connect() as redis:
        order_id: Any = redis.xadd("{qs}:lock:orders", {"lock": uid})
    return str(order_id.decode())


def settled(parts: Parts, order_id: str) -> str:
    """What became of an order."""
    with parts.redis.connect() as redis:
        found: Any = redis.blpop([f"{{qs}}:lock:answers:{order_id}"], timeout=30)
        assert not redis.exists("{qs}:lock:orders") or redis.xlen("{qs}:lock:orders") == 0
    return str(found[1].decode())


def uid_in_redis(parts: Parts) -> str:
    with parts.redis.connect() as redis:
        stored: Any = redis.get("{qs}:lock")
    return str(json.loads(stored)["uid"])


async def test_a_running_manager_clears_the_lock_that_an_order_in_redis_means(parts: Parts, stubs: Stubs) -> None:
    before = await acquire(stubs)
    watch = stubs.events.WatchEvents(event_service_pb2.WatchEventsRequest(kinds=[event_pb2.EVENT_KIND_LOCK]))
    await bounded(watch.read())
    other = order(parts, "another lock")
    assert settled(parts, other) == "other"
    got = await stubs.lock.GetLock(pb.GetLockRequest())
    assert (got.lock_info, got.lock_info_uid) == (before.lock_info, before.lock_info_uid)
    assert settled(parts, order(parts, uid_in_redis(parts))) == "cleared"
    (event,) = (await bounded(watch.read())).batch.events
    watch.cancel()
    assert event.lock_changed.change == lock.LOCK_CHANGE_CLEARED
    assert event.lock_changed.previous_lock_info == before.lock_info
    status = (await stubs.status.GetStatus(status_service_pb2.GetStatusRequest())).status
    assert (status.lock_info, status.revision) == (lock.LockInfo(), event.revision)
    with parts.redis.connect() as redis:
        assert not redis.exists("{qs}:lock")


async def test_an_order_that_was_left_while_no_manager_ran_is_carried_out_before_anybody_is_served(
    parts: Parts, stubs: Stubs
) -> None:
    await acquire(stubs)
    with parts.manager_killed():
        order_id = order(parts, uid_in_redis(parts))
    async with connect(parts.address) as fresh:
        assert (await fresh.lock.GetLock(pb.GetLockRequest())).lock_info == lock.LockInfo()
    assert settled(parts, order_id) == "cleared"


async def test_orders_are_still_heard_after_redis_was_away(parts: Parts, stubs: Stubs) -> None:
    await acquire(stubs)
    with parts.redis_killed():
        pass
    assert settled(parts, order(parts, uid_in_redis(parts))) == "cleared"
    assert not (await stubs.lock.GetLock(pb.GetLockRequest())).lock_info.environment


async def test_the_emergency_key_releases_and_does_nothing_else(
    parts: Parts, parts_client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    del parts_client
    with monkeypatch.context() as patch:
        patch.setenv("QSERVER_EMERGENCY_LOCK_KEY_FOR_SERVER", EMERGENCY)
        with parts.manager_killed():
            pass
    async with connect(parts.address) as fresh:
        assert (await acquire(fresh)).lock_info.emergency_lock_key_set
        for call in (
            fresh.lock.AcquireLock(pb.AcquireLockRequest(queue=True, lock_key=EMERGENCY)),
            fresh.environment.CloseEnvironment(env.CloseEnvironmentRequest(lock_key=EMERGENCY)),
        ):
            refusal = await refused(call)
            assert (refusal.reason, "Emergency lock key:    set\n" in refusal.message) == ("LOCKED", True)
        assert not (await fresh.lock.GetLock(pb.GetLockRequest(lock_key=EMERGENCY))).key_fits
        assert (
            await refused(fresh.lock.RenewLock(pb.RenewLockRequest(lock_key=EMERGENCY)))
        ).reason == "LOCK_KEY_INVALID"
        released = await fresh.lock.ReleaseLock(pb.ReleaseLockRequest(lock_key=EMERGENCY))
        assert released.lock_info == lock.LockInfo(emergency_lock_key_set=True)
    with parts.manager_killed():
        pass
