"""The queue: what will be executed, in which order, and whether it is running."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, replace

from queueserver.common.v1 import item_pb2
from queueserver.manager.v1 import queue_service_pb2 as pb

from queueserver_client import values
from queueserver_client.connection import Connection
from queueserver_client.errors import ValueNotRepresentable
from queueserver_client.handles import ItemHandle
from queueserver_client.models.items import Item, RunningItem
from queueserver_client.outcomes import Outcomes
from queueserver_client.positions import Address, Position, encode_address, encode_position


@dataclass(frozen=True)
class QueuePage:
    """A part of the queue."""

    items: Sequence[Item]
    #: Token of the next page; empty on the last page.
    next_page_token: str
    #: Items in the whole queue.
    queue_size: int
    running_item: RunningItem | None
    revision: int
    #: Change marker of the queue, as in Status.
    plan_queue_uid: str


@dataclass(frozen=True)
class QueueItem:
    """An item and where it is."""

    item: Item
    #: Its index in the queue; None if it is running.
    index: int | None


@dataclass(frozen=True)
class Removed:
    """An item that was taken out of the queue."""

    item: Item
    #: Items left in the queue.
    queue_size: int


@dataclass(frozen=True)
class Moved:
    """An item that may have changed its place."""

    item: Item
    #: Its index now.
    index: int
    queue_size: int


class AsyncQueue:
    """``client.queue``. Errors: those of the methods of the same name in QueueService."""

    def __init__(self, connection: Connection, outcomes: Outcomes) -> None:
        self._connection = connection
        self._outcomes = outcomes

    async def add(self, item: Item, *, position: Position | None = None) -> ItemHandle:
        """Add a plan or instruction, at the back unless said otherwise.

        Raises ItemInvalid, PlanNotFound, InventoryEmpty, ItemNotFound (position), QueueFull.
        """
        request = pb.AddItemRequest(item=item.to_proto(), position=encode_position(position))
        answer = await self._connection.change(self._connection.stubs.queue.AddItem, request)
        return ItemHandle(
            self, self._outcomes, Item.from_proto(answer.item), index=answer.index, queue_size=answer.queue_size
        )

    async def add_batch(self, items: Iterable[Item], *, position: Position | None = None) -> Sequence[ItemHandle]:
        """Add several items next to each other and in order, all or none. Raises BatchRefused."""
        listed = list(items)
        request = pb.AddItemsRequest(position=encode_position(position))
        request.items.extend(_encode(item, number) for number, item in enumerate(listed))
        answer = await self._connection.change(self._connection.stubs.queue.AddItems, request)
        return [
            ItemHandle(
                self, self._outcomes, _with_uid(item, uid), index=answer.index + offset, queue_size=answer.queue_size
            )
            for offset, (item, uid) in enumerate(zip(listed, answer.item_uids, strict=True))
        ]

    async def page(self, *, page_size: int = 0, page_token: str = "") -> QueuePage:
        """One page of the queue and the running item. Raises PageTokenExpired."""
        request = pb.ListItemsRequest(
            page_size=values.size(page_size, "page_size"), page_token=values.text(page_token, "page_token")
        )
        answer = await self._connection.read(self._connection.stubs.queue.ListItems, request)
        return QueuePage(
            items=tuple(Item.from_proto(item) for item in answer.items),
            next_page_token=answer.next_page_token,
            queue_size=answer.queue_size,
            running_item=RunningItem.from_proto(answer.running_item) if answer.HasField("running_item") else None,
            revision=answer.revision,
            plan_queue_uid=answer.plan_queue_uid,
        )

    async def list(self, *, page_size: int = 1000) -> AsyncIterator[Item]:
        """All items from the front, as the queue was when the listing began."""
        token = ""
        while True:
            page = await self.page(page_size=page_size, page_token=token)
            for item in page.items:
                yield item
            token = page.next_page_token
            if not token:
                return

    async def get(self, address: Address = "back") -> QueueItem:
        """One item of the queue, or the running one by uid. Raises ItemNotFound, PositionOutOfRange."""
        request = pb.GetItemRequest(address=encode_address(address))
        answer = await self._connection.read(self._connection.stubs.queue.GetItem, request)
        return QueueItem(Item.from_proto(answer.item), answer.index if answer.HasField("index") else None)

    async def remove(self, address: Address = "back") -> Removed:
        """Take one item out of the queue. Raises ItemNotFound, PositionOutOfRange, ItemRunning."""
        request = pb.RemoveItemRequest(address=encode_address(address))
        answer = await self._connection.change(self._connection.stubs.queue.RemoveItem, request)
        return Removed(Item.from_proto(answer.item), answer.queue_size)

    async def move(self, source: Address, destination: Position) -> Moved:
        """Move one item to another place. Raises ItemNotFound, PositionOutOfRange, ItemRunning."""
        request = pb.MoveItemRequest(source=encode_address(source), destination=encode_position(destination))
        answer = await self._connection.change(self._connection.stubs.queue.MoveItem, request)
        return Moved(Item.from_proto(answer.item), answer.index, answer.queue_size)

    async def clear(self) -> int:
        """Take all items out of the queue; answers how many there were. The running item is not touched."""
        answer = await self._connection.change(self._connection.stubs.queue.ClearQueue, pb.ClearQueueRequest())
        return answer.removed

    async def start(self) -> str | None:
        """Start execution from the front; answers the uid of the first item, or None if the queue is empty.

        Raises InvalidState, EnvironmentClosed, RunEngineMissing.
        """
        answer = await self._connection.change(self._connection.stubs.queue.StartQueue, pb.StartQueueRequest())
        return answer.item_uid or None

    async def stop(self) -> None:
        """Let the running item end and start no other. Raises InvalidState when the queue is not running."""
        await self._connection.change(self._connection.stubs.queue.StopQueue, pb.StopQueueRequest())

    async def cancel_stop(self) -> None:
        """Take a pending stop back."""
        await self._connection.change(self._connection.stubs.queue.CancelStopQueue, pb.CancelStopQueueRequest())


def _encode(item: Item, number: int) -> item_pb2.Item:
    """The message for an item of a batch; the path in a refusal tells which one."""
    try:
        return item.to_proto()
    except ValueNotRepresentable as error:
        raise ValueNotRepresentable.at(f"items[{number}].{error.path}", error.violations[0].description) from None


def _with_uid(item: Item, uid: str) -> Item:
    return replace(item, uid=uid)
