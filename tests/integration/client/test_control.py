"""Editing several items, modes, immediate execution, the RunEngine, and why nothing runs."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf import json_format
from queueserver.common.v1 import item_pb2
from queueserver.manager.v1 import (
    history_service_pb2,
    queue_execution_pb2,
    queue_items_pb2,
    queue_pb2,
    status_pb2,
    status_service_pb2,
)
from queueserver.manager.v1 import run_engine_service_pb2 as re
from queueserver_client import (
    AsyncClient,
    Before,
    Blocker,
    BlockerKind,
    InterruptedPolicy,
    Item,
    Plan,
    QueueMode,
    RunSummary,
    ValueNotRepresentable,
)

from tests.integration.client.scripted_manager import ScriptedManager


def stored(uid: str) -> item_pb2.Item:
    return item_pb2.Item(name="count", item_uid=uid)


def sent(manager: ScriptedManager, name: str) -> dict[str, Any]:
    """The last request of a method, without its id."""
    found = json_format.MessageToDict(manager.requests(name)[-1])
    found.pop("requestId")
    return found


async def test_update_names_the_item_and_answers_the_new_one(manager: ScriptedManager, client: AsyncClient) -> None:
    manager.answers["UpdateItem"] = queue_items_pb2.UpdateItemResponse(
        item=stored("v"), index=2, queue_size=3, revision=9
    )
    updated = await client.queue.update("u", Plan("scan"), new_uid=True, expected_revision=8, validate_only=True)
    assert (updated.uid, updated.index, updated.queue_size, updated.revision) == ("v", 2, 3, 9)
    item = {"itemType": "ITEM_TYPE_PLAN", "name": "scan"}
    assert sent(manager, "UpdateItem") == {
        "itemUid": "u", "item": item, "updateMask": "*", "newUid": True, "expectedRevision": "8", "validateOnly": True
    }  # fmt: skip
    await client.queue.update(Item("count", uid="w"), Plan("scan"))
    assert sent(manager, "UpdateItem") == {"itemUid": "w", "item": item, "updateMask": "*"}
    await client.queue.update("w", Item("scan", kwargs={"num": 3}), fields=["kwargs"])
    assert sent(manager, "UpdateItem")["updateMask"] == "kwargs"


async def test_several_items_are_removed_and_moved_in_one_call(manager: ScriptedManager, client: AsyncClient) -> None:
    items = [stored("a"), stored("b")]
    manager.answers["RemoveItems"] = queue_items_pb2.RemoveItemsResponse(items=items, queue_size=5, revision=7)
    removed = await client.queue.remove_batch(["a", "x", "b"], strict=True, expected_revision=6)
    assert ([item.uid for item in removed.items], removed.queue_size, removed.revision) == (["a", "b"], 5, 7)
    assert sent(manager, "RemoveItems") == {"itemUids": ["a", "x", "b"], "strict": True, "expectedRevision": "6"}
    manager.answers["MoveItems"] = queue_items_pb2.MoveItemsResponse(items=items, index=1, queue_size=5, revision=8)
    moved = await client.queue.move_batch(iter(["b", "a"]), Before("c"), keep_queue_order=True)
    assert ([item.uid for item in moved.items], moved.index, moved.revision) == (["a", "b"], 1, 8)
    assert sent(manager, "MoveItems") == {
        "itemUids": ["b", "a"], "destination": {"beforeUid": "c"}, "keepQueueOrder": True
    }  # fmt: skip


async def test_every_edit_can_be_bound_to_a_revision(manager: ScriptedManager, client: AsyncClient) -> None:
    manager.answers |= {
        "AddItem": queue_items_pb2.AddItemResponse(item=stored("a"), revision=4),
        "AddItems": queue_items_pb2.AddItemsResponse(item_uids=["a"], revision=5),
        "RemoveItem": queue_items_pb2.RemoveItemResponse(item=stored("a"), revision=6),
        "MoveItem": queue_items_pb2.MoveItemResponse(item=stored("a"), revision=7),
        "ClearQueue": queue_items_pb2.ClearQueueResponse(),
        "SetQueueMode": queue_execution_pb2.SetQueueModeResponse(),
        "ClearHistory": history_service_pb2.ClearHistoryResponse(),
    }
    assert (await client.queue.add(Plan("count"), expected_revision=3, validate_only=True)).revision == 4
    (handle,) = await client.queue.add_batch([Plan("count")], expected_revision=3, validate_only=True)
    assert handle.revision == 5
    assert (await client.queue.remove("a", expected_revision=3)).revision == 6
    assert (await client.queue.move("a", "front", expected_revision=3)).revision == 7
    await client.queue.clear(expected_revision=3)
    await client.queue.set_mode(loop=True, expected_revision=3)
    await client.history.clear(expected_revision=3)
    assert [request.expected_revision for _, request, _ in manager.calls] == [3] * 7
    assert [request.validate_only for _, request, _ in manager.calls[:2]] == [True, True]


async def test_a_mode_leaves_alone_what_is_not_named(manager: ScriptedManager, client: AsyncClient) -> None:
    mode = queue_pb2.QueueMode(loop=True, interrupted=queue_pb2.INTERRUPTED_POLICY_HOLD)
    manager.answers["SetQueueMode"] = queue_execution_pb2.SetQueueModeResponse(mode=mode)
    assert await client.queue.set_mode(loop=True) == QueueMode(True, False, InterruptedPolicy.HOLD)
    assert sent(manager, "SetQueueMode") == {"loop": True}
    await client.queue.set_mode(ignore_failures=False, interrupted="drop", reset=True)
    assert sent(manager, "SetQueueMode") == {
        "ignoreFailures": False, "interrupted": "INTERRUPTED_POLICY_DROP", "resetToDefaults": True
    }  # fmt: skip
    with pytest.raises(ValueError, match="keep"):
        await client.queue.set_mode(interrupted="keep")


async def test_autostart_is_switched_on_and_off(manager: ScriptedManager, client: AsyncClient) -> None:
    manager.answers["SetAutostart"] = queue_execution_pb2.SetAutostartResponse()
    await client.queue.set_autostart(True)
    await client.queue.set_autostart(False)
    assert [request.enabled for request in manager.requests("SetAutostart")] == [True, False]


async def test_an_item_that_is_executed_at_once_has_no_place(manager: ScriptedManager, client: AsyncClient) -> None:
    manager.answers["ExecuteItem"] = queue_execution_pb2.ExecuteItemResponse(item=stored("a"), queue_size=6, revision=2)
    handle = await client.queue.execute(Plan("count"), validate_only=True)
    assert (handle.uid, handle.index, handle.queue_size, handle.revision) == ("a", None, 6, 2)
    assert manager.requests("ExecuteItem")[0].validate_only


async def test_the_run_engine_is_told_how_to_pause_and_why_to_abort(
    manager: ScriptedManager, client: AsyncClient
) -> None:
    manager.answers |= {
        "PausePlan": re.PausePlanResponse(),
        "AbortPlan": re.AbortPlanResponse(),
        "AbortPlanNow": re.AbortPlanNowResponse(),
    }
    await client.run_engine.pause()
    assert sent(manager, "PausePlan") == {"option": "PAUSE_OPTION_DEFERRED"}
    await client.run_engine.pause(immediate=True)
    assert sent(manager, "PausePlan") == {"option": "PAUSE_OPTION_IMMEDIATE"}
    await client.run_engine.abort("no beam")
    assert sent(manager, "AbortPlan") == {"note": "no beam"}
    await client.run_engine.abort_now("fire")
    assert sent(manager, "AbortPlanNow") == {"note": "fire"}
    with pytest.raises(ValueNotRepresentable):
        await client.run_engine.abort("\ud800")


async def test_the_run_engine_is_told_which_item_is_meant(manager: ScriptedManager, client: AsyncClient) -> None:
    manager.answers |= {
        "PausePlan": re.PausePlanResponse(),
        "StopPlan": re.StopPlanResponse(),
        "AbortPlan": re.AbortPlanResponse(),
        "HaltPlan": re.HaltPlanResponse(),
        "AbortPlanNow": re.AbortPlanNowResponse(),
    }
    engine = client.run_engine
    for call in (engine.pause, engine.stop, engine.abort, engine.halt, engine.abort_now):
        await call(item_uid="u")
    assert all(sent(manager, name)["itemUid"] == "u" for name in manager.answers)
    with pytest.raises(ValueNotRepresentable):
        await engine.stop(item_uid="\ud800")


async def test_runs_are_listed_as_asked_for(manager: ScriptedManager, client: AsyncClient) -> None:
    runs = [
        item_pb2.RunSummary(run_uid="r", scan_id=0, open=True),
        item_pb2.RunSummary(run_uid="s", exit_status="success"),
    ]
    manager.answers["ListRuns"] = re.ListRunsResponse(runs=runs, run_list_uid="l")
    listed = await client.run_engine.runs()
    assert listed.runs == (RunSummary("r", 0, True, ""), RunSummary("s", None, False, "success"))
    assert listed.uid == "l"
    await client.run_engine.runs("closed")
    filters = [request.filter for request in manager.requests("ListRuns")]
    assert filters == [re.RUN_FILTER_ACTIVE, re.RUN_FILTER_CLOSED]


async def test_metadata_is_plain_python(manager: ScriptedManager, client: AsyncClient) -> None:
    answer = re.GetMetadataResponse()
    answer.metadata.update({"scan_id": 4, "sample": {"name": "Ni", "tilt": 1.5}})
    manager.answers["GetMetadata"] = answer
    assert await client.run_engine.metadata() == {"scan_id": 4, "sample": {"name": "Ni", "tilt": 1.5}}


async def test_what_stands_in_the_way_is_told_with_its_remedy(manager: ScriptedManager, client: AsyncClient) -> None:
    closed = status_service_pb2.Blocker(
        kind=status_service_pb2.BLOCKER_KIND_ENVIRONMENT_CLOSED,
        message="There is no environment.",
        remedy_method="queueserver.manager.v1.EnvironmentService/OpenEnvironment",
        remedy_command="qserver environment open",
        remedy_request='{"request_id": "r"}',
    )
    manager.answers["ExplainIdle"] = status_service_pb2.ExplainIdleResponse(blockers=[closed])
    assert await client.explain_idle() == [
        Blocker(
            BlockerKind.ENVIRONMENT_CLOSED,
            "There is no environment.",
            "queueserver.manager.v1.EnvironmentService/OpenEnvironment",
            "qserver environment open",
            '{"request_id": "r"}',
        )
    ]


async def test_the_status_tells_mode_autostart_and_a_pending_pause(
    manager: ScriptedManager, client: AsyncClient
) -> None:
    mode = queue_pb2.QueueMode(ignore_failures=True, interrupted=queue_pb2.INTERRUPTED_POLICY_REQUEUE)
    status = status_pb2.ManagerStatus(queue_mode=mode, queue_autostart_enabled=True, pause_pending=True)
    manager.answers["GetStatus"] = status_service_pb2.GetStatusResponse(status=status)
    found = await client.status()
    assert found.queue_mode == QueueMode(False, True, InterruptedPolicy.REQUEUE)
    assert (found.queue_autostart_enabled, found.pause_pending) == (True, True)
