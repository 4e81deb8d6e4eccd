"""A handle on one item: the result of `queue.add`, `queue.update` and `queue.execute`."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import TYPE_CHECKING

from queueserver_client.connection.limits import awaited
from queueserver_client.connection.reconnect_policy import RECONNECT_TIMEOUT
from queueserver_client.items.result_waiter import ResultWaiter
from queueserver_client.models.item_status import ItemStatus
from queueserver_client.models.item_warnings import ItemWarning
from queueserver_client.models.items import HistoryEntry, Item, ItemType

if TYPE_CHECKING:
    from queueserver_client.events import RunDocument
    from queueserver_client.positions import Position
    from queueserver_client.services.queue import AsyncQueue
    from queueserver_client.services.queue_answers import Moved, Removed


class ItemHandle:
    """One submitted item. It stands for this attempt only: a requeued attempt is another item."""

    def __init__(
        self,
        queue: AsyncQueue,
        outcomes: ResultWaiter,
        item: Item,
        *,
        index: int | None,
        queue_size: int,
        revision: int,
        warnings: Sequence[ItemWarning] = (),
    ) -> None:
        self._queue = queue
        self._outcomes = outcomes
        #: The item as the server stored it.
        self.item = item
        #: Its index when it was added; None if it is executed without having been in the queue.
        self.index = index
        #: Items in the queue when it was added, this one included if it is there.
        self.queue_size = queue_size
        #: Revision of the change that made it.
        self.revision = revision
        #: Texts in it that are probably mistakes, such as a misspelt device.
        self.warnings = tuple(warnings)

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

    async def status(self) -> ItemStatus:
        """Its state. Raises ItemNotFound if it was removed."""
        return await self._queue.get(self.uid)

    def wait(self, *, reconnect_timeout: float = RECONNECT_TIMEOUT) -> AsyncGenerator[ItemStatus, None]:
        """Follow its state, until it is finished or removed; see ``client.queue.wait``."""
        return self._queue.wait(self.uid, reconnect_timeout=reconnect_timeout)

    def documents(self, *, reconnect_timeout: float = RECONNECT_TIMEOUT) -> AsyncGenerator[RunDocument, None]:
        """The documents of its runs, as they are emitted, from first to last; see ``client.queue.documents``."""
        return self._queue.documents(self.uid, after_revision=self.revision, reconnect_timeout=reconnect_timeout)

    async def result(self, timeout: float | None = None) -> HistoryEntry:
        """Wait until the item has ended, well or not; returns its history entry.

        It keeps waiting over restarts of the Manager. Thousands of handles may wait at once.

        Args:
            timeout: Seconds to wait at most; None for as long as the plan takes.

        Raises:
            DeadlineExceeded: it has not ended in time. It continues.
            ItemNotFound: the item was taken out of the queue, or its entry out of the history.
            ServiceUnavailable: the server could not be reached for a minute.
            ValueError: the item is an instruction.
        """
        if self.item.item_type is ItemType.INSTRUCTION:
            raise ValueError("An instruction leaves no line in the history: there is no result to wait for.")
        return await awaited(self._outcomes.wait(self.uid), timeout, f"{self.item.name} {self.uid}")

    def __repr__(self) -> str:
        return f"<ItemHandle {self.item.name} {self.uid}>"
