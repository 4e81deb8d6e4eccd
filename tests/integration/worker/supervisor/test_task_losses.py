"""Tasks whose environment or Worker ends: each accepted one has exactly one outcome, which says why it was cut off."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import json_format
from queueserver.worker.v1 import worker_service_pb2 as pb

from tests.harness.gate import Gate, gate_in
from tests.harness.process import wait_until_gone
from tests.harness.services import WorkerProcess
from tests.integration.worker.supervisor.controlled_worker import ControlledWorker
from tests.integration.worker.supervisor.worker_harness import CLOSED, IDLE, Watching, running_worker

FAILED = "Error occurred while executing 'Load script': "
#: Says that it runs, waits at a gate, and says so at the end.
SCRIPT = """
import sys
print("begun")
with open({path!r}, "rb", buffering=0) as gate:
    gate.read(1)
print("ended")
"""
STUCK = "print('begun')\nwhile True:\n    pass\n"


class Scripts:
    """A Worker with an open environment, and scripts that wait at a gate."""

    def __init__(self, worker: ControlledWorker, gate: Gate) -> None:
        self.worker = worker
        self.watching = worker.watching
        self.gate = gate

    async def start(self, task_uid: str, text: str = "", *, in_background: bool = False) -> None:
        """Start a script and wait until it runs."""
        script = {"text": text or SCRIPT.format(path=self.gate.path), "update_lists": False}
        call: dict[str, Any] = {"task_uid": task_uid, "script": script, "run_in_background": in_background}
        command = json_format.ParseDict(call, pb.TaskCommand())
        await self.worker.stub.RunTask(pb.RunTaskRequest(epoch=1, command=command))
        await self.watching.until(lambda e: e.console.task_uid == task_uid and "begun" in e.console.text)

    async def outcomes(self, *task_uids: str) -> set[str]:
        """Messages of the outcomes of some tasks, which have to come once each, after the environment is closed."""
        await self.watching.environment(lambda e: e.state == CLOSED and e.pid == 0)
        messages = {(await self.watching.task_outcome(uid)).message for uid in task_uids}
        found = [e.task_finished.task_uid for e in self.watching.events if e.HasField("task_finished")]
        assert sorted(found) == sorted(task_uids)
        return messages


@pytest.fixture
async def scripts(short_path: Path) -> AsyncIterator[Scripts]:
    startup = short_path / "startup.py"
    startup.write_text("from ophyd.sim import det1\nfrom bluesky.plans import count\n")
    process = WorkerProcess(short_path, startup)
    try:
        with gate_in(short_path) as gate:
            async with grpc.aio.insecure_channel(process.address) as channel:
                worker = ControlledWorker(process, channel)
                await worker.open()
                yield Scripts(worker, gate)
    finally:
        process.close()


async def test_tasks_are_lost_with_an_environment_that_is_killed(scripts: Scripts) -> None:
    await scripts.start("behind", in_background=True)
    await scripts.start("foreground")
    os.kill(scripts.worker.pid, signal.SIGKILL)
    messages = await scripts.outcomes("behind", "foreground")
    assert messages == {f"{FAILED}the environment process was killed by signal 9 (SIGKILL) while a task ran."}
    result = await scripts.watching.task_outcome("foreground")
    # The end of the line may have been on its way when the kill came.
    assert result.console_excerpt.rstrip("\n") == "begun"
    assert result.HasField("start_time")


async def test_a_script_that_hangs_is_destroyed_with_its_environment(scripts: Scripts) -> None:
    await scripts.start("behind", in_background=True)
    await scripts.start("foreground", STUCK)
    await scripts.worker.stub.DestroyEnvironment(pb.DestroyEnvironmentRequest(epoch=1))
    messages = await scripts.outcomes("behind", "foreground")
    assert messages == {f"{FAILED}the environment was destroyed on request while the task ran."}


async def test_background_tasks_are_cut_off_when_the_environment_is_closed(scripts: Scripts) -> None:
    await scripts.start("waits", in_background=True)
    await scripts.start("spins", STUCK, in_background=True)
    await scripts.worker.stub.CloseEnvironment(pb.CloseEnvironmentRequest(epoch=1))
    messages = await scripts.outcomes("waits", "spins")
    assert messages == {f"{FAILED}the environment was closed on request while the task ran in the background."}


async def test_a_foreground_task_may_end_when_the_worker_is_stopped(scripts: Scripts) -> None:
    await scripts.start("foreground")
    scripts.worker.process.process.send(signal.SIGTERM)
    scripts.gate.open()
    assert (await scripts.watching.task_outcome("foreground")).success
    assert await scripts.outcomes("foreground") == {""}
    assert scripts.worker.process.process.wait() == 0


async def test_tasks_that_go_on_are_cut_off_when_the_worker_is_stopped(scripts: Scripts) -> None:
    await scripts.start("behind", in_background=True)
    await scripts.start("foreground", STUCK)
    scripts.worker.process.process.send(signal.SIGTERM)
    messages = await scripts.outcomes("behind", "foreground")
    assert messages == {f"{FAILED}the Worker service was stopped while the task ran."}
    assert scripts.worker.process.process.wait() == 0
    wait_until_gone(scripts.worker.pid)


async def test_a_worker_that_is_killed_knows_nothing_of_the_task_afterwards(scripts: Scripts) -> None:
    await scripts.start("behind", in_background=True)
    await scripts.start("foreground")
    scripts.worker.process.process.kill()
    wait_until_gone(scripts.worker.pid)
    scripts.worker.process.restart()
    async with grpc.aio.insecure_channel(scripts.worker.process.address) as channel:
        again = Watching(ControlledWorker(scripts.worker.process, channel).stub.WatchWorker(pb.WatchWorkerRequest()))
        await again.begin()
    assert not again.snapshot.running_task_uids
    assert not again.snapshot.task_outcomes


async def test_last_words_of_a_task_are_kept_with_its_outcome(short_path: Path) -> None:
    async with running_worker(short_path) as worker:
        watching = await worker.watch()
        await worker.open(watching)
        result = await watching.task_outcome(await worker.task("die"))
        await worker.open(watching)
        await watching.environment(lambda e: e.state == IDLE and not e.HasField("failure"))
    assert result.console_excerpt == "last words\n"
