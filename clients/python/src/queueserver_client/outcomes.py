"""Waiting for items to end: one Watch for all handles of a client, alive only while somebody waits.

Guarantee: an item that ended before the watch began is found in the snapshot or in the history, one that ends
later in an event; nothing is polled and nothing is missed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection

import grpc

from queueserver_client.errors import ItemNotFound, Refusal
from queueserver_client.events import Event, HistoryAdded, ItemRemoved, QueueCleared, Snapshot
from queueserver_client.history import AsyncHistory
from queueserver_client.models.items import HistoryEntry
from queueserver_client.view import QueueView
from queueserver_client.watch import Watch


class Outcomes:
    """Tells waiters what became of their items."""

    def __init__(
        self, watch: Callable[[], Watch], is_queued: Callable[[str], Awaitable[bool]], history: AsyncHistory
    ) -> None:
        self._watch = watch
        self._is_queued = is_queued
        self._history = history
        self._waiting: dict[str, list[asyncio.Future[HistoryEntry]]] = {}
        self._view: QueueView | None = None
        self._task: asyncio.Task[None] | None = None

    async def wait(self, uid: str) -> HistoryEntry:
        """The history entry of an item, as soon as there is one. Raises ItemNotFound if there never will be."""
        future: asyncio.Future[HistoryEntry] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(uid, []).append(future)
        try:
            if self._task is None:
                self._task = asyncio.create_task(self._follow())
                self._task.add_done_callback(self._ended)
            elif self._view is not None and not self._view.has(uid):
                await self._look_back({uid})
            return await future
        finally:
            self._leave(uid, future)

    async def close(self) -> None:
        """End the watch; whoever still waits is cancelled."""
        for future in [future for futures in self._waiting.values() for future in futures]:
            future.cancel()
        task, self._task, self._view = self._task, None, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    def _leave(self, uid: str, future: asyncio.Future[HistoryEntry]) -> None:
        if not future.cancel() and not future.cancelled():
            future.exception()  # a failure nobody waited for any more must not be logged as forgotten
        self._waiting[uid].remove(future)
        if not self._waiting[uid]:
            del self._waiting[uid]
        if not self._waiting and self._task is not None:
            self._task.cancel()
            self._task = self._view = None

    async def _follow(self) -> None:
        async with self._watch() as watch:
            async for event in watch:
                await self._take(event)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled() or self._task is not task:
            return
        self._task = self._view = None
        error = task.exception()
        for uid in tuple(self._waiting):
            self._settle(uid, error or _gone(uid))

    async def _take(self, event: Event | Snapshot) -> None:
        if isinstance(event, Snapshot):
            self._view = QueueView.from_snapshot(event)
            for entry in event.history:
                self._settle(entry.item.uid, entry)
            await self._look_back({uid for uid in self._waiting if not self._view.has(uid)})
            return
        assert self._view is not None  # noqa: S101 - a Watch begins with a snapshot
        cleared = [item.uid for item in self._view.items] if isinstance(event, QueueCleared) else []
        self._view.apply(event)
        if isinstance(event, HistoryAdded):
            self._settle(event.entry.item.uid, event.entry)
        elif isinstance(event, ItemRemoved):
            self._settle(event.item_uid, _gone(event.item_uid))
        for uid in cleared:
            self._settle(uid, _gone(uid))

    async def _look_back(self, uids: Collection[str]) -> None:
        """Settle items that the view does not have: ended before it, or too new for it, or gone."""
        missing = {uid for uid in uids if not await self._is_queued(uid)}
        if missing:
            async for entry in self._history.list(newest_first=True, page_size=1000):
                if entry.item.uid in missing:
                    missing.discard(entry.item.uid)
                    self._settle(entry.item.uid, entry)
                if not missing:
                    return
        for uid in missing:
            self._settle(uid, _gone(uid))

    def _settle(self, uid: str, outcome: HistoryEntry | BaseException) -> None:
        for future in self._waiting.get(uid, ()):
            if future.done():
                continue
            if isinstance(outcome, HistoryEntry):
                future.set_result(outcome)
            else:
                future.set_exception(outcome)


def _gone(uid: str) -> ItemNotFound:
    return ItemNotFound(
        Refusal(
            grpc.StatusCode.NOT_FOUND,
            "ITEM_NOT_FOUND",
            f"Item {uid} has no result: it was taken out of the queue, or its line out of the history.",
        )
    )
