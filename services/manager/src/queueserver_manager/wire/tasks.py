"""Tasks as messages."""

from __future__ import annotations

from collections.abc import Mapping

from queueserver.common.v1 import task_pb2
from queueserver.manager.v1 import task_status_pb2 as pb
from queueserver.worker.v1 import worker_service_pb2 as worker_pb
from queueserver_long_work.work import Work

from queueserver_manager.domain.refusals.errors import FieldInvalid, ItemTooLarge, ScriptTooLarge, Violation
from queueserver_manager.domain.tasks.tasks import (
    FunctionCall,
    KeptTask,
    Script,
    Task,
    TaskFailureCause,
    TaskKind,
    TaskOutcome,
    TaskResult,
)
from queueserver_manager.wire.items import set_time
from queueserver_manager.wire.values import ValueReader, dict_to_struct, list_to_list_value

#: Bound of a script, documented in the contract.
MAX_SCRIPT_BYTES = 1024 * 1024
MAX_SCRIPT_NAME = 255
#: Bounds of a function call, documented in the contract: it is stored, and must fit the path to the environment.
MAX_CALL_BYTES = 1024 * 1024
MAX_FUNCTION_NAME = 255
#: Bounds of what is kept of a result.
_MAX_VALUE_BYTES = 2 * 1024 * 1024
_MAX_MESSAGE = 4_000
_MAX_TRACEBACK = 64_000
_MAX_CONSOLE = 4_000

KINDS: Mapping[TaskKind, task_pb2.TaskKind.ValueType] = {
    kind: task_pb2.TaskKind.Value(f"TASK_KIND_{kind.name}") for kind in TaskKind
}
_CAUSES: Mapping[TaskFailureCause, task_pb2.TaskFailureCause.ValueType] = {
    cause: task_pb2.TaskFailureCause.Value(
        "TASK_FAILURE_CAUSE_UNSPECIFIED" if cause is TaskFailureCause.NONE else f"TASK_FAILURE_CAUSE_{cause.name}"
    )
    for cause in TaskFailureCause
}
_CAUSES_BY_NUMBER = {int(number): cause for cause, number in _CAUSES.items()}


def read_function(message: task_pb2.FunctionCall) -> Work[FunctionCall]:
    """A call. Raises FieldInvalid, ItemTooLarge, NumberNotExact, ItemInvalid."""
    if not message.name:
        raise FieldInvalid("function.name", "required: the name of a function")
    if len(message.name) > MAX_FUNCTION_NAME:
        raise FieldInvalid("function.name", f"must have at most {MAX_FUNCTION_NAME} characters")
    size = message.ByteSize()
    if size > MAX_CALL_BYTES:
        raise ItemTooLarge(
            f"The call has {size} bytes, and at most {MAX_CALL_BYTES} are allowed: "
            "put large data where the function can read it and pass its name.",
            violations=[Violation("function", f"has {size} bytes, and at most {MAX_CALL_BYTES} are allowed")],
        )
    reader = ValueReader("function")
    args = yield from reader.array(message.args, "function.args")
    kwargs = yield from reader.object(message.kwargs, "function.kwargs")
    return FunctionCall(message.name, args, kwargs)


def script_from_proto(message: task_pb2.Script) -> Script:
    """A script. Raises FieldInvalid, ScriptTooLarge."""
    if not message.text:
        raise FieldInvalid("script.text", "required: Python source")
    size = len(message.text.encode())
    if size > MAX_SCRIPT_BYTES:
        raise ScriptTooLarge(
            f"The script has {size} bytes, and at most {MAX_SCRIPT_BYTES} are allowed: "
            "put it into a module that it imports."
        )
    name = message.name
    if len(name) > MAX_SCRIPT_NAME or not name.isprintable() or "/" in name or "\\" in name:
        raise FieldInvalid(
            "script.name",
            f"must be the name of a file without folders, of at most {MAX_SCRIPT_NAME} visible characters",
        )
    update_lists = message.update_lists if message.HasField("update_lists") else True
    return Script(message.text, update_lists, message.update_re, name)


def command_of(task: Task) -> worker_pb.TaskCommand:
    """What the Worker is told to do."""
    command = worker_pb.TaskCommand(task_uid=task.uid, run_in_background=task.background)
    work = task.work
    if isinstance(work, FunctionCall):
        command.function.name = work.name
        list_to_list_value(work.args, command.function.args)
        dict_to_struct(work.kwargs, command.function.kwargs)
    elif isinstance(work, Script):
        command.script.CopyFrom(
            task_pb2.Script(text=work.text, update_lists=work.update_lists, update_re=work.update_re, name=work.name)
        )
    else:
        command.update.SetInParent()
    return command


def task_to_proto(task: Task) -> task_pb2.SubmittedTask:
    """A task."""
    message = task_pb2.SubmittedTask(
        task_uid=task.uid,
        kind=KINDS[task.kind],
        name=task.name,
        run_in_background=task.background,
        user=task.user,
        user_group=task.user_group,
    )
    set_time(message.create_time, task.created)
    return message


def status_of(kept: KeptTask, *, with_value: bool) -> pb.TaskStatus:
    """A task and its state."""
    state = pb.TASK_STATE_RUNNING if kept.result is None else pb.TASK_STATE_FINISHED
    status = pb.TaskStatus(task=task_to_proto(kept.task), state=state)
    result = kept.result
    if result is None:
        return status
    message = status.result
    message.success, message.message, message.traceback = result.success, result.message, result.traceback
    message.console_excerpt, message.failure_cause = result.console, _CAUSES[result.failure_cause]
    if with_value and result.return_value is not None:
        message.return_value.ParseFromString(result.return_value)
    if result.start is not None:
        set_time(message.start_time, result.start)
    set_time(message.stop_time, result.stop)
    return status


def outcome_from_proto(task_uid: str, message: task_pb2.TaskResult) -> TaskOutcome:
    """What the Worker reports. What is too long to keep is cut, and a value that is too large is left out."""
    value = message.return_value.SerializeToString() if message.HasField("return_value") else None
    text = message.message[:_MAX_MESSAGE]
    if value is not None and len(value) > _MAX_VALUE_BYTES:
        text = f"The function returned {len(value)} bytes, which is too much to keep: let it write a file."
        value = None
    start = message.start_time.ToNanoseconds() / 1e9 if message.HasField("start_time") else None
    return TaskOutcome(
        task_uid,
        TaskResult(
            success=message.success,
            stop=message.stop_time.ToNanoseconds() / 1e9,
            start=start,
            message=text,
            traceback=message.traceback[-_MAX_TRACEBACK:],
            return_value=value,
            console=message.console_excerpt[-_MAX_CONSOLE:],
            failure_cause=_CAUSES_BY_NUMBER.get(message.failure_cause, TaskFailureCause.NONE),
        ),
    )
