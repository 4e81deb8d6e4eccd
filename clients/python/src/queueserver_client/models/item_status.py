"""State of an item, from the queue to the history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from queueserver_client.models.items import HistoryEntry, Item, RunningItem
from queueserver_client.models.wire_enum import WireEnum

if TYPE_CHECKING:
    from queueserver.manager.v1 import queue_items_pb2


class ItemState(WireEnum):
    """State of an item."""

    UNSPECIFIED = "unspecified"
    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    #: It was taken out of the queue without being executed. Only ``queue.wait`` says so.
    REMOVED = "removed"
    #: It was interrupted and waits at the head of the queue until a person updates, moves or removes it.
    HELD = "held"
    #: It waits in the queue, and would fail under the present plans, devices and permissions; see ``Item.problems``.
    INVALID = "invalid"


@dataclass(frozen=True)
class ItemStatus:
    """An item, its place and its state."""

    item: Item
    state: ItemState
    #: Its index in the queue; None if it is not there, or no longer.
    index: int | None = None
    #: Its execution, while it runs or is paused.
    running: RunningItem | None = None
    #: Its history entry, when it is finished.
    history_entry: HistoryEntry | None = None
    #: Revision that this shows.
    revision: int = 0

    @property
    def is_over(self) -> bool:
        """The state is final: it is finished or removed."""
        return self.state in {ItemState.FINISHED, ItemState.REMOVED}

    @classmethod
    def from_proto(cls, proto: queue_items_pb2.GetItemResponse | queue_items_pb2.WaitItemResponse) -> ItemStatus:
        """Read the message of the contract."""
        return cls(
            item=Item.from_proto(proto.item),
            state=ItemState.from_number(proto.state),
            index=proto.index if proto.HasField("index") else None,
            running=RunningItem.from_proto(proto.running_item) if proto.HasField("running_item") else None,
            history_entry=HistoryEntry.from_proto(proto.history_entry) if proto.HasField("history_entry") else None,
            revision=proto.revision,
        )
