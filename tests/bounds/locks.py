"""The longest requests of LockService, each made when the lock is in the state in which it does most."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
from queueserver.manager.v1 import lock_pb2
from queueserver.manager.v1 import lock_service_pb2 as pb

from tests.harness.raw import Stubs

#: Of the lock, and of the request for it: as long as keys may be.
KEY, OTHER = "k" * 128, "o" * 128
_NOTE = "n" * 1000
Make = Callable[[Stubs], Awaitable[Any]]


async def release(stubs: Stubs) -> None:
    """Whatever was locked and asked for, nothing is locked any more."""
    # The first one may hand the lock over to who asks for it, or come after that.
    for key in (KEY, OTHER):
        with contextlib.suppress(grpc.aio.AioRpcError):
            await stubs.lock.ReleaseLock(pb.ReleaseLockRequest(lock_key=key))


def lock_requests(new_id: Callable[[], str]) -> dict[str, Make]:
    """By name of the method: makes its longest request. The queue is locked, so that plans can be run beside it."""

    async def acquire(_: Stubs) -> Any:
        request = pb.AcquireLockRequest(queue=True, note=_NOTE, lock_key=KEY, request_id=new_id())
        request.lease.FromSeconds(3600)
        return request

    async def ask(stubs: Stubs) -> Any:
        await stubs.lock.AcquireLock(await acquire(stubs))
        request = pb.RequestLockRequest(queue=True, note=_NOTE, lock_key=OTHER, request_id=new_id())
        request.lease.FromSeconds(3600)
        request.wait.FromSeconds(3600)
        return request

    async def asked(stubs: Stubs) -> None:
        await stubs.lock.RequestLock(await ask(stubs))

    async def after_asking(stubs: Stubs, request: Any) -> Any:
        await asked(stubs)
        return request

    answer = pb.AnswerLockRequestRequest(
        answer=lock_pb2.LOCK_ANSWER_GRANT, note=_NOTE, lock_key=KEY, request_id=new_id()
    )
    return {
        "AcquireLock": acquire,
        "RequestLock": ask,
        "ReleaseLock": lambda s: after_asking(s, pb.ReleaseLockRequest(lock_key=KEY, request_id=new_id())),
        "RenewLock": lambda s: after_asking(s, pb.RenewLockRequest(lock_key=KEY, request_id=new_id())),
        "GetLock": lambda s: after_asking(s, pb.GetLockRequest(lock_key=KEY)),
        "AnswerLockRequest": lambda s: after_asking(s, answer),
        "WithdrawLockRequest": lambda s: after_asking(
            s, pb.WithdrawLockRequestRequest(lock_key=OTHER, request_id=new_id())
        ),
    }
