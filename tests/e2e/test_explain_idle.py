"""Why is nothing running: each obstacle that a test can put in the way, and what is said about it."""

from __future__ import annotations

from pathlib import Path

from queueserver.manager.v1 import queue_items_pb2
from queueserver_client import (
    AsyncClient,
    BlockerKind,
    EnvironmentState,
    ExitStatus,
    ItemState,
    ManagerState,
    Plan,
)

from tests.e2e.conftest import Shell
from tests.harness.gate import Gate, gate_in
from tests.harness.health import PACKAGE
from tests.harness.parts import Parts
from tests.harness.progress import begun, paused, until, until_state
from tests.harness.raw import connect, refused
from tests.harness.services import ManagerProcess
from tests.harness.stack import Stack, running_stack
from tests.harness.wait import bounded

K = BlockerKind


async def explained(client: AsyncClient, *, but: BlockerKind | None = None) -> dict[BlockerKind, str]:
    """What stands in the way, the most fundamental first, with the method that clears it; ``but`` is left out."""
    found = [blocker for blocker in await client.explain_idle() if blocker.kind is not but]
    assert all(blocker.message.endswith(".") for blocker in found)
    assert all(bool(blocker.remedy_method) >= bool(blocker.remedy_command) for blocker in found)
    assert all(blocker.remedy_method.startswith(f"{PACKAGE}.") for blocker in found if blocker.remedy_method)
    return {blocker.kind: blocker.remedy_method.removeprefix(f"{PACKAGE}.") for blocker in found}


async def test_a_queue_that_is_empty_or_not_started_is_explained(shared_client: AsyncClient) -> None:
    assert await explained(shared_client) == {
        K.QUEUE_EMPTY: "QueueService/AddItem",
        K.NOT_STARTED: "QueueService/StartQueue",
    }
    await shared_client.queue.add(Plan("nothing"))
    assert await explained(shared_client) == {K.NOT_STARTED: "QueueService/StartQueue"}


async def test_a_first_item_that_would_fail_at_its_start_is_explained_and_does_fail(
    shared_client: AsyncClient, qserver: Shell
) -> None:
    before = (await shared_client.permissions.get()).user_group_permissions
    other = {"allowed_plans": ["one_run"], "allowed_devices": [None], "allowed_functions": []}
    handle = await shared_client.queue.add(Plan("nothing"))
    try:
        await shared_client.permissions.set({"user_groups": {**before["user_groups"], "admin": other}})
        await until(shared_client, lambda status: status.invalid_items == 1)
        assert (await handle.status()).state is ItemState.INVALID
        assert await explained(shared_client) == {
            K.ITEM_INVALID: "QueueService/UpdateItem",
            K.NOT_STARTED: "QueueService/StartQueue",
        }
        told = qserver("why").stdout.decode()
        assert "the first item would fail when it is started (item.name: no plan" in told
        assert "qserver queue edit front" in told
        await shared_client.queue.start()
        assert (await bounded(handle.result())).result.exit_status is ExitStatus.FAILED
        await until_state(shared_client, ManagerState.IDLE)
        assert "The first item is attempt 2 of 'nothing', which failed: " in qserver("why").stdout.decode()
        await shared_client.queue.remove("front")
        assert K.ITEM_INVALID not in await explained(shared_client)
    finally:
        await shared_client.permissions.set(before)


async def test_after_a_failure_why_names_the_plan_what_it_said_and_its_next_attempt_before_the_start(
    shared_client: AsyncClient, qserver: Shell
) -> None:
    handle = await shared_client.queue.add(Plan("broken"))
    await shared_client.queue.start()
    await bounded(handle.result())
    await until_state(shared_client, ManagerState.IDLE)
    failed = (await shared_client.explain_idle()).failed_execution
    assert failed is not None
    head = (await shared_client.queue.get("front")).item
    assert (failed.name, failed.item_uid, failed.exit_status) == ("broken", handle.uid, ExitStatus.FAILED)
    assert (failed.next_attempt, failed.next_attempt_uid) == (2, head.uid)
    assert "the shutter is stuck" in failed.message
    told = qserver("why").stdout.decode()
    sentences = ("is attempt 2 of 'broken', which failed: the shutter is stuck", handle.uid, "qserver queue start")
    places = [told.index(words) for words in sentences]
    assert places == sorted(places)
    await shared_client.queue.clear()
    assert "The plan that was executed last, 'broken', failed: " in qserver("why").stdout.decode()
    await shared_client.history.clear()
    assert (await shared_client.explain_idle()).failed_execution is None


async def test_nothing_is_explained_while_a_plan_runs_and_a_pause_is(
    shared_client: AsyncClient, gate: Gate, qserver: Shell
) -> None:
    (handle,) = await begun(shared_client, Plan("stepping", gate.path))
    # A plan that waits for the gate for more than two seconds is said to wait.
    assert await explained(shared_client, but=K.PLAN_WAITS) == {}
    assert "a plan is running" in qserver("why").stdout.decode()
    await shared_client.run_engine.pause(immediate=True)
    await until_state(shared_client, ManagerState.PAUSED)
    assert await explained(shared_client, but=K.PLAN_WAITS) == {K.PLAN_PAUSED: "RunEngineService/ResumePlan"}
    assert "qserver re resume" in qserver("why").stdout.decode()
    await shared_client.run_engine.resume()
    gate.open()
    await bounded(handle.result())
    await until_state(shared_client, ManagerState.IDLE)


async def test_a_pause_and_a_stop_that_wait_are_explained_until_they_take_effect(
    shared_client: AsyncClient, gate: Gate, qserver: Shell
) -> None:
    (handle,) = await begun(shared_client, Plan("last_stretch", gate.path))
    await shared_client.run_engine.pause()
    await shared_client.queue.stop()
    assert await explained(shared_client, but=K.PLAN_WAITS) == {
        K.PAUSE_PENDING: "RunEngineService/PausePlan",
        K.STOP_PENDING: "QueueService/CancelStopQueue",
    }
    told = qserver("why").stdout.decode()
    assert "waits for the plan's next checkpoint" in told
    assert told.index("qserver re pause immediate") < told.index("qserver queue stop cancel")
    await shared_client.queue.cancel_stop()
    assert list(await explained(shared_client, but=K.PLAN_WAITS)) == [K.PAUSE_PENDING]
    gate.open()
    await bounded(handle.result())
    await until_state(shared_client, ManagerState.IDLE)
    assert list(await explained(shared_client)) == [K.QUEUE_EMPTY, K.NOT_STARTED]


async def test_a_missing_environment_is_explained_with_the_reason_for_which_it_is_gone(
    shared_stack: Stack, shared_client: AsyncClient, qserver: Shell
) -> None:
    await shared_client.queue.add(Plan("nothing"))
    shared_stack.kill("environment")
    await until(shared_client, lambda status: status.environment.state is EnvironmentState.CLOSED)
    assert await explained(shared_client) == {
        K.ENVIRONMENT_CLOSED: "EnvironmentService/OpenEnvironment",
        K.NOT_STARTED: "QueueService/StartQueue",
    }
    blocker, _ = await shared_client.explain_idle()
    failure = (await shared_client.environment.get()).failure
    assert failure is not None
    assert failure.message in blocker.message
    told = qserver("why")
    assert (told.returncode, told.stderr) == (0, b"")
    assert told.stdout.decode().index("qserver environment open") < told.stdout.decode().index("qserver queue start")
    await shared_client.environment.open()


async def test_an_environment_that_is_opening_is_explained(short_path: Path) -> None:
    with gate_in(short_path, "startup") as startup:
        script = short_path / "startup.py"
        script.write_text(f"open({startup.path!r}, 'rb', buffering=0).read(1)\n")
        with running_stack(startup=script) as stack:
            async with AsyncClient(stack.address) as client:
                await client.environment.open(wait=False)
                await until_state(client, ManagerState.CREATING_ENVIRONMENT)
                assert next(iter(await explained(client))) is K.ENVIRONMENT_CHANGING
                startup.open()
                await until_state(client, ManagerState.IDLE)
                assert list(await explained(client)) == [K.QUEUE_EMPTY, K.NOT_STARTED]


async def test_an_environment_that_sends_no_sign_of_life_is_explained_and_can_be_destroyed(
    shared_client: AsyncClient, gate: Gate
) -> None:
    handle = await shared_client.queue.add(Plan("holding_the_interpreter", gate.path))
    await shared_client.queue.start()
    gate.wait_until_told()
    await until(shared_client, lambda status: not status.environment.responsive)
    assert await explained(shared_client) == {K.ENVIRONMENT_UNRESPONSIVE: "EnvironmentService/DestroyEnvironment"}
    await shared_client.environment.destroy()
    await bounded(handle.result())
    await shared_client.environment.open()


async def test_a_storage_that_is_down_is_explained(parts: Parts, parts_client: AsyncClient) -> None:
    await parts_client.queue.add(Plan("nothing"))
    with parts.redis_killed():
        async with connect(parts.address) as raw:
            # What is down is found out by whoever needs it.
            await refused(raw.queue.ClearQueue(queue_items_pb2.ClearQueueRequest(all=True)))
        await until(parts_client, lambda status: status.storage.value == "down")
        assert await explained(parts_client) == {K.STORAGE_DOWN: "", K.NOT_STARTED: "QueueService/StartQueue"}
    await until(parts_client, lambda status: status.storage.value == "up")


async def test_a_worker_that_is_gone_is_explained_also_while_a_plan_was_paused(
    parts: Parts, parts_client: AsyncClient, gate: Gate
) -> None:
    await paused(parts_client, Plan("stepping", gate.path), Plan("nothing"))
    parts.worker.process.kill()
    try:
        await until(parts_client, lambda status: status.worker.value == "down")
        assert K.WORKER_UNREACHABLE in await explained(parts_client)
    finally:
        parts.worker.restart()
    await until(parts_client, lambda status: status.worker.value == "up")
    await until_state(parts_client, ManagerState.IDLE)
    assert await explained(parts_client) == {
        K.ENVIRONMENT_CLOSED: "EnvironmentService/OpenEnvironment",
        K.NOT_STARTED: "QueueService/StartQueue",
    }


async def test_a_standby_explains_that_another_manager_owns_the_queue(parts: Parts, parts_client: AsyncClient) -> None:
    assert (await parts_client.status()).owner_address == parts.address
    standby = ManagerProcess(parts.redis.url, parts.worker.address)
    try:
        async with AsyncClient(standby.address) as client:
            (blocker,) = await client.explain_idle()
    finally:
        standby.close()
    assert blocker.kind is K.STANDBY
    assert parts.address in blocker.message
