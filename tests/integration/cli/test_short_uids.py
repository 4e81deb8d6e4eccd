"""Items and tasks by the beginning of their uid: each command that takes a uid takes that, and several are listed."""

from __future__ import annotations

import json

import grpc
import pytest
from google.protobuf.json_format import MessageToDict
from queueserver.common.v1 import item_pb2, task_pb2
from queueserver.manager.v1 import (
    history_service_pb2,
    queue_items_pb2,
    task_service_pb2,
    task_status_pb2,
)
from queueserver_rpc.status import Refusal

from tests.integration.cli.conftest import Qserver
from tests.integration.client.scripted_manager import ScriptedManager

WAITING = "12345678-0000-4000-8000-000000000001"
TWIN = "abcdef12-0000-4000-8000-000000000002"
OTHER_TWIN = "abcdef12-0000-4000-8000-000000000003"
TASK = "87654321-0000-4000-8000-000000000004"
SHORT, PLAN = WAITING[:8], '{"name": "count"}'


def item(uid: str) -> item_pb2.Item:
    return item_pb2.Item(item_uid=uid, name="count", item_type=item_pb2.ITEM_TYPE_PLAN)


def task(uid: str) -> task_status_pb2.TaskStatus:
    submitted = task_pb2.SubmittedTask(task_uid=uid, kind=task_pb2.TASK_KIND_FUNCTION, name="find_beam")
    return task_status_pb2.TaskStatus(task=submitted, state=task_status_pb2.TASK_STATE_RUNNING)


@pytest.fixture(autouse=True)
def record(manager: ScriptedManager) -> None:
    """Two items in the queue, one in the history, and three tasks."""
    manager.answers["ListItems"] = queue_items_pb2.ListItemsResponse(items=[item(WAITING), item(TWIN)])
    manager.answers["ListHistory"] = history_service_pb2.ListHistoryResponse(
        entries=[item_pb2.HistoryEntry(item=item(OTHER_TWIN))]
    )
    tasks = [task(uid) for uid in (TASK, TWIN, OTHER_TWIN)]
    manager.answers["ListTasks"] = task_service_pb2.ListTasksResponse(tasks=tasks)
    manager.answers["GetTask"] = task_service_pb2.GetTaskResponse(status=tasks[0])
    for method in (
        "RemoveItem",
        "MoveItem",
        "AddItem",
        "UpdateItem",
        "SimulateItem",
        "ClearHistory",
        "PausePlan",
        "AbortPlanNow",
    ):
        manager.answers[method] = Refusal(grpc.StatusCode.FAILED_PRECONDITION, "INVALID_STATE", "Not now.")
    manager.answers["GetItem"] = queue_items_pb2.GetItemResponse(item=item(WAITING), index=0)


@pytest.mark.parametrize(
    ("words", "method"),
    [
        (["queue", "item", "get", SHORT], "GetItem"),
        (["queue", "item", "remove", SHORT], "RemoveItem"),
        (["queue", "item", "move", SHORT, "back"], "MoveItem"),
        (["queue", "item", "move", "front", "after", SHORT], "MoveItem"),
        (["queue", "add", "plan", "before", SHORT, PLAN], "AddItem"),
        (["queue", "update", "plan", SHORT, PLAN], "UpdateItem"),
        (["queue", "replace", "instruction", SHORT, "queue-stop"], "UpdateItem"),
        (["queue", "simulate", "item", SHORT], "SimulateItem"),
        (["re", "pause", "immediate", "--item", SHORT], "PausePlan"),
        (["re", "abort", "now", "--item", SHORT], "AbortPlanNow"),
    ],
)
async def test_a_command_takes_the_beginning_of_the_uid_of_an_item(
    manager: ScriptedManager, qserver: Qserver, words: list[str], method: str
) -> None:
    await qserver(*words)
    (sent,) = manager.requests(method)
    assert WAITING in json.dumps(MessageToDict(sent))


async def test_the_history_is_cleared_up_to_an_item_by_the_beginning_of_its_uid(
    manager: ScriptedManager, qserver: Qserver
) -> None:
    manager.answers["ListItems"] = queue_items_pb2.ListItemsResponse()
    await qserver("history", "clear", OTHER_TWIN[:8])
    (sent,) = manager.requests("ClearHistory")
    assert OTHER_TWIN in json.dumps(MessageToDict(sent))


@pytest.mark.parametrize("command", ["status", "result"])
async def test_a_command_takes_the_beginning_of_the_uid_of_a_task(
    manager: ScriptedManager, qserver: Qserver, command: str
) -> None:
    ended = await qserver("--json", "task", command, TASK[:8])
    assert [request.task_uid for request in manager.requests("GetTask")] == [TASK]
    assert json.loads(ended.out)["task_uid"] == TASK


@pytest.mark.parametrize(
    "words",
    [
        ["queue", "item", "remove", TWIN[:8]],
        ["queue", "item", "move", "front", "before", TWIN[:8]],
        ["queue", "update", "plan", TWIN[:8], PLAN],
        ["history", "clear", TWIN[:8]],
        ["re", "abort", "now", "--item", TWIN[:8]],
        ["task", "result", TWIN[:8]],
        ["task", "wait", TWIN[:8]],
    ],
)
async def test_where_several_begin_so_they_are_listed_and_nothing_is_done(
    manager: ScriptedManager, qserver: Qserver, words: list[str]
) -> None:
    ended = await qserver(*words)
    assert ended.code == 1
    assert f"begin with '{TWIN[:8]}'; say more of the uid:" in ended.err
    assert TWIN in ended.err
    assert OTHER_TWIN in ended.err
    assert {name for name, *_ in manager.calls} <= {"ListItems", "ListHistory", "ListTasks"}


async def test_of_what_nothing_begins_with_the_server_is_asked_as_it_was_typed(
    manager: ScriptedManager, qserver: Qserver
) -> None:
    await qserver("queue", "item", "remove", "fedcba98")
    (sent,) = manager.requests("RemoveItem")
    assert sent.address.uid == "fedcba98"
