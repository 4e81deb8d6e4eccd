"""A handle on one item: what `queue.add` answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from queueserver_client.models.items import HistoryEntry, Item, ItemType
from queueserver_client.outcomes import Outcomes

if TYPE_CHECKING:
    from queueserver_client.positions import Position
    from queueserver_client.queue import AsyncQueue, Moved, Removed


class ItemHandle:
    """One submitted item. It stands for this attempt only: a requeued attempt is another item."""

    def __init__(self, queue: AsyncQueue, outcomes: Outcomes, item: Item, *, index: int, queue_size: int) -> None:
        self._queue = queue
        self._outcomes = outcomes
        #: The item as the server stored it.
        self.item = item
        #: Its index when it was added.
        self.index = index
        #: Items in the queue when it was added, this one included.
        self.queue_size = queue_size

    @property
    def uid(self) -> str:
        """Identity of the item."""
        return self.item.uid

    async def remove(self) -> Removed:
        """Take it out of the queue. Raises ItemNotFound, ItemRunning."""
        return await self._queue.remove(self.uid)

    async def move(self, destination: Position) -> Moved:
        """Move it to another place. Raises ItemNotFound, PositionOutOfRange, ItemRunning."""
        return await self._queue.move(self.uid, destination)

    async def result(self) -> HistoryEntry:
        """Wait until the item has ended, well or not; answers its line of the history.

        There is no limit of its own: a plan takes what it takes. Put ``asyncio.wait_for`` around it.

        Raises:
            ItemNotFound: the item was taken out of the queue, or its line out of the history.
            ServiceUnavailable: the server could not be reached for longer than the watch waits.
            ValueError: the item is an instruction.
        """
        if self.item.item_type is ItemType.INSTRUCTION:
            raise ValueError("An instruction leaves no line in the history: there is no result to wait for.")
        return await self._outcomes.wait(self.uid)

    def __repr__(self) -> str:
        return f"<ItemHandle {self.item.name} {self.uid}>"
