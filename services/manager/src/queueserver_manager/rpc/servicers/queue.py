"""QueueService: reading the queue here, editing and executing in other modules."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

from queueserver.manager.v1 import queue_items_pb2, queue_pb2
from queueserver_long_work.work import Work

from queueserver_manager.domain.queue.item import Item
from queueserver_manager.domain.refusals.errors import FieldInvalid
from queueserver_manager.operations.watch.item_watches import ItemStatus
from queueserver_manager.rpc.current_term import CurrentTerm
from queueserver_manager.rpc.positions import address_of, page_size
from queueserver_manager.rpc.servicers.queue_editing import QueueEditing
from queueserver_manager.rpc.servicers.queue_execution import QueueExecution
from queueserver_manager.rpc.status_message import marker
from queueserver_manager.wire import framing
from queueserver_manager.wire.answers import how_many_fit
from queueserver_manager.wire.items import entry_bytes, item_bytes, running_to_proto

_DEFAULT_PAGE, _LARGEST_PAGE = 100, 10_000
_STATES = queue_pb2.ItemState.values()


class QueueServicer(QueueEditing, QueueExecution):
    """The whole service."""

    def __init__(self, current_term: CurrentTerm) -> None:
        self._current_term = current_term

    async def ListItems(self, request: queue_items_pb2.ListItemsRequest, context: Any) -> Any:  # noqa: N802
        """Contract: QueueService.ListItems."""
        del context
        term = self._current_term.term()
        size = page_size(request.page_size, _DEFAULT_PAGE, _LARGEST_PAGE)
        page = await term.listings.page(size, request.page_token, items_that_fit)
        listing = page.listing
        rest = queue_items_pb2.ListItemsResponse(
            next_page_token=page.next_token,
            queue_size=listing.size,
            revision=listing.revision,
            plan_queue_uid=marker(term.ledger.summary.store_id, "queue", listing.queue_revision),
        )
        if listing.running is not None:
            rest.running_item.CopyFrom(running_to_proto(listing.running))
        return framing.repeated(1, map(item_bytes, page.items)) + rest.SerializeToString()

    async def GetItem(self, request: queue_items_pb2.GetItemRequest, context: Any) -> Any:  # noqa: N802
        """Contract: QueueService.GetItem."""
        del context
        standing = await self._current_term.term().queue.get(address_of(request.address))
        answer = queue_items_pb2.GetItemResponse(index=standing.index, revision=standing.revision)
        _fill(answer, standing)
        return answer

    async def WaitItem(  # noqa: N802
        self, request: queue_items_pb2.WaitItemRequest, context: Any
    ) -> AsyncIterator[queue_items_pb2.WaitItemResponse]:
        """Contract: QueueService.WaitItem."""
        del context
        if not request.item_uid:
            raise FieldInvalid("item_uid", "required: the uid of an item")
        async for standing in self._current_term.term().following.follow(request.item_uid):
            answer = queue_items_pb2.WaitItemResponse(index=standing.index, revision=standing.revision)
            _fill(answer, standing)
            yield answer


def items_that_fit(items: Sequence[Item]) -> Work[int]:
    """How many items one response has room for."""
    return how_many_fit(items, item_bytes)


def _fill(answer: queue_items_pb2.GetItemResponse | queue_items_pb2.WaitItemResponse, standing: ItemStatus) -> None:
    answer.state = _STATES[standing.state.value]
    answer.item.ParseFromString(item_bytes(standing.item))
    if standing.running is not None:
        answer.running_item.CopyFrom(running_to_proto(standing.running))
    if standing.entry is not None:
        answer.history_entry.ParseFromString(entry_bytes(standing.entry))
