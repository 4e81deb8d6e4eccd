"""PlanningService: convert, call, convert back."""

from __future__ import annotations

from typing import Any

from queueserver.manager.v1 import planning_service_pb2 as pb
from queueserver.manager.v1.planning_service_pb2_grpc import PlanningServiceServicer
from queueserver_long_work.time_slice import in_time_slices
from queueserver_rpc.status import (
    MAX_DESCRIPTION_BYTES,
    MAX_FIELD_BYTES,
    MAX_FIELD_VIOLATIONS,
    MAX_MESSAGE_BYTES,
    cut,
)

from queueserver_manager.domain.queue.item import Item
from queueserver_manager.domain.refusals.errors import FieldInvalid, Refused
from queueserver_manager.rpc.current_term import CurrentTerm
from queueserver_manager.rpc.errors import TABLE
from queueserver_manager.rpc.identity import caller_of
from queueserver_manager.wire import framing
from queueserver_manager.wire.item_warnings import warnings_to_proto
from queueserver_manager.wire.items import read_submission

#: What messages and violations of one response may have together. Beside it there is room for the reasons of as many
#: items as may be sent, and it all stays below the 4 MB that a gRPC client accepts by default.
DETAIL_BYTES = 2_000_000


class PlanningServicer(PlanningServiceServicer):
    """Each method: convert, call the operation, convert back."""

    def __init__(self, current_term: CurrentTerm) -> None:
        self._current_term = current_term

    async def ValidateItems(  # noqa: N802
        self, request: pb.ValidateItemsRequest, context: Any
    ) -> pb.ValidateItemsResponse:
        """Contract: PlanningService.ValidateItems."""
        planning = self._current_term.term().planning
        verdicts = _Verdicts()
        await planning.validate(caller_of(context), request.items, read_submission, verdicts.add)
        return verdicts.response

    async def SimulateItem(self, request: pb.SimulateItemRequest, context: Any) -> Any:  # noqa: N802
        """Contract: PlanningService.SimulateItem."""
        planning = self._current_term.term().planning
        subject = request.WhichOneof("subject")
        if subject == "item_uid":
            simulation, item = await planning.simulate_queued(request.item_uid, request.message_limit)
        elif subject == "item":
            submission = await in_time_slices(read_submission(request.item))
            simulation, item = await planning.simulate_submission(caller_of(context), submission, request.message_limit)
        else:
            raise FieldInvalid("item", "required: an item, or item_uid of one in the queue")
        warnings = pb.SimulateItemResponse(warnings=warnings_to_proto([item])).SerializeToString()
        return framing.submessage(pb.SimulateItemResponse.SIMULATION_FIELD_NUMBER, simulation) + warnings


class _Verdicts:
    """Builds the response of ValidateItems, and shortens it where it would become too long."""

    def __init__(self) -> None:
        self.response = pb.ValidateItemsResponse()
        self._room = DETAIL_BYTES

    def add(self, found: Refused | Item) -> None:
        """The result for the next item."""
        if isinstance(found, Item):
            self.response.verdicts.add(valid=True, warnings=warnings_to_proto([found]))
            return
        refusal, verdict = found, self.response.verdicts.add()
        details = pb.ItemVerdict(message=cut(refusal.message, MAX_MESSAGE_BYTES))
        for violation in refusal.violations[:MAX_FIELD_VIOLATIONS]:
            details.field_violations.add(
                field=cut(violation.field, MAX_FIELD_BYTES),
                description=cut(violation.description, MAX_DESCRIPTION_BYTES),
            )
        self._room -= details.ByteSize()
        verdict.reason = TABLE[type(refusal)]
        if self._room < 0:
            verdict.details_left_out = True
        else:
            verdict.MergeFrom(details)
