"""Commands: epochs, bad requests, addresses."""

from __future__ import annotations

import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import grpc
import pytest
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from queueserver.common.v1.item_pb2 import Item
from queueserver.common.v1.task_pb2 import FunctionCall
from queueserver.worker.v1 import worker_service_pb2 as pb
from queueserver.worker.v1.worker_service_pb2_grpc import WorkerServiceStub
from queueserver_rpc.unknown import changes_something

from tests.harness.process import TestProcess
from tests.harness.unknown_fields import UNKNOWN, places
from tests.harness.wait import bounded
from tests.integration.worker.supervisor.worker_harness import SCRIPTED_WORKER, reason, running_worker


async def test_a_manager_that_was_replaced_is_refused_every_command(short_path: Path) -> None:
    async with running_worker(short_path) as worker:
        stub = worker.stub
        await stub.AcknowledgeOutcomes(pb.AcknowledgeOutcomesRequest(epoch=7))
        plan = pb.RunPlanRequest(epoch=6, execution_id="x", item=Item(name="count"))
        commands: list[Callable[[], Awaitable[object]]] = [
            lambda: stub.OpenEnvironment(pb.OpenEnvironmentRequest(epoch=6, environment_id="e")),
            lambda: stub.CloseEnvironment(pb.CloseEnvironmentRequest(epoch=6)),
            lambda: stub.DestroyEnvironment(pb.DestroyEnvironmentRequest(epoch=6)),
            lambda: stub.RunPlan(plan),
            lambda: stub.AcknowledgeOutcomes(pb.AcknowledgeOutcomesRequest(epoch=6)),
        ]
        for command in commands:
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await command()
            assert refused.value.code() is grpc.StatusCode.FAILED_PRECONDITION
            assert reason(refused.value) == "STALE_EPOCH"
        await stub.AcknowledgeOutcomes(pb.AcknowledgeOutcomesRequest(epoch=7))


async def test_a_command_for_another_environment_does_nothing(short_path: Path) -> None:
    async with running_worker(short_path) as worker:
        watching = await worker.watch()
        opened = await worker.open(watching)
        plan = pb.RunPlanRequest(epoch=1, execution_id="x", item=Item(name="count"), environment_id="gone")
        command = pb.TaskCommand(task_uid="t", function=FunctionCall(name="f"))
        task = pb.RunTaskRequest(epoch=1, command=command, environment_id="gone")
        for call in (worker.stub.RunPlan(plan), worker.stub.RunTask(task)):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await call
            assert reason(refused.value) == "ENVIRONMENT_CLOSED"
        plan.environment_id = opened.environment_id
        await worker.stub.RunPlan(plan)
        await watching.outcome("x")


@pytest.mark.parametrize("execution_id", ["", "x" * 201])
async def test_an_identity_that_cannot_be_used_is_refused(short_path: Path, execution_id: str) -> None:
    async with running_worker(short_path) as worker:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await worker.stub.RunPlan(pb.RunPlanRequest(epoch=1, execution_id=execution_id, item=Item(name="count")))
        with pytest.raises(grpc.aio.AioRpcError) as without_item:
            await worker.stub.RunPlan(pb.RunPlanRequest(epoch=1, execution_id="x"))
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert without_item.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_the_socket_of_a_killed_worker_does_not_stop_the_next_one(short_path: Path) -> None:
    async with running_worker(short_path) as worker:
        worker.process.kill()
        assert (short_path / "w.sock").is_socket()
        worker.restart()
        assert (await worker.watch()).snapshot.boot_id
        assert (short_path / "w.sock").stat().st_mode & 0o077 == 0


async def test_the_socket_and_the_state_of_a_living_worker_are_not_taken(short_path: Path) -> None:
    async with running_worker(short_path) as worker:
        common = [sys.executable, str(SCRIPTED_WORKER), "--startup-script", str(short_path / "startup.txt")]
        same_socket = ["--listen", f"unix:{short_path / 'w.sock'}", "--state-dir", str(short_path / "other")]
        same_state = ["--listen", f"unix:{short_path / 'x.sock'}", "--state-dir", str(short_path / "state")]
        for options, complaint in ((same_socket, "another service is using it"), (same_state, "Another Worker uses")):
            second = TestProcess("second Worker", [*common, *options], announces=False)
            second.output.wait_for(complaint)
            assert second.wait() == 1
            second.close()
        assert (await worker.watch()).snapshot.boot_id


async def test_it_listens_on_a_free_port_and_says_which(short_path: Path) -> None:
    script = short_path / "startup.txt"
    script.write_text("ready")
    command = [sys.executable, str(SCRIPTED_WORKER), "--listen", "127.0.0.1:0"]
    command += ["--state-dir", str(short_path / "state"), "--startup-script", str(script)]
    process = TestProcess("Worker", command)
    try:
        address = process.wait_ready()
        with socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2])), timeout=10):
            pass
        async with grpc.aio.insecure_channel(address) as channel:
            call = WorkerServiceStub(channel).WatchWorker(pb.WatchWorkerRequest())
            response = await call.read()
            call.cancel()
        assert isinstance(response, pb.WatchWorkerResponse)
        assert response.snapshot.boot_id
        process.send(signal.SIGINT)
        assert process.wait() == 0
    finally:
        process.close()


@pytest.mark.parametrize(
    ("directory", "complaint"), [("missing", "create the directory"), ("x" * 100, "choose a path of at most")]
)
def test_a_socket_that_cannot_be_made_is_explained(short_path: Path, directory: str, complaint: str) -> None:
    if directory != "missing":
        (short_path / directory).mkdir()
    listen = f"unix:{short_path / directory / 'w.sock'}"
    command = [sys.executable, "-m", "queueserver_worker", "--listen", listen, "--startup-dir", str(short_path)]
    process = TestProcess("Worker", [*command, "--state-dir", str(short_path / "state")], announces=False)
    try:
        process.output.wait_for(complaint)
        assert process.wait() == 1
    finally:
        process.close()


async def test_it_is_healthy_as_soon_as_it_is_ready(short_path: Path) -> None:
    async with running_worker(short_path), grpc.aio.insecure_channel(f"unix:{short_path / 'w.sock'}") as channel:
        health = health_pb2_grpc.HealthStub(channel)
        answer = await health.Check(health_pb2.HealthCheckRequest(service="queueserver.worker.v1.WorkerService"))
        listed = await health.List(health_pb2.HealthListRequest())
    assert answer.status == health_pb2.HealthCheckResponse.SERVING
    assert set(listed.statuses) == {"", "queueserver.worker.v1.WorkerService"}


async def test_reflection_tells_its_methods(short_path: Path) -> None:
    request = reflection_pb2.ServerReflectionRequest(
        file_containing_symbol="queueserver.worker.v1.WorkerService.RunPlan"
    )
    async with running_worker(short_path), grpc.aio.insecure_channel(f"unix:{short_path / 'w.sock'}") as channel:
        call = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(iter([request]))
        answer = await bounded(call.read())
    file = FileDescriptorProto.FromString(answer.file_descriptor_response.file_descriptor_proto[0])
    assert file.service[0].name == "WorkerService"


def test_the_worker_imports_nothing_that_user_code_needs(short_path: Path) -> None:
    forbidden = ("bluesky", "ophyd", "numpy", "queueserver_environment")
    code = f"import sys, queueserver_worker.command; print([n for n in {forbidden} if n in sys.modules])"
    process = TestProcess("import", [sys.executable, "-c", code], announces=False, working_directory=short_path)
    try:
        assert process.output.wait_for("[") == "[]"
        assert process.wait() == 0
    finally:
        process.close()


def path(method: MethodDescriptor) -> str:
    return f"/{method.containing_service.full_name}/{method.name}"


METHODS = pb.DESCRIPTOR.services_by_name["WorkerService"].methods
CHANGING = [method for method in METHODS if changes_something(path(method))]


async def test_a_command_with_a_field_of_a_newer_manager_is_refused_and_changes_nothing(short_path: Path) -> None:
    assert len(CHANGING) > 5
    async with running_worker(short_path) as worker:
        for method in CHANGING:
            call = worker.channel.unary_unary(path(method))
            newer = pb.AcknowledgeOutcomesRequest(epoch=9).SerializeToString()  # each request has the epoch in field 1
            for place in places(method.input_type):
                with pytest.raises(grpc.aio.AioRpcError) as refused:
                    await call(newer + place.request())
                assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
                assert reason(refused.value) == "FIELD_UNKNOWN"
                assert place.path in (refused.value.details() or "")
        await worker.stub.AcknowledgeOutcomes(pb.AcknowledgeOutcomesRequest(epoch=1))


async def test_a_watch_is_not_refused_for_a_field_of_a_newer_manager(short_path: Path) -> None:
    async with running_worker(short_path) as worker:
        await worker.watch()
        call = worker.channel.unary_stream("/queueserver.worker.v1.WorkerService/WatchWorker")(UNKNOWN)
        assert pb.WatchWorkerResponse.FromString(await bounded(call.read())).HasField("snapshot")
