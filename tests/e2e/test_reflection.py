from __future__ import annotations

from typing import Any

import grpc
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from tests.harness.health import SERVICES, serving
from tests.harness.stack import Stack
from tests.harness.wait import bounded


async def ask(address: str, **request: str) -> Any:
    async with grpc.aio.insecure_channel(address) as channel:
        call = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(
            iter([reflection_pb2.ServerReflectionRequest(**request)])  # type: ignore[arg-type] # one of its texts
        )
        return await bounded(call.read())


async def test_reflection_lists_every_service(shared_stack: Stack) -> None:
    answer = await ask(shared_stack.address, list_services="")
    names = {service.name for service in answer.list_services_response.service}
    assert names == {*SERVICES, "grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"}


async def test_reflection_describes_the_methods_of_a_service(shared_stack: Stack) -> None:
    answer = await ask(shared_stack.address, file_containing_symbol="queueserver.manager.v1.QueueService")
    files = [FileDescriptorProto.FromString(data) for data in answer.file_descriptor_response.file_descriptor_proto]
    methods = {method.name for file in files for service in file.service for method in service.method}
    assert {"AddItem", "AddItems", "ListItems", "StartQueue"} <= methods


async def test_a_healthy_server_says_so_for_every_service(shared_stack: Stack) -> None:
    assert await serving(shared_stack.address) == {
        "",
        "Status",
        "Queue",
        "History",
        "Environment",
        "RunEngine",
        "Inventory",
        "Task",
        "Permission",
        "Planning",
        "Event",
    }
