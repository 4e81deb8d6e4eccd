"""RunEngineService: convert, call, convert back."""

from __future__ import annotations

from typing import Any

from google.protobuf.message import Message
from queueserver.manager.v1 import run_engine_service_pb2 as pb
from queueserver.manager.v1.run_engine_service_pb2_grpc import RunEngineServiceServicer
from queueserver_long_work.time_slice import in_time_slices

from queueserver_manager.domain.refusals.errors import FieldInvalid
from queueserver_manager.operations.pages.run_pages import run_page
from queueserver_manager.rpc.current_term import CurrentTerm
from queueserver_manager.rpc.identity import caller_of
from queueserver_manager.rpc.positions import page_size
from queueserver_manager.rpc.replies import empty_answer, reply_to
from queueserver_manager.rpc.status_message import marker
from queueserver_manager.wire.items import fill_runs, run_length
from queueserver_manager.wire.values import dict_to_struct
from queueserver_manager.worker_client.port import EngineRequest, RunEngineAction

_PAUSES = {
    pb.PAUSE_OPTION_UNSPECIFIED: RunEngineAction.PAUSE_DEFERRED,
    pb.PAUSE_OPTION_DEFERRED: RunEngineAction.PAUSE_DEFERRED,
    pb.PAUSE_OPTION_IMMEDIATE: RunEngineAction.PAUSE_IMMEDIATE,
}
_FILTERS = {
    pb.RUN_FILTER_UNSPECIFIED: (True, False),
    pb.RUN_FILTER_ACTIVE: (True, False),
    pb.RUN_FILTER_OPEN: (True,),
    pb.RUN_FILTER_CLOSED: (False,),
}
_LARGEST_PAGE = 1_000
_MAX_NOTE = 1000
_MAX_ANSWER = 10_000


class RunEngineServicer(RunEngineServiceServicer):
    """Each method: convert, call the operation, convert back."""

    def __init__(self, current_term: CurrentTerm) -> None:
        self._current_term = current_term

    async def _control(
        self, verb: RunEngineAction, request: Any, context: Any, response: type[Message], note: str = ""
    ) -> Any:
        if len(note) > _MAX_NOTE:
            raise FieldInvalid("note", f"must have at most {_MAX_NOTE} characters")
        caller = caller_of(context)
        item_uid = "" if verb is RunEngineAction.RESUME else request.item_uid
        wanted = EngineRequest(verb, note, caller.user, item_uid)
        reply = reply_to(request, caller, empty_answer(response))
        return await self._current_term.term().run_engine.control(wanted, reply)

    async def PausePlan(self, request: pb.PausePlanRequest, context: Any) -> Any:  # noqa: N802
        """Contract: RunEngineService.PausePlan."""
        verb = _PAUSES.get(request.option)
        if verb is None:
            raise FieldInvalid("option", f"{request.option} is not a way to pause: use those of PauseOption")
        return await self._control(verb, request, context, pb.PausePlanResponse)

    async def ResumePlan(self, request: pb.ResumePlanRequest, context: Any) -> Any:  # noqa: N802
        """Contract: RunEngineService.ResumePlan."""
        return await self._control(RunEngineAction.RESUME, request, context, pb.ResumePlanResponse)

    async def StopPlan(self, request: pb.StopPlanRequest, context: Any) -> Any:  # noqa: N802
        """Contract: RunEngineService.StopPlan."""
        return await self._control(RunEngineAction.STOP, request, context, pb.StopPlanResponse)

    async def AbortPlan(self, request: pb.AbortPlanRequest, context: Any) -> Any:  # noqa: N802
        """Contract: RunEngineService.AbortPlan."""
        return await self._control(RunEngineAction.ABORT, request, context, pb.AbortPlanResponse, request.note)

    async def HaltPlan(self, request: pb.HaltPlanRequest, context: Any) -> Any:  # noqa: N802
        """Contract: RunEngineService.HaltPlan."""
        return await self._control(RunEngineAction.HALT, request, context, pb.HaltPlanResponse)

    async def AbortPlanNow(self, request: pb.AbortPlanNowRequest, context: Any) -> Any:  # noqa: N802
        """Contract: RunEngineService.AbortPlanNow."""
        return await self._control(RunEngineAction.ABORT_NOW, request, context, pb.AbortPlanNowResponse, request.note)

    async def AnswerQuestion(  # noqa: N802
        self, request: pb.AnswerQuestionRequest, context: Any
    ) -> Any:
        """Contract: RunEngineService.AnswerQuestion."""
        if not request.HasField("text"):
            raise FieldInvalid("text", "say what to answer; an empty text is an answer too, if it is given")
        if len(request.text) > _MAX_ANSWER:
            raise FieldInvalid("text", f"must have at most {_MAX_ANSWER} characters")
        reply = reply_to(request, caller_of(context), empty_answer(pb.AnswerQuestionResponse))
        return await self._current_term.term().questions.answer(request.question_id, request.text, reply)

    async def ListRuns(self, request: pb.ListRunsRequest, context: Any) -> pb.ListRunsResponse:  # noqa: N802
        """Contract: RunEngineService.ListRuns."""
        del context
        term = self._current_term.term()
        shown = _FILTERS.get(request.filter)
        if shown is None:
            raise FieldInvalid("filter", f"{request.filter} is not a filter: use those of RunFilter")
        size = page_size(request.page_size, _LARGEST_PAGE, _LARGEST_PAGE)
        view, store = term.view, term.ledger.summary.store_id
        answer = pb.ListRunsResponse(run_list_uid=marker(store, "runs", view.runs_revision))
        page = run_page(term.run_engine.runs(), shown, size, request.page_token, run_length)
        runs, answer.next_page_token = await in_time_slices(page)
        fill_runs(answer.runs, runs)
        return answer

    async def GetMetadata(  # noqa: N802
        self, request: pb.GetMetadataRequest, context: Any
    ) -> pb.GetMetadataResponse:
        """Contract: RunEngineService.GetMetadata."""
        del request, context
        answer = pb.GetMetadataResponse()
        dict_to_struct(dict(await self._current_term.term().run_engine.metadata()), answer.metadata)
        return answer
