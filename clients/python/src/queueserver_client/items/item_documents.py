"""The documents of an item's runs, from the first one to the last, live or afterwards.

Guarantee: documents come in the order in which they were emitted, each once, and the iteration ends when the item has
ended. If documents are missing, DocumentsLost says so after those that came: nothing is missed silently.

Not guaranteed: documents of an item that began before the iteration did. They are in the memory of the server, the
newest 64 MiB of all items, as long as its Worker runs.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable

import grpc

from queueserver_client.connection.refusal_details import Refusal
from queueserver_client.errors import DocumentsLost, ItemNotFound, ResumeTokenExpired
from queueserver_client.events import (
    DocumentEmitted,
    Event,
    EventKind,
    EventsLost,
    HistoryAdded,
    ItemRemoved,
    ItemStarted,
    ItemUpdated,
    QueueCleared,
    RunDocument,
    Snapshot,
)
from queueserver_client.items.run_tally import RunTally
from queueserver_client.models.item_status import ItemState, ItemStatus
from queueserver_client.models.items import HistoryEntry
from queueserver_client.watch import Watch

KINDS = (EventKind.QUEUE, EventKind.HISTORY, EventKind.DOCUMENT)
_WAITING = {ItemState.QUEUED, ItemState.HELD, ItemState.INVALID}


async def follow_documents(
    watch: Callable[[int], Watch], status: ItemStatus, added_at: int
) -> AsyncGenerator[RunDocument, None]:
    """Documents of an item that has this status now, and was added with that revision.

    ``watch`` starts a Watch after a revision, or with a snapshot if that is 0.
    """
    waits = status.state in _WAITING
    item = _Item(status.item.uid, begun=not waits, entry=status.history_entry)
    after: int | None = status.revision if waits else added_at
    while after is not None:
        try:
            async with watch(after) as events:
                async for event in events:
                    for document in item.take(event):
                        yield document
                    if item.is_over:
                        break
            break
        except ResumeTokenExpired:
            if not after:
                raise
            item.tally.gap = True
            # What has ended is not reported again.
            after = None if item.entry is not None else 0
    item.require_all()


class _Item:
    """What has been received about the item."""

    def __init__(self, uid: str, *, begun: bool, entry: HistoryEntry | None) -> None:
        self._uid = uid
        self._begun = begun
        #: Its history entry, which may be known before all of its documents have come.
        self.entry = entry
        self.tally = RunTally()
        #: Nothing more will come.
        self.is_over = False

    def take(self, event: Event | Snapshot) -> list[RunDocument]:
        """Documents of the item that an event brings. Raises ItemNotFound if it was removed."""
        if isinstance(event, Snapshot):
            return self._begin_again(event)
        if isinstance(event, DocumentEmitted):
            return self._documents(event.document)
        if isinstance(event, EventsLost):
            self.tally.gap = self.tally.gap or EventKind.DOCUMENT in event.kinds
        elif isinstance(event, ItemStarted):
            self._begun = self._begun or event.running_item.item.uid == self._uid
        elif isinstance(event, HistoryAdded) and event.entry.item.uid == self._uid:
            self.entry, self.is_over = event.entry, True
        elif self._is_removed_by(event):
            raise self._gone()
        return []

    def _documents(self, *documents: RunDocument) -> list[RunDocument]:
        mine = [document for document in documents if document.item_uid == self._uid]
        for document in mine:
            self.tally.take(document)
        return mine

    def _is_removed_by(self, event: Event) -> bool:
        if isinstance(event, (ItemRemoved, ItemUpdated)):
            is_same = isinstance(event, ItemUpdated) and event.item.uid == self._uid
            return event.item_uid == self._uid and not is_same
        return isinstance(event, QueueCleared) and not self._begun

    def _begin_again(self, snapshot: Snapshot) -> list[RunDocument]:
        """Changes in between are not reported. The beginnings of its open runs may be."""
        self.tally.gap = True
        running = snapshot.running_item
        if running is not None and running.item.uid == self._uid:
            self._begun = True
            return self._documents(*(one for one in snapshot.documents if not self.tally.knows(one)))
        if any(item.uid == self._uid for item in snapshot.queue):
            return []
        self.entry = self.entry or next((line for line in snapshot.history if line.item.uid == self._uid), None)
        self.is_over = True
        return []

    def require_all(self) -> None:
        """Raise DocumentsLost if documents are missing, ItemNotFound if the item's end is not known."""
        if self.entry is None:
            raise self._gone()
        incomplete = self.tally.incomplete(self.entry.result.runs)
        if incomplete:
            what = f"{self.entry.item.name} {self._uid}"
            raise DocumentsLost(
                Refusal(
                    grpc.StatusCode.DATA_LOSS,
                    "DOCUMENTS_LOST",
                    f"Documents of {len(incomplete)} of {len(self.entry.result.runs)} runs of {what} did not come: the "
                    "server keeps the newest only. What a RunEngine's own subscriber stored has them all.",
                ),
                incomplete,
            )

    def _gone(self) -> ItemNotFound:
        return ItemNotFound(
            Refusal(
                grpc.StatusCode.NOT_FOUND,
                "ITEM_NOT_FOUND",
                f"Item {self._uid} gives no documents: it was taken out of the queue, or its line out of the history.",
            )
        )
