"""Each task that was accepted has exactly one result, whatever dies meanwhile."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from queueserver.common.v1 import task_pb2
from queueserver.manager.v1 import task_service_pb2 as pb
from queueserver_client import AsyncClient, EnvironmentState, EventKind

from tests.harness import expect
from tests.harness.gate import Gate
from tests.harness.parts import Parts
from tests.harness.raw import Stubs, connect
from tests.harness.wait import bounded, first

#: Idle, open and empty when each test begins.
pytestmark = pytest.mark.usefixtures("parts_client")


@pytest.fixture
async def stubs(parts: Parts) -> AsyncIterator[Stubs]:
    """Generated stubs of ``parts``."""
    async with connect(parts.address) as connected:
        yield connected


async def execute(stubs: Stubs, name: str, *texts: str, background: bool = False) -> str:
    request = pb.ExecuteFunctionRequest(function=task_pb2.FunctionCall(name=name), run_in_background=background)
    request.function.args.extend(texts)
    return str((await stubs.tasks.ExecuteFunction(request, wait_for_ready=True)).task.task_uid)


async def result(stubs: Stubs, uid: str) -> task_pb2.TaskResult:
    async def wait() -> task_pb2.TaskResult:
        call = stubs.tasks.WaitTask(pb.WaitTaskRequest(task_uid=uid), wait_for_ready=True)
        return [answer.status async for answer in call][-1].result

    return await bounded(wait())


@pytest.mark.parametrize("background", [False, True], ids=["foreground", "background"])
async def test_a_task_goes_on_while_the_manager_is_dead_and_its_result_is_kept(
    parts: Parts, stubs: Stubs, gate: Gate, background: bool
) -> None:
    before = await execute(stubs, "add", "a", "b")
    first = await result(stubs, before)
    uid = await execute(stubs, "pass_gate", gate.path, background=background)
    with parts.manager_killed():
        gate.open()
    found = await result(stubs, uid)
    assert (found.success, found.return_value.text) == (True, "passed")
    assert await result(stubs, before) == first


async def test_a_foreground_task_still_keeps_others_out_after_a_restart_of_the_manager(
    parts: Parts, stubs: Stubs, gate: Gate, parts_client: AsyncClient
) -> None:
    uid = await execute(stubs, "pass_gate", gate.path)
    with parts.manager_killed():
        pass
    assert (await parts_client.status()).manager_state.value == "executing_task"
    gate.open()
    assert (await result(stubs, uid)).success
    assert (await parts_client.status()).manager_state.value == "idle"


async def test_a_function_that_kills_the_environment_has_failed_and_says_why(stubs: Stubs) -> None:
    found = await result(stubs, await execute(stubs, "die"))
    assert not found.success
    assert found.message.startswith("Error occurred while executing 'Execute function': ")
    assert "SIGKILL" in found.message


@pytest.mark.parametrize("background", [False, True], ids=["foreground", "background"])
async def test_a_destroyed_environment_ends_its_tasks(
    stubs: Stubs, gate: Gate, parts_client: AsyncClient, background: bool
) -> None:
    uid = await execute(stubs, "pass_gate", gate.path, background=background)
    await parts_client.environment.destroy()
    found = await result(stubs, uid)
    assert not found.success
    assert "destroyed" in found.message


async def test_closing_the_environment_cuts_background_tasks_off_with_a_result(
    stubs: Stubs, gate: Gate, parts_client: AsyncClient
) -> None:
    uids = [await execute(stubs, "pass_gate", gate.path, background=True) for _ in range(3)]
    await parts_client.environment.close()
    for uid in uids:
        found = await result(stubs, uid)
        assert not found.success
        assert "closed" in found.message


async def test_a_killed_worker_leaves_a_task_with_a_result(parts: Parts, stubs: Stubs, gate: Gate) -> None:
    uid = await execute(stubs, "pass_gate", gate.path)
    parts.worker.process.kill()
    parts.worker.restart()
    found = await result(stubs, uid)
    assert not found.success
    assert found.message


async def test_a_result_that_comes_while_redis_is_away_is_stored_when_it_is_back(
    parts: Parts, stubs: Stubs, gate: Gate
) -> None:
    uid = await execute(stubs, "pass_gate", gate.path)
    with parts.redis_killed():
        gate.open()
    found = await result(stubs, uid)
    assert found.return_value.text == "passed"


async def test_the_plans_of_a_script_that_ended_while_redis_was_away_are_known_when_it_is_done(
    parts: Parts, stubs: Stubs, gate: Gate, parts_client: AsyncClient
) -> None:
    text = f"open({gate.path!r}, 'rb', buffering=0).read(1)\ndef late_plan():\n    yield from ()\n"
    answer = await stubs.tasks.UploadScript(pb.UploadScriptRequest(script=task_pb2.Script(text=text)))
    async with parts_client.watch([EventKind.STATUS]) as watch:
        state = EnvironmentState.EXECUTING_TASK
        await first(watch, expect.status(lambda status: status.environment.state is state))
        with parts.redis_killed():
            gate.open()
            state = EnvironmentState.IDLE
            await first(watch, expect.status(lambda status: status.environment.state is state))
    found = await result(stubs, answer.task.task_uid)
    assert found.success, found.traceback
    assert "late_plan" in {plan.name for plan in (await parts_client.inventory.plans(existing=True)).plans}
