"""TaskService: convert, call, convert back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

from queueserver.manager.v1 import task_service_pb2 as pb
from queueserver.manager.v1.task_service_pb2_grpc import TaskServiceServicer
from queueserver_long_work.time_slice import TimeSlice, in_time_slices
from queueserver_long_work.work import Work

from queueserver_manager.domain.refusals.errors import FieldInvalid
from queueserver_manager.domain.tasks.tasks import EnvironmentUpdate, KeptTask, Task
from queueserver_manager.operations.commit.reply import Encode
from queueserver_manager.operations.pages.listing import numbers_of_token, page_token
from queueserver_manager.rpc.current_term import CurrentTerm
from queueserver_manager.rpc.identity import caller_of
from queueserver_manager.rpc.positions import page_size
from queueserver_manager.rpc.replies import reply_to
from queueserver_manager.wire.answers import how_many_fit
from queueserver_manager.wire.tasks import read_function, script_from_proto, status_of, task_to_proto

_PAGE = 1000


class TaskServicer(TaskServiceServicer):
    """Each method: convert, call the operation, convert back."""

    def __init__(self, current_term: CurrentTerm) -> None:
        self._current_term = current_term

    async def ExecuteFunction(self, request: pb.ExecuteFunctionRequest, context: Any) -> Any:  # noqa: N802
        """Contract: TaskService.ExecuteFunction."""
        caller = caller_of(context)
        reply = reply_to(request, caller, _answer(pb.ExecuteFunctionResponse))
        work = await in_time_slices(read_function(request.function))
        return await self._current_term.term().tasks.start(caller, work, reply, background=request.run_in_background)

    async def UploadScript(self, request: pb.UploadScriptRequest, context: Any) -> Any:  # noqa: N802
        """Contract: TaskService.UploadScript."""
        caller = caller_of(context)
        reply, work = reply_to(request, caller, _answer(pb.UploadScriptResponse)), script_from_proto(request.script)
        return await self._current_term.term().tasks.start(caller, work, reply, background=request.run_in_background)

    async def UpdateEnvironment(self, request: pb.UpdateEnvironmentRequest, context: Any) -> Any:  # noqa: N802
        """Contract: TaskService.UpdateEnvironment."""
        caller = caller_of(context)
        reply, work = reply_to(request, caller, _answer(pb.UpdateEnvironmentResponse)), EnvironmentUpdate()
        return await self._current_term.term().tasks.start(caller, work, reply, background=request.run_in_background)

    async def GetTask(self, request: pb.GetTaskRequest, context: Any) -> pb.GetTaskResponse:  # noqa: N802
        """Contract: TaskService.GetTask."""
        del context
        kept = await self._current_term.term().tasks.get(_uid(request.task_uid))
        return pb.GetTaskResponse(status=status_of(kept, with_value=True))

    async def ListTasks(self, request: pb.ListTasksRequest, context: Any) -> pb.ListTasksResponse:  # noqa: N802
        """Contract: TaskService.ListTasks."""
        del context
        size = page_size(request.page_size, _PAGE, _PAGE)
        after = numbers_of_token(request.page_token, "tasks", 1)[0] if request.page_token else 0
        page, more = await self._current_term.term().tasks.page(request.task_uids, size, after, _that_fit)
        answer = pb.ListTasksResponse(next_page_token=page_token("tasks", more) if more else "")
        time_slice = TimeSlice()
        for kept in page:
            answer.tasks.append(status_of(kept, with_value=False))
            await time_slice.yield_if_due()
        return answer

    async def WaitTask(  # noqa: N802
        self, request: pb.WaitTaskRequest, context: Any
    ) -> AsyncIterator[pb.WaitTaskResponse]:
        """Contract: TaskService.WaitTask."""
        del context
        async for kept in self._current_term.term().tasks.wait(_uid(request.task_uid)):
            yield pb.WaitTaskResponse(status=status_of(kept, with_value=True))


def _uid(given: str) -> str:
    """Which task is meant. Raises FieldInvalid."""
    if not given:
        raise FieldInvalid("task_uid", "required: the uid of a task")
    return given


def _that_fit(page: Sequence[KeptTask]) -> Work[int]:
    return how_many_fit(page, lambda kept: status_of(kept, with_value=False).SerializeToString())


def _answer(
    response: type[pb.ExecuteFunctionResponse | pb.UploadScriptResponse | pb.UpdateEnvironmentResponse],
) -> Encode[Task]:
    """How a method responds that starts a task."""

    def encode(task: Task, _revision: int) -> bytes:
        return response(task=task_to_proto(task)).SerializeToString()

    return encode
