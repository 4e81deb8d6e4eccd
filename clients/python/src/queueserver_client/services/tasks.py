"""Tasks: call functions and execute scripts in the environment, and wait for their results."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from typing import Any

import grpc
from queueserver.common.v1 import task_pb2
from queueserver.manager.v1 import task_service_pb2 as pb

from queueserver_client import values
from queueserver_client.connection.connection import Connection
from queueserver_client.connection.limits import awaited
from queueserver_client.connection.reconnect_policy import RECONNECT_TIMEOUT, ReconnectPolicy
from queueserver_client.connection.refusal_details import Refusal
from queueserver_client.errors import QueueServerError
from queueserver_client.models.tasks import Task, TaskResult, TaskState, TaskStatus


class TaskFailed(QueueServerError):  # noqa: N818 - named as its users write it after "except"
    """A task ended without success; `result` has message, traceback and console excerpt."""

    def __init__(self, refusal: Refusal, result: TaskResult) -> None:
        super().__init__(refusal)
        self.args = (refusal, result)
        self.result = result


#: Characters that the server accepts in the name of a script.
_MAX_FILE_NAME = 255


class TaskHandle:
    """One task: the result of ``tasks.execute_function``, ``upload_script`` and ``update_environment``."""

    def __init__(self, tasks: AsyncTasks, task: Task) -> None:
        self._tasks = tasks
        #: The task as the server accepted it.
        self.task = task

    @property
    def uid(self) -> str:
        """Identity of the task."""
        return self.task.uid

    async def status(self) -> TaskStatus:
        """Its state. Raises TaskNotFound if its result is no longer kept."""
        return await self._tasks.get(self.uid)

    async def wait(self, timeout: float | None = None) -> TaskResult:
        """Wait until it has ended, well or not, for at most this many seconds.

        It keeps waiting over restarts of the Manager. Raises DeadlineExceeded, TaskNotFound, ServiceUnavailable.
        """
        return await awaited(self._tasks.wait(self.uid), timeout, f"{self.task.name or 'The task'} {self.uid}")

    async def result(self, timeout: float | None = None) -> Any:
        """Wait until it has ended; returns what the function returned. Raises TaskFailed, and as :meth:`wait`."""
        result = await self.wait(timeout)
        if not result.success:
            raise TaskFailed(Refusal(grpc.StatusCode.UNKNOWN, "TASK_FAILED", result.message), result)
        return result.return_value

    def __repr__(self) -> str:
        return f"<TaskHandle {self.task.name or self.task.kind} {self.uid}>"


class AsyncTasks:
    """``client.tasks``. Errors: those of the methods of the same name in TaskService.

    Tasks in the foreground need an idle Manager; those in the background run beside everything else.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def execute_function(
        self, name: str, /, *args: Any, run_in_background: bool = False, **kwargs: Any
    ) -> TaskHandle:
        """Call a function of the environment: ``await client.tasks.execute_function("f", 1, mode="fast")``.

        Arguments are passed as they are: names of devices stay names. Raises FunctionNotAllowed, InvalidState,
        EnvironmentClosed, ValueNotRepresentable, and LimitReached if too many run in the background.
        """
        return await self.execute(name, args, kwargs, run_in_background=run_in_background)

    async def execute(
        self,
        name: str,
        args: Sequence[Any] = (),
        kwargs: dict[str, Any] | None = None,
        *,
        run_in_background: bool = False,
    ) -> TaskHandle:
        """As :meth:`execute_function`, for parameters of any name."""
        function = task_pb2.FunctionCall(
            name=values.text(name, "name"),
            args=values.to_list(list(args), "args"),
            kwargs=values.to_struct(kwargs or {}, "kwargs"),
        )
        request = pb.ExecuteFunctionRequest(function=function, run_in_background=run_in_background)
        answer = await self._connection.change(self._connection.stubs.tasks.ExecuteFunction, request)
        return TaskHandle(self, Task.from_proto(answer.task))

    async def upload_script(
        self,
        text: str,
        *,
        name: str = "",
        update_lists: bool = True,
        update_re: bool = False,
        run_in_background: bool = False,
    ) -> TaskHandle:
        """Execute Python source in the environment's namespace.

        Args:
            text: The source. :func:`tokenize.open` reads it as Python would.
            name: Name or path of the file that it comes from: messages and tracebacks show its last part.
            update_lists: Look for new plans and devices afterwards.
            update_re: Let it replace ``RE`` and ``db``.
            run_in_background: Run it beside plans and other tasks.

        Raises:
            InvalidState: the Manager is not idle, or takes no scripts.
            EnvironmentClosed: there is no environment.
            LimitReached: too many tasks run in the background.
        """
        script = task_pb2.Script(
            text=values.text(text, "text"), update_lists=update_lists, update_re=update_re, name=_file_name(name)
        )
        request = pb.UploadScriptRequest(script=script, run_in_background=run_in_background)
        answer = await self._connection.change(self._connection.stubs.tasks.UploadScript, request)
        return TaskHandle(self, Task.from_proto(answer.task))

    async def update_environment(self, *, run_in_background: bool = False) -> TaskHandle:
        """Read the namespace again: the RunEngine, plans and devices. Raises InvalidState, EnvironmentClosed."""
        request = pb.UpdateEnvironmentRequest(run_in_background=run_in_background)
        answer = await self._connection.change(self._connection.stubs.tasks.UpdateEnvironment, request)
        return TaskHandle(self, Task.from_proto(answer.task))

    async def get(self, uid: str) -> TaskStatus:
        """A task, and its result if it has ended. Raises TaskNotFound."""
        request = pb.GetTaskRequest(task_uid=values.text(uid, "uid"))
        answer = await self._connection.read(self._connection.stubs.tasks.GetTask, request)
        return TaskStatus.from_proto(answer.status)

    async def list(self, uids: Iterable[str] = ()) -> Sequence[TaskStatus]:
        """Tasks that run and tasks whose results are kept, oldest first, without return values; or only these."""
        request = pb.ListTasksRequest(task_uids=[values.text(uid, "uids") for uid in uids])
        found: list[TaskStatus] = []
        while True:
            answer = await self._connection.read(self._connection.stubs.tasks.ListTasks, request)
            found += [TaskStatus.from_proto(status) for status in answer.tasks]
            request.page_token = answer.next_page_token
            if not request.page_token:
                return found

    async def wait(self, uid: str, *, reconnect_timeout: float = RECONNECT_TIMEOUT) -> TaskResult:
        """Wait until a task has ended, well or not. Raises TaskNotFound, ServiceUnavailable, ServerFault."""
        async with aclosing(self._follow(values.text(uid, "uid"), reconnect_timeout)) as states:
            async for status in states:
                if status.result is not None:
                    return status.result
        raise self._connection.not_understood("The task ended in a way that only a newer client knows: use one.")

    async def _follow(self, uid: str, reconnect_timeout: float) -> AsyncGenerator[TaskStatus, None]:
        """The task as it is and once more with its result, over broken connections."""
        request = pb.WaitTaskRequest(task_uid=uid)
        reconnect_policy = ReconnectPolicy(self._connection, reconnect_timeout)
        state: TaskState | None = None
        while True:
            error: QueueServerError
            try:
                await reconnect_policy.ready()
                # No limit on silence: a task may run for hours, and keepalive detects a dead connection.
                stub = self._connection.stubs.tasks.WaitTask
                async with aclosing(self._connection.stream(stub, request, timeout=None, silence=None)) as answers:
                    async for answer in answers:
                        reconnect_policy.alive()
                        status = TaskStatus.from_proto(answer.status)
                        state = status.state
                        yield status
                        if state is TaskState.FINISHED:
                            return
                if state is TaskState.UNSPECIFIED:
                    return  # it ended in a state that only a newer server knows
                error = self._connection.broken(f"{self._connection.address} ended the stream.")
            except QueueServerError as failure:
                error = failure
            reconnect_policy.accept(error)
            await reconnect_policy.pause(error.retry_after)


def _file_name(path: str) -> str:
    """The last part of a path, as the server accepts it."""
    name = values.text(path, "name").replace("\\", "/").rpartition("/")[2]
    return "".join(character if character.isprintable() else "?" for character in name)[-_MAX_FILE_NAME:]
