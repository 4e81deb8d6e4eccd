"""Stopping the server, and what tests use."""

from __future__ import annotations

from typing import Final

from queueserver.manager.v1 import server_service_pb2 as pb

from queueserver_zmq_bridge.methods.method import Fields, Method, Params
from queueserver_zmq_bridge.methods.status import manager_state
from queueserver_zmq_bridge.refusal import NoAnswer, Refused
from queueserver_zmq_bridge.server import Server

_MODES: Final = {"safe_on": pb.STOP_MODE_WHEN_IDLE, "safe_off": pb.STOP_MODE_AT_ONCE}


async def _stop(server: Server, params: Params) -> Fields:
    option = params.get("option") or "safe_on"
    if not isinstance(option, str) or option not in _MODES:
        raise Refused(f"Option {option!r:.200} is not allowed. Allowed options: {tuple(_MODES)}")
    if option == "safe_on" and (state := await manager_state(server)) != "idle":
        raise Refused(f"Closing RE Manager with option 'safe_on' is allowed only in idle state: state is {state!r}")
    await server.change(server.stubs.server.StopServer, pb.StopServerRequest(mode=_MODES[option]))
    return {}


async def _kill(server: Server, _params: Params) -> Fields:
    if server.kill_manager():
        raise NoAnswer
    raise Refused(
        "The Manager can't be killed through this bridge, because nothing would start it again: start-re-manager did "
        "not start the bridge. Restart the Manager with what started it."
    )


async def _test(_server: Server, params: Params) -> Fields:
    raise Refused(f"Unknown test: {params.get('test_name')!r:.200}. There is no IPython kernel to reserve.")


METHODS: Final = (
    Method("manager_stop", _stop, ("option",)),
    Method("manager_kill", _kill),
    Method("manager_test", _test, ("test_name",)),
)
