"""Scripts, functions, and what became of them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, Final

from queueserver.common.v1 import task_pb2
from queueserver.manager.v1 import task_service_pb2 as pb
from queueserver.manager.v1 import task_status_pb2
from queueserver_client import EnvironmentClosed, QueueServerError, TaskNotFound, ValueNotRepresentable, values
from queueserver_client.models.wire_enum import to_datetime

from queueserver_zmq_bridge.answers.task_values import plain_value
from queueserver_zmq_bridge.methods.locking import key_of
from queueserver_zmq_bridge.methods.method import Fields, Lock, Method, Params
from queueserver_zmq_bridge.methods.submission import submitted_item, submitter
from queueserver_zmq_bridge.refusal import Refused
from queueserver_zmq_bridge.server import Server

_MISSING: Final = "Required 'task_uid' parameter is missing in the API call."
_STATES: Final = {
    task_status_pb2.TASK_STATE_RUNNING: "running",
    task_status_pb2.TASK_STATE_FINISHED: "completed",
}
_NOT_FOUND: Final = "not_found"
_NOT_OPEN: Final = "RE Worker environment is not open"


async def _upload(server: Server, params: Params) -> Fields:
    if "script" not in params:
        raise Refused("Error: Required 'script' parameter is missing in the API call.")
    if not isinstance(params["script"], str):
        raise Refused("Error: Type of the 'script' parameter in the API call is incorrect: a string is expected.")
    request = pb.UploadScriptRequest(
        script=task_pb2.Script(
            text=params["script"] or "\n",
            update_lists=bool(params.get("update_lists", True)),
            update_re=bool(params.get("update_re")),
        ),
        run_in_background=bool(params.get("run_in_background")),
        lock_key=key_of(params),
    )
    try:
        answer = await server.change(server.stubs.tasks.UploadScript, request)
    except EnvironmentClosed:
        raise Refused(_NOT_OPEN) from None
    return {"task_uid": answer.task.task_uid}


async def _execute(server: Server, params: Params) -> Fields:
    item, key = submitted_item(params, ("function",)), key_of(params)
    caller = submitter(params)
    name, args, kwargs = item.get("name"), item.get("args"), item.get("kwargs")
    if not isinstance(name, str) or not name:
        raise Refused(f"Function name is not specified: {item!r:.500}")
    if args is not None and not isinstance(args, (list, tuple)):
        raise Refused(f"Parameter 'args' is not a tuple or a list: {type(args).__name__}")
    if kwargs is not None and not isinstance(kwargs, Mapping):
        raise Refused(f"Parameter 'kwargs' is not a dictionary: {type(kwargs).__name__}")
    try:
        call = task_pb2.FunctionCall(
            name=name, args=values.to_list(args or (), "args"), kwargs=values.to_struct(kwargs or {}, "kwargs")
        )
    except ValueNotRepresentable as error:
        raise Refused(error.message) from None
    request = pb.ExecuteFunctionRequest(
        function=call, run_in_background=bool(params.get("run_in_background")), lock_key=key
    )
    try:
        answer = await server.change(server.stubs.tasks.ExecuteFunction, request, caller)
    except EnvironmentClosed:
        raise Refused(_NOT_OPEN) from None
    except QueueServerError as error:
        if error.reason == "FUNCTION_NOT_ALLOWED":
            raise Refused(f"Function {name!r} is not allowed for users from {caller[1]!r} group.") from None
        raise
    uid = answer.task.task_uid
    done = {
        "name": name,
        "args": list(args or ()),
        "kwargs": dict(kwargs or {}),
        "user": params["user"],
        "user_group": params["user_group"],
        "item_uid": uid,
    }
    return {"item": done, "task_uid": uid}


async def _status(server: Server, params: Params) -> Fields:
    if "task_uid" not in params:
        raise Refused(_MISSING)
    wanted = params["task_uid"]
    if isinstance(wanted, str):
        return {"task_uid": wanted, "status": (await _states(server, [wanted]))[wanted]}
    if not isinstance(wanted, (list, tuple)):
        raise Refused(f"'task_uid' must be a string or a list of strings, but is {type(wanted).__name__}")
    if any(isinstance(uid, (dict, list)) for uid in wanted):
        raise Refused("The list 'task_uid' must consist of strings")
    # What is no text is the uid of no task.
    unknown = {uid: _NOT_FOUND for uid in wanted if not isinstance(uid, str)}
    states = await _states(server, [uid for uid in wanted if isinstance(uid, str)])
    return {"task_uid": wanted, "status": {**unknown, **states}}


async def _states(server: Server, uids: list[str]) -> dict[str, str]:
    states, token = dict.fromkeys(uids, _NOT_FOUND), ""
    # Without uids all tasks would be listed, and the Manager accepts only those that can be uids.
    known = sorted({uid for uid in uids if _is_uid(uid)})
    while known:
        request = pb.ListTasksRequest(task_uids=known, page_token=token)
        page = await server.read(server.stubs.tasks.ListTasks, request)
        states.update((task.task.task_uid, _STATES.get(task.state, _NOT_FOUND)) for task in page.tasks)
        token = page.next_page_token
        if not token:
            break
    return states


def _is_uid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


async def _result(server: Server, params: Params) -> Fields:
    uid = params.get("task_uid")
    if uid is None:
        raise Refused(_MISSING)
    if isinstance(uid, (dict, list)):
        raise Refused(f"'task_uid' must be a string, but is {type(uid).__name__}")
    if not isinstance(uid, str) or not _is_uid(uid):
        return {"task_uid": uid, "status": _NOT_FOUND, "result": {}}
    try:
        answer = await server.read(server.stubs.tasks.GetTask, pb.GetTaskRequest(task_uid=uid))
    except TaskNotFound:
        return {"task_uid": uid, "status": _NOT_FOUND, "result": {}}
    return {
        "task_uid": uid,
        "status": _STATES.get(answer.status.state, _NOT_FOUND),
        "result": _result_fields(answer.status),
    }


def _result_fields(status: task_status_pb2.TaskStatus) -> dict[str, Any]:
    result = status.result
    start = result.start_time if result.HasField("start_time") else status.task.create_time
    begun = {"task_uid": status.task.task_uid, "time_start": to_datetime(start).timestamp()}
    if status.state != task_status_pb2.TASK_STATE_FINISHED:
        return begun | {"run_in_background": status.task.run_in_background}
    return begun | {
        "success": result.success,
        "msg": result.message,
        "traceback": result.traceback,
        "return_value": plain_value(result.return_value),
        "time_stop": to_datetime(result.stop_time).timestamp(),
    }


METHODS: Final = (
    Method(
        "script_upload",
        _upload,
        ("script", "update_lists", "update_re", "run_in_background"),
        Lock.ENVIRONMENT,
        failed={"task_uid": None},
        prefix="",
    ),
    Method(
        "function_execute",
        _execute,
        ("item", "run_in_background", "user", "user_group"),
        Lock.ENVIRONMENT,
        failed={"item": None, "task_uid": None},
        echoed=("item",),
    ),
    Method("task_status", _status, ("task_uid",), failed={"task_uid": None, "status": None}, echoed=("task_uid",)),
    Method(
        "task_result",
        _result,
        ("task_uid",),
        failed={"task_uid": None, "status": None, "result": None},
        echoed=("task_uid",),
    ),
)
