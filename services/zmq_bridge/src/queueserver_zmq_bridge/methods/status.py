"""``status`` and ``ping``."""

from __future__ import annotations

from typing import Final

from queueserver.manager.v1 import status_pb2, status_service_pb2

from queueserver_zmq_bridge.answers.status import state_of
from queueserver_zmq_bridge.methods.method import Fields, Method, Params
from queueserver_zmq_bridge.server import Server


async def manager_status(server: Server) -> status_pb2.ManagerStatus:
    """The status as it is now: what any earlier call has caused is in it."""
    answer = await server.read(server.stubs.status.GetStatus, status_service_pb2.GetStatusRequest())
    return answer.status


async def manager_state(server: Server) -> str:
    """The state of the Manager as a word."""
    return state_of(await manager_status(server))


async def status_fields(server: Server) -> Fields:
    """The status as clients see it."""
    question = server.status_view.ask()
    return server.status_view.fields(await manager_status(server), question)


async def _status(server: Server, _: Params) -> Fields:
    return await status_fields(server)


METHODS: Final = (Method("status", _status, bare=True), Method("ping", _status, bare=True))
