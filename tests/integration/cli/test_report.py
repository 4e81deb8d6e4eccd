"""`qserver environment report`: what was left out, and what is not checked."""

from __future__ import annotations

import json

import pytest
from queueserver.common.v1 import environment_pb2
from queueserver.common.v1 import inventory_pb2 as pb
from queueserver.manager.v1 import environment_service_pb2
from queueserver.manager.v1 import inventory_service_pb2 as inventory

from tests.integration.cli.conftest import Qserver
from tests.integration.client.scripted_manager import ScriptedManager

ISSUE = pb.InventoryIssue(name="bad", message="It contradicts itself.", kind=pb.INVENTORY_ISSUE_KIND_PLAN)
PLAN = pb.PlanDescription(
    name="scan_nd",
    parameters=[
        pb.ParameterDescription(name="detectors", annotation="list[__READABLE__]"),
        pb.ParameterDescription(name="cycler", annotation="cycler.Cycler | None", unchecked="cycler.Cycler"),
    ],
)


@pytest.mark.parametrize("issues", [[], [ISSUE]])
@pytest.mark.parametrize("plans", [[], [PLAN]])
async def test_the_report_tells_what_was_left_out_and_what_is_not_checked(
    manager: ScriptedManager, qserver: Qserver, issues: list[pb.InventoryIssue], plans: list[pb.PlanDescription]
) -> None:
    idle = environment_pb2.EnvironmentStatus(environment_id="e", state=environment_pb2.ENVIRONMENT_STATE_IDLE)
    manager.answers = {
        "GetEnvironment": environment_service_pb2.GetEnvironmentResponse(environment=idle),
        "ListIssues": inventory.ListIssuesResponse(issues=issues),
        "ListPlans": inventory.ListPlansResponse(plans=plans),
    }
    out = (await qserver("environment", "report", COLUMNS="200")).out
    assert ("It contradicts itself." in out, "Nothing was left out" in out) == (bool(issues), not issues)
    assert ("cycler.Cycler | None" in out) is bool(plans)
    assert "detectors" not in out
    shown = json.loads((await qserver("--json", "environment", "report")).out)
    assert [issue["name"] for issue in shown["issues"]] == ["bad"] * len(issues)
    one = {"plan": "scan_nd", "parameter": "cycler", "annotation": "cycler.Cycler | None", "unchecked": "cycler.Cycler"}
    assert shown["unchecked"] == [one] * len(plans)


async def test_a_pipe_gets_a_line_for_each_of_them_with_nothing_cut(manager: ScriptedManager, qserver: Qserver) -> None:
    long = f"collections.abc.Generator[{', '.join(['bluesky.utils.Msg'] * 9)}]"
    parameter = pb.ParameterDescription(name="go", annotation=long, unchecked=long)
    issue = pb.InventoryIssue(
        name="bad", message="It contradicts\nitself.", kind=pb.INVENTORY_ISSUE_KIND_PLAN, file="a.py", line=3
    )
    manager.answers = {
        "GetEnvironment": environment_service_pb2.GetEnvironmentResponse(),
        "ListIssues": inventory.ListIssuesResponse(issues=[issue]),
        "ListPlans": inventory.ListPlansResponse(plans=[pb.PlanDescription(name="ramp", parameters=[parameter])]),
    }
    lines = (await qserver("environment", "report", COLUMNS="80")).out.splitlines()
    assert {"plan\tbad\ta.py:3\tIt contradicts itself.", f"ramp\tgo\t{long}\t{long}"} <= set(lines)


async def test_what_startup_code_says_is_shown_as_it_is_and_does_not_act_on_the_terminal(
    manager: ScriptedManager, qserver: Qserver
) -> None:
    issue = pb.InventoryIssue(name="[red]bad[/]", message="\x1b[2J", kind=pb.INVENTORY_ISSUE_KIND_PLAN)
    manager.answers = {
        "GetEnvironment": environment_service_pb2.GetEnvironmentResponse(),
        "ListIssues": inventory.ListIssuesResponse(issues=[issue]),
        "ListPlans": inventory.ListPlansResponse(),
    }
    out = (await qserver("environment", "report", COLUMNS="200")).out
    assert "[red]bad[/]" in out
    assert "\\x1b[2J" in out
    assert "\x1b" not in out
