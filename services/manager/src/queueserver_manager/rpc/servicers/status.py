"""StatusService."""

from __future__ import annotations

from typing import Any

from queueserver.manager.v1 import status_service_pb2 as pb
from queueserver.manager.v1.status_service_pb2_grpc import StatusServiceServicer

from queueserver_manager.domain.blockers import BlockerKind, blockers
from queueserver_manager.domain.queue.setback import Setback
from queueserver_manager.rpc.current_term import CurrentTerm
from queueserver_manager.rpc.services import full_method
from queueserver_manager.rpc.status_message import status_to_proto
from queueserver_manager.wire.items import EXIT_STATUSES


class StatusServicer(StatusServiceServicer):
    """Responds from memory, always."""

    def __init__(self, current_term: CurrentTerm) -> None:
        self._board = current_term.board
        self._known: tuple[object, pb.GetStatusResponse] | None = None

    async def GetStatus(self, request: pb.GetStatusRequest, context: Any) -> pb.GetStatusResponse:  # noqa: N802
        """Contract: StatusService.GetStatus."""
        del request, context
        facts = self._board.facts
        if self._known is None or self._known[0] is not facts:
            self._known = (facts, pb.GetStatusResponse(status=status_to_proto(facts)))
        return self._known[1]

    async def ExplainIdle(  # noqa: N802
        self, request: pb.ExplainIdleRequest, context: Any
    ) -> pb.ExplainIdleResponse:
        """Contract: StatusService.ExplainIdle."""
        del request, context
        facts = self._board.facts
        answer = pb.ExplainIdleResponse(running_item_uid=facts.running_item_uid, warnings=facts.warnings())
        if facts.setback is not None and not facts.running_item_uid:
            _fill_failed_execution(answer.failed_execution, facts.setback)
        for blocker in blockers(facts.circumstances()):
            answer.blockers.add(
                kind=_KINDS[blocker.kind],
                message=blocker.message,
                remedy_method=full_method(blocker.method),
                remedy_command=blocker.command,
                remedy_request=blocker.request,
            )
        return answer


def _fill_failed_execution(message: pb.FailedExecution, setback: Setback) -> None:
    message.name, message.item_uid, message.message = setback.name, setback.item_uid, setback.message
    message.next_attempt, message.next_attempt_uid = setback.next_attempt, setback.next_uid
    if setback.exit_status is not None:
        message.exit_status = EXIT_STATUSES[setback.exit_status]


_KINDS = {kind: pb.BlockerKind.Value(f"BLOCKER_KIND_{kind.name}") for kind in BlockerKind}
