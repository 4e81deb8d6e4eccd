"""The progress of an item, from the queue to the history, for clients that follow it.

Guarantee: a follower of an item learns how it ended, even if its entry left the history before the follower looks.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, replace
from enum import Enum

from queueserver_manager.domain import events as ev
from queueserver_manager.domain.queue.item import HistoryEntry, Item, RunningItem
from queueserver_manager.domain.record import Record
from queueserver_manager.domain.refusals.errors import ItemNotFound, Refused
from queueserver_manager.operations.commit.ledger import Ledger
from queueserver_manager.operations.watch.followers import Follower, Followers
from queueserver_manager.operations.worker.worker_view import WorkerView


class ItemState(Enum):
    """State of an item; the numbers are those of the contract."""

    QUEUED = 1
    RUNNING = 2
    PAUSED = 3
    FINISHED = 4
    REMOVED = 5
    HELD = 6
    INVALID = 7


def state_in_queue(item: Item) -> ItemState:
    """State of an item that is in the queue."""
    return ItemState.HELD if item.held else ItemState.INVALID if item.problems else ItemState.QUEUED


@dataclass(frozen=True, slots=True)
class ItemStatus:
    """An item and its state at a revision."""

    state: ItemState
    item: Item
    revision: int
    index: int | None = None
    running: RunningItem | None = None
    entry: HistoryEntry | None = None

    @property
    def is_final(self) -> bool:
        """The state is final."""
        return self.state in {ItemState.FINISHED, ItemState.REMOVED}


class ItemWatches:
    """Knows the state of items, and wakes the followers of one."""

    def __init__(self, ledger: Ledger, view: WorkerView) -> None:
        self._ledger = ledger
        self._view = view
        self._followers = Followers[ItemStatus]()

    async def look(self, uid: str) -> ItemStatus:
        """The state of an item. Raises ItemNotFound."""
        return await self._ledger.read(lambda record: self._look(record, uid))

    def _look(self, record: Record, uid: str) -> ItemStatus:
        revision, running = record.revisions.last, record.running
        if running is not None and running.item.uid == uid:
            state = ItemState.PAUSED if self._view.status.item_paused else ItemState.RUNNING
            return ItemStatus(state, running.item, revision, running=running)
        item = record.queue.get(uid)
        if item is not None:
            return ItemStatus(state_in_queue(item), item, revision, index=record.queue.index_of(uid))
        entry = record.history.entry_of_item(uid)
        if entry is not None:
            return ItemStatus(ItemState.FINISHED, entry.item, revision, entry=entry)
        raise ItemNotFound(
            f"There is no item {uid!r} in the queue or the history: list the queue and the history to see which exist."
        )

    def follow(self, uid: str) -> AsyncIterator[ItemStatus]:
        """The state of an item now, and each change, until the final one. Raises ItemNotFound."""

        async def look(follower: Follower[ItemStatus]) -> ItemStatus:
            return await self._look_for(uid, follower)

        return self._followers.follow(
            uid,
            look,
            is_news=lambda shown, state: shown is None or state.state is not shown.state,
            is_final=lambda state: state.is_final,
        )

    async def _look_for(self, uid: str, follower: Follower[ItemStatus]) -> ItemStatus:
        """The state of an item, for a follower that may have got it before. Raises ItemNotFound if not."""
        try:
            return await self.look(uid)
        except ItemNotFound:
            revision = self._ledger.summary.revisions.last
            if follower.end is not None:
                return replace(follower.end, revision=revision)
            if follower.found is None:
                raise
            return ItemStatus(ItemState.REMOVED, follower.found.item, revision)

    def note(self, event: ev.Event) -> None:
        """Something happened: wake the followers of an item that it concerns."""
        if not self._followers:
            return
        if isinstance(event, ev.ItemsChecked):
            self.wake(uid for uid, _ in event.items)
        elif isinstance(event, ev.HistoryAdded):
            entry, revision = event.entry, self._ledger.summary.revisions.last
            self._followers.tell_end(entry.item.uid, ItemStatus(ItemState.FINISHED, entry.item, revision, entry=entry))
        elif isinstance(event, ev.QueueCleared):
            self._followers.wake_all()
        elif isinstance(event, ev.ItemStarted):
            self.wake((event.running.item.uid,))
        elif isinstance(event, (ev.ItemFinished, ev.ItemRemoved, ev.ItemUpdated)):
            self.wake((event.uid,))

    def wake(self, uids: Iterable[str]) -> None:
        """Wake the followers of these items."""
        self._followers.wake(uids)

    def end_with(self, reason: Refused) -> None:
        """Dismiss every follower."""
        self._followers.end_with(reason)
