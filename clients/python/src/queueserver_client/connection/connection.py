"""One connection to a Queue Server: how long a call may take, what is repeated, and what a failure means.

Guarantees: every unary call ends by its deadline. A change is repeated under the same request id while the server
is UNAVAILABLE, within its deadline: the server makes it once and repeats the first answer. Calls are sent
only on a working connection, so a failure to connect is known to have changed nothing. A standby that names the
owner of the queue is believed: this call and those that follow go there.

Not guaranteed: that a change whose connection broke, and could not be repeated in time, was or was not made.
"""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from collections.abc import AsyncGenerator, Awaitable
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, TypeVar

import async_timeout
import grpc

from queueserver_client.connection import forks, refusals
from queueserver_client.connection.channel import (
    AS_USUAL,
    CallTerms,
    Metadata,
    Stubs,
    identity,
    prepare,
    whole_addresses,
)
from queueserver_client.connection.guard import Guard
from queueserver_client.connection.refusal_details import Refusal
from queueserver_client.errors import NotOwner, QueueServerError, ServerFault, ServiceUnavailable
from queueserver_client.lock_errors import Locked

if TYPE_CHECKING:
    from grpc.aio import UnaryStreamMultiCallable, UnaryUnaryMultiCallable

_DOUBT = " The change may or may not have been made: look before you repeat it."
#: With less time left than this, a further attempt would only replace an answer by "too late".
LEAST_ATTEMPT_SECONDS = 0.1
#: Seconds after which a server that neither accepts nor refuses a connection is left for another one, if there is one.
SILENT_SECONDS = 0.25
#: How often one call continues to another owner at once. Standbys that name each other are then tried with pauses.
MOST_MOVES = 3
#: How often a call that changes nothing is made while the server that owns the queue can't answer it: for about a
#: second and a half.
MOST_READS = 5


class Identified(Protocol):
    """A request that the server makes only once, however often it comes."""

    request_id: str


_Q = TypeVar("_Q")
_I = TypeVar("_I", bound=Identified)
_R = TypeVar("_R")
_T = TypeVar("_T")


class Connection:
    """A channel that opens itself in the running event loop at the first call."""

    def __init__(
        self,
        address: str | None,
        user: str | None,
        user_group: str | None,
        timeout: float,
        lock_key: str | None = None,
    ) -> None:
        self._owner, self._stubs = prepare(whole_addresses(address))
        self.timeout = timeout
        self._caller = (user, user_group)
        #: The key of the lock that the client was made with, and the one that is sent with every call now.
        self.first_lock_key = self._lock_key = lock_key
        self._identity = identity(user, user_group)
        self._metadata = identity(user, user_group, lock_key)
        #: While the lock is held: checked before each change but those of the lock.
        self.guard: Guard | None = None
        self._closed = asyncio.Event()
        #: Changes that were sent and have not been answered: whether they were made is not known.
        self.unanswered_changes = 0
        #: The connection worked at least once: a server that is away now may come back.
        self.was_ready = False

    @property
    def address(self) -> str:
        """Where calls go: the address that was given, or that of the owner, if a standby named it."""
        return self._owner.address

    @property
    def lock_key(self) -> str | None:
        """The key of the lock that is sent with every call; None for none."""
        return self._lock_key

    @lock_key.setter
    def lock_key(self, key: str | None) -> None:
        self._metadata = identity(*self._caller, key)
        self._lock_key = key

    def _sent_with(self, request: object, caller: Metadata | None) -> Metadata:
        """Metadata of a call. A key in the request itself replaces that of the client."""
        if caller is not None:
            return caller
        return self._identity if getattr(request, "lock_key", "") else self._metadata

    @property
    def stubs(self) -> Stubs:
        """The services."""
        self._require_open()
        return self._stubs

    def _require_open(self) -> None:
        forks.require_own_process()
        if self._closed.is_set():
            raise RuntimeError("This client is closed: make a new one.")

    async def close(self) -> None:
        """End all calls and the connection. Repeating it is harmless."""
        if forks.is_orphaned():
            return
        self._closed.set()
        await self._owner.close()

    async def ready(self, timeout: float, patience: float) -> None:
        """Wait until the connection works.

        Args:
            timeout: Seconds after which to give up in any case.
            patience: Seconds to wait for a server that refuses connections.

        Raises:
            ServiceUnavailable: no connection could be made; nothing was sent.
        """
        self._require_open()
        begin = time.monotonic()
        others = len(self._owner.homes)
        while (state := self._owner.current.get_state(try_to_connect=True)) is not grpc.ChannelConnectivity.READY:
            refused = state is grpc.ChannelConnectivity.TRANSIENT_FAILURE
            if refused and others and self._owner.go_home():
                others -= 1
                continue
            others = len(self._owner.homes)
            left = begin + (min(patience, timeout) if refused else timeout) - time.monotonic()
            if left <= 0 or state is grpc.ChannelConnectivity.SHUTDOWN:
                raise self._unreachable()
            await self._until_changed(state, left)
        self.was_ready = True

    async def _until_changed(self, state: grpc.ChannelConnectivity, left: float) -> None:
        """Wait for another state; go to another address if this one is silent and there is one."""
        limit = min(left, SILENT_SECONDS) if len(self._owner.homes) > 1 else left
        try:
            async with async_timeout.timeout(limit):
                await self._owner.current.wait_for_state_change(state)
        except asyncio.TimeoutError:
            if limit == left or not self._owner.go_home():
                raise self._unreachable() from None

    def _follow(self, error: QueueServerError) -> bool:
        """Go to the owner that a refusal names; returns whether to try there at once."""
        return isinstance(error, NotOwner) and bool(error.owner_address) and self._owner.follow(error.owner_address)

    async def read(self, method: UnaryUnaryMultiCallable[_Q, _R], request: _Q, *, terms: CallTerms = AS_USUAL) -> _R:
        """Make a call that changes nothing, and wait for a server that is away for a moment.

        It continues until the deadline while no Manager owns the queue, for MOST_READS attempts if its owner refuses.
        """
        deadline = time.monotonic() + (terms.timeout or self.timeout)
        attempt = refused = moves = 0
        while True:
            left = deadline - time.monotonic()
            await self.ready(left, left if self.was_ready else 0.0)
            try:
                return await self._attempt(method, request, deadline, terms, changes=False)
            except QueueServerError as error:
                if self._follow(error) and moves < MOST_MOVES:
                    moves += 1
                    continue
                pause = max(_pause(attempt), error.retry_after or 0.0)
                attempt += 1
                refused += not _is_away(error)
                if refused == MOST_READS or not refusals.may_pass(error) or self._is_over(pause, deadline):
                    raise
            await self._rest(pause)

    async def change(
        self,
        method: UnaryUnaryMultiCallable[_I, _R],
        request: _I,
        *,
        guarded: bool = True,
        terms: CallTerms = AS_USUAL,
    ) -> _R:
        """Make a call that changes something, under a new request id, repeated until its deadline if necessary.

        While the lock is held, a ``guarded`` call is made only as long as it is.
        """
        if not guarded or self.guard is None:
            return await self._change(method, request, terms)
        guard = self.guard
        await guard.require_lock()
        try:
            return await self._change(method, request, terms)
        except Locked as error:
            raise guard.lost_to(error.lock) from None

    async def _change(self, method: UnaryUnaryMultiCallable[_I, _R], request: _I, terms: CallTerms = AS_USUAL) -> _R:
        request.request_id = str(uuid.uuid4())
        deadline = time.monotonic() + (terms.timeout or self.timeout)
        in_doubt: QueueServerError | None = None
        attempt = moves = 0
        while True:
            left = deadline - time.monotonic()
            try:
                await self.ready(left, left if self.was_ready else 0.0)
                return await self._attempt(method, request, deadline, terms, changes=True)
            except QueueServerError as error:
                if not error.reason or error.metadata.get("fate") == "unknown":
                    in_doubt = error
                if self._follow(error) and moves < MOST_MOVES:
                    moves += 1
                    continue
                pause = max(_pause(attempt), error.retry_after or 0.0)
                if error.reason == "UNREACHABLE" or not refusals.may_pass(error) or self._is_over(pause, deadline):
                    # An unknown result of an earlier attempt matters more than that the server is away now.
                    raise in_doubt if in_doubt and isinstance(error, ServiceUnavailable) else error from None
            await self._rest(pause)
            attempt += 1

    def _is_over(self, pause: float, deadline: float) -> bool:
        """Whether there is no further attempt after a pause."""
        return self._closed.is_set() or time.monotonic() + pause + LEAST_ATTEMPT_SECONDS >= deadline

    async def _attempt(
        self,
        method: UnaryUnaryMultiCallable[_Q, _R],
        request: _Q,
        deadline: float,
        terms: CallTerms,
        *,
        changes: bool,
    ) -> _R:
        self.unanswered_changes += changes
        try:
            answer = await method(
                request,
                metadata=self._sent_with(request, terms.caller),
                timeout=max(deadline - time.monotonic(), 0.001),
            )
            self.unanswered_changes -= changes
        except grpc.aio.AioRpcError as error:
            self.unanswered_changes -= changes
            raise self.error(error, changes=changes) from None
        except asyncio.CancelledError:
            self._explain_cancellation(f"This client was closed before the answer came.{_DOUBT if changes else ''}")
            raise
        return self._readable(answer)

    async def stream(
        self, method: UnaryStreamMultiCallable[_Q, _R], request: _Q, *, timeout: float | None, silence: float | None
    ) -> AsyncGenerator[_R, None]:
        """Make a call that is answered by a stream, on a working connection.

        Args:
            method: The stub's method.
            request: What to ask.
            timeout: Seconds after which the call ends with DeadlineExceeded; None for no end.
            silence: Seconds without a message after which the stream counts as broken; None for no limit.
        """
        moves, begun = 0, False
        while True:
            call = method(request, metadata=self._metadata, timeout=timeout)
            try:
                while (message := await _within(silence, call.read())) is not grpc.aio.EOF:
                    begun = True
                    yield self._readable(message)  # type: ignore[misc] # typeshed gives read() the type of EOF as well
            except asyncio.TimeoutError:
                raise self.broken(f"{self.address} has been silent for {silence:g} seconds.") from None
            except asyncio.CancelledError:
                self._explain_cancellation("This client was closed.")
                raise
            except grpc.aio.AioRpcError as error:
                failure = self.error(error, changes=False)
                moves += 1
                if not self._follow(failure) or begun or moves > MOST_MOVES:
                    raise failure from None
            else:
                return
            finally:
                call.cancel()
            await self.ready(self.timeout, 0.0)

    def _explain_cancellation(self, message: str) -> None:
        """Raise an error if the channel was closed beneath the call, not if our caller was cancelled."""
        if self._closed.is_set() and not _is_being_cancelled():
            raise self.broken(message) from None

    def _readable(self, message: _R) -> _R:
        """The message, or an error in place of the None that gRPC returns when it can't decode one."""
        if message is None:
            raise self.not_understood(
                f"The answer of {self.address} can't be read: is it a Queue Server, and not an older one?"
            )
        return message

    async def back_off(self, attempt: int, limit: float, *, at_least: float = 0.0) -> None:
        """Wait before a further attempt, longer each time, up to two seconds and ``limit``. Ends when closed."""
        await self._rest(min(max(_pause(attempt), at_least), limit))

    async def _rest(self, pause: float) -> None:
        try:
            async with async_timeout.timeout(max(pause, 0.0)):
                await self._closed.wait()
        except asyncio.TimeoutError:
            return
        raise self.broken("This client was closed.")

    def error(self, error: grpc.aio.AioRpcError, *, changes: bool) -> QueueServerError:
        """The exception for a failed call."""
        refusal = refusals.read(error)
        if not refusal.reason:
            refusal = replace(refusal, message=self._explain(refusal, changes=changes))
        return refusals.from_refusal(refusal)

    def _explain(self, refusal: Refusal, *, changes: bool) -> str:
        """A sentence for failures that the server did not explain itself."""
        doubt = _DOUBT if changes else ""
        if refusal.code in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}:
            return f"The connection to {self.address} was lost before the answer came.{doubt}"
        if refusal.code is grpc.StatusCode.DEADLINE_EXCEEDED:
            return f"{self.address} did not answer in time.{doubt}"
        if refusal.code is grpc.StatusCode.UNIMPLEMENTED:
            return f"The server at {self.address} does not know this call: is it a Queue Server, and not an older one?"
        return refusal.message

    def _unreachable(self) -> ServiceUnavailable:
        if self._closed.is_set():
            return self.broken("This client was closed before it was connected.")
        address = " or ".join(self._owner.homes) if self._owner.is_home else self.address
        self._owner.go_home()
        return ServiceUnavailable(
            Refusal(
                grpc.StatusCode.UNAVAILABLE,
                "UNREACHABLE",
                f"No Queue Server answers at {address}: is it running (start-re-manager), and is --address right?",
            )
        )

    @staticmethod
    def not_understood(message: str) -> ServerFault:
        """The error for an invalid answer."""
        return ServerFault(Refusal(grpc.StatusCode.INTERNAL, "ANSWER_UNREADABLE", message))

    @staticmethod
    def broken(message: str) -> ServiceUnavailable:
        """The error for a connection that does not work as it should."""
        return ServiceUnavailable(Refusal(grpc.StatusCode.UNAVAILABLE, "", message))


def _is_being_cancelled() -> bool:
    """Whether the running task is being cancelled. Python 3.10 does not tell: then it is assumed."""
    cancelling = getattr(asyncio.current_task(), "cancelling", None)
    return cancelling is None or cancelling() > 0


def _is_away(error: QueueServerError) -> bool:
    """Whether the owner of the queue did not answer: it died, or another one is about to take over."""
    return isinstance(error, NotOwner) or (error.code is grpc.StatusCode.UNAVAILABLE and not error.reason)


def _pause(attempt: int) -> float:
    """Seconds before a further attempt. Chance spreads the load of clients that were cut off together."""
    return min(0.1 * 2.0 ** min(attempt, 5), 2.0) * random.uniform(0.5, 1.0)  # noqa: S311 - no secret


async def _within(seconds: float | None, reading: Awaitable[_T]) -> _T:
    """What is read, if it comes in time; None waits for ever. Raises asyncio.TimeoutError.

    Unlike asyncio.wait_for before Python 3.12 it never swallows a cancellation that comes together with the message.
    """
    task = asyncio.ensure_future(reading)
    try:
        await asyncio.wait({task}, timeout=seconds)
        if not task.done():
            raise asyncio.TimeoutError
        return task.result()
    finally:
        task.cancel()
