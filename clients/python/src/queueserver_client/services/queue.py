"""The queue: what will be executed, in which order, and whether it is running."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from dataclasses import replace

from google.protobuf.field_mask_pb2 import FieldMask
from queueserver.common.v1 import item_pb2
from queueserver.manager.v1 import queue_execution_pb2, queue_items_pb2, queue_pb2

from queueserver_client import values
from queueserver_client.connection.connection import Connection
from queueserver_client.connection.reconnect_policy import RECONNECT_TIMEOUT
from queueserver_client.errors import ValueNotRepresentable
from queueserver_client.events import RunDocument
from queueserver_client.items.handles import ItemHandle
from queueserver_client.items.item_documents import KINDS as DOCUMENT_KINDS
from queueserver_client.items.item_documents import follow_documents
from queueserver_client.items.item_follower import follow_item
from queueserver_client.items.result_waiter import ResultWaiter
from queueserver_client.models.item_status import ItemStatus
from queueserver_client.models.item_warnings import ItemWarning, item_warnings
from queueserver_client.models.items import Item, RunningItem
from queueserver_client.models.modes import InterruptedPolicy, QueueMode
from queueserver_client.positions import Address, Position, encode_address, encode_position
from queueserver_client.services.queue_answers import Moved, MovedBatch, QueuePage, Removed, RemovedBatch
from queueserver_client.watch import Watch


class AsyncQueue:
    """``client.queue``. Errors: those of the methods of the same name in QueueService.

    Edits take ``expected_revision``: they are made only if the queue has not changed since that revision, which
    each result carries; otherwise they raise RevisionMismatch. With ``validate_only`` everything is checked and
    the result is as usual, but nothing is changed.

    Each change has its own request id, so one whose answer was lost is repeated and made once.
    """

    def __init__(self, connection: Connection, outcomes: ResultWaiter) -> None:
        self._connection = connection
        self._outcomes = outcomes

    async def add(
        self,
        item: Item,
        *,
        position: Position | None = None,
        expected_revision: int = 0,
        validate_only: bool = False,
    ) -> ItemHandle:
        """Add a plan or instruction, at the back unless said otherwise.

        Raises ItemInvalid, PlanNotFound, InventoryEmpty, ItemNotFound (position), QueueFull, RevisionMismatch.
        """
        request = queue_items_pb2.AddItemRequest(
            item=item.to_spec(),
            position=encode_position(position),
            expected_revision=_revision(expected_revision),
            validate_only=validate_only,
        )
        answer = await self._connection.change(self._connection.stubs.queue.AddItem, request)
        item, odd = Item.from_proto(answer.item), item_warnings(answer.warnings)
        return self._handle(item, answer.index, answer.queue_size, answer.revision, odd)

    async def add_batch(
        self,
        items: Iterable[Item],
        *,
        position: Position | None = None,
        expected_revision: int = 0,
        validate_only: bool = False,
    ) -> Sequence[ItemHandle]:
        """Add several items next to each other and in order, all or none. Raises BatchRefused, RevisionMismatch."""
        listed = list(items)
        request = queue_items_pb2.AddItemsRequest(
            position=encode_position(position),
            expected_revision=_revision(expected_revision),
            validate_only=validate_only,
        )
        request.items.extend(_encode(item, number) for number, item in enumerate(listed))
        answer = await self._connection.change(self._connection.stubs.queue.AddItems, request)
        odd = _by_item(item_warnings(answer.warnings))
        return [
            self._handle(
                replace(item, uid=uid),
                answer.index + offset,
                answer.queue_size,
                answer.revision,
                odd.get(f"items[{offset}]", ()),
            )
            for offset, (item, uid) in enumerate(zip(listed, answer.item_uids, strict=True))
        ]

    async def page(self, *, page_size: int = 0, page_token: str = "") -> QueuePage:
        """One page of the queue and the running item. Raises PageTokenExpired."""
        request = queue_items_pb2.ListItemsRequest(
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

    async def get(self, address: Address = "back") -> ItemStatus:
        """One item and its state: of the queue, or by uid also the running one and those of the history.

        Raises ItemNotFound, PositionOutOfRange.
        """
        request = queue_items_pb2.GetItemRequest(address=encode_address(address))
        answer = await self._connection.read(self._connection.stubs.queue.GetItem, request)
        return ItemStatus.from_proto(answer)

    def wait(self, uid: str, *, reconnect_timeout: float = RECONNECT_TIMEOUT) -> AsyncGenerator[ItemStatus, None]:
        """Follow an item: its state now and at each change, until it is finished or removed.

        It continues by itself after a broken connection. Iterating raises ItemNotFound, and ServiceUnavailable when
        the server stays away for longer than ``reconnect_timeout`` seconds.
        """
        return follow_item(self._connection, values.text(uid, "uid"), reconnect_timeout)

    async def documents(
        self, uid: str, *, after_revision: int, reconnect_timeout: float = RECONNECT_TIMEOUT
    ) -> AsyncGenerator[RunDocument, None]:
        """The documents of an item's runs, as they are emitted, until it has ended; from the first one if it has begun.

        The server keeps the newest 64 MiB of documents of all items in memory. So of an item that began before, the
        first documents may be gone, as they are when the server's Worker was restarted; DocumentsLost is raised then,
        after those that came. Arrays are returned as the documents carry them; data in files is given by reference.

        Args:
            uid: The item, in the queue, running or in the history.
            after_revision: A change before it was started, such as ``handle.revision``: the server's events are read
                from there on. It keeps the last 100,000 changes.
            reconnect_timeout: Seconds to wait for a server that is away.

        Raises:
            DocumentsLost: the item has ended, and some of its documents did not come.
            ItemNotFound: it was taken out of the queue, or its entry out of the history.
            ServiceUnavailable: the server stayed away.
        """

        def watch(revision: int) -> Watch:
            return Watch(self._connection, DOCUMENT_KINDS, after_revision=revision, reconnect_timeout=reconnect_timeout)

        status = await self.get(values.text(uid, "uid"))
        documents = follow_documents(watch, status, _revision(after_revision))
        async with contextlib.aclosing(documents):
            async for document in documents:
                yield document

    async def update(
        self,
        item_or_uid: Item | str,
        plan: Item,
        *,
        fields: Iterable[str] | None = None,
        new_uid: bool = False,
        expected_revision: int = 0,
        validate_only: bool = False,
    ) -> ItemHandle:
        """Replace an item of the queue, given itself or by uid, by another one at the same place.

        Of ``fields`` ("name", "args", "kwargs", "meta", "properties", "item_type") only these are replaced, and the
        others stay as they are. It keeps its uid unless ``new_uid`` is set. Raises what :meth:`add` does, and
        ItemRunning.
        """
        request = queue_items_pb2.UpdateItemRequest(
            item_uid=values.text(item_or_uid.uid if isinstance(item_or_uid, Item) else item_or_uid, "uid"),
            item=plan.to_spec(),
            update_mask=FieldMask(paths=["*"] if fields is None else _texts(fields)),
            new_uid=new_uid,
            expected_revision=_revision(expected_revision),
            validate_only=validate_only,
        )
        answer = await self._connection.change(self._connection.stubs.queue.UpdateItem, request)
        item, odd = Item.from_proto(answer.item), item_warnings(answer.warnings)
        return self._handle(item, answer.index, answer.queue_size, answer.revision, odd)

    async def remove(self, address: Address, *, expected_revision: int = 0) -> Removed:
        """Take one item out of the queue. Raises ItemNotFound, PositionOutOfRange, ItemRunning, RevisionMismatch."""
        request = queue_items_pb2.RemoveItemRequest(
            address=encode_address(address), expected_revision=_revision(expected_revision)
        )
        answer = await self._connection.change(self._connection.stubs.queue.RemoveItem, request)
        return Removed(Item.from_proto(answer.item), answer.queue_size, answer.revision)

    async def remove_batch(
        self, uids: Iterable[str], *, strict: bool = False, expected_revision: int = 0
    ) -> RemovedBatch:
        """Take several items out of the queue in one step. Items that are not there, or run, are skipped.

        With ``strict`` they, and a repeated uid, raise BatchRefused and nothing is removed.
        """
        request = queue_items_pb2.RemoveItemsRequest(
            item_uids=_texts(uids), strict=strict, expected_revision=_revision(expected_revision)
        )
        answer = await self._connection.change(self._connection.stubs.queue.RemoveItems, request)
        items = tuple(map(Item.from_proto, answer.items))
        return RemovedBatch(items, answer.queue_size, answer.revision, answer.removed_count)

    async def move(self, source: Address, destination: Position, *, expected_revision: int = 0) -> Moved:
        """Move one item to another place. Raises ItemNotFound, PositionOutOfRange, ItemRunning, RevisionMismatch."""
        request = queue_items_pb2.MoveItemRequest(
            source=encode_address(source),
            destination=encode_position(destination),
            expected_revision=_revision(expected_revision),
        )
        answer = await self._connection.change(self._connection.stubs.queue.MoveItem, request)
        return Moved(Item.from_proto(answer.item), answer.index, answer.queue_size, answer.revision)

    async def move_batch(
        self, uids: Iterable[str], destination: Position, *, keep_queue_order: bool = False, expected_revision: int = 0
    ) -> MovedBatch:
        """Move several items next to each other, in one step: "front", "back", or before or after another item.

        They come in the order given, or with ``keep_queue_order`` in that of the queue. Raises BatchRefused.
        """
        request = queue_items_pb2.MoveItemsRequest(
            item_uids=_texts(uids),
            destination=encode_position(destination),
            keep_queue_order=keep_queue_order,
            expected_revision=_revision(expected_revision),
        )
        answer = await self._connection.change(self._connection.stubs.queue.MoveItems, request)
        return MovedBatch(tuple(map(Item.from_proto, answer.items)), answer.index, answer.queue_size, answer.revision)

    async def clear(self, *, expected_revision: int = 0) -> int:
        """Take all items out of the queue; returns how many there were. The running item is not touched."""
        request = queue_items_pb2.ClearQueueRequest(all=True, expected_revision=_revision(expected_revision))
        answer = await self._connection.change(self._connection.stubs.queue.ClearQueue, request)
        return answer.removed_count

    async def start(self) -> str | None:
        """Start execution from the front; returns the uid of the first item, or None if the queue is empty.

        Raises QueueRunning, InvalidState, EnvironmentClosed, RunEngineMissing, ItemHeld.
        """
        answer = await self._connection.change(
            self._connection.stubs.queue.StartQueue, queue_execution_pb2.StartQueueRequest()
        )
        return answer.item_uid or None

    async def stop(self) -> None:
        """Let the running item finish and start no other. Raises InvalidState when the queue is not running."""
        await self._connection.change(self._connection.stubs.queue.StopQueue, queue_execution_pb2.StopQueueRequest())

    async def cancel_stop(self) -> None:
        """Withdraw a pending stop."""
        await self._connection.change(
            self._connection.stubs.queue.CancelStopQueue, queue_execution_pb2.CancelStopQueueRequest()
        )

    async def set_mode(
        self,
        *,
        loop: bool | None = None,
        ignore_failures: bool | None = None,
        interrupted: InterruptedPolicy | str | None = None,
        reset: bool = False,
        expected_revision: int = 0,
    ) -> QueueMode:
        """Change how the queue treats items that have ended; None leaves a part unchanged. Returns the new mode.

        With ``reset`` everything is set to its default first. ``expected_revision`` is about the queue and its mode.
        """
        policy = InterruptedPolicy.UNSPECIFIED if interrupted is None else InterruptedPolicy(interrupted)
        request = queue_execution_pb2.SetQueueModeRequest(
            loop=loop,
            ignore_failures=ignore_failures,
            interrupted=queue_pb2.InterruptedPolicy.Name(policy.number),  # type: ignore[arg-type] # names are accepted
            reset_to_defaults=reset,
            expected_revision=_revision(expected_revision),
        )
        answer = await self._connection.change(self._connection.stubs.queue.SetQueueMode, request)
        return QueueMode.from_proto(answer.mode)

    async def set_autostart(self, enabled: bool) -> None:
        """Let the queue start by itself whenever it has items and the environment is ready; or end that."""
        request = queue_execution_pb2.SetAutostartRequest(enabled=enabled)
        await self._connection.change(self._connection.stubs.queue.SetAutostart, request)

    async def execute(self, item: Item, *, validate_only: bool = False) -> ItemHandle:
        """Execute a plan or instruction now. It never enters the queue, and the queue does not start.

        Raises what :meth:`add` and :meth:`start` do.
        """
        request = queue_execution_pb2.ExecuteItemRequest(item=item.to_spec(), validate_only=validate_only)
        answer = await self._connection.change(self._connection.stubs.queue.ExecuteItem, request)
        odd = item_warnings(answer.warnings)
        return self._handle(Item.from_proto(answer.item), None, answer.queue_size, answer.revision, odd)

    def _handle(
        self, item: Item, index: int | None, queue_size: int, revision: int, warnings: Sequence[ItemWarning]
    ) -> ItemHandle:
        return ItemHandle(
            self, self._outcomes, item, index=index, queue_size=queue_size, revision=revision, warnings=warnings
        )


def _encode(item: Item, number: int) -> item_pb2.ItemSpec:
    """The message for an item of a batch; the path in a refusal says which one."""
    try:
        return item.to_spec()
    except ValueNotRepresentable as error:
        raise ValueNotRepresentable.at(f"items[{number}].{error.path}", error.violations[0].description) from None


def _by_item(warnings: Iterable[ItemWarning]) -> dict[str, list[ItemWarning]]:
    """Warnings about a batch, by the beginning of their paths."""
    found: dict[str, list[ItemWarning]] = {}
    for warning in warnings:
        found.setdefault(warning.field.partition(".")[0], []).append(warning)
    return found


def _texts(uids: Iterable[str]) -> Sequence[str]:
    return [values.text(uid, f"uids[{number}]") for number, uid in enumerate(uids)]


def _revision(expected: int) -> int:
    return values.revision(expected, "expected_revision")
