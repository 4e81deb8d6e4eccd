"""PlanningService: convert, call, convert back."""

from __future__ import annotations

from typing import Any

from queueserver.manager.v1 import planning_service_pb2 as pb
from queueserver.manager.v1.planning_service_pb2_grpc import PlanningServiceServicer

from queueserver_manager.domain.errors import FieldInvalid, Refused
from queueserver_manager.rpc.errors import TABLE
from queueserver_manager.rpc.identity import caller_of
from queueserver_manager.rpc.office import Office
from queueserver_manager.wire import framing
from queueserver_manager.wire.items import fill_problems, submission_from_proto


class PlanningServicer(PlanningServiceServicer):
    """Each method: convert, call the operation, convert back."""

    def __init__(self, office: Office) -> None:
        self._office = office

    async def ValidateItems(  # noqa: N802
        self, request: pb.ValidateItemsRequest, context: Any
    ) -> pb.ValidateItemsResponse:
        """Contract: PlanningService.ValidateItems."""
        planning = self._office.term().planning
        verdicts = await planning.validate(caller_of(context), request.items, submission_from_proto)
        return pb.ValidateItemsResponse(verdicts=map(_verdict, verdicts))

    async def SimulateItem(self, request: pb.SimulateItemRequest, context: Any) -> Any:  # noqa: N802
        """Contract: PlanningService.SimulateItem."""
        planning = self._office.term().planning
        subject = request.WhichOneof("subject")
        if subject == "item_uid":
            simulation = await planning.simulate_queued(request.item_uid, request.message_limit)
        elif subject == "item":
            submission = submission_from_proto(request.item)
            simulation = await planning.simulate_submission(caller_of(context), submission, request.message_limit)
        else:
            raise FieldInvalid("item", "required: an item, or item_uid of one in the queue")
        return framing.submessage(pb.SimulateItemResponse.SIMULATION_FIELD_NUMBER, simulation)


def _verdict(refusal: Refused | None) -> pb.ItemVerdict:
    """What became of one item; no refusal is good news."""
    if refusal is None:
        return pb.ItemVerdict(valid=True)
    verdict = pb.ItemVerdict(reason=TABLE[type(refusal)][1], message=refusal.message)
    fill_problems(verdict.field_violations, refusal.violations)
    return verdict
