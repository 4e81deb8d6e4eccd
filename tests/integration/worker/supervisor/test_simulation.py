"""SimulatePlan in a Worker with a real environment, and what its callers may use."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import json_format
from queueserver.common.v1 import item_pb2
from queueserver.common.v1.item_pb2 import Item
from queueserver.common.v1.permissions_pb2 import SubmitterAccess
from queueserver.common.v1.simulation_pb2 import Simulation
from queueserver.worker.v1 import worker_service_pb2 as pb

from tests.harness.gate import gate_in
from tests.harness.services import WorkerProcess
from tests.integration.worker.supervisor.controlled_worker import ControlledWorker
from tests.integration.worker.supervisor.worker_harness import reason, running_worker

STARTUP = """
from ophyd.sim import det1, motor1
from bluesky.plans import count, scan

def waits(path):
    with open(path, "rb", buffering=0) as gate:
        gate.read(1)
    print("the plan goes on")
    yield from count([det1])
"""
ONLY_COUNT = {
    "user_group": "users",
    "root": {"all_plans": True, "all_devices": True},
    "group": {"allowed_plans": ["count"], "allowed_devices": ["det1"]},
}


@pytest.fixture
async def worker(short_path: Path) -> AsyncIterator[ControlledWorker]:
    startup = short_path / "startup.py"
    startup.write_text(STARTUP)
    process = WorkerProcess(short_path, startup)
    try:
        async with grpc.aio.insecure_channel(process.address) as channel:
            controlled = ControlledWorker(process, channel)
            await controlled.open()
            yield controlled
    finally:
        process.close()


async def simulate(worker: ControlledWorker, name: str, *args: Any, access: Any = None) -> Simulation:
    item = json_format.ParseDict({"name": name, "args": list(args)}, Item())
    limits = json_format.ParseDict(access, SubmitterAccess()) if access is not None else None
    return (await worker.stub.SimulatePlan(pb.SimulatePlanRequest(item=item, access=limits))).simulation


async def test_a_plan_is_simulated_while_another_one_runs(worker: ControlledWorker, tmp_path: Path) -> None:
    with gate_in(tmp_path) as gate:
        await worker.run("x", "waits", path=gate.path)
        found = await simulate(worker, "scan", ["det1"], "motor1", 0, 1, 5)
        assert [motion.device for motion in found.motions] == ["motor1"]
        assert found.point_count == 5
        gate.open()
        outcome = await worker.watching.outcome("x")
    assert outcome.result.exit_status == item_pb2.EXIT_STATUS_COMPLETED
    assert "the plan goes on" in outcome.result.console_excerpt
    assert outcome.result.console_excerpt.endswith(
        "generator count ['" + outcome.result.runs[0].run_uid[:8] + "'] (scan num: 1)\n\n"
    )


async def test_what_may_not_be_used_is_simulated_no_more_than_it_is_run(worker: ControlledWorker) -> None:
    allowed = await simulate(worker, "count", ["det1"], access=ONLY_COUNT)
    plan = await simulate(worker, "scan", ["det1"], "motor1", 0, 1, 5, access=ONLY_COUNT)
    assert allowed.point_count == 1
    assert "the environment has no such plan" in plan.problems[0].message
    item = json_format.ParseDict({"name": "scan", "args": [["det1"], "motor1", 0, 1, 5]}, Item())
    access = json_format.ParseDict(ONLY_COUNT, SubmitterAccess())
    await worker.stub.RunPlan(pb.RunPlanRequest(epoch=1, execution_id="x", item=item, access=access))
    outcome = await worker.watching.outcome("x")
    assert outcome.result.failure_cause == item_pb2.FAILURE_CAUSE_NOT_STARTED
    assert "the environment has no such plan" in outcome.result.message


async def test_a_simulation_needs_an_open_environment_and_an_item(short_path: Path) -> None:
    async with running_worker(short_path) as worker:
        with pytest.raises(grpc.aio.AioRpcError) as closed:
            await worker.stub.SimulatePlan(pb.SimulatePlanRequest(item=Item(name="count")))
        with pytest.raises(grpc.aio.AioRpcError) as without_item:
            await worker.stub.SimulatePlan(pb.SimulatePlanRequest())
    assert reason(closed.value) == "ENVIRONMENT_CLOSED"
    assert reason(without_item.value) == "FIELD_INVALID"


async def test_a_simulation_ends_with_the_environment(short_path: Path) -> None:
    async with running_worker(short_path) as worker:
        watching = await worker.watch()
        await worker.open(watching)
        # The scripted environment never answers.
        call = worker.stub.SimulatePlan(pb.SimulatePlanRequest(item=Item(name="count")))
        await worker.run_to_its_end(watching, "count")
        await worker.stub.DestroyEnvironment(pb.DestroyEnvironmentRequest(epoch=1))
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call
    assert reason(refused.value) == "ENVIRONMENT_CLOSED"
