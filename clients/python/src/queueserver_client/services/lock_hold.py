"""Holding the lock for a while: key, renewal, loss and release.

Guarantee: inside, every call of the client that changes something is made while the lock is this client's, as far as
the server has reported; a call made later raises LockLost and is not sent. Events report a loss at once; a lease that
may have ended while the server could not be reached is renewed before the next call. A lock that is not ours is never
released.

Not guaranteed: that a call that was under way when the lock was lost was refused.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING

import async_timeout
import grpc

from queueserver_client.connection.connection import Connection
from queueserver_client.connection.refusal_details import Refusal
from queueserver_client.errors import QueueServerError, ResumeTokenExpired
from queueserver_client.events import Event, LockChanged, Snapshot
from queueserver_client.lock_errors import LockKeyInvalid, LockLost, NotLocked
from queueserver_client.models.lock import SAME_HOLDER, LockInfo, LockRequest
from queueserver_client.services.lock_request import give_up
from queueserver_client.watch import Watch

if TYPE_CHECKING:
    from typing_extensions import Self  # only for the type checker; not needed to run

    from queueserver_client.services.lock import AsyncLock, LockState

#: Of the lease, after which it is renewed: two renewals may fail.
_RENEWED_AFTER = 1 / 3


@dataclass(frozen=True)
class Holding:
    """What is to be locked, and how."""

    environment: bool
    queue: bool
    note: str
    lease: float | None
    #: Seconds to wait for a lock that another user holds; None to be refused at once.
    ask: float | None
    key: str
    #: No other client knows the key.
    has_key_of_its_own: bool = False


class Hold:
    """An asynchronous context manager that holds the lock; see ``client.lock.hold``."""

    def __init__(
        self, connection: Connection, service: AsyncLock, watch: Callable[[int], Watch], terms: Holding
    ) -> None:
        self._connection = connection
        self._service = service
        self._watch = watch
        self._terms = terms
        self._lock = LockInfo()
        self._lost: LockLost | None = None
        self._tasks: tuple[asyncio.Task[None], ...] = ()
        #: Until then the lease can't have ended.
        self._sure_until = 0.0

    @property
    def lock(self) -> LockInfo:
        """The lock, as last reported."""
        return self._lock

    @property
    def request(self) -> LockRequest | None:
        """The user who asks for the lock: answer with ``client.lock.answer``. None if there is no request."""
        return self._lock.request

    @property
    def is_lost(self) -> bool:
        """Whether the lock is known to be no longer this client's."""
        return self._lost is not None

    async def __aenter__(self) -> Self:
        if self._connection.guard is not None:
            raise RuntimeError("This client holds the lock already: leave that block first, or use another client.")
        self._connection.guard = self
        self._key_before = self._connection.lock_key
        try:
            state = await self._acquire()
        except BaseException:
            self._let_go()
            raise
        self._connection.lock_key = self._terms.key
        self._lock = state.lock
        listening = asyncio.create_task(self._listen(state.revision))
        self._tasks = (listening, asyncio.create_task(self._renew_in_time(self._terms.lease)))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        try:
            await self._release()
        except QueueServerError:
            if error is None:  # else that one says more
                raise
        finally:
            self._let_go()

    def _let_go(self) -> None:
        """The client is as it was before."""
        self._connection.guard, self._connection.lock_key = None, self._key_before

    async def _acquire(self) -> LockState:
        terms, asked_at = self._terms, time.monotonic()
        try:
            state = await self._ask()
        except asyncio.CancelledError:
            # The lock may have been set all the same. With a key that only this block knows, no one could release it.
            if terms.has_key_of_its_own:
                await give_up(self._service, terms.key)
            raise
        if terms.ask is not None and not state.granted:
            asked_at = time.monotonic()
            state = await self._service.granted(state, key=terms.key)
        self._sure_until = asked_at + (terms.lease or 0.0)
        return state

    async def _ask(self) -> LockState:
        terms = self._terms
        if terms.ask is None:
            return await self._service.acquire(
                environment=terms.environment, queue=terms.queue, note=terms.note, lease=terms.lease, key=terms.key
            )
        return await self._service.request(
            environment=terms.environment,
            queue=terms.queue,
            note=terms.note,
            lease=terms.lease,
            wait=terms.ask,
            key=terms.key,
        )

    async def _release(self) -> None:
        """Release our own lock. Raises LockLost if it is not ours."""
        await self._look()
        if self._lost is None:
            try:
                await self._service.release(key=self._terms.key)
            except LockKeyInvalid as error:
                self._lose(error.lock)
        if self._lost is not None:
            raise self._lost

    def lost_to(self, lock: LockInfo) -> LockLost:
        """Note that the server refused a change because of this lock; returns the error to raise."""
        return self._lose(lock)

    async def require_lock(self) -> None:
        """Raise LockLost if the lock is known to be no longer ours, before a change is sent."""
        if self._lost is None and self._terms.lease is not None and time.monotonic() > self._sure_until:
            await self._renew(self._terms.lease)
        if self._lost is not None:
            raise self._lost

    async def _renew_in_time(self, lease: float | None) -> None:
        while lease is not None and self._lost is None:
            with contextlib.suppress(asyncio.TimeoutError):
                async with async_timeout.timeout(lease * _RENEWED_AFTER):
                    await asyncio.get_running_loop().create_future()
            # A server that is away is tried again at the next renewal: until then changes wait for it, too.
            with contextlib.suppress(QueueServerError):
                await self._renew(lease)

    async def _renew(self, lease: float) -> None:
        asked_at = time.monotonic()
        try:
            await self._service.renew(key=self._terms.key)
        except LockKeyInvalid as error:
            self._lose(error.lock)
        except NotLocked:
            self._lose(LockInfo())
        else:
            self._sure_until = asked_at + lease

    async def _listen(self, revision: int) -> None:
        """Receive events of the lock until it is lost."""
        attempt = 0
        while not self.is_lost:
            try:
                async with self._watch(revision) as events:
                    async for event in events:
                        attempt = 0
                        if not await self._hear(event):
                            return
            except ResumeTokenExpired:
                pass
            except QueueServerError:
                await self._connection.back_off(attempt, 2.0)
                attempt += 1
            revision = 0

    async def _hear(self, event: Event | Snapshot) -> bool:
        """Take an event; returns whether the lock is still ours."""
        if isinstance(event, LockChanged) and event.change in SAME_HOLDER:
            self._lock = event.lock
        else:
            await self._look()
        return self._lost is None

    async def _look(self) -> None:
        """Ask whether the lock is ours."""
        if self._lost is not None:
            return
        state = await self._service.get(key=self._terms.key)
        self._lock = state.lock
        if not (state.lock.is_locked and state.key_fits):
            self._lose(state.lock)

    def _lose(self, lock: LockInfo) -> LockLost:
        self._lock = lock
        now = f"{lock.user} holds it now." if lock.is_locked else "It is free now."
        message = f"The lock was lost while it was held: it was released, taken over, or its lease ended. {now}"
        self._lost = self._lost or LockLost(Refusal(grpc.StatusCode.ABORTED, "LOCK_LOST", message, lock=lock))
        return self._lost
