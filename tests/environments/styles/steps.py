"""What is done with each style: it opens, tells what it has, counts, and closes by itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from queueserver_client import AsyncClient, ExitStatus, ManagerState, Plan

from tests.environments.styles.styles import Style
from tests.harness.progress import until_state
from tests.harness.wait import bounded

Step = Callable[[AsyncClient, Style], Awaitable[None]]
_OPEN_SECONDS: Final = 120.0


async def open_environment(client: AsyncClient, style: Style) -> None:
    """It opens; meanwhile it tells what it waits for."""
    shown: list[str] = []
    await client.environment.open(
        wait_timeout=_OPEN_SECONDS, on_progress=lambda environment: shown.append(environment.progress)
    )
    for text in style.progress:
        assert any(text in each for each in shown), (text, shown)


async def list_plans_and_devices(client: AsyncClient, style: Style) -> None:
    """Nothing is left out, connected or not."""
    plans = {plan.name for plan in (await client.inventory.plans()).plans}
    devices = {device.name for device in (await client.inventory.devices()).devices}
    assert style.plans <= plans, style.plans - plans
    assert style.devices <= devices, style.devices - devices
    assert len(devices) >= style.most_devices, devices
    issues = await client.inventory.issues()
    assert not issues, issues


async def count(client: AsyncClient, style: Style) -> None:
    """A count runs and its documents arrive."""
    handle = await client.queue.add(Plan("count", [style.detector], num=2))
    await client.queue.start()
    result = (await bounded(handle.result())).result
    assert result.exit_status is ExitStatus.COMPLETED, result
    assert not result.notices, result.notices
    await until_state(client, ManagerState.IDLE)
    names = [document.name async for document in handle.documents()]
    assert names == ["start", "descriptor", "event", "event", "stop"], names


async def check(client: AsyncClient, style: Style) -> None:
    """The startup code finds everything as it means it."""
    for name in style.checks:
        task = await client.tasks.execute_function(name)
        assert await task.result(timeout=30) is True, name


async def close(client: AsyncClient, _: Style) -> None:
    """It closes by itself, and was not killed."""
    environment = await client.environment.close()
    assert environment.failure is None, environment.failure


STEPS: Final[tuple[Step, ...]] = (open_environment, list_plans_and_devices, count, check, close)
