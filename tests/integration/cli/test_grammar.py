from __future__ import annotations

import inspect
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format
from queueserver.common.v1 import item_pb2, task_pb2
from queueserver.manager.v1 import environment_service_pb2 as environment
from queueserver.manager.v1 import history_service_pb2 as history
from queueserver.manager.v1 import inventory_service_pb2 as inventory
from queueserver.manager.v1 import lock_service_pb2 as lock
from queueserver.manager.v1 import permission_service_pb2 as permissions
from queueserver.manager.v1 import planning_service_pb2 as planning
from queueserver.manager.v1 import queue_execution_pb2, queue_items_pb2, task_service_pb2, task_status_pb2
from queueserver.manager.v1 import run_engine_service_pb2 as engine
from queueserver.manager.v1 import server_service_pb2 as server
from queueserver.manager.v1 import status_service_pb2 as status
from queueserver_cli.command_line.command import Command
from queueserver_cli.command_line.grammar import COMMANDS, find
from queueserver_cli.display.printer import Printer
from queueserver_cli.outcome import WrongCommand
from queueserver_cli.session import Session
from queueserver_client import AsyncClient

from tests.integration.client.scripted_manager import ScriptedManager

ITEM = item_pb2.Item(name="count", item_uid="u")
TASK = task_pb2.SubmittedTask(task_uid="t")
ENDED = task_status_pb2.TaskStatus(
    task=TASK, state=task_status_pb2.TASK_STATE_FINISHED, result=task_pb2.TaskResult(success=True)
)
ANSWERS: dict[str, Any] = {
    "GetStatus": status.GetStatusResponse(),
    "ExplainIdle": status.ExplainIdleResponse(),
    "GetServerInfo": server.GetServerInfoResponse(),
    "StopServer": server.StopServerResponse(),
    "AddItem": queue_items_pb2.AddItemResponse(item=ITEM, queue_size=1),
    "ListItems": queue_items_pb2.ListItemsResponse(items=[ITEM]),
    "GetItem": queue_items_pb2.GetItemResponse(item=ITEM, index=0),
    "RemoveItem": queue_items_pb2.RemoveItemResponse(item=ITEM),
    "MoveItem": queue_items_pb2.MoveItemResponse(item=ITEM),
    "ClearQueue": queue_items_pb2.ClearQueueResponse(),
    "StartQueue": queue_execution_pb2.StartQueueResponse(),
    "StopQueue": queue_execution_pb2.StopQueueResponse(),
    "CancelStopQueue": queue_execution_pb2.CancelStopQueueResponse(),
    "UpdateItem": queue_items_pb2.UpdateItemResponse(item=ITEM, queue_size=1),
    "ExecuteItem": queue_execution_pb2.ExecuteItemResponse(item=ITEM, queue_size=1),
    "SetQueueMode": queue_execution_pb2.SetQueueModeResponse(),
    "SetAutostart": queue_execution_pb2.SetAutostartResponse(),
    "PausePlan": engine.PausePlanResponse(),
    "ResumePlan": engine.ResumePlanResponse(),
    "StopPlan": engine.StopPlanResponse(),
    "AbortPlan": engine.AbortPlanResponse(),
    "AbortPlanNow": engine.AbortPlanNowResponse(),
    "AnswerQuestion": engine.AnswerQuestionResponse(),
    "HaltPlan": engine.HaltPlanResponse(),
    "ListRuns": engine.ListRunsResponse(),
    "GetMetadata": engine.GetMetadataResponse(),
    "OpenEnvironment": environment.OpenEnvironmentResponse(),
    "CloseEnvironment": environment.CloseEnvironmentResponse(),
    "DestroyEnvironment": environment.DestroyEnvironmentResponse(),
    "ListHistory": history.ListHistoryResponse(),
    "ClearHistory": history.ClearHistoryResponse(),
    "ListPlans": inventory.ListPlansResponse(),
    "ListDevices": inventory.ListDevicesResponse(),
    "GetPlan": inventory.GetPlanResponse(),
    "GetDevice": inventory.GetDeviceResponse(),
    "ListFunctions": inventory.ListFunctionsResponse(),
    "ExecuteFunction": task_service_pb2.ExecuteFunctionResponse(task=TASK),
    "UploadScript": task_service_pb2.UploadScriptResponse(task=TASK),
    "UpdateEnvironment": task_service_pb2.UpdateEnvironmentResponse(task=TASK),
    "GetTask": task_service_pb2.GetTaskResponse(status=ENDED),
    "ListTasks": task_service_pb2.ListTasksResponse(),
    "GetPermissions": permissions.GetPermissionsResponse(),
    "SetPermissions": permissions.SetPermissionsResponse(),
    "ReloadPermissions": permissions.ReloadPermissionsResponse(),
    "ValidateItems": planning.ValidateItemsResponse(verdicts=[planning.ItemVerdict(valid=True)]),
    "SimulateItem": planning.SimulateItemResponse(),
}
ANSWERS |= {
    "AcquireLock": lock.AcquireLockResponse(),
    "ReleaseLock": lock.ReleaseLockResponse(),
    "GetLock": lock.GetLockResponse(),
    "RenewLock": lock.RenewLockResponse(),
    "RequestLock": lock.RequestLockResponse(),
    "AnswerLockRequest": lock.AnswerLockRequestResponse(),
    "WithdrawLockRequest": lock.WithdrawLockRequestResponse(),
}
PLAN = '{"name": "count"}'
SCRIPT = str(Path(__file__).parent / "script.txt")
SCRIPT_TEXT = "print('hello')\n"
RULES = str(Path(__file__).parent / "rules.yaml")
STOP = {"itemType": "ITEM_TYPE_INSTRUCTION", "name": "queue_stop"}
PLAIN = {"itemType": "ITEM_TYPE_PLAN", "name": "count"}


def adding(place: dict[str, Any], item: dict[str, Any] = PLAIN) -> dict[str, Any]:
    return {"item": item, "position": place}


def updating(item: dict[str, Any] = PLAIN, **more: Any) -> dict[str, Any]:
    return {"itemUid": "x", "item": item, "updateMask": "*", **more}


QUESTION = "0f20785b-04a1-4ae1-b1c2-de487d4d0f4c"
SENT: list[tuple[list[str], str, dict[str, Any]]] = [
    (["status"], "GetStatus", {}),
    (["ping"], "GetStatus", {}),
    (["config"], "GetServerInfo", {}),
    (["manager", "stop"], "StopServer", {"mode": "STOP_MODE_WHEN_IDLE"}),
    (["manager", "stop", "safe", "on"], "StopServer", {"mode": "STOP_MODE_WHEN_IDLE"}),
    (["manager", "stop", "safe_on"], "StopServer", {"mode": "STOP_MODE_WHEN_IDLE"}),
    (["manager", "stop", "safe", "off"], "StopServer", {"mode": "STOP_MODE_AT_ONCE"}),
    (["manager", "stop", "safe_off"], "StopServer", {"mode": "STOP_MODE_AT_ONCE"}),
    (["why"], "ExplainIdle", {}),
    (["environment", "open"], "OpenEnvironment", {}),
    (["environment", "close"], "CloseEnvironment", {}),
    (["environment", "destroy"], "DestroyEnvironment", {}),
    (["queue", "add", "plan", PLAN], "AddItem", {"item": PLAIN}),
    (["queue", "add", "plan", "front", PLAN], "AddItem", adding({"front": True})),
    (["queue", "add", "plan", "back", PLAN], "AddItem", adding({"back": True})),
    (["queue", "add", "plan", "-2", PLAN], "AddItem", adding({"index": -2})),
    (["queue", "add", "plan", "before", "x", PLAN], "AddItem", adding({"beforeUid": "x"})),
    (["queue", "add", "plan", "after_uid", "x", PLAN], "AddItem", adding({"afterUid": "x"})),
    (["queue", "add", "instruction", "queue-stop"], "AddItem", {"item": STOP}),
    (["queue", "add", "instruction", "-2", "queue-stop"], "AddItem", adding({"index": -2}, STOP)),
    (["queue", "update", "plan", "x", PLAN], "UpdateItem", updating()),
    (["queue", "update", "instruction", "x", "queue-stop"], "UpdateItem", updating(STOP)),
    (["queue", "replace", "plan", "x", PLAN], "UpdateItem", updating(newUid=True)),
    (["queue", "replace", "instruction", "x", "queue-stop"], "UpdateItem", updating(STOP, newUid=True)),
    (["queue", "execute", "plan", PLAN], "ExecuteItem", {"item": PLAIN}),
    (["queue", "execute", "instruction", "queue-stop"], "ExecuteItem", {"item": STOP}),
    (["queue", "mode", "set"], "SetQueueMode", {}),
    (["queue", "mode", "set", "default"], "SetQueueMode", {"resetToDefaults": True}),
    (["queue", "mode", "set", "loop", "True"], "SetQueueMode", {"loop": True}),
    (
        ["queue", "mode", "set", "default", "loop", "off", "ignore_failures", "on", "interrupted", "hold"],
        "SetQueueMode",
        {"resetToDefaults": True, "loop": False, "ignoreFailures": True, "interrupted": "INTERRUPTED_POLICY_HOLD"},
    ),
    (["queue", "autostart", "enable"], "SetAutostart", {"enabled": True}),
    (["queue", "autostart", "disable"], "SetAutostart", {"enabled": False}),
    (["re", "pause"], "PausePlan", {"option": "PAUSE_OPTION_DEFERRED"}),
    (["re", "pause", "deferred"], "PausePlan", {"option": "PAUSE_OPTION_DEFERRED"}),
    (["re", "pause", "immediate"], "PausePlan", {"option": "PAUSE_OPTION_IMMEDIATE"}),
    (["re", "resume"], "ResumePlan", {}),
    (["re", "stop"], "StopPlan", {}),
    (["re", "abort"], "AbortPlan", {}),
    (["re", "abort", "now"], "AbortPlanNow", {}),
    (["re", "answer", "yes", QUESTION], "AnswerQuestion", {"text": "yes", "questionId": QUESTION}),
    (["re", "halt"], "HaltPlan", {}),
    (["re", "runs"], "ListRuns", {"filter": "RUN_FILTER_ACTIVE"}),
    (["re", "runs", "open"], "ListRuns", {"filter": "RUN_FILTER_OPEN"}),
    (["re", "metadata"], "GetMetadata", {}),
    (["lock", "environment"], "AcquireLock", {"environment": True}),
    (["lock", "queue", "in the hutch"], "AcquireLock", {"queue": True, "note": "in the hutch"}),
    (["lock", "all"], "AcquireLock", {"environment": True, "queue": True}),
    (["lock", "info"], "GetLock", {}),
    (["lock", "renew"], "RenewLock", {}),
    (["lock", "request", "environment"], "RequestLock", {"environment": True}),
    (["lock", "request", "queue"], "RequestLock", {"queue": True}),
    (["lock", "request", "all", "please"], "RequestLock", {"environment": True, "queue": True, "note": "please"}),
    (["lock", "withdraw"], "WithdrawLockRequest", {}),
    (["lock", "grant", "take it"], "AnswerLockRequest", {"answer": "LOCK_ANSWER_GRANT", "note": "take it"}),
    (["lock", "refuse"], "AnswerLockRequest", {"answer": "LOCK_ANSWER_REFUSE"}),
    (["unlock"], "ReleaseLock", {}),
    (["queue", "get"], "ListItems", {"pageSize": 10000}),
    (["queue", "clear"], "ClearQueue", {"all": True}),
    (["queue", "start"], "StartQueue", {}),
    (["queue", "stop"], "StopQueue", {}),
    (["queue", "stop", "cancel"], "CancelStopQueue", {}),
    (["queue", "item", "get"], "GetItem", {"address": {"back": True}}),
    (["queue", "item", "get", "front"], "GetItem", {"address": {"front": True}}),
    (["queue", "item", "get", "abc"], "GetItem", {"address": {"uid": "abc"}}),
    (["queue", "item", "remove", "-1"], "RemoveItem", {"address": {"index": -1}}),
    (
        ["queue", "item", "move", "0", "after", "x"],
        "MoveItem",
        {"source": {"index": 0}, "destination": {"afterUid": "x"}},
    ),
    (["queue", "item", "move", "x", "+3"], "MoveItem", {"source": {"uid": "x"}, "destination": {"index": 3}}),
    (["history", "get"], "ListHistory", {"pageSize": 1000}),
    (["history", "get", "5"], "ListHistory", {"pageSize": 5, "newestFirst": True}),
    (["history", "clear"], "ClearHistory", {"all": True}),
    (["history", "clear", "10"], "ClearHistory", {"keepNewest": 10}),
    (["history", "clear", "x"], "ClearHistory", {"upToItemUid": "x"}),
    (["allowed", "plans"], "ListPlans", {}),
    (["existing", "plans"], "ListPlans", {"existing": True}),
    (["allowed", "devices"], "ListDevices", {}),
    (["existing", "devices"], "ListDevices", {"existing": True}),
    (["allowed", "plans", "count"], "GetPlan", {"name": "count"}),
    (["existing", "plans", "count"], "GetPlan", {"name": "count", "existing": True}),
    (["allowed", "devices", "stage.x"], "GetDevice", {"name": "stage.x"}),
    (["existing", "devices", "det1"], "GetDevice", {"name": "det1", "existing": True}),
    (["allowed", "functions"], "ListFunctions", {}),
    (["existing", "functions"], "ListFunctions", {"existing": True}),
    (["plans"], "ListPlans", {}),
    (["plans", "count"], "GetPlan", {"name": "count"}),
    (["devices"], "ListDevices", {}),
    (["devices", "stage.x"], "GetDevice", {"name": "stage.x"}),
    (["functions"], "ListFunctions", {}),
    (["environment", "update"], "UpdateEnvironment", {}),
    (["environment", "update", "background"], "UpdateEnvironment", {"runInBackground": True}),
    (
        ["function", "execute", '{"name": "f", "args": [1], "kwargs": {"a": null}}'],
        "ExecuteFunction",
        {"function": {"name": "f", "args": [1.0], "kwargs": {"a": None}}},
    ),
    (
        ["function", "execute", "{'name': 'f', 'item_type': 'function'}", "background"],
        "ExecuteFunction",
        {"function": {"name": "f", "args": [], "kwargs": {}}, "runInBackground": True},
    ),
    (
        ["script", "upload", SCRIPT],
        "UploadScript",
        {"script": {"text": SCRIPT_TEXT, "updateLists": True, "name": "script.txt"}},
    ),
    (
        ["script", "upload", SCRIPT, "keep-lists", "update-re", "background"],
        "UploadScript",
        {
            "script": {"text": SCRIPT_TEXT, "updateLists": False, "updateRe": True, "name": "script.txt"},
            "runInBackground": True,
        },
    ),
    (["task", "status", "t"], "GetTask", {"taskUid": "t"}),
    (["task", "result", "t"], "GetTask", {"taskUid": "t"}),
    (["task", "list"], "ListTasks", {}),
    (["permissions", "get"], "GetPermissions", {}),
    (["permissions", "reload"], "ReloadPermissions", {"restorePermissions": True}),
    (
        ["permissions", "reload", "lists"],
        "ReloadPermissions",
        {"restorePermissions": True, "restorePlansDevices": True},
    ),
    (["permissions", "set", RULES], "SetPermissions", {"permissions": {"userGroups": {"root": {"allPlans": True}}}}),
    (["queue", "validate", "plan", PLAN], "ValidateItems", {"items": [PLAIN]}),
    (["queue", "simulate", "plan", PLAN], "SimulateItem", {"item": PLAIN}),
    (["queue", "simulate", "item", "x"], "SimulateItem", {"itemUid": "x"}),
]


@pytest.fixture
async def session(manager: ScriptedManager) -> AsyncIterator[Session]:
    async with AsyncClient(manager.address, lock_key="key") as client:
        yield Session(client, Printer((), as_json=False))


@pytest.mark.parametrize(("words", "method", "request_json"), SENT)
async def test_a_command_sends_what_it_says(
    manager: ScriptedManager, session: Session, words: list[str], method: str, request_json: dict[str, Any]
) -> None:
    manager.answers = ANSWERS
    command, rest = find(words)
    await command.parse(rest)(session)
    ((called, request, _),) = manager.calls
    sent = json_format.MessageToDict(request)
    sent.pop("requestId", None)
    assert (called, sent) == (method, request_json)


def test_every_command_of_the_help_is_tested_here() -> None:
    tested = {find(words)[0].words for words, _, _ in SENT}
    tested |= {
        ("watch",),
        ("monitor",),
        ("completion",),
        ("task", "wait"),
        ("environment", "report"),
        ("item",),
        ("item", "wait"),
        ("logs",),
        ("queue", "edit"),
    }  # elsewhere: they send more than one request
    assert {command.words for command in COMMANDS} == tested


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["kernel", "interrupt", "plan"], "There is no IPython kernel yet"),
        (["manager", "kill", "test"], "To end it: qserver manager stop"),
        (["start"], "Usage: qserver queue start"),
        (["monitor", "all"], "Too many words: 'all'"),
        (["manager", "stop", "now"], "'now' does not say how to stop"),
        (["config", "all"], "Too many words: 'all'"),
        (["bogus"], "Commands begin with: status, ping, config, manager, monitor, why, watch, completion, environment"),
        (["statsu"], "There is no command 'statsu': did you mean 'status'? Commands begin with"),
        (["pause"], "There is no command 'pause'. Usage: qserver re pause [deferred|immediate] [--wait]"),
        (["stop"], "\n  qserver re stop [--wait]"),
        (["queue"], "qserver queue get"),
        (["queue", "item"], "The command 'queue item' is not complete. Usage:\n  qserver queue item get"),
        (["queue", "item", "mov", "0"], "There is no command 'queue item mov'. Usage:\n  qserver queue item get"),
        (["queue", "ad", "plan"], "There is no command 'queue ad'"),
        (["environment", "opne"], "qserver environment open"),
        (["status", "now"], "Too many words: 'now'"),
        (["function", "execute"], "FUNC is missing"),
        (["function", "execute", "[1]"], "FUNC must be a dictionary"),
        (["function", "execute", "{}"], "FUNC needs a name"),
        (["function", "execute", '{"name": "f", "arg": 1}'], "unknown key 'arg'"),
        (["function", "execute", '{"name": "f", "args": 1}'], "a list under 'args'"),
        (["function", "execute", '{"name": "f"}', "later"], "'later' is not allowed here: only background"),
        (["function", "execute", "{"], "FUNC is neither JSON nor a Python literal"),
        (["script", "upload"], "FILE is missing"),
        (["script", "upload", "/no/such/file.py"], "can't be read"),
        (["script", "upload", SCRIPT, "twice"], "'twice' is not allowed here: only"),
        (["task", "status"], "UID is missing"),
        (["permissions"], "qserver permissions get"),
        (["permissions", "set", SCRIPT], "must have the key user_groups"),
        (["permissions", "reload", "all"], "'all' is not allowed here: only lists"),
        (["queue", "simulate", "item"], "UID is missing"),
        (["queue", "get", "all"], "Usage: qserver queue get"),
        (["queue", "add", "plan"], "PLAN is missing"),
        (["queue", "add", "plan", "middle", PLAN], "'middle' is not a place"),
        (["queue", "add", "plan", "before", PLAN], "'before' is not a place"),
        (["queue", "add", "plan", "before", "-1", PLAN], "'-1' is not the uid of an item"),
        (["queue", "add", "plan", "1", "2", PLAN], "'1 2' is not a place"),
        (["queue", "add", "plan", "1.5", PLAN], "'1.5' is not a place"),
        (["queue", "add", "instruction"], "The only instruction is queue-stop"),
        (["queue", "add", "instruction", "stop"], "The only instruction is queue-stop"),
        (["queue", "stop", "now"], "Too many words"),
        (["queue", "update", "plan", PLAN], "UID is missing"),
        (["queue", "update", "plan", "x", "y", PLAN], "Too many words: 'y'"),
        (["queue", "update", "plan", "-1", PLAN], "'-1' is not the uid of an item"),
        (["queue", "replace", "instruction", "x", "stop"], "The only instruction is queue-stop"),
        (["queue", "execute", "plan"], "PLAN is missing"),
        (["queue", "execute", "plan", "front", PLAN], "Too many words: 'front'"),
        (["queue", "mode", "set", "loop"], "The value of 'loop' is missing"),
        (["queue", "mode", "set", "loop", "maybe"], "say true or false"),
        (["queue", "mode", "set", "speed", "true"], "Modes are: loop, ignore_failures, interrupted"),
        (["queue", "mode", "set", "interrupted", "true"], "say requeue, hold, drop"),
        (["queue", "autostart", "on"], "qserver queue autostart enable"),
        (["re", "pause", "soon"], "say deferred or immediate"),
        (["re", "abort", "later"], "Too many words: 'later'"),
        (["re", "runs", "all"], "say active, open, closed"),
        (["why", "not"], "Too many words: 'not'"),
        (["queue", "item", "get", ""], "'' is not the uid of an item"),
        (["queue", "item", "get", "9" * 30], "is too large a number"),
        (["queue", "item", "get", "a", "b"], "Too many words: 'b'"),
        (["queue", "item", "move", "a"], "SRC or DEST is missing"),
        (["queue", "item", "move", "a", "b"], "'b' is not a place"),
        (["history", "clear", "1", "2"], "Too many words: '2'"),
        (["history", "clear", "-1"], "'-1' is not a number of items to keep"),
        (["watch", "everything"], "Kinds are: status, queue, history, console, document"),
    ],
)
def test_wrong_words_are_refused_with_what_would_be_right(words: list[str], sentence: str) -> None:
    def parse() -> None:
        command, rest = find(words)
        command.parse(rest)

    with pytest.raises(WrongCommand) as caught:
        parse()
    assert sentence in str(caught.value)


HINT = "the shell has taken them away: put the whole of it into single quotes"


@pytest.mark.parametrize(
    "words",
    [
        ["queue", "add", "plan", "{name: count}"],
        ["queue", "add", "plan", "front", "{name: count, args: [[det1]]}"],
        ["queue", "add", "plan", "{name:", "count,", "args:", "[[det1]]}"],
        ["queue", "add", "plan", '{"name": count}'],
        ["queue", "validate", "plan", '{"name": "count", "args": [[det1]]}'],
        ["function", "execute", "{name:", "f}"],
    ],
)
def test_json_that_the_shell_has_taken_the_quotes_from_gets_the_hint_to_quote(words: list[str]) -> None:
    command, rest = find(words)
    with pytest.raises(WrongCommand, match=HINT):
        command.parse(rest)


@pytest.mark.parametrize(
    "plan", ['{"name": "count", "args": [["det1"]', '{"name": true, "args": null', "{'a': 1,, 'b': 2}"]
)
def test_json_that_is_wrong_in_another_way_gets_no_hint_to_quote(plan: str) -> None:
    command, rest = find(["queue", "add", "plan", plan])
    with pytest.raises(WrongCommand) as caught:
        command.parse(rest)
    assert HINT not in str(caught.value)


@pytest.mark.parametrize("command", [each for each in COMMANDS if not each.parameters], ids=lambda each: each.name)
def test_behind_a_command_without_parameters_nothing_may_stand(command: Command) -> None:
    assert inspect.iscoroutinefunction(command.parse([]))
    with pytest.raises(WrongCommand, match=f"Too many words: 'more'.\nUsage: qserver {command.name}"):
        command.parse(["more"])
