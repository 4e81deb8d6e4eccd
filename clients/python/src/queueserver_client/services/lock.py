"""The lock: keeps other clients from changing the environment, the queue or both."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from google.protobuf.duration_pb2 import Duration
from queueserver.manager.v1 import lock_pb2
from queueserver.manager.v1 import lock_service_pb2 as pb

from queueserver_client import values
from queueserver_client.connection.connection import Connection
from queueserver_client.models.lock import LockInfo
from queueserver_client.services.lock_hold import Hold, Holding
from queueserver_client.services.lock_request import wait_for_grant
from queueserver_client.watch import Watch


@dataclass(frozen=True)
class LockState:
    """The lock after a call."""

    lock: LockInfo
    #: Change marker, as in Status.
    uid: str
    #: Revision of the change, or at which it was read.
    revision: int
    #: Whether the key that was sent is that of the lock, or nothing is locked; None if none was sent, or nothing asked.
    key_fits: bool | None = None
    #: The sentence with which calls that need the key would be refused, if the key does not match; empty if it does.
    message: str = ""
    #: Whether a request for the lock was granted at once; None for other calls.
    granted: bool | None = None


class AsyncLock:
    """``client.lock``. Errors: those of the methods of the same name in LockService.

    The key of :meth:`acquire` is sent with all further calls of this client until the lock is released. A client that
    was made with ``lock_key`` sends that one. The server never reveals keys.
    """

    def __init__(self, connection: Connection, watch: Callable[[int], Watch]) -> None:
        self._connection = connection
        self._watch = watch

    @property
    def key(self) -> str | None:
        """The key that this client sends with its calls; None if it sends none."""
        return self._connection.lock_key

    async def acquire(
        self,
        *,
        environment: bool = False,
        queue: bool = False,
        note: str = "",
        lease: float | None = None,
        key: str | None = None,
    ) -> LockState:
        """Lock the environment, the queue or both; with the key of the present lock: lock this instead.

        Args:
            environment: Lock what concerns the environment, the running queue, plans and tasks.
            queue: Lock what changes the queue, the history and permissions.
            note: What other users should know.
            lease: Seconds after which the lock ends unless it is renewed; None: it lasts until it is released.
            key: The key; that of the client unless given.

        Raises:
            Locked: it is locked with another key, and says by whom.
            InvalidRequest: there is no key, or it is not said what to lock.
        """
        request = pb.AcquireLockRequest(
            environment=environment,
            queue=queue,
            note=values.text(note, "note"),
            lease=_duration(lease),
            lock_key=_key(key),
        )
        answer = await self._connection.change(self._stub.AcquireLock, request, guarded=False)
        if key:
            self._connection.lock_key = key
        return _state(answer)

    async def release(self, *, key: str | None = None) -> LockState:
        """Release the lock. A client that asks for it gets it now. It is not an error if nothing is locked.

        Args:
            key: Its key, or the emergency key; that of the client unless given.

        Raises:
            LockKeyInvalid: it has another key, and says who holds it.
        """
        request = pb.ReleaseLockRequest(lock_key=_key(key))
        answer = await self._connection.change(self._stub.ReleaseLock, request, guarded=False)
        self._connection.lock_key = self._connection.first_lock_key
        return _state(answer)

    async def get(self, *, key: str | None = None) -> LockState:
        """What is locked, by whom, and whether a key matches: this one, or that of the client."""
        answer = await self._connection.read(self._stub.GetLock, pb.GetLockRequest(lock_key=_key(key)))
        return _state(answer)

    async def renew(self, *, key: str | None = None) -> LockState:
        """Restart the lease. Raises LockKeyInvalid, and NotLocked if it has ended."""
        return _state(
            await self._connection.change(self._stub.RenewLock, pb.RenewLockRequest(lock_key=_key(key)), guarded=False)
        )

    async def request(
        self,
        *,
        environment: bool = False,
        queue: bool = False,
        note: str = "",
        lease: float | None = None,
        wait: float | None = None,
        key: str | None = None,
    ) -> LockState:
        """Ask the holder for the lock. Its ``granted`` says whether this client has it at once.

        Otherwise the request waits for an answer, ``wait`` seconds at most (an hour unless given), and a watch of kind
        "lock" reports the outcome. :meth:`hold` does all of that. Raises LockRequestWaits.
        """
        request = pb.RequestLockRequest(
            environment=environment,
            queue=queue,
            note=values.text(note, "note"),
            lease=_duration(lease),
            wait=_duration(wait),
            lock_key=_key(key),
        )
        answer = await self._connection.change(self._stub.RequestLock, request, guarded=False)
        if key:
            self._connection.lock_key = key
        return _state(answer)

    async def granted(self, asked: LockState, *, key: str | None = None) -> LockState:
        """Wait for the lock after :meth:`request` returned ``asked``; a caller that gives up withdraws the request.

        Raises LockRefused if the holder refuses, or the time is over.
        """
        if asked.granted:
            return asked
        state = await wait_for_grant(self, self._watch(asked.revision), asked, key)
        if state is None:
            raise self._connection.broken("The stream of events ended before the lock was granted or refused.")
        return state

    async def answer(self, *, grant: bool, note: str = "", request_uid: str = "", key: str | None = None) -> LockState:
        """Grant the requested lock, or refuse, and say why. Raises LockRequestNotFound, LockKeyInvalid."""
        request = pb.AnswerLockRequestRequest(
            answer=lock_pb2.LOCK_ANSWER_GRANT if grant else lock_pb2.LOCK_ANSWER_REFUSE,
            note=values.text(note, "note"),
            lock_request_uid=values.text(request_uid, "request_uid"),
            lock_key=_key(key),
        )
        return _state(await self._connection.change(self._stub.AnswerLockRequest, request, guarded=False))

    async def withdraw(self, *, key: str | None = None) -> LockState:
        """Withdraw a request for the lock. Raises LockRequestNotFound: it may have been granted meanwhile."""
        request = pb.WithdrawLockRequestRequest(lock_key=_key(key))
        return _state(await self._connection.change(self._stub.WithdrawLockRequest, request, guarded=False))

    def hold(
        self,
        *,
        environment: bool = False,
        queue: bool = False,
        note: str = "",
        lease: float | None = 30.0,
        ask: float | None = None,
        key: str | None = None,
    ) -> Hold:
        """Hold the lock for as long as a ``with`` block lasts.

        ::

            async with client.lock.hold(environment=True, queue=True, note="calibration") as hold:
                await client.queue.execute(Plan("align"))

        The key is sent with all calls of this client inside, so only other clients are kept out. The lease
        is renewed by itself; should the program die, the lock ends with the lease. At the end of the block the lock is
        released, also after an exception. It may be lost inside: it was released with the emergency key or granted to
        another client, or the server could not be reached for the whole lease. Then the next call that
        changes something raises LockLost and is not made, and so does the end of the block.

        Args:
            environment: Lock what concerns the environment, the running queue, plans and tasks.
            queue: Lock what changes the queue.
            note: What other users should know.
            lease: Seconds, at least 5; None: without a lease, and a program that dies leaves the lock behind.
            ask: If another user holds the lock, ask for it and wait this many seconds. None: raise Locked at once.
            key: The key; that of the client unless given, and a random one if it has none.

        Raises, at the beginning:
            Locked: another user holds the lock, and says who.
            LockRefused: it was requested and not granted.
        """
        known = key or self.key
        terms = Holding(environment, queue, note, lease, ask, known or os.urandom(24).hex(), not known)
        return Hold(self._connection, self, self._watch, terms)

    @property
    def _stub(self) -> Any:
        return self._connection.stubs.lock


def _state(answer: Any) -> LockState:
    """The response of any method of LockService."""
    reads = isinstance(answer, pb.GetLockResponse)
    return LockState(
        lock=LockInfo.from_proto(answer.lock_info),
        uid=answer.lock_info_uid,
        revision=answer.revision,
        key_fits=answer.key_fits if reads and answer.HasField("key_fits") else None,
        message=answer.message if reads else "",
        granted=answer.granted if isinstance(answer, pb.RequestLockResponse) else None,
    )


def _key(key: str | None) -> str:
    return "" if key is None else values.text(key, "key")


def _duration(seconds: float | None) -> Duration | None:
    if seconds is None:
        return None
    duration = Duration()
    duration.FromNanoseconds(round(seconds * 1e9))
    return duration
