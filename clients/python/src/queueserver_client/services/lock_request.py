"""Waiting for the lock after a request for it."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import grpc

from queueserver_client.connection.refusal_details import Refusal
from queueserver_client.errors import QueueServerError
from queueserver_client.events import Event, LockChanged, Snapshot
from queueserver_client.lock_errors import LockRefused, LockRequestNotFound
from queueserver_client.models.lock import SAME_HOLDER, LockChange, LockInfo
from queueserver_client.watch import Watch

if TYPE_CHECKING:
    from queueserver_client.services.lock import AsyncLock, LockState


async def wait_for_grant(service: AsyncLock, watch: Watch, asked: LockState, key: str | None) -> LockState | None:
    """The lock, once the request that was made with ``asked`` is granted; None if the stream of events ended.

    A caller that gives up withdraws the request, or releases the lock if it was granted meanwhile. Raises LockRefused.
    """
    try:
        async with watch as events:
            async for event in events:
                if isinstance(event, LockChanged) and event.change in SAME_HOLDER and not _is_about(event, asked):
                    continue
                state = await service.get(key=key)
                if state.lock.is_locked and state.key_fits:
                    return state
                if state.lock.request is None or state.lock.request.uid != _request_uid(asked):
                    raise _refused(event, state.lock)
    except (asyncio.CancelledError, QueueServerError) as error:
        if not isinstance(error, LockRefused):
            await give_up(service, key)
        raise
    return None


async def give_up(service: AsyncLock, key: str | None) -> None:
    """Withdraw a request for the lock, or release the lock if it has this key already, if the server answers."""
    with contextlib.suppress(QueueServerError):
        try:
            await service.withdraw(key=key)
        except LockRequestNotFound:
            await service.release(key=key)


def _request_uid(state: LockState) -> str:
    return state.lock.request.uid if state.lock.request is not None else ""


def _is_about(event: LockChanged, asked: LockState) -> bool:
    """Whether a change is about the request that was made with this answer."""
    return event.request is not None and event.request.uid == _request_uid(asked)


def _refused(event: Event | Snapshot, lock: LockInfo) -> LockRefused:
    """The error for a request that has ended without the lock."""
    message = "The request for the lock has ended without the lock."
    if isinstance(event, LockChanged) and event.change is LockChange.REQUEST_REFUSED:
        message = f"{event.user} refused to give the lock{f': {event.answer_note}' if event.answer_note else '.'}"
    elif isinstance(event, LockChanged) and event.change is LockChange.REQUEST_EXPIRED:
        message = f"The lock was not given in time: {lock.user} did not answer."
    return LockRefused(Refusal(grpc.StatusCode.FAILED_PRECONDITION, "LOCK_REFUSED", message, lock=lock))
