"""Tasks: when they are accepted, what is told of them, and their outcomes, which are kept until they are stored."""

from __future__ import annotations

from collections.abc import Awaitable
from pathlib import Path

import grpc
import pytest
from queueserver.common.v1 import environment_pb2
from queueserver.common.v1.task_pb2 import FunctionCall
from queueserver.worker.v1 import worker_service_pb2 as pb

from tests.integration.worker.supervisor.worker_harness import CLOSED, IDLE, reason, running_worker

EXECUTING_TASK = environment_pb2.ENVIRONMENT_STATE_EXECUTING_TASK
FAILED = "Error occurred while executing 'Execute function': "


async def refusal(call: Awaitable[object]) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call
    return reason(refused.value)


async def test_a_foreground_task_is_told_by_the_environment_and_by_one_outcome(short_path: Path) -> None:
    async with running_worker(short_path) as worker:
        watching = await worker.watch()
        await worker.open(watching)
        seen = len(watching.events)
        uid = await worker.task("count")
        result = await watching.task_outcome(uid)
    kinds = [event.WhichOneof("event") for event in watching.events[seen:]]
    states = [e.environment_changed.state for e in watching.events[seen:] if e.HasField("environment_changed")]
    assert kinds == ["environment_changed", "environment_changed", "task_finished"]
    assert states == [EXECUTING_TASK, IDLE]
    assert (result.success, result.return_value.text, result.message) == (True, "count", "")
    assert result.start_time.ToNanoseconds() <= result.stop_time.ToNanoseconds()


async def test_background_tasks_are_counted_and_keep_nothing_from_being_done(short_path: Path) -> None:
    async with running_worker(short_path) as worker:
        watching = await worker.watch()
        await worker.open(watching)
        hanging = [await worker.task("hang", in_background=True) for _ in range(20)]
        await watching.environment(lambda e: e.background_task_count == 20 and e.state == IDLE)
        assert list((await worker.watch()).snapshot.running_task_uids) == hanging
        await watching.task_outcome(await worker.task("count"))
        await watching.task_outcome(await worker.task("count", in_background=True))
        await worker.run_to_its_end(watching, "count")
        await worker.stub.CloseEnvironment(pb.CloseEnvironmentRequest(epoch=1))
        for uid in hanging:
            result = await watching.task_outcome(uid)
            assert result.message == (
                f"{FAILED}the environment was closed on request while the task ran in the background."
            )
            assert result.HasField("start_time")
    assert watching.events[-1].environment_changed.background_task_count == 0


async def test_a_task_that_was_accepted_is_not_started_again(short_path: Path) -> None:
    async with running_worker(short_path) as worker:
        watching = await worker.watch()
        await worker.open(watching)
        await worker.task("hang", "hangs", in_background=True)
        await worker.task("count", "hangs", in_background=True)
        await worker.task("count", "ended")
        await watching.task_outcome("ended")
        await worker.task("count", "ended")
        await worker.acknowledge("ended")
        await worker.task("count", "ended")
        await worker.task("count", "last")
        await watching.task_outcome("last")
    assert [e.task_finished.task_uid for e in watching.events if e.HasField("task_finished")] == ["ended", "last"]


async def test_what_waits_for_nothing_is_refused_while_something_goes_on(short_path: Path) -> None:
    async with running_worker(short_path) as worker:
        watching = await worker.watch()
        await worker.open(watching)
        await worker.task("hang", "foreground")
        assert await refusal(worker.run("count")) == "ENVIRONMENT_BUSY"
        assert await refusal(worker.task("count")) == "ENVIRONMENT_BUSY"
        close = worker.stub.CloseEnvironment(pb.CloseEnvironmentRequest(epoch=1))
        assert await refusal(close) == "ENVIRONMENT_BUSY"
        await worker.task("count", "behind", in_background=True)
        assert (await watching.task_outcome("behind")).success
        await worker.stub.DestroyEnvironment(pb.DestroyEnvironmentRequest(epoch=1))
        await watching.task_outcome("foreground")
        await worker.open(watching)
        await worker.run_until_begun(watching, "hang")
        assert await refusal(worker.task("count")) == "ENVIRONMENT_BUSY"


async def test_only_so_many_tasks_go_on_in_the_background(short_path: Path) -> None:
    async with running_worker(short_path) as worker:
        watching = await worker.watch()
        await worker.open(watching)
        for _ in range(100):
            await worker.task("hang", in_background=True)
        assert await refusal(worker.task("count", in_background=True)) == "ENVIRONMENT_BUSY"
        assert (await watching.task_outcome(await worker.task("count"))).success


async def test_a_task_is_refused_without_an_open_environment(short_path: Path) -> None:
    async with running_worker(short_path, "hang") as worker:
        watching = await worker.watch()
        assert await refusal(worker.task("count")) == "ENVIRONMENT_CLOSED"
        await worker.begin_to_open()
        await watching.environment(lambda e: bool(e.progress))
        assert await refusal(worker.task("count")) == "ENVIRONMENT_CLOSED"
        assert await refusal(worker.task("count", in_background=True)) == "ENVIRONMENT_CLOSED"
        # It would not notice the end of its Worker.
        await worker.stub.DestroyEnvironment(pb.DestroyEnvironmentRequest(epoch=1))
        await watching.environment(lambda e: e.state == CLOSED)


async def test_a_task_that_makes_no_sense_is_refused(short_path: Path) -> None:
    async with running_worker(short_path) as worker:
        await worker.open(await worker.watch())
        without_work = pb.RunTaskRequest(epoch=1, command=pb.TaskCommand(task_uid="t"))
        assert await refusal(worker.stub.RunTask(without_work)) == "FIELD_INVALID"
        command = pb.TaskCommand(function=FunctionCall(name="count"))
        assert await refusal(worker.stub.RunTask(pb.RunTaskRequest(epoch=1, command=command))) == "FIELD_INVALID"
        await worker.task("count", epoch=5)
        assert await refusal(worker.task("count", epoch=4)) == "STALE_EPOCH"


async def test_text_belongs_to_the_task_that_wrote_it_and_its_end_is_kept(short_path: Path) -> None:
    async with running_worker(short_path) as worker:
        watching = await worker.watch()
        await worker.open(watching)
        await worker.task("hang", "foreground")
        await worker.task("print", "behind", in_background=True)
        result = await watching.task_outcome("behind")
        await watching.until(lambda e: "of the process" in e.console.text)
    by_task: dict[str, str] = {}
    for event in watching.events:
        by_task[event.console.task_uid] = by_task.get(event.console.task_uid, "") + event.console.text
    assert by_task["behind"] == "x" * 3_000 + "\nlast line\n"
    assert by_task["foreground"] == "of the process\n"
    assert result.console_excerpt == "last line\n"


async def test_lists_that_a_task_changed_are_told_before_its_outcome(short_path: Path) -> None:
    async with running_worker(short_path) as worker:
        watching = await worker.watch()
        await worker.open(watching)
        seen = len(watching.events)
        await watching.task_outcome(await worker.task("update"))
        snapshot = (await worker.watch()).snapshot
    kinds = [event.WhichOneof("event") for event in watching.events[seen:]]
    assert kinds.index("inventory_changed") < kinds.index("task_finished")
    assert [plan.name for plan in snapshot.inventory.plans] == ["new"]
    assert snapshot.environment.run_engine_state == environment_pb2.RUN_ENGINE_STATE_IDLE


async def test_what_an_environment_reports_is_made_consistent(short_path: Path) -> None:
    async with running_worker(short_path) as worker:
        watching = await worker.watch()
        await worker.open(watching)
        lie = await watching.task_outcome(await worker.task("lie"))
        huge = await watching.task_outcome(await worker.task("huge"))
    assert [e.task_finished.result.success for e in watching.events if e.HasField("task_finished")] == [False, False]
    assert lie.message == f"{FAILED}it did not say why."
    assert not lie.HasField("return_value")
    assert (len(lie.traceback), lie.console_excerpt) == (64 * 1024, "")
    assert "it did what it should, but its return value of 30000" in huge.message


async def test_outcomes_of_tasks_survive_a_kill_of_the_worker_until_they_are_acknowledged(short_path: Path) -> None:
    async with running_worker(short_path) as worker:
        watching = await worker.watch()
        await worker.open(watching)
        stored = await worker.task("count")
        await watching.task_outcome(stored)
        await worker.acknowledge(stored)
        await worker.task("count", "kept")
        await watching.task_outcome("kept")
        await worker.task("hang", "lost")
        worker.process.kill()
        worker.restart()
        snapshot = (await worker.watch()).snapshot
        assert [(o.task_uid, o.result.return_value.text) for o in snapshot.task_outcomes] == [("kept", "count")]
        assert not snapshot.running_task_uids
        await worker.task("count", "kept")
        await worker.acknowledge("kept")
        assert not (await worker.watch()).snapshot.task_outcomes
