"""A client that gives up while it waits for the lock leaves none behind whose key nobody knows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from queueserver.manager.v1 import event_service_pb2, lock_pb2
from queueserver.manager.v1 import lock_service_pb2 as pb
from queueserver_client import AsyncClient, QueueServerError
from queueserver_rpc.status import Refusal

from tests.integration.client.scripted_manager import ScriptedManager, Silence, until_cancelled

HELD = lock_pb2.LockInfo(queue=True, user="anna")
NOT_FOUND = Refusal(grpc.StatusCode.NOT_FOUND, "LOCK_REQUEST_NOT_FOUND", "No such request waits.")


async def entered(client: AsyncClient, **terms: Any) -> None:
    async with client.lock.hold(queue=True, lease=None, **terms):
        raise AssertionError("it has no lock")


async def give_up(work: asyncio.Task[None]) -> None:
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work


@pytest.mark.parametrize("granted_meanwhile", [False, True])
async def test_who_no_longer_waits_withdraws_the_request_or_releases_what_was_granted_meanwhile(
    manager: ScriptedManager, client: AsyncClient, granted_meanwhile: bool
) -> None:
    asked = lock_pb2.LockInfo(queue=True, user="anna", request=lock_pb2.LockRequest(lock_request_uid="one"))
    manager.answers["RequestLock"] = pb.RequestLockResponse(lock_info=asked, revision=1)
    manager.answers["WithdrawLockRequest"] = NOT_FOUND if granted_meanwhile else pb.WithdrawLockRequestResponse()
    manager.answers["ReleaseLock"] = pb.ReleaseLockResponse()
    watched = asyncio.Event()

    async def nothing(_request: object) -> AsyncIterator[event_service_pb2.WatchEventsResponse]:
        watched.set()
        await until_cancelled()
        yield event_service_pb2.WatchEventsResponse()

    manager.answers["WatchEvents"] = nothing
    work = asyncio.create_task(entered(client, ask=60))
    await asyncio.wait_for(watched.wait(), 10)
    await give_up(work)
    (request,) = manager.requests("RequestLock")
    assert [one.lock_key for one in manager.requests("ReleaseLock")] == [request.lock_key] * granted_meanwhile
    assert client.lock.key is None


@pytest.mark.parametrize("key", [None, "annas key"])
async def test_a_lock_that_may_have_been_set_is_released_if_only_this_block_knows_its_key(
    manager: ScriptedManager, client: AsyncClient, key: str | None
) -> None:
    silence = Silence()
    manager.answers["AcquireLock"] = silence
    manager.answers["WithdrawLockRequest"] = NOT_FOUND
    manager.answers["ReleaseLock"] = pb.ReleaseLockResponse()
    work = asyncio.create_task(entered(client, key=key))
    await asyncio.wait_for(silence.asked.wait(), 10)
    await give_up(work)
    (request,) = manager.requests("AcquireLock")
    assert [one.lock_key for one in manager.requests("ReleaseLock")] == ([request.lock_key] if key is None else [])


async def test_a_lock_that_another_holds_is_not_touched(manager: ScriptedManager, client: AsyncClient) -> None:
    manager.answers["AcquireLock"] = Refusal(grpc.StatusCode.FAILED_PRECONDITION, "LOCKED", "It is locked.")
    with pytest.raises(QueueServerError, match="It is locked"):
        await entered(client)
    assert [name for name, _, _ in manager.calls] == ["AcquireLock"]
