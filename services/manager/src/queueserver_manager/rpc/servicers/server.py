"""ServerService."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from queueserver.common.v1 import process_pb2
from queueserver.manager.v1 import server_service_pb2 as pb
from queueserver.manager.v1 import status_pb2

from queueserver_manager.domain.refusals.errors import FieldInvalid, NotReady, Refused
from queueserver_manager.operations.instance import Instance, ServerLimit
from queueserver_manager.operations.server import StopMode
from queueserver_manager.rpc.current_term import CurrentTerm
from queueserver_manager.rpc.identity import caller_of
from queueserver_manager.rpc.replies import empty_answer, reply_to
from queueserver_manager.rpc.servicers.importing import Importing
from queueserver_manager.wire.items import set_time
from queueserver_manager.wire.process import process_to_proto, settings_to_proto

_MODES = {pb.STOP_MODE_WHEN_IDLE: StopMode.WHEN_IDLE, pb.STOP_MODE_AT_ONCE: StopMode.AT_ONCE}
#: A Worker that sends more than this is not believed.
_MAX_INFO_BYTES = 256 * 1024


class ServerServicer(Importing):
    """Stops the server, reports facts about it, and takes over the state of another one."""

    def __init__(
        self,
        current_term: CurrentTerm,
        instance: Callable[[], Instance],
        redis_version: Callable[[], Awaitable[str]],
        request_stop: Callable[[], None],
    ) -> None:
        self._current_term = current_term
        self._instance = instance
        self._redis_version = redis_version
        self._request_stop = request_stop

    async def StopServer(  # type: ignore[override] # noqa: N802 - serialized already
        self, request: pb.StopServerRequest, context: Any
    ) -> bytes:
        """Contract: ServerService.StopServer."""
        mode = _MODES.get(request.mode)
        if mode is None:
            raise FieldInvalid("mode", "say when it may be stopped: STOP_MODE_WHEN_IDLE or STOP_MODE_AT_ONCE")
        reply = reply_to(request, caller_of(context), empty_answer(pb.StopServerResponse))
        try:
            term = self._current_term.term()
        except NotReady:
            if mode is StopMode.WHEN_IDLE:
                raise
            # It knows of nothing that runs, and a server that can't use Redis can be stopped too.
            self._request_stop()
            return pb.StopServerResponse().SerializeToString()
        return await term.server.stop(mode, reply)

    async def GetServerInfo(  # noqa: N802
        self, request: pb.GetServerInfoRequest, context: Any
    ) -> pb.GetServerInfoResponse:
        """Contract: ServerService.GetServerInfo."""
        del request, context
        instance, facts = self._instance(), self._current_term.board.facts
        role = status_pb2.MANAGER_ROLE_OWNER if facts.is_owner else status_pb2.MANAGER_ROLE_STANDBY
        info = pb.ServerInfo(
            manager=process_to_proto(instance.process),
            contract_version=instance.contract_version,
            role=role,
            address=instance.address,
            advertised_address=instance.advertised,
            data_directory=instance.data_directory,
            settings=settings_to_proto(instance.settings),
            limits=map(_limit, instance.limits),
            redis=pb.RedisInfo(address=instance.redis_address),
        )
        set_time(info.time, time.time())
        info.redis.version, worker = await asyncio.gather(self._redis_version(), self._worker_info())
        if not info.redis.version:
            info.unknown.append("The version of Redis is not known, because Redis does not answer.")
        if isinstance(worker, str):
            info.unknown.append(worker)
        else:
            _add_worker(info, worker)
        return pb.GetServerInfoResponse(info=info)

    async def _worker_info(self) -> process_pb2.WorkerInfo | str:
        """What the Worker reports, or a sentence that says why there is no report."""
        about = "Nothing is known about the Worker, the environment and the startup code"
        try:
            wire = await self._current_term.term().server.worker_info()
        except Refused as error:
            return f"{about}: {error}"
        if len(wire) > _MAX_INFO_BYTES:
            return f"{about}: the Worker tells more than {_MAX_INFO_BYTES} bytes."
        return process_pb2.WorkerInfo.FromString(wire)


def _limit(limit: ServerLimit) -> pb.ServerLimit:
    message = pb.ServerLimit(name=limit.name, max_count=limit.number, max_bytes=limit.size)
    if limit.age:
        message.max_age.FromNanoseconds(int(limit.age * 1e9))
    return message


def _add_worker(info: pb.ServerInfo, told: process_pb2.WorkerInfo) -> None:
    info.worker.CopyFrom(told.worker)
    if told.HasField("environment"):
        info.environment.CopyFrom(told.environment)
    info.startup_code.CopyFrom(told.startup_code)
    info.worker_settings.extend(told.settings)
