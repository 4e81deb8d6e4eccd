"""Opening, closing, destroying and updating the environment."""

from __future__ import annotations

from typing import Final

from queueserver.manager.v1 import environment_service_pb2 as pb
from queueserver.manager.v1 import task_service_pb2
from queueserver_client import EnvironmentClosed

from queueserver_zmq_bridge.methods.locking import key_of
from queueserver_zmq_bridge.methods.method import Fields, Lock, Method, Params
from queueserver_zmq_bridge.refusal import Refused
from queueserver_zmq_bridge.server import Server


async def _open(server: Server, params: Params) -> Fields:
    request = pb.OpenEnvironmentRequest(lock_key=key_of(params))
    await server.change(server.stubs.environment.OpenEnvironment, request)
    return {}


async def _close(server: Server, params: Params) -> Fields:
    request = pb.CloseEnvironmentRequest(lock_key=key_of(params))
    await server.change(server.stubs.environment.CloseEnvironment, request)
    return {}


async def _destroy(server: Server, params: Params) -> Fields:
    request = pb.DestroyEnvironmentRequest(lock_key=key_of(params))
    try:
        await server.change(server.stubs.environment.DestroyEnvironment, request)
    except EnvironmentClosed:
        raise Refused("RE environment does not exist") from None
    return {}


async def _update(server: Server, params: Params) -> Fields:
    request = task_service_pb2.UpdateEnvironmentRequest(
        run_in_background=bool(params.get("run_in_background")), lock_key=key_of(params)
    )
    try:
        answer = await server.change(server.stubs.tasks.UpdateEnvironment, request)
    except EnvironmentClosed:
        raise Refused("RE Worker environment is not open") from None
    return {"task_uid": answer.task.task_uid}


METHODS: Final = (
    Method("environment_open", _open, (), Lock.ENVIRONMENT, prefix=""),
    Method("environment_close", _close, (), Lock.ENVIRONMENT, prefix=""),
    Method("environment_destroy", _destroy, (), Lock.ENVIRONMENT, prefix=""),
    Method(
        "environment_update", _update, ("run_in_background",), Lock.ENVIRONMENT, failed={"task_uid": None}, prefix=""
    ),
)
