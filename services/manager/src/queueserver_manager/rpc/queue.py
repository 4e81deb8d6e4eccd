"""QueueService: convert, call, convert back."""

from __future__ import annotations

from typing import Any

from queueserver.manager.v1 import queue_service_pb2 as pb
from queueserver.manager.v1.queue_service_pb2_grpc import QueueServiceServicer

from queueserver_manager.rpc.identity import caller_of
from queueserver_manager.rpc.office import Office
from queueserver_manager.rpc.positions import address_of, page_size, position_of, required_move
from queueserver_manager.rpc.status_message import marker
from queueserver_manager.wire import framing
from queueserver_manager.wire.items import item_bytes, running_to_proto, submission_from_proto

_DEFAULT_PAGE, _LARGEST_PAGE = 100, 10_000


class QueueServicer(QueueServiceServicer):
    """Each method: convert, call the operation, convert back. Replies with many items are assembled as bytes."""

    def __init__(self, office: Office) -> None:
        self._office = office

    async def AddItem(self, request: pb.AddItemRequest, context: Any) -> Any:  # noqa: N802
        """Contract: QueueService.AddItem."""
        queue = self._office.term().queue
        item, committed = await queue.add(
            caller_of(context), submission_from_proto(request.item), position_of(request.position)
        )
        placed = committed.result
        rest = pb.AddItemResponse(index=placed.index, queue_size=placed.queue_size, revision=committed.revision)
        return framing.submessage(1, item_bytes(item)) + rest.SerializeToString()

    async def AddItems(self, request: pb.AddItemsRequest, context: Any) -> pb.AddItemsResponse:  # noqa: N802
        """Contract: QueueService.AddItems."""
        queue = self._office.term().queue
        items, committed = await queue.add_batch(
            caller_of(context), request.items, submission_from_proto, position_of(request.position)
        )
        placed = committed.result
        return pb.AddItemsResponse(
            item_uids=[item.uid for item in items],
            index=placed.index,
            queue_size=placed.queue_size,
            revision=committed.revision,
        )

    async def ListItems(self, request: pb.ListItemsRequest, context: Any) -> Any:  # noqa: N802
        """Contract: QueueService.ListItems."""
        del context
        size = page_size(request.page_size, _DEFAULT_PAGE, _LARGEST_PAGE)
        term = self._office.term()
        page = await term.listings.page(size, request.page_token)
        listing = page.listing
        rest = pb.ListItemsResponse(
            next_page_token=page.next_token,
            queue_size=listing.size,
            revision=listing.revision,
            plan_queue_uid=marker(term.ledger.summary.store_id, "queue", listing.queue_revision),
        )
        if listing.running is not None:
            rest.running_item.CopyFrom(running_to_proto(listing.running))
        return framing.repeated(1, map(item_bytes, page.items)) + rest.SerializeToString()

    async def GetItem(self, request: pb.GetItemRequest, context: Any) -> Any:  # noqa: N802
        """Contract: QueueService.GetItem."""
        del context
        found = await self._office.term().queue.get(address_of(request.address))
        rest = pb.GetItemResponse(index=found.index, revision=found.revision)
        return framing.submessage(1, item_bytes(found.item)) + rest.SerializeToString()

    async def RemoveItem(self, request: pb.RemoveItemRequest, context: Any) -> Any:  # noqa: N802
        """Contract: QueueService.RemoveItem."""
        del context
        committed = await self._office.term().queue.remove(address_of(request.address))
        taken = committed.result
        rest = pb.RemoveItemResponse(queue_size=taken.queue_size, revision=committed.revision)
        return framing.submessage(1, item_bytes(taken.item)) + rest.SerializeToString()

    async def MoveItem(self, request: pb.MoveItemRequest, context: Any) -> Any:  # noqa: N802
        """Contract: QueueService.MoveItem."""
        del context
        source, destination = required_move(request)
        committed = await self._office.term().queue.move(source, destination)
        item, placed = committed.result
        rest = pb.MoveItemResponse(index=placed.index, queue_size=placed.queue_size, revision=committed.revision)
        return framing.submessage(1, item_bytes(item)) + rest.SerializeToString()

    async def ClearQueue(self, request: pb.ClearQueueRequest, context: Any) -> pb.ClearQueueResponse:  # noqa: N802
        """Contract: QueueService.ClearQueue."""
        del request, context
        committed = await self._office.term().queue.clear()
        return pb.ClearQueueResponse(removed=committed.result, revision=committed.revision)

    async def StartQueue(self, request: pb.StartQueueRequest, context: Any) -> pb.StartQueueResponse:  # noqa: N802
        """Contract: QueueService.StartQueue."""
        del request
        committed = await self._office.term().queue.start(caller_of(context))
        claimed = committed.result
        return pb.StartQueueResponse(item_uid=claimed.item.uid if claimed else "", revision=committed.revision)

    async def StopQueue(self, request: pb.StopQueueRequest, context: Any) -> pb.StopQueueResponse:  # noqa: N802
        """Contract: QueueService.StopQueue."""
        del request
        committed = await self._office.term().queue.stop(caller_of(context))
        return pb.StopQueueResponse(revision=committed.revision)

    async def CancelStopQueue(  # noqa: N802
        self, request: pb.CancelStopQueueRequest, context: Any
    ) -> pb.CancelStopQueueResponse:
        """Contract: QueueService.CancelStopQueue."""
        del request
        committed = await self._office.term().queue.cancel_stop(caller_of(context))
        return pb.CancelStopQueueResponse(revision=committed.revision)
