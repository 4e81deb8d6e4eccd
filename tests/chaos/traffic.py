"""Several clients that edit the queue at the same time, each in an order that its seed decides."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from queueserver_client import AsyncClient, Item, Plan, QueueServerError, ServiceUnavailable

from tests.chaos.told import Submission, Told

T = TypeVar("T")
#: Seconds: longer than the faults, so that most requests are answered in the end; shorter than all of them together.
_TIMEOUT = 8.0
#: Seconds before the next request after one that was not carried out, or may not have been.
_PATIENCE = 0.3
#: Items of one client that wait in the queue at the same time.
_BACKLOG = 8


class Unanswered(Exception):  # noqa: N818 - what became of a request
    """It was not answered as hoped."""

    def __init__(self, error: QueueServerError) -> None:
        super().__init__(str(error))
        self.reason = error.reason or f"{type(error).__name__}: {error}"[:100]


class Refused(Unanswered):
    """The server refused the request, so it changed nothing."""


class FateUnknown(Unanswered):
    """The client was not told whether the request was carried out."""


class Customer:
    """One client."""

    def __init__(self, number: int, address: str, traces: str, told: Told, seed: str) -> None:
        self._number = number
        self._address = address
        self._traces = traces
        self._told = told
        self._random = random.Random(seed)  # noqa: S311 - to be repeated
        #: Set by the recorder whenever an item has ended.
        self.ended = asyncio.Event()
        #: Its items that may wait in the queue.
        self.waiting: dict[str, Submission] = {}

    async def work(self, enough: asyncio.Event) -> None:
        """Edit the queue until it is enough."""
        async with AsyncClient(self._address, user=f"client{self._number}", timeout=_TIMEOUT) as client:
            while not enough.is_set():
                try:
                    await self._step(client)
                except Refused as refusal:
                    self._told.refused[refusal.reason] += 1
                except FateUnknown as failure:
                    self._told.unknown[failure.reason] += 1
                    await self._until_one_ended(enough, _PATIENCE)
                if len(self.waiting) >= _BACKLOG:
                    await self._until_one_ended(enough)

    async def _until_one_ended(self, enough: asyncio.Event, patience: float = _TIMEOUT) -> None:
        self.ended.clear()
        waits = [asyncio.ensure_future(event.wait()) for event in (self.ended, enough)]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED, timeout=patience)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    async def _step(self, client: AsyncClient) -> None:
        steps: list[Callable[[AsyncClient], Awaitable[None]]] = [self._read]
        weights = [1]
        if len(self.waiting) < _BACKLOG:
            steps += [self._add, self._add_batch]
            weights += [4, 2]
        if self.waiting:
            steps += [self._move, self._remove, self._update]
            weights += [2, 1, 1]
        await self._random.choices(steps, weights)[0](client)

    async def _call(self, call: Awaitable[T]) -> T:
        try:
            return await call
        except ServiceUnavailable as error:
            raise FateUnknown(error) from error
        except QueueServerError as error:
            # What names no reason of the contract was not said by the server.
            raise (Refused if error.reason else FateUnknown)(error) from error

    def _plan(self, submission: Submission) -> Item:
        return Plan("traced", self._traces, submission.label, steps=self._random.randrange(1, 5))

    async def _add(self, client: AsyncClient) -> None:
        await self._submit(client, 1)

    async def _add_batch(self, client: AsyncClient) -> None:
        await self._submit(client, self._random.randrange(2, 5))

    async def _submit(self, client: AsyncClient, count: int) -> None:
        submissions = [self._told.submit(self._number) for _ in range(count)]
        plans = [self._plan(one) for one in submissions]
        try:
            if count == 1:
                handles = [await self._call(client.queue.add(plans[0]))]
            else:
                handles = list(await self._call(client.queue.add_batch(plans)))
        except Refused:
            for one in submissions:
                self._told.withdraw(one)
            raise
        for one, handle in zip(submissions, handles, strict=True):
            one.uid = handle.uid
            self.waiting[handle.uid] = one

    def _any(self) -> tuple[str, Submission]:
        return self._random.choice(sorted(self.waiting.items()))

    async def _move(self, client: AsyncClient) -> None:
        uid, submission = self._any()
        submission.moved = True
        await self._call(client.queue.move(uid, self._random.choice(["front", "back"])))

    async def _remove(self, client: AsyncClient) -> None:
        uid, submission = self._any()
        # An earlier request for it, of unknown fate, may be why this one is refused.
        before, submission.perhaps_removed = submission.perhaps_removed, True
        try:
            await self._call(client.queue.remove(uid))
        except Refused:
            submission.perhaps_removed = before
            raise
        submission.removed = True
        self.waiting.pop(uid, None)

    async def _update(self, client: AsyncClient) -> None:
        uid, submission = self._any()
        await self._call(client.queue.update(uid, self._plan(submission)))

    async def _read(self, client: AsyncClient) -> None:
        await self._call(client.queue.page(page_size=10))
