"""A startup directory as large as that of the largest beamlines opens, lists completely, and runs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from queueserver_client import AsyncClient, Client, ExitStatus, Plan

from tests.harness.big_profile import DEVICES, PLANS, write_big_profile
from tests.harness.stack import Stack, running_stack


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack with an open environment that has thousands of devices."""
    startup = tmp_path_factory.mktemp("big")
    write_big_profile(startup)
    with running_stack("--strict-startup", startup=startup) as running:
        with Client(running.address) as connected:
            connected.environment.open()
        yield running


@pytest.fixture
async def client(stack: Stack) -> AsyncIterator[AsyncClient]:
    """A client of it."""
    async with AsyncClient(stack.address) as connected:
        yield connected


async def test_all_plans_are_listed_with_everything_about_them(client: AsyncClient) -> None:
    plans = (await client.inventory.plans(existing=True)).plans
    assert [plan.name for plan in plans] == [f"plan_{number:03d}" for number in range(PLANS)]
    for number, plan in enumerate(plans):
        assert f"number {number}" in plan.description
        assert len(plan.parameters) == 8


async def test_all_devices_are_listed_with_their_components(client: AsyncClient) -> None:
    devices = (await client.inventory.devices(existing=True)).devices
    assert len(devices) == DEVICES
    assert [device.name for device in devices] == sorted(device.name for device in devices)
    detector = next(device for device in devices if device.classname == "Detector")
    assert [component.name for component in detector.components] == [
        "first",
        "second",
        "third",
        "fourth",
        "exposure",
        "gain",
    ]
    assert [part.name for part in detector.components[0].components] == ["counts", "low", "high"]


async def test_its_plans_run_on_its_devices(client: AsyncClient) -> None:
    devices = (await client.inventory.devices()).devices
    motor, signal = (
        next(device.name for device in devices if device.name.startswith(name)) for name in ("axis", "signal")
    )
    handle = await client.queue.add(Plan("plan_001", [signal], motor, num=2))
    await client.queue.start()
    result = (await handle.result()).result
    assert (result.exit_status, result.message) == (ExitStatus.COMPLETED, "")
