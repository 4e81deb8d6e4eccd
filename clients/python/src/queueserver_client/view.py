"""A local picture of the queue, kept up to date by a watch."""

from __future__ import annotations

from dataclasses import replace

from queueserver_client import events
from queueserver_client.events import Event, Snapshot
from queueserver_client.models.items import Item, RunningItem
from queueserver_client.models.status import Status


class QueueView:
    """The queue as a watch of kinds `status` and `queue` reports it. Feed it every event, in order."""

    def __init__(self) -> None:
        #: Items of the queue, front first.
        self.items: list[Item] = []
        self.running: RunningItem | None = None
        #: None until the first status, or if the status is not watched.
        self.status: Status | None = None
        #: Revision of the last change that was applied.
        self.revision = 0

    @classmethod
    def from_snapshot(cls, snapshot: Snapshot) -> QueueView:
        """A view that starts with a snapshot."""
        view = cls()
        view.apply(snapshot)
        return view

    def has(self, uid: str) -> bool:
        """Whether the item waits or runs."""
        return (self.running is not None and self.running.item.uid == uid) or any(
            item.uid == uid for item in self.items
        )

    def apply(self, change: Event | Snapshot) -> None:
        """Bring the view up to date. Events that do not concern it change nothing."""
        if isinstance(change, Snapshot):
            self.items = list(change.queue)
            self.running, self.status, self.revision = change.running_item, change.status, change.revision
            return
        self.revision = max(self.revision, change.revision)
        if isinstance(change, events.StatusChanged):
            self.status = change.status
        elif isinstance(change, events.ItemStarted):
            self._take(change.running_item.item.uid)
            self.running = change.running_item
        elif isinstance(change, events.ItemFinished):
            self.running = None
        else:
            self._edit(change)

    def _edit(self, change: Event) -> None:
        if isinstance(change, events.ItemAdded):
            self.items.insert(change.index, change.item)
        elif isinstance(change, events.ItemsAdded):
            self.items[change.index : change.index] = change.items
        elif isinstance(change, events.ItemRemoved):
            self._take(change.item_uid)
        elif isinstance(change, events.ItemMoved):
            item = self._take(change.item_uid)
            if item is not None:
                self.items.insert(change.to_index, item)
        elif isinstance(change, events.ItemsMoved):
            uids = set(change.item_uids)
            moved = {item.uid: item for item in self.items if item.uid in uids}
            self.items = [item for item in self.items if item.uid not in moved]
            self.items[change.index : change.index] = [moved[uid] for uid in change.item_uids if uid in moved]
        elif isinstance(change, events.ItemUpdated):
            self.items = [change.item if item.uid == change.item_uid else item for item in self.items]
        elif isinstance(change, events.ItemsChecked):
            self.items = [
                replace(item, problems=change.problems[item.uid]) if item.uid in change.problems else item
                for item in self.items
            ]
        elif isinstance(change, events.QueueCleared):
            self.items.clear()

    def _take(self, uid: str) -> Item | None:
        for index, item in enumerate(self.items):
            if item.uid == uid:
                return self.items.pop(index)
        return None
