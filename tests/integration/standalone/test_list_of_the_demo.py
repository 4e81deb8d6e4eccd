"""The list of plans and devices that comes with the demo startup code."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from queueserver_client import AsyncClient, Plan
from queueserver_inventory.descriptions import Inventory
from queueserver_inventory.list_file import read_list

from tests.harness.services import COMMANDS, DEMO_STARTUP
from tests.harness.stack import running_stack
from tests.harness.wait import bounded

NAME = "existing_plans_and_devices.yaml"
LIST = DEMO_STARTUP / NAME


def inventory(text: str) -> Inventory:
    found = read_list(text)
    assert not found.issues
    return found


def test_it_is_what_an_environment_without_ophyd_async_would_write(tmp_path: Path) -> None:
    """If this fails, ``make demo-list`` mends it."""
    (tmp_path / "ophyd_async.py").write_text("raise ImportError('not for this test')")
    command = [COMMANDS / "qserver-list-plans-devices", "--startup-dir", DEMO_STARTUP, "--file-dir", tmp_path]
    subprocess.run(command, env={**os.environ, "PYTHONPATH": str(tmp_path)}, check=True, timeout=120)
    assert (tmp_path / NAME).read_text() == LIST.read_text()


async def test_a_fresh_server_knows_the_plans_and_devices_of_the_demo_and_never_writes_their_list() -> None:
    before = (LIST.stat().st_mtime_ns, LIST.read_bytes())
    listed = inventory(LIST.read_text())
    with running_stack("--update-existing-plans-devices", "ALWAYS") as stack:
        async with AsyncClient(stack.address) as client:
            item = (await bounded(client.queue.add(Plan("count", ["det1", "det2"], num=5)))).item
            assert (item.name, item.user_group) == ("count", "admin")
            assert {plan.name for plan in (await client.inventory.plans()).plans} == {one.name for one in listed.plans}
            await bounded(client.environment.open())
            opened = await client.inventory.devices(existing=True)
            known = {device.name for device in opened.devices}
            assert known - {device.name for device in listed.devices} <= {"async_sample"}
    assert (LIST.stat().st_mtime_ns, LIST.read_bytes()) == before


async def test_without_a_list_the_log_says_so_and_what_brings_it(tmp_path: Path) -> None:
    (tmp_path / "startup.py").write_text("def measure():\n    yield from ()\n")
    with running_stack("--update-existing-plans-devices", "ENVIRONMENT_OPEN", startup=tmp_path) as stack:
        async with AsyncClient(stack.address) as client:
            assert not (await client.inventory.plans()).plans
            log = stack.supervisor.output
            log.wait_for(
                f"There is no list of plans and devices (the file {tmp_path / NAME} does not exist). The Manager begins"
            )
            log.wait_for("The list of plans and devices is not loaded. Opening the environment fills it")
            await bounded(client.environment.open())
            assert [plan.name for plan in (await client.inventory.plans()).plans] == ["measure"]
        assert "measure" in (tmp_path / NAME).read_text()
        (tmp_path / NAME).unlink()
        stack.stop()
        stack.start()
        async with AsyncClient(stack.address) as client:
            assert [plan.name for plan in (await client.inventory.plans()).plans] == ["measure"]
        assert "There is no list" not in stack.log()
