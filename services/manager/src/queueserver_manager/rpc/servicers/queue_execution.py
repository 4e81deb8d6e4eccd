"""The part of QueueService that starts and stops execution."""

from __future__ import annotations

from typing import Any

from queueserver.manager.v1 import queue_execution_pb2 as pb
from queueserver.manager.v1.queue_service_pb2_grpc import QueueServiceServicer
from queueserver_long_work.time_slice import in_time_slices

from queueserver_manager.domain.queue.item import Item, RunningItem
from queueserver_manager.domain.refusals.errors import FieldInvalid
from queueserver_manager.rpc.current_term import CurrentTerm
from queueserver_manager.rpc.identity import caller_of
from queueserver_manager.rpc.replies import reply_to, revision_answer
from queueserver_manager.wire import framing
from queueserver_manager.wire.item_warnings import warnings_to_proto
from queueserver_manager.wire.items import item_bytes, read_submission


class QueueExecution(QueueServiceServicer):
    """Each method: convert, call the operation, convert back."""

    _current_term: CurrentTerm

    async def StartQueue(self, request: pb.StartQueueRequest, context: Any) -> Any:  # noqa: N802
        """Contract: QueueService.StartQueue."""

        def encode(claimed: RunningItem | None, revision: int) -> bytes:
            uid = claimed.item.uid if claimed else ""
            return pb.StartQueueResponse(item_uid=uid, revision=revision).SerializeToString()

        caller = caller_of(context)
        return await self._current_term.term().queue_run.start(caller, reply_to(request, caller, encode))

    async def StopQueue(self, request: pb.StopQueueRequest, context: Any) -> Any:  # noqa: N802
        """Contract: QueueService.StopQueue."""
        caller = caller_of(context)
        reply = reply_to(request, caller, revision_answer(pb.StopQueueResponse))
        return await self._current_term.term().queue_run.stop(caller, reply)

    async def CancelStopQueue(self, request: pb.CancelStopQueueRequest, context: Any) -> Any:  # noqa: N802
        """Contract: QueueService.CancelStopQueue."""
        caller = caller_of(context)
        reply = reply_to(request, caller, revision_answer(pb.CancelStopQueueResponse))
        return await self._current_term.term().queue_run.cancel_stop(caller, reply)

    async def SetAutostart(self, request: pb.SetAutostartRequest, context: Any) -> Any:  # noqa: N802
        """Contract: QueueService.SetAutostart."""
        reply = reply_to(request, caller_of(context), revision_answer(pb.SetAutostartResponse))
        if not request.HasField("enabled"):
            raise FieldInvalid("enabled", "required: true or false")
        return await self._current_term.term().queue_run.set_autostart(reply, enabled=request.enabled)

    async def ExecuteItem(self, request: pb.ExecuteItemRequest, context: Any) -> Any:  # noqa: N802
        """Contract: QueueService.ExecuteItem."""

        def encode(result: tuple[Item, int], revision: int) -> bytes:
            item, size = result
            rest = pb.ExecuteItemResponse(queue_size=size, revision=revision, warnings=warnings_to_proto([item]))
            return (
                framing.submessage(pb.ExecuteItemResponse.ITEM_FIELD_NUMBER, item_bytes(item))
                + rest.SerializeToString()
            )

        term, caller = self._current_term.term(), caller_of(context)
        reply = reply_to(request, caller, encode)
        return await term.queue_run.execute(caller, await in_time_slices(read_submission(request.item)), reply)
