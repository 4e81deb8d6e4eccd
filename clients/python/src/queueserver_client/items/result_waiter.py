"""Waiting for items to end.

A few waiters follow one item each, which costs nothing when the queue is long. More of them share one Watch,
open only while there are waiters, so that ten thousand cost the server one stream instead of ten thousand.

Guarantee: an item that ended before is found at once, one that ends later in an event; nothing is polled and
nothing is missed, also while the Manager restarts.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection
from contextlib import aclosing

import grpc

from queueserver_client.connection import forks
from queueserver_client.connection.refusal_details import Refusal
from queueserver_client.errors import ItemNotFound
from queueserver_client.events import (
    Event,
    HistoryAdded,
    ItemAdded,
    ItemFinished,
    ItemRemoved,
    ItemsAdded,
    ItemStarted,
    ItemUpdated,
    QueueCleared,
    Snapshot,
)
from queueserver_client.models.item_status import ItemStatus
from queueserver_client.models.items import HistoryEntry
from queueserver_client.watch import Watch

#: Up to this many waiters follow one item each.
SINGLE_WAITS = 8


class ResultWaiter:
    """Returns the results of items to waiters."""

    def __init__(self, watch: Callable[[], Watch], follow: Callable[[str], AsyncGenerator[ItemStatus, None]]) -> None:
        self._follow = follow
        self._single = 0
        self._shared = _SharedWatch(watch, self._look)

    async def wait(self, uid: str) -> HistoryEntry:
        """The history entry of an item, as soon as there is one. Raises ItemNotFound if there never will be."""
        forks.require_own_process()
        if self._single >= SINGLE_WAITS:
            return await self._shared.wait(uid)
        self._single += 1
        try:
            async with aclosing(self._follow(uid)) as states:
                async for status in states:
                    if status.is_over:
                        return _entry(status)
        except ItemNotFound:
            raise _gone(uid) from None
        finally:
            self._single -= 1
        raise _gone(uid)

    async def close(self) -> None:
        """End the watch; callers that still wait for it are cancelled."""
        await self._shared.close()

    async def _look(self, uid: str) -> ItemStatus:
        async with aclosing(self._follow(uid)) as states:
            return await anext(states)


class _SharedWatch:
    """One Watch for many waiters."""

    def __init__(self, watch: Callable[[], Watch], look: Callable[[str], Awaitable[ItemStatus]]) -> None:
        self._watch = watch
        self._look = look
        self._waiting: dict[str, list[asyncio.Future[HistoryEntry]]] = {}
        #: uids that are known to wait or run, so that no request about them is needed; None until the snapshot.
        self._present: set[str] | None = None
        self._running = ""
        self._task: asyncio.Task[None] | None = None

    async def wait(self, uid: str) -> HistoryEntry:
        future: asyncio.Future[HistoryEntry] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(uid, []).append(future)
        try:
            if self._task is None:
                self._task = asyncio.create_task(self._follow())
                self._task.add_done_callback(self._ended)
            elif self._present is not None and uid not in self._present:
                await self._look_back({uid})
            return await future
        finally:
            self._leave(uid, future)

    async def close(self) -> None:
        for future in [future for futures in self._waiting.values() for future in futures]:
            future.cancel()
        task, self._task, self._present = self._task, None, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    def _leave(self, uid: str, future: asyncio.Future[HistoryEntry]) -> None:
        if not future.cancel() and not future.cancelled():
            future.exception()  # a failure that no caller waits for any more must not be logged as forgotten
        self._waiting[uid].remove(future)
        if not self._waiting[uid]:
            del self._waiting[uid]
        if not self._waiting and self._task is not None:
            self._task.cancel()
            self._task = self._present = None

    async def _follow(self) -> None:
        async with self._watch() as watch:
            async for event in watch:
                if isinstance(event, Snapshot):
                    await self._begin(event)
                else:
                    assert self._present is not None  # noqa: S101 - a Watch begins with a snapshot
                    self._take(event, self._present)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled() or self._task is not task:
            return
        self._task = self._present = None
        error = task.exception()
        for uid in tuple(self._waiting):
            self._settle(uid, error or _gone(uid))

    async def _begin(self, snapshot: Snapshot) -> None:
        self._running = snapshot.running_item.item.uid if snapshot.running_item is not None else ""
        self._present = {item.uid for item in snapshot.queue} | ({self._running} - {""})
        for entry in snapshot.history:
            self._settle(entry.item.uid, entry)
        settled = {uid for uid, futures in self._waiting.items() if all(future.done() for future in futures)}
        await self._look_back(self._waiting.keys() - self._present - settled)

    def _take(self, event: Event, present: set[str]) -> None:
        if isinstance(event, HistoryAdded):
            present.discard(event.entry.item.uid)
            self._settle(event.entry.item.uid, event.entry)
        elif isinstance(event, ItemAdded):
            present.add(event.item.uid)
        elif isinstance(event, ItemsAdded):
            present.update(item.uid for item in event.items)
        elif isinstance(event, ItemStarted):
            self._running = event.running_item.item.uid
            present.add(self._running)
        elif isinstance(event, ItemFinished):
            self._running = ""
        elif isinstance(event, ItemUpdated) and event.item.uid != event.item_uid:
            present.add(event.item.uid)
            self._lose({event.item_uid}, present)
        elif isinstance(event, ItemRemoved):
            self._lose({event.item_uid}, present)
        elif isinstance(event, QueueCleared):
            self._lose(present - {self._running}, present)

    def _lose(self, uids: Collection[str], present: set[str]) -> None:
        present.difference_update(uids)
        for uid in uids:
            self._settle(uid, _gone(uid))

    async def _look_back(self, uids: Collection[str]) -> None:
        """Ask about items that the watch has not reported: ended before it, or too new for it, or gone."""
        for uid in uids:
            try:
                status = await self._look(uid)
                if status.is_over:
                    self._settle(uid, _entry(status))
            except ItemNotFound:
                self._settle(uid, _gone(uid))

    def _settle(self, uid: str, outcome: HistoryEntry | BaseException) -> None:
        for future in self._waiting.get(uid, ()):
            if future.done():
                continue
            if isinstance(outcome, HistoryEntry):
                future.set_result(outcome)
            else:
                future.set_exception(outcome)


def _entry(status: ItemStatus) -> HistoryEntry:
    """The result of an item that has ended. Raises ItemNotFound if it has none."""
    if status.history_entry is None:
        raise _gone(status.item.uid)
    return status.history_entry


def _gone(uid: str) -> ItemNotFound:
    return ItemNotFound(
        Refusal(
            grpc.StatusCode.NOT_FOUND,
            "ITEM_NOT_FOUND",
            f"Item {uid} has no result: it was taken out of the queue, or its line out of the history.",
        )
    )
