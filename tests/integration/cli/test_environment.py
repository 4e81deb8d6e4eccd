"""`qserver environment open --wait`: what it says when the environment is open."""

from __future__ import annotations

from typing import Any

import pytest
from queueserver.common.v1 import environment_pb2, inventory_pb2
from queueserver.manager.v1 import environment_service_pb2, inventory_service_pb2

from tests.integration.cli.conftest import Qserver
from tests.integration.client.scripted_manager import ScriptedManager


@pytest.mark.parametrize(
    ("count", "told"), [(0, ""), (2, ": a0, a1. Why: "), (7, ": a0, a1, a2, a3, a4 and 2 more. Why: ")]
)
async def test_waiting_for_an_environment_tells_what_was_left_out(
    manager: ScriptedManager, qserver: Qserver, count: int, told: str
) -> None:
    async def follow(_: Any) -> Any:
        idle = environment_pb2.EnvironmentStatus(state=environment_pb2.ENVIRONMENT_STATE_IDLE, environment_id="e")
        yield environment_service_pb2.WaitEnvironmentResponse(environment=idle)

    issues = [inventory_pb2.InventoryIssue(name=f"a{number}", message="No.") for number in range(count)]
    manager.answers |= {
        "OpenEnvironment": environment_service_pb2.OpenEnvironmentResponse(environment_id="e"),
        "WaitEnvironment": follow,
        "ListIssues": inventory_service_pb2.ListIssuesResponse(issues=issues),
    }
    ended = await qserver("environment", "open", "--wait")
    assert ended.code == 0
    assert ("Left out of the startup code" in ended.err) is bool(count)
    assert f"{told}qserver environment report" in ended.err or not count
