"""The RunEngine: pause, resume and end the running plan."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from queueserver.manager.v1 import run_engine_service_pb2 as pb
from queueserver.manager.v1 import status_service_pb2 as status_pb2

from queueserver_client import values
from queueserver_client.connection.connection import Connection
from queueserver_client.errors import PageTokenExpired
from queueserver_client.models.items import RunSummary
from queueserver_client.models.wire_enum import WireEnum

#: How often a listing starts again when another plan began during it.
_ATTEMPTS = 5


class RunFilter(WireEnum):
    """Which runs of the running plan to list."""

    UNSPECIFIED = "unspecified"
    #: All of them.
    ACTIVE = "active"
    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True)
class RunList:
    """Runs of the running plan, in order of opening."""

    runs: Sequence[RunSummary]
    #: Change marker of the list, as in Status.
    uid: str


class AsyncRunEngine:
    """``client.run_engine``. Each call returns when the environment has got the request; the status shows its effect.

    All but :meth:`runs` raise InvalidState, EnvironmentClosed, RunEngineMissing.

    `item_uid` names the item that is meant: with another one running, or none, ItemNotRunning is raised and nothing is
    done. Without it, the request is for whichever plan runs.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def pause(self, *, immediate: bool = False, item_uid: str = "") -> None:
        """Ask the running plan to pause at its next checkpoint, or at once.

        A plan that is past its last checkpoint completes instead, and the queue stops then.
        """
        option = pb.PAUSE_OPTION_IMMEDIATE if immediate else pb.PAUSE_OPTION_DEFERRED
        request = pb.PausePlanRequest(option=option, item_uid=values.text(item_uid, "item_uid"))
        await self._connection.change(self._connection.stubs.run_engine.PausePlan, request)

    async def resume(self) -> None:
        """Let a paused plan continue."""
        await self._connection.change(self._connection.stubs.run_engine.ResumePlan, pb.ResumePlanRequest())

    async def stop(self, *, item_uid: str = "") -> None:
        """End a paused plan in good order. It counts as a success."""
        request = pb.StopPlanRequest(item_uid=values.text(item_uid, "item_uid"))
        await self._connection.change(self._connection.stubs.run_engine.StopPlan, request)

    async def abort(self, note: str = "", *, item_uid: str = "") -> None:
        """End a paused plan in good order. It counts as a failure; the note goes into the run's stop document."""
        request = pb.AbortPlanRequest(note=values.text(note, "note"), item_uid=values.text(item_uid, "item_uid"))
        await self._connection.change(self._connection.stubs.run_engine.AbortPlan, request)

    async def halt(self, *, item_uid: str = "") -> None:
        """End a paused plan at once, without its cleanup. It counts as a failure."""
        request = pb.HaltPlanRequest(item_uid=values.text(item_uid, "item_uid"))
        await self._connection.change(self._connection.stubs.run_engine.HaltPlan, request)

    async def abort_now(self, note: str = "", *, item_uid: str = "") -> None:
        """Pause the running plan at once and abort it, in one call; a paused plan is aborted. For an emergency."""
        request = pb.AbortPlanNowRequest(note=values.text(note, "note"), item_uid=values.text(item_uid, "item_uid"))
        # No lock prevents this, not even one that was lost.
        await self._connection.change(self._connection.stubs.run_engine.AbortPlanNow, request, guarded=False)

    async def answer(self, text: str, question_id: str = "") -> None:
        """Answer the question that the running plan asks: `question_id`, else the one that the status shows now.

        The answer never reaches another question. Raises QuestionNotFound, if it is not asked any more.
        """
        stubs = self._connection.stubs
        if not question_id:
            status = await self._connection.read(stubs.status.GetStatus, status_pb2.GetStatusRequest())
            question_id = status.status.environment.question.question_id
        request = pb.AnswerQuestionRequest(
            question_id=values.text(question_id, "question_id"), text=values.text(text, "text")
        )
        await self._connection.change(stubs.run_engine.AnswerQuestion, request)

    async def runs(self, which: RunFilter | str = RunFilter.ACTIVE) -> RunList:
        """Runs of the running plan: "active" (all of them), "open" or "closed". Empty when no plan runs."""
        request = pb.ListRunsRequest(filter=pb.RunFilter.Name(RunFilter(which).number))  # type: ignore[arg-type] # names are accepted
        for _ in range(_ATTEMPTS - 1):
            with contextlib.suppress(PageTokenExpired):
                return await self._runs(request)
        return await self._runs(request)

    async def _runs(self, request: pb.ListRunsRequest) -> RunList:
        """The runs of one plan. Raises PageTokenExpired if another one began meanwhile."""
        runs: list[RunSummary] = []
        request.page_token = ""
        while True:
            answer = await self._connection.read(self._connection.stubs.run_engine.ListRuns, request)
            runs += map(RunSummary.from_proto, answer.runs)
            request.page_token = answer.next_page_token
            if not request.page_token:
                return RunList(tuple(runs), answer.run_list_uid)

    async def metadata(self) -> Mapping[str, Any]:
        """The RunEngine's metadata (RE.md), as far as the server permits. Raises DeadlineExceeded."""
        answer = await self._connection.read(self._connection.stubs.run_engine.GetMetadata, pb.GetMetadataRequest())
        return values.from_struct(answer.metadata)
