"""The file in which a Worker lists plans and devices of its environment: when it is written, and if it can't be."""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest
from queueserver.common.v1.inventory_pb2 import Inventory
from queueserver.common.v1.task_pb2 import Script, TaskResult
from queueserver.worker.v1 import worker_service_pb2 as pb
from queueserver.worker.v1.worker_service_pb2_grpc import WorkerServiceStub
from queueserver_inventory.description_messages import plans_of
from queueserver_inventory.list_file import read_list

from tests.harness.services import WorkerProcess
from tests.integration.worker.supervisor.worker_harness import CLOSED, IDLE, Watching

STARTUP = '''
from ophyd.sim import det1, motor1

def measure(detectors, num: int = 1):
    """Count a number of times.

    Args:
        num: How often.
    """
    yield from []
'''


class ListingWorker:
    """A Worker with a real environment, and what it tells of plans and devices."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.stub = WorkerServiceStub(channel)
        self.watching = Watching(self.stub.WatchWorker(pb.WatchWorkerRequest()))
        self._told = 0

    async def inventory(self) -> Inventory:
        """Wait until it tells another inventory."""
        event = await self.watching.until(lambda e: e.HasField("inventory_changed"), after=self._told)
        self._told = self.watching.events.index(event) + 1
        return event.inventory_changed

    async def open(self) -> Inventory:
        environment_id = str(uuid.uuid4())
        await self.stub.OpenEnvironment(pb.OpenEnvironmentRequest(epoch=1, environment_id=environment_id))
        told = await self.inventory()
        await self.watching.environment(lambda e: e.environment_id == environment_id and e.state == IDLE)
        return told

    async def close(self) -> None:
        seen = len(self.watching.events)
        await self.stub.CloseEnvironment(pb.CloseEnvironmentRequest(epoch=1))
        await self.watching.environment(lambda e: e.state == CLOSED, after=seen)

    async def script(self, text: str) -> TaskResult:
        """Execute code in the environment."""
        command = pb.TaskCommand(task_uid=str(uuid.uuid4()), script=Script(text=text))
        await self.stub.RunTask(pb.RunTaskRequest(epoch=1, command=command))
        return await self.watching.task_outcome(command.task_uid)

    async def define_plan(self) -> None:
        """Define another plan, which the environment then tells."""
        assert (await self.script("def another():\n    yield from []\n")).success


@asynccontextmanager
async def worker_with(directory: Path, *options: str | Path) -> AsyncIterator[ListingWorker]:
    script = directory / "startup.py"
    script.write_text(STARTUP)
    process = WorkerProcess(directory, script, *map(str, options))
    try:
        async with grpc.aio.insecure_channel(process.address) as channel:
            worker = ListingWorker(channel)
            await worker.watching.begin()
            yield worker
    finally:
        process.close()


def plans_in(file: Path) -> list[str]:
    return [plan.name for plan in read_list(file.read_text()).plans]


async def test_the_file_says_what_the_worker_tells_when_the_environment_is_open(short_path: Path) -> None:
    file = short_path / "lists" / "lists.yaml"
    file.parent.mkdir()
    file.write_text("an old file, longer than nothing")
    async with worker_with(short_path, "--existing-plans-devices", file) as worker:
        told = await worker.open()
        listed = read_list(file.read_text())
    assert not told.issues
    assert listed.plans == plans_of(told.plans)
    assert listed.plans[0].description == "Count a number of times."
    assert [parameter.description for parameter in listed.plans[0].parameters] == ["", "How often."]
    assert [device.name for device in listed.devices] == [device.name for device in told.devices] == ["det1", "motor1"]
    assert {path.name for path in file.parent.iterdir()} == {"lists.yaml"}


async def test_a_file_that_says_the_same_already_is_not_touched(short_path: Path) -> None:
    file = short_path / "lists.yaml"
    async with worker_with(short_path, "--existing-plans-devices", file) as worker:
        await worker.open()
        written = file.stat().st_ino
        await worker.close()
        await worker.open()
    assert file.stat().st_ino == written


@pytest.mark.parametrize(
    ("policy", "plans"), [("ENVIRONMENT_OPEN", ["measure"]), ("ALWAYS", ["another", "measure"]), ("NEVER", None)]
)
async def test_how_often_it_is_written_follows_the_option(
    short_path: Path, policy: str, plans: list[str] | None
) -> None:
    file = short_path / "lists.yaml"
    options = ["--existing-plans-devices", file, "--update-existing-plans-devices", policy]
    async with worker_with(short_path, *options) as worker:
        await worker.open()
        await worker.define_plan()
        assert [plan.name for plan in (await worker.inventory()).plans] == ["another", "measure"]
        assert (plans_in(file) if file.exists() else None) == plans


async def test_a_file_that_cant_be_written_is_an_issue_until_it_can_and_nothing_else(short_path: Path) -> None:
    file = short_path / "later" / "lists.yaml"
    options = ["--existing-plans-devices", file, "--update-existing-plans-devices", "ALWAYS", "--strict-startup"]
    async with worker_with(short_path, *options) as worker:
        (issue,) = (await worker.open()).issues
        sentence = f"The list of plans and devices can't be written to {file} (No such file or directory)"
        assert issue.message.startswith(sentence)
        await worker.watching.until(lambda e: issue.message in e.console.text)
        file.parent.mkdir()
        await worker.define_plan()
        told = await worker.inventory()
        assert not told.issues
        assert [plan.description for plan in told.plans] == ["", "Count a number of times."]
        assert plans_in(file) == ["another", "measure"]
        assert worker.watching.console().count(sentence) == 1


async def test_a_file_system_that_does_not_answer_holds_nothing_up_for_long(short_path: Path) -> None:
    file = short_path / "lists.yaml"
    # Reading waits for ever.
    os.mkfifo(file)
    options = ["--existing-plans-devices", file, "--update-existing-plans-devices", "ALWAYS"]
    async with worker_with(short_path, *options) as worker:
        (issue,) = (await worker.open()).issues
        assert "is not written to" in issue.message
        assert "does not answer; see what is wrong with it" in issue.message
        await worker.define_plan()
        assert [plan.name for plan in (await worker.inventory()).plans] == ["another", "measure"]
        # It answers again.
        os.close(os.open(file, os.O_WRONLY))
        for name in (f"plan_{number}" for number in range(20)):
            assert (await worker.script(f"def {name}():\n    yield from []\n")).success
            if not (await worker.inventory()).issues:
                break
        assert name in plans_in(file)


async def test_an_environment_is_destroyed_while_its_list_waits_for_the_file_system(short_path: Path) -> None:
    file = short_path / "lists.yaml"
    os.mkfifo(file)
    async with worker_with(short_path, "--existing-plans-devices", file) as worker:
        await worker.stub.OpenEnvironment(pb.OpenEnvironmentRequest(epoch=1, environment_id=str(uuid.uuid4())))
        await worker.watching.until(lambda e: "ready: " in e.console.text)
        seen = len(worker.watching.events)
        await worker.stub.DestroyEnvironment(pb.DestroyEnvironmentRequest(epoch=1))
        await worker.watching.environment(lambda e: e.state == CLOSED, after=seen)
        assert (await worker.open()).plans


async def test_code_of_an_environment_makes_lists_where_no_worker_is_installed(short_path: Path) -> None:
    (short_path / "other.py").write_text("def other():\n    yield from []\n")
    (short_path / "broken.py").write_text("print('at work')\nraise ValueError('no beam')\n")
    make = (
        "import sys\nsys.modules['queueserver_worker'] = None\n"
        "from bluesky_queueserver import gen_list_of_plans_and_devices\n"
        f"gen_list_of_plans_and_devices(startup_script_path={{!r}}, file_dir={str(short_path)!r}, file_name='a.yaml')"
    )
    async with worker_with(short_path) as worker:
        await worker.open()
        failed = await worker.script(make.format(str(short_path / "broken.py")))
        assert "RuntimeError: ValueError in broken.py, line 2: no beam; correct it and try again." in failed.traceback
        await worker.watching.until(lambda e: "at work" in e.console.text)
        assert not (short_path / "a.yaml").exists()
        made = await worker.script(make.format(str(short_path / "other.py")))
        assert made.success, made.traceback
    assert plans_in(short_path / "a.yaml") == ["other"]
