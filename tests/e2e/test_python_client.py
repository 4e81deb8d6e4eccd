"""What the Python client does for its callers beyond the calls of the contract."""

from __future__ import annotations

import asyncio
import re

import pytest
from queueserver_client import (
    AsyncClient,
    DeadlineExceeded,
    EnvironmentExists,
    EnvironmentState,
    ExitStatus,
    Plan,
)

from tests.harness.gate import Gate
from tests.harness.progress import begun
from tests.harness.stack import Stack
from tests.harness.wait import bounded


async def test_opening_an_environment_that_is_open_is_no_error_if_that_is_said(shared_client: AsyncClient) -> None:
    with pytest.raises(EnvironmentExists):
        await shared_client.environment.open()
    there = await shared_client.environment.open(exist_ok=True)
    assert there == await shared_client.environment.get()
    assert there.state is EnvironmentState.IDLE
    assert await shared_client.environment.open(exist_ok=True, wait=False) == there


async def test_two_programs_that_both_open_the_environment_both_get_it_open(stack: Stack) -> None:
    async with AsyncClient(stack.address) as one, AsyncClient(stack.address) as other:
        opened = await bounded(
            asyncio.gather(one.environment.open(exist_ok=True), other.environment.open(exist_ok=True))
        )
    assert [environment.state for environment in opened] == [EnvironmentState.IDLE] * 2
    assert opened[0].environment_id == opened[1].environment_id


async def test_waiting_for_a_result_ends_in_time_and_the_plan_goes_on(shared_client: AsyncClient, gate: Gate) -> None:
    (handle,) = await begun(shared_client, Plan("stepping", gate.path))
    with pytest.raises(DeadlineExceeded, match=re.escape(f"stepping {handle.uid} has not ended within 0.1 seconds")):
        await handle.result(timeout=0.1)
    gate.open()
    assert (await handle.result(timeout=30)).result.exit_status is ExitStatus.COMPLETED


async def test_waiting_for_a_task_ends_in_time_and_the_task_goes_on(shared_client: AsyncClient, gate: Gate) -> None:
    handle = await shared_client.tasks.execute_function("pass_gate", gate.path)
    with pytest.raises(TimeoutError, match=r"pass_gate .* has not ended within 0.1 seconds"):
        await handle.result(timeout=0.1)
    gate.open()
    assert await handle.result(timeout=30) == "passed"
