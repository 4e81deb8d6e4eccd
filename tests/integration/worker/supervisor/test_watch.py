"""Watch: a snapshot, then every event in order, from where the watcher left off."""

from __future__ import annotations

import contextlib
from pathlib import Path

import grpc
import pytest
from queueserver.worker.v1 import worker_service_pb2 as pb

from tests.integration.worker.supervisor.worker_harness import IDLE, RunningWorker, reason, running_worker


async def test_a_watch_that_resumes_gets_every_event_once_and_in_order(short_path: Path) -> None:
    async with running_worker(short_path) as worker:
        whole = await worker.watch()
        await worker.open(whole)
        execution_id = await worker.run("count")
        await whole.outcome(execution_id)
        seen = whole.events[3].sequence
        resumed = await worker.watch(seen, whole.snapshot.boot_id)
        await resumed.outcome(execution_id)
        other_boot = await worker.watch(seen, "another boot")
        await other_boot.outcome(execution_id)
    sequences = [event.sequence for event in whole.events]
    assert sequences == list(range(1, len(sequences) + 1))
    assert [event.sequence for event in resumed.events] == sequences[4:]
    assert resumed.events == whole.events[4:]
    assert [event.sequence for event in other_boot.events] == sequences


async def test_the_snapshot_is_the_truth_from_which_a_manager_starts_again(short_path: Path) -> None:
    async with running_worker(short_path) as worker:
        watching = await worker.watch()
        environment = await worker.open(watching)
        finished = await worker.run("count")
        await watching.outcome(finished)
        running = await worker.run_until_begun(watching, "hang")
        snapshot = (await worker.watch()).snapshot
    assert snapshot.version
    assert snapshot.environment.environment_id == environment.environment_id
    assert snapshot.execution.execution_id == running
    assert snapshot.execution.item_uid == f"item of {running}"
    assert [run.open for run in snapshot.execution.runs] == [True]
    assert [outcome.execution_id for outcome in snapshot.outcomes] == [finished]
    assert snapshot.last_sequence >= watching.events[-1].sequence
    assert snapshot.first_kept_sequence == 1


async def test_a_heartbeat_comes_when_nothing_else_does(short_path: Path) -> None:
    async with running_worker(short_path) as worker:
        watching = await worker.watch()
        while watching.heartbeats < 2:
            assert await watching.read() is not None
    assert watching.events == []


async def test_a_snapshot_makes_up_for_events_that_are_not_kept(short_path: Path) -> None:
    async with running_worker(short_path, "ready", "--journal-bytes", "20000") as worker:
        watching = await worker.watch()
        await worker.open(watching)
        finished = [await worker.run_to_its_end(watching, "count") for _ in range(12)]
        late = await worker.watch(1, watching.snapshot.boot_id)
        assert late.snapshot.first_kept_sequence > 2
        assert late.snapshot.environment.state == IDLE
        assert [outcome.execution_id for outcome in late.snapshot.outcomes] == finished
        response = await late.read()
        assert response is not None
        assert response.events.events[0].sequence == late.snapshot.first_kept_sequence


async def test_a_watcher_that_is_overtaken_is_told_so(short_path: Path) -> None:
    async with running_worker(short_path, "ready", "--journal-bytes", "100000") as worker:
        watching = await worker.watch()
        await worker.open(watching)
        idle = worker.stub.WatchWorker(pb.WatchWorkerRequest())
        assert await idle.read()
        finished = await worker.run("print_much")
        await outcome_in_spite_of_being_overtaken(worker, finished)
        with pytest.raises(grpc.aio.AioRpcError) as ended:
            await read_to_the_end(idle)
    assert ended.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert reason(ended.value) == "WATCHER_TOO_SLOW"


async def read_to_the_end(call: grpc.aio.UnaryStreamCall[pb.WatchWorkerRequest, pb.WatchWorkerResponse]) -> None:
    while await call.read():
        pass


async def outcome_in_spite_of_being_overtaken(worker: RunningWorker, execution_id: str) -> None:
    while True:
        watching = await worker.watch()
        if watching.snapshot.outcomes:
            return
        with contextlib.suppress(grpc.aio.AioRpcError):
            await watching.outcome(execution_id)
            return
