"""What people see of the services who have no file of ours: reflection, health, and a real client of both."""

from __future__ import annotations

import subprocess

import grpc
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from tests.harness.health import PACKAGE, SERVICES, serving
from tests.harness.services import COMMANDS
from tests.harness.stack import Stack
from tests.harness.wait import SECONDS, bounded

ALL = {
    *SERVICES,
    *("grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"),
}


def buf_curl(stack: Stack, *arguments: str, path: str = "") -> str:
    """What `buf curl` prints."""
    command = [COMMANDS / "buf", "curl", "--protocol", "grpc", "--http2-prior-knowledge", *arguments]
    ended = subprocess.run(
        [*command, f"http://{stack.address}{path}"], capture_output=True, text=True, check=False, timeout=SECONDS
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
def test_a_real_client_lists_every_service_by_either_version(shared_stack: Stack, version: str) -> None:
    listed = buf_curl(shared_stack, "--reflect-protocol", f"grpc-{version}", "--list-services")
    assert set(listed.splitlines()) == ALL


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
def test_a_real_client_lists_and_calls_methods(shared_stack: Stack, version: str) -> None:
    reflect = ("--reflect-protocol", f"grpc-{version}")
    methods = buf_curl(shared_stack, *reflect, "--list-methods").splitlines()
    assert {f"{PACKAGE}.QueueService/AddItem", "grpc.health.v1.Health/List"} <= set(methods)
    answer = buf_curl(shared_stack, *reflect, "-d", "{}", path=f"/{PACKAGE}.StatusService/GetStatus")
    assert '"managerState": "MANAGER_STATE_IDLE"' in answer


async def test_reflection_describes_a_method_with_its_comment(shared_stack: Stack) -> None:
    request = reflection_pb2.ServerReflectionRequest(file_containing_symbol=f"{PACKAGE}.StatusService.GetStatus")
    async with grpc.aio.insecure_channel(shared_stack.address) as channel:
        call = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(iter([request]))
        answer = await bounded(call.read())
    file = FileDescriptorProto.FromString(answer.file_descriptor_response.file_descriptor_proto[0])
    assert file.service[0].method[0].name == "GetStatus"
    comments = {tuple(place.path): place.leading_comments for place in file.source_code_info.location}
    assert comments[6, 0, 2, 0].startswith(" GetStatus ")


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
        "Lock",
        "Planning",
        "Server",
        "Event",
    }


async def test_health_lists_every_service_at_once(shared_stack: Stack) -> None:
    async with grpc.aio.insecure_channel(shared_stack.address) as channel:
        answer = await health_pb2_grpc.HealthStub(channel).List(health_pb2.HealthListRequest(), timeout=SECONDS)
    found = {name: state.status for name, state in answer.statuses.items()}
    assert found == dict.fromkeys(("", *SERVICES), health_pb2.HealthCheckResponse.SERVING)
