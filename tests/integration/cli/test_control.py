"""What the commands for items, modes, the RunEngine and `why` print."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import sys
from typing import Any

import grpc
import pytest
from queueserver.common.v1 import item_pb2, simulation_pb2
from queueserver.manager.v1 import planning_service_pb2 as planning_pb
from queueserver.manager.v1 import (
    queue_execution_pb2,
    queue_items_pb2,
    queue_pb2,
    run_engine_service_pb2,
    status_service_pb2,
)
from queueserver_rpc.status import Refusal

from tests.integration.cli.conftest import Qserver, environment
from tests.integration.client.scripted_manager import ScriptedManager

ITEM = item_pb2.Item(name="count", item_type=item_pb2.ITEM_TYPE_PLAN, item_uid="u-1", user="jane", user_group="admin")
SHOWN = {"name": "count", "item_type": "plan", "item_uid": "u-1", "user": "jane", "user_group": "admin"}
PLAN = '{"name": "count"}'
CLOSED = status_service_pb2.Blocker(
    kind=status_service_pb2.BLOCKER_KIND_ENVIRONMENT_CLOSED,
    message="There is no environment.",
    remedy_method="queueserver.manager.v1.EnvironmentService/OpenEnvironment",
    remedy_command="qserver environment open",
)
DOWN = status_service_pb2.Blocker(kind=status_service_pb2.BLOCKER_KIND_STORAGE_DOWN, message="Redis can't be reached.")


async def test_update_and_execute_print_item_and_qsize(manager: ScriptedManager, qserver: Qserver) -> None:
    manager.answers["UpdateItem"] = queue_items_pb2.UpdateItemResponse(item=ITEM, index=2, queue_size=4, revision=7)
    manager.answers["ExecuteItem"] = queue_execution_pb2.ExecuteItemResponse(item=ITEM, queue_size=4, revision=8)
    body = {"success": True, "msg": "", "item": SHOWN, "qsize": 4}
    ended = await qserver("--json", "queue", "update", "plan", "u-1", PLAN)
    assert json.loads(ended.out) == body | {"index": 2, "revision": 7, "warnings": []}
    ended = await qserver("--json", "queue", "execute", "plan", PLAN)
    assert json.loads(ended.out) == body | {"index": None, "revision": 8, "warnings": []}


WARNING = item_pb2.ItemWarning(
    field="item.args[1]",
    text="motr1",
    message="item.args[1]: 'motr1' names no device; did you mean 'motor1'?",
    near_matches=["motor1"],
)
SIMULATED = simulation_pb2.Simulation(text="run", run_count=1, message_count=5)


@pytest.mark.parametrize(
    ("words", "method", "answer"),
    [
        (("add", "plan", PLAN), "AddItem", queue_items_pb2.AddItemResponse(item=ITEM, warnings=[WARNING])),
        (
            ("update", "plan", "u-1", PLAN),
            "UpdateItem",
            queue_items_pb2.UpdateItemResponse(item=ITEM, warnings=[WARNING]),
        ),
        (
            ("execute", "plan", PLAN),
            "ExecuteItem",
            queue_execution_pb2.ExecuteItemResponse(item=ITEM, warnings=[WARNING]),
        ),
        (
            ("validate", "plan", PLAN),
            "ValidateItems",
            planning_pb.ValidateItemsResponse(verdicts=[planning_pb.ItemVerdict(valid=True, warnings=[WARNING])]),
        ),
        (
            ("simulate", "plan", PLAN),
            "SimulateItem",
            planning_pb.SimulateItemResponse(simulation=SIMULATED, warnings=[WARNING]),
        ),
    ],
)
async def test_a_misspelt_device_is_shown_as_a_warning_and_no_failure(
    manager: ScriptedManager, qserver: Qserver, words: tuple[str, ...], method: str, answer: Any
) -> None:
    manager.answers[method] = answer
    ended = await qserver("queue", *words)
    assert ended.code == 0
    assert "Warning: item.args[1]: 'motr1' names no device; did you mean 'motor1'?" in ended.err
    assert "Warning" not in ended.out
    ended = await qserver("--json", "queue", *words)
    document = json.loads(ended.out)
    (warning,) = document.get("warnings") or document["simulation"]["warnings"]
    assert (warning["field"], warning["text"], warning["near_matches"]) == ("item.args[1]", "motr1", ["motor1"])


async def test_a_check_says_that_it_was_only_one(manager: ScriptedManager, qserver: Qserver) -> None:
    manager.answers["AddItem"] = queue_items_pb2.AddItemResponse(item=ITEM, queue_size=1)
    ended = await qserver("queue", "add", "plan", PLAN, "--validate-only")
    assert ended.code == 0
    assert "'msg': 'This was only a check: nothing was changed.'" in ended.body
    assert manager.requests("AddItem")[0].validate_only


async def test_an_item_is_shown_with_what_has_become_of_it(manager: ScriptedManager, qserver: Qserver) -> None:
    held = item_pb2.Item()
    held.CopyFrom(ITEM)
    held.held = True
    result = item_pb2.ItemResult(exit_status=item_pb2.EXIT_STATUS_STOPPED)
    entry = item_pb2.HistoryEntry(item=ITEM, result=result)
    manager.answers["GetItem"] = [
        queue_items_pb2.GetItemResponse(state=queue_pb2.ITEM_STATE_QUEUED, item=ITEM, index=0),
        queue_items_pb2.GetItemResponse(state=queue_pb2.ITEM_STATE_HELD, item=held, index=0),
        queue_items_pb2.GetItemResponse(state=queue_pb2.ITEM_STATE_FINISHED, item=ITEM, history_entry=entry),
    ]
    queued, waiting, finished = [await qserver("queue", "item", "get", "u-1") for _ in range(3)]
    assert "state" not in queued.body
    assert "'held': True" in waiting.body
    assert "'state': 'held'" in waiting.body
    assert "'state': 'finished'" in finished.body
    assert "'exit_status': 'stopped'" in finished.body


async def test_a_mode_is_accepted_like_any_command_and_told_to_programs(
    manager: ScriptedManager, qserver: Qserver
) -> None:
    mode = queue_pb2.QueueMode(loop=True, interrupted=queue_pb2.INTERRUPTED_POLICY_REQUEUE)
    manager.answers["SetQueueMode"] = queue_execution_pb2.SetQueueModeResponse(mode=mode)
    ended = await qserver("queue", "mode", "set", "loop", "true")
    assert ended.body == "{'msg': '', 'success': True}\n"
    ended = await qserver("--json", "queue", "mode", "set", "loop", "true")
    expected = {"loop": True, "ignore_failures": False, "interrupted": "requeue"}
    assert json.loads(ended.out)["plan_queue_mode"] == expected


@pytest.mark.parametrize(
    ("words", "method"),
    [
        (["pause"], "PausePlan"),
        (["stop"], "StopPlan"),
        (["abort"], "AbortPlan"),
        (["abort", "now"], "AbortPlanNow"),
        (["halt"], "HaltPlan"),
    ],
)
async def test_who_pauses_or_ends_a_plan_may_name_its_item(
    manager: ScriptedManager, qserver: Qserver, words: list[str], method: str
) -> None:
    manager.answers[method] = getattr(run_engine_service_pb2, f"{method}Response")()
    await qserver("re", *words)
    ended = await qserver("re", *words, "--item", "u-1")
    assert ended.body == "{'msg': '', 'success': True}\n"
    assert "--item needs the uid of an item" in (await qserver("re", *words, "--item", "")).err
    assert [request.item_uid for request in manager.requests(method)] == ["", "u-1"]


async def test_runs_and_metadata_have_the_words_of_the_reference(manager: ScriptedManager, qserver: Qserver) -> None:
    runs = [
        item_pb2.RunSummary(run_uid="r", scan_id=3, exit_status="success"),
        item_pb2.RunSummary(run_uid="s", scan_id=4, open=True),
    ]
    manager.answers["ListRuns"] = run_engine_service_pb2.ListRunsResponse(runs=runs, run_list_uid="l")
    ended = await qserver("re", "runs")
    assert ended.body == (
        "{'msg': '',\n"
        " 'run_list': [{'exit_status': 'success',\n"
        "               'is_open': False,\n"
        "               'scan_id': 3,\n"
        "               'uid': 'r'},\n"
        "              {'exit_status': None, 'is_open': True, 'scan_id': 4, 'uid': 's'}],\n"
        " 'run_list_uid': 'l',\n"
        " 'success': True}\n"
    )
    metadata = run_engine_service_pb2.GetMetadataResponse()
    metadata.metadata.update({"scan_id": 4})
    manager.answers["GetMetadata"] = metadata
    assert (await qserver("re", "metadata")).body == "{'msg': '', 're_metadata': {'scan_id': 4}, 'success': True}\n"


async def test_why_lists_each_obstacle_with_what_to_type(manager: ScriptedManager, qserver: Qserver) -> None:
    manager.answers["ExplainIdle"] = status_service_pb2.ExplainIdleResponse(blockers=[DOWN, CLOSED])
    ended = await qserver("why")
    assert ended.code == 0
    assert ended.out.partition(" - ")[2] == (
        "This blocks the next plan:\n"
        "  1. Redis can't be reached.\n"
        "  2. There is no environment.\n"
        "     qserver environment open\n"
    )
    ended = await qserver("--json", "why")
    assert json.loads(ended.out)["warnings"] == []
    assert json.loads(ended.out)["blockers"][1] == {
        "kind": "environment_closed",
        "message": "There is no environment.",
        "remedy_method": "queueserver.manager.v1.EnvironmentService/OpenEnvironment",
        "remedy_command": "qserver environment open",
        "remedy_request": "",
    }


async def test_why_says_so_when_nothing_stands_in_the_way(manager: ScriptedManager, qserver: Qserver) -> None:
    manager.answers["ExplainIdle"] = status_service_pb2.ExplainIdleResponse(running_item_uid="u-1")
    ended = await qserver("why")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.endswith(" - Nothing blocks the queue: a plan is running.\n")


async def test_why_tells_what_has_to_be_seen_to_before_it_stands_in_the_way(
    manager: ScriptedManager, qserver: Qserver
) -> None:
    warning = "The disk of Redis is almost full: make room."
    manager.answers["ExplainIdle"] = status_service_pb2.ExplainIdleResponse(warnings=[warning])
    assert (await qserver("why")).out.endswith(f"a plan is running.\n  !  {warning}\n")
    assert json.loads((await qserver("--json", "why")).out)["warnings"] == [warning]


async def test_on_a_terminal_why_is_coloured(manager: ScriptedManager) -> None:
    manager.answers["ExplainIdle"] = status_service_pb2.ExplainIdleResponse(blockers=[CLOSED])
    screen, terminal = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "queueserver_cli", "why", env=environment(manager.address), stdout=terminal
    )
    assert await asyncio.wait_for(process.wait(), 60.0) == 0
    os.close(terminal)
    shown = os.read(screen, 10_000).decode()
    os.close(screen)
    assert "\x1b[33mThere is no environment.\x1b[0m" in shown


@pytest.mark.parametrize("words", [("re", "resume"), ("queue", "autostart", "enable")])
async def test_a_refused_command_exits_with_2_and_its_reason(
    manager: ScriptedManager, qserver: Qserver, words: tuple[str, ...]
) -> None:
    refusal: Any = Refusal(grpc.StatusCode.FAILED_PRECONDITION, "INVALID_STATE", "No plan is paused.")
    manager.answers |= {"ResumePlan": refusal, "SetAutostart": refusal}
    ended = await qserver(*words)
    assert ended.code == 2
    assert "'reason': 'INVALID_STATE'" in ended.body
