"""The part of QueueService that edits the queue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from queueserver.manager.v1 import queue_execution_pb2, queue_items_pb2, queue_pb2
from queueserver.manager.v1.queue_service_pb2_grpc import QueueServiceServicer
from queueserver_long_work.time_slice import in_time_slices
from queueserver_long_work.work import Work

from queueserver_manager.domain.queue.item import Item
from queueserver_manager.domain.queue.mode import InterruptedPolicy, QueueMode
from queueserver_manager.domain.queue.placement import Placed
from queueserver_manager.domain.queue.queue_edits import Taken
from queueserver_manager.domain.refusals.errors import FieldInvalid, PositionMissing
from queueserver_manager.operations.commit.reply import Encode
from queueserver_manager.rpc.current_term import CurrentTerm
from queueserver_manager.rpc.identity import caller_of
from queueserver_manager.rpc.item_update import fields_to_update
from queueserver_manager.rpc.positions import address_of, position_of, position_or_back, required_move
from queueserver_manager.rpc.replies import reply_to, reply_to_long
from queueserver_manager.wire import framing
from queueserver_manager.wire.answers import how_many_fit
from queueserver_manager.wire.item_warnings import warnings_to_proto
from queueserver_manager.wire.items import item_bytes, read_submission
from queueserver_manager.wire.modes import POLICIES_FROM_PROTO, mode_to_proto


class QueueEditing(QueueServiceServicer):
    """Each method: convert, call the operation, convert back. Items in replies are already encoded."""

    _current_term: CurrentTerm

    async def AddItem(self, request: queue_items_pb2.AddItemRequest, context: Any) -> Any:  # noqa: N802
        """Contract: QueueService.AddItem."""
        term, caller = self._current_term.term(), caller_of(context)
        position, reply = position_or_back(request), reply_to(request, caller, _placed(queue_items_pb2.AddItemResponse))
        return await term.queue.add(caller, await in_time_slices(read_submission(request.item)), position, reply)

    async def AddItems(self, request: queue_items_pb2.AddItemsRequest, context: Any) -> Any:  # noqa: N802
        """Contract: QueueService.AddItems."""

        def encode(result: tuple[Sequence[Item], Placed], revision: int) -> bytes:
            items, placed = result
            return queue_items_pb2.AddItemsResponse(
                item_uids=[item.uid for item in items],
                index=placed.index,
                queue_size=placed.queue_size,
                revision=revision,
                warnings=warnings_to_proto(items),
            ).SerializeToString()

        term, caller = self._current_term.term(), caller_of(context)
        position, reply = position_or_back(request), await in_time_slices(reply_to_long(request, caller, encode))
        return await term.queue.add_batch(caller, request.items, read_submission, position, reply)

    async def UpdateItem(self, request: queue_items_pb2.UpdateItemRequest, context: Any) -> Any:  # noqa: N802
        """Contract: QueueService.UpdateItem."""
        term, caller = self._current_term.term(), caller_of(context)
        uid, reply = request.item_uid, reply_to(request, caller, _placed(queue_items_pb2.UpdateItemResponse))
        if not uid:
            raise FieldInvalid("item_uid", "required: it says which item is to be changed")
        fields = fields_to_update(request)
        submission = await in_time_slices(read_submission(request.item))
        return await term.queue.update(caller, uid, submission, fields, reply, new_uid=request.new_uid)

    async def RemoveItem(self, request: queue_items_pb2.RemoveItemRequest, context: Any) -> Any:  # noqa: N802
        """Contract: QueueService.RemoveItem."""

        def encode(taken: Taken, revision: int) -> bytes:
            rest = queue_items_pb2.RemoveItemResponse(queue_size=taken.queue_size, revision=revision)
            field = queue_items_pb2.RemoveItemResponse.ITEM_FIELD_NUMBER
            return framing.submessage(field, item_bytes(taken.item)) + rest.SerializeToString()

        reply = reply_to(request, caller_of(context), encode)
        return await self._current_term.term().queue.remove(address_of(request.address), reply)

    async def RemoveItems(self, request: queue_items_pb2.RemoveItemsRequest, context: Any) -> Any:  # noqa: N802
        """Contract: QueueService.RemoveItems."""

        def encode(result: tuple[list[Item], int], revision: int) -> Work[bytes]:
            items, size = result
            rest = queue_items_pb2.RemoveItemsResponse(queue_size=size, revision=revision, removed_count=len(items))
            return (yield from _first_items(items)) + rest.SerializeToString()

        reply = reply_to(request, caller_of(context), encode)
        return await self._current_term.term().queue.remove_batch(request.item_uids, reply, strict=request.strict)

    async def MoveItem(self, request: queue_items_pb2.MoveItemRequest, context: Any) -> Any:  # noqa: N802
        """Contract: QueueService.MoveItem."""

        def encode(result: tuple[Item, Placed], revision: int) -> bytes:
            item, placed = result
            rest = queue_items_pb2.MoveItemResponse(index=placed.index, queue_size=placed.queue_size, revision=revision)
            field = queue_items_pb2.MoveItemResponse.ITEM_FIELD_NUMBER
            return framing.submessage(field, item_bytes(item)) + rest.SerializeToString()

        term, reply = self._current_term.term(), reply_to(request, caller_of(context), encode)
        source, destination = required_move(request)
        return await term.queue.move(source, destination, reply)

    async def MoveItems(self, request: queue_items_pb2.MoveItemsRequest, context: Any) -> Any:  # noqa: N802
        """Contract: QueueService.MoveItems."""

        def encode(result: tuple[list[Item], Placed], revision: int) -> Work[bytes]:
            items, placed = result
            rest = queue_items_pb2.MoveItemsResponse(
                index=placed.index, queue_size=placed.queue_size, revision=revision
            )
            return (yield from _first_items(items)) + rest.SerializeToString()

        term, reply = self._current_term.term(), reply_to(request, caller_of(context), encode)
        if not request.destination.WhichOneof("place"):
            raise PositionMissing("a destination: say where the items go", ["destination"])
        return await term.queue.move_batch(
            request.item_uids,
            position_of(request.destination, "destination"),
            reply,
            keep_queue_order=request.keep_queue_order,
        )

    async def ClearQueue(self, request: queue_items_pb2.ClearQueueRequest, context: Any) -> Any:  # noqa: N802
        """Contract: QueueService.ClearQueue."""

        def encode(removed: int, revision: int) -> bytes:
            return queue_items_pb2.ClearQueueResponse(removed_count=removed, revision=revision).SerializeToString()

        if not request.all:
            raise FieldInvalid("all", "must be true to remove all items: nothing was removed")
        return await self._current_term.term().queue.clear(reply_to(request, caller_of(context), encode))

    async def SetQueueMode(self, request: queue_execution_pb2.SetQueueModeRequest, context: Any) -> Any:  # noqa: N802
        """Contract: QueueService.SetQueueMode."""

        def encode(mode: QueueMode, revision: int) -> bytes:
            return queue_execution_pb2.SetQueueModeResponse(
                mode=mode_to_proto(mode), revision=revision
            ).SerializeToString()

        return await self._current_term.term().queue.set_mode(
            reply_to(request, caller_of(context), encode, part="queue_and_mode"),
            loop=request.loop if request.HasField("loop") else None,
            ignore_failures=request.ignore_failures if request.HasField("ignore_failures") else None,
            interrupted=_policy(request.interrupted),
            reset=request.reset_to_defaults,
        )


def _first_items(items: Sequence[Item]) -> Work[bytes]:
    """Items as field 1 of a response, as many as it has room for."""
    count = yield from how_many_fit(items, item_bytes)
    return framing.repeated(1, map(item_bytes, items[:count]))


def _policy(number: int) -> InterruptedPolicy | None:
    if number == queue_pb2.INTERRUPTED_POLICY_UNSPECIFIED:
        return None
    policy = POLICIES_FROM_PROTO.get(number)
    if policy is None:
        raise FieldInvalid("interrupted", f"{number} is not a policy: use those of InterruptedPolicy")
    return policy


def _placed(
    response: type[queue_items_pb2.AddItemResponse | queue_items_pb2.UpdateItemResponse],
) -> Encode[tuple[Item, Placed]]:
    """How a method responds that puts one item into the queue."""

    def encode(result: tuple[Item, Placed], revision: int) -> bytes:
        item, placed = result
        rest = response(
            index=placed.index,
            queue_size=placed.queue_size,
            revision=revision,
            warnings=warnings_to_proto([item]),
        )
        return framing.submessage(response.ITEM_FIELD_NUMBER, item_bytes(item)) + rest.SerializeToString()

    return encode
