"""The environment: opened, failing to open, closed, destroyed."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import grpc
import pytest
from queueserver.common.v1 import environment_pb2, item_pb2
from queueserver.worker.v1 import worker_service_pb2 as pb

from tests.harness.process import wait_until_gone
from tests.integration.worker.supervisor.worker_harness import CLOSED, IDLE, reason, running_worker

CLOSE = pb.CloseEnvironmentRequest(epoch=1)
DESTROY = pb.DestroyEnvironmentRequest(epoch=1)


async def test_opening_goes_from_closed_through_initializing_to_idle(short_path: Path) -> None:
    async with running_worker(short_path) as worker:
        watching = await worker.watch()
        assert watching.snapshot.environment.state == CLOSED
        assert watching.snapshot.environment.responsive
        await worker.open(watching)
        snapshot = (await worker.watch()).snapshot
    changes = [e.environment_changed for e in watching.events if e.HasField("environment_changed")]
    assert {e.state for e in changes[:-1]} == {environment_pb2.ENVIRONMENT_STATE_INITIALIZING}
    assert "loading 10-devices.py" in {e.progress for e in changes}
    assert changes[-1].state == IDLE
    assert changes[-1].pid > 0
    assert changes[-1].progress == ""
    assert [plan.name for plan in snapshot.inventory.plans] == ["count"]
    kinds = [e.WhichOneof("event") for e in watching.events]
    assert kinds.index("inventory_changed") < len(kinds) - 1


async def test_opening_again_is_safe_with_the_same_id_and_refused_with_another(short_path: Path) -> None:
    async with running_worker(short_path) as worker:
        watching = await worker.watch()
        environment = await worker.open(watching)
        again = pb.OpenEnvironmentRequest(epoch=1, environment_id=environment.environment_id)
        await worker.stub.OpenEnvironment(again)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await worker.begin_to_open()
        snapshot = (await worker.watch()).snapshot
    assert reason(refused.value) == "ENVIRONMENT_EXISTS"
    assert snapshot.environment.pid == environment.pid


async def test_startup_code_that_fails_is_told_with_file_and_line(short_path: Path) -> None:
    async with running_worker(short_path, "fail") as worker:
        watching = await worker.watch()
        await worker.begin_to_open()
        gone = await watching.environment(lambda e: e.state == CLOSED)
    assert gone.failure.exception_type == "ModuleNotFoundError"
    assert (gone.failure.file, gone.failure.line) == ("10-devices.py", 3)
    assert gone.failure.exit_code == 1


async def test_a_process_that_ends_while_loading_is_told_with_its_exit_code_and_last_words(short_path: Path) -> None:
    async with running_worker(short_path, "exit") as worker:
        watching = await worker.watch()
        await worker.begin_to_open()
        gone = await watching.environment(lambda e: e.state == CLOSED)
    assert gone.failure.message == "The environment process ended with exit code 3 while the startup code was loading."
    assert gone.failure.exit_code == 3
    assert "what a pity" in gone.failure.traceback


async def test_an_inventory_that_no_message_could_carry_fails_the_opening(short_path: Path) -> None:
    async with running_worker(short_path, "too_many_plans") as worker:
        watching = await worker.watch()
        await worker.begin_to_open()
        gone = await watching.environment(lambda e: e.state == CLOSED)
    assert "reported plans and devices of more than 33554432 bytes" in gone.failure.message


async def test_closing_ends_the_process_in_good_order(short_path: Path) -> None:
    async with running_worker(short_path) as worker:
        watching = await worker.watch()
        await worker.open(watching)
        await worker.stub.CloseEnvironment(CLOSE)
        gone = await watching.environment(lambda e: e.state == CLOSED)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await worker.stub.CloseEnvironment(CLOSE)
        snapshot = (await worker.watch()).snapshot
    assert not gone.HasField("failure")
    assert reason(refused.value) == "ENVIRONMENT_CLOSED"
    assert not snapshot.HasField("inventory")


async def test_a_process_that_does_not_close_is_killed(short_path: Path) -> None:
    async with running_worker(short_path, "ignore_exit") as worker:
        watching = await worker.watch()
        environment = await worker.open(watching)
        await worker.stub.CloseEnvironment(CLOSE)
        gone = await watching.environment(lambda e: e.state == CLOSED)
        wait_until_gone(environment.pid)
    assert "did not end within 1 seconds" in gone.failure.message


async def test_closing_is_refused_while_a_plan_runs(short_path: Path) -> None:
    async with running_worker(short_path) as worker:
        watching = await worker.watch()
        await worker.open(watching)
        await worker.run_until_begun(watching, "hang")
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await worker.stub.CloseEnvironment(CLOSE)
    assert reason(refused.value) == "ENVIRONMENT_BUSY"


async def test_destroying_kills_a_plan_that_holds_the_interpreter_and_ignores_signals(short_path: Path) -> None:
    async with running_worker(short_path) as worker:
        watching = await worker.watch()
        environment = await worker.open(watching)
        execution_id = await worker.run_until_begun(watching, "spin")
        await worker.stub.DestroyEnvironment(DESTROY)
        outcome = await watching.outcome(execution_id)
        gone = await watching.environment(lambda e: e.state == CLOSED)
        wait_until_gone(environment.pid)
    assert outcome.result.failure_cause == item_pb2.FAILURE_CAUSE_ENVIRONMENT_DESTROYED
    assert outcome.result.exit_status == item_pb2.EXIT_STATUS_FAILED
    assert not gone.HasField("failure")


async def test_destroying_works_while_the_startup_code_hangs_and_is_told_to_who_waits_for_it(short_path: Path) -> None:
    async with running_worker(short_path, "hang") as worker:
        watching = await worker.watch()
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await worker.stub.DestroyEnvironment(DESTROY)
        await worker.begin_to_open()
        await worker.stub.DestroyEnvironment(DESTROY)
        gone = await watching.environment(lambda e: e.state == CLOSED)
    assert reason(refused.value) == "ENVIRONMENT_CLOSED"
    assert gone.failure.message == "The environment was destroyed on request while its startup code was loading."


async def test_an_idle_environment_that_is_killed_is_told(short_path: Path) -> None:
    async with running_worker(short_path) as worker:
        watching = await worker.watch()
        environment = await worker.open(watching)
        os.kill(environment.pid, signal.SIGSEGV)
        gone = await watching.environment(lambda e: e.state == CLOSED)
        await watching.until(lambda e: "signal 11" in e.console.text)
    assert gone.failure.message == ("The environment process was killed by signal 11 (SIGSEGV) while it was idle.")


async def test_a_silent_environment_is_told_and_so_is_its_return(short_path: Path) -> None:
    async with running_worker(short_path) as worker:
        watching = await worker.watch()
        environment = await worker.open(watching)
        os.kill(environment.pid, signal.SIGSTOP)
        silent = await watching.environment(lambda e: not e.responsive)
        os.kill(environment.pid, signal.SIGCONT)
        seen = len(watching.events)
        await watching.until(lambda e: watching.events.index(e) >= seen and e.environment_changed.responsive)
    assert silent.state == IDLE


async def test_a_command_that_cannot_be_executed_is_told_as_a_failure(short_path: Path) -> None:
    async with running_worker(short_path, "no_program") as worker:
        watching = await worker.watch()
        await worker.begin_to_open()
        gone = await watching.environment(lambda e: e.state == CLOSED)
    assert "could not be started" in gone.failure.message
