"""The generated stubs on channels of their own: a benchmark measures the server, not our client's conveniences."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.json_format import ParseDict
from queueserver.common.v1.item_pb2 import ItemSpec
from queueserver.manager.v1.environment_service_pb2_grpc import EnvironmentServiceStub
from queueserver.manager.v1.event_service_pb2_grpc import EventServiceStub
from queueserver.manager.v1.history_service_pb2_grpc import HistoryServiceStub
from queueserver.manager.v1.inventory_service_pb2_grpc import InventoryServiceStub
from queueserver.manager.v1.permission_service_pb2_grpc import PermissionServiceStub
from queueserver.manager.v1.planning_service_pb2_grpc import PlanningServiceStub
from queueserver.manager.v1.queue_service_pb2_grpc import QueueServiceStub
from queueserver.manager.v1.run_engine_service_pb2_grpc import RunEngineServiceStub
from queueserver.manager.v1.status_service_pb2_grpc import StatusServiceStub
from queueserver.manager.v1.task_service_pb2_grpc import TaskServiceStub

#: Without a pool of its own, each channel to the same address would use the same connection.
_OPTIONS = [
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
]


@dataclass(frozen=True)
class Stubs:
    """One connection. The generated types of asynchronous stubs differ from those of the classes, hence Any."""

    status: Any
    queue: Any
    history: Any
    environment: Any
    events: Any
    run_engine: Any
    inventory: Any
    permissions: Any
    planning: Any
    tasks: Any


@contextlib.asynccontextmanager
async def connect(address: str) -> AsyncIterator[Stubs]:
    """Stubs on a connection that stands."""
    async with grpc.aio.insecure_channel(address, options=_OPTIONS) as channel:
        await channel.channel_ready()
        yield Stubs(
            StatusServiceStub(channel),
            QueueServiceStub(channel),
            HistoryServiceStub(channel),
            EnvironmentServiceStub(channel),
            EventServiceStub(channel),
            RunEngineServiceStub(channel),
            InventoryServiceStub(channel),
            PermissionServiceStub(channel),
            PlanningServiceStub(channel),
            TaskServiceStub(channel),
        )


def plan(name: str, *args: Any, **kwargs: Any) -> ItemSpec:
    """A plan call as a client would send it."""
    return ParseDict({"name": name, "args": list(args), "kwargs": kwargs}, ItemSpec())


def typical_plan() -> ItemSpec:
    """A call of the size that people queue."""
    return plan("scan", ["det1", "det2"], "motor", -1, 1, num=11, md={"sample": "LaB6"})
