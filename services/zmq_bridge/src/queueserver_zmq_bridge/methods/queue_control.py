"""Starting and stopping the queue, its mode, autostart, and executing an item now."""

from __future__ import annotations

from typing import Final

from queueserver.manager.v1 import queue_execution_pb2 as pb
from queueserver_client import QueueServerError

from queueserver_zmq_bridge.answers.items import item_fields
from queueserver_zmq_bridge.methods.locking import key_of
from queueserver_zmq_bridge.methods.method import Fields, Lock, Method, Params
from queueserver_zmq_bridge.methods.status import manager_state
from queueserver_zmq_bridge.methods.submission import item_refusal, item_spec, submitted_item, submitter
from queueserver_zmq_bridge.refusal import Refused
from queueserver_zmq_bridge.server import Server

_MODES: Final = ("loop", "ignore_failures")


async def _start(server: Server, params: Params) -> Fields:
    try:
        await server.change(server.stubs.queue.StartQueue, pb.StartQueueRequest(lock_key=key_of(params)))
    except QueueServerError as error:
        _tell_busy(error)
        raise
    return {}


def _tell_busy(error: QueueServerError) -> None:
    """Raise Refused if the Manager is doing something else."""
    if error.reason == "INVALID_STATE":
        raise Refused(f"RE Manager is busy. {error.message}") from None


async def _stop(server: Server, params: Params) -> Fields:
    try:
        await server.change(server.stubs.queue.StopQueue, pb.StopQueueRequest(lock_key=key_of(params)))
    except QueueServerError as error:
        if error.reason == "INVALID_STATE":
            state = await manager_state(server)
            raise Refused(f"The queue can't be stopped. Queue is not running. Manager state: {state!r}") from None
        raise
    return {}


async def _stop_cancel(server: Server, params: Params) -> Fields:
    await server.change(server.stubs.queue.CancelStopQueue, pb.CancelStopQueueRequest(lock_key=key_of(params)))
    return {}


async def _mode(server: Server, params: Params) -> Fields:
    if "mode" not in params:
        raise Refused("Parameter 'mode' is not found in the request")
    mode, request = params["mode"], pb.SetQueueModeRequest(lock_key=key_of(params))
    if mode == "default":
        request.reset_to_defaults = True
    elif not isinstance(mode, dict):
        raise Refused(
            f"Queue mode is of unsupported type {type(mode).__name__}: a dictionary or the string 'default' is expected"
        )
    else:
        for name, value in mode.items():
            if name not in _MODES:
                raise Refused(f"Unsupported plan queue mode parameter {name!r}: supported parameters {_MODES}")
            if not isinstance(value, bool):
                raise Refused(f"Unsupported type {type(value).__name__} of the parameter {name!r}: bool is expected")
            setattr(request, name, value)
    await server.change(server.stubs.queue.SetQueueMode, request)
    return {}


async def _autostart(server: Server, params: Params) -> Fields:
    if "enable" not in params:
        raise Refused("Required 'enable' parameter is missing in 'queue_autostart' API call.")
    enabled = params["enable"]
    if not isinstance(enabled, bool):
        raise Refused(f"Required 'enable' parameter must be boolean, but is {type(enabled).__name__}.")
    request = pb.SetAutostartRequest(enabled=enabled, lock_key=key_of(params))
    await server.change(server.stubs.queue.SetAutostart, request)
    return {}


async def _execute(server: Server, params: Params) -> Fields:
    item, key = submitted_item(params), key_of(params)
    caller = submitter(params)
    request = pb.ExecuteItemRequest(item=item_spec(item), lock_key=key)
    try:
        answer = await server.change(server.stubs.queue.ExecuteItem, request, caller)
    except QueueServerError as error:
        _tell_busy(error)
        raise item_refusal(error, item) from None
    return {"qsize": answer.queue_size, "item": item_fields(answer.item)}


METHODS: Final = (
    Method("queue_start", _start, (), Lock.ENVIRONMENT, prefix=""),
    Method("queue_stop", _stop, (), Lock.ENVIRONMENT, prefix=""),
    Method("queue_stop_cancel", _stop_cancel, (), Lock.ENVIRONMENT),
    Method("queue_mode_set", _mode, ("mode",), Lock.QUEUE, prefix="Failed to set queue mode: "),
    Method("queue_autostart", _autostart, ("enable",), Lock.ENVIRONMENT),
    Method(
        "queue_item_execute",
        _execute,
        ("item", "user", "user_group"),
        Lock.ENVIRONMENT,
        failed={"qsize": None, "item": None},
        prefix="Failed to start execution of the item: ",
        echoed=("item",),
    ),
)
