from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from google.protobuf import json_format
from queueserver.common.v1 import item_pb2
from queueserver.manager.v1 import environment_service_pb2 as environment
from queueserver.manager.v1 import history_service_pb2 as history
from queueserver.manager.v1 import inventory_service_pb2 as inventory
from queueserver.manager.v1 import queue_service_pb2 as queue
from queueserver.manager.v1 import status_service_pb2 as status
from queueserver_cli.grammar import COMMANDS, find
from queueserver_cli.outcome import WrongCommand
from queueserver_cli.printer import Printer
from queueserver_cli.session import Session
from queueserver_client import AsyncClient

from tests.unit.client.scripted_manager import ScriptedManager

ITEM = item_pb2.Item(name="count", item_uid="u")
ANSWERS: dict[str, Any] = {
    "GetStatus": status.GetStatusResponse(),
    "AddItem": queue.AddItemResponse(item=ITEM, queue_size=1),
    "ListItems": queue.ListItemsResponse(items=[ITEM]),
    "GetItem": queue.GetItemResponse(item=ITEM, index=0),
    "RemoveItem": queue.RemoveItemResponse(item=ITEM),
    "MoveItem": queue.MoveItemResponse(item=ITEM),
    "ClearQueue": queue.ClearQueueResponse(),
    "StartQueue": queue.StartQueueResponse(),
    "StopQueue": queue.StopQueueResponse(),
    "CancelStopQueue": queue.CancelStopQueueResponse(),
    "Open": environment.OpenResponse(),
    "Close": environment.CloseResponse(),
    "Destroy": environment.DestroyResponse(),
    "ListHistory": history.ListHistoryResponse(),
    "ClearHistory": history.ClearHistoryResponse(),
    "ListPlans": inventory.ListPlansResponse(),
    "ListDevices": inventory.ListDevicesResponse(),
}
PLAN = '{"name": "count"}'
STOP = {"itemType": "ITEM_TYPE_INSTRUCTION", "name": "queue_stop"}
PLAIN = {"itemType": "ITEM_TYPE_PLAN", "name": "count"}


def adding(place: dict[str, Any], item: dict[str, Any] = PLAIN) -> dict[str, Any]:
    return {"item": item, "position": place}


SENT: list[tuple[list[str], str, dict[str, Any]]] = [
    (["status"], "GetStatus", {}),
    (["environment", "open"], "Open", {}),
    (["environment", "close"], "Close", {}),
    (["environment", "destroy"], "Destroy", {}),
    (["queue", "add", "plan", PLAN], "AddItem", {"item": PLAIN}),
    (["queue", "add", "plan", "front", PLAN], "AddItem", adding({"front": {}})),
    (["queue", "add", "plan", "back", PLAN], "AddItem", adding({"back": {}})),
    (["queue", "add", "plan", "-2", PLAN], "AddItem", adding({"index": "-2"})),
    (["queue", "add", "plan", "before", "x", PLAN], "AddItem", adding({"beforeUid": "x"})),
    (["queue", "add", "plan", "after_uid", "x", PLAN], "AddItem", adding({"afterUid": "x"})),
    (["queue", "add", "instruction", "queue-stop"], "AddItem", {"item": STOP}),
    (["queue", "add", "instruction", "-2", "queue-stop"], "AddItem", adding({"index": "-2"}, STOP)),
    (["queue", "get"], "ListItems", {"pageSize": 10000}),
    (["queue", "clear"], "ClearQueue", {}),
    (["queue", "start"], "StartQueue", {}),
    (["queue", "stop"], "StopQueue", {}),
    (["queue", "stop", "cancel"], "CancelStopQueue", {}),
    (["queue", "item", "get"], "GetItem", {"address": {"back": {}}}),
    (["queue", "item", "get", "front"], "GetItem", {"address": {"front": {}}}),
    (["queue", "item", "get", "abc"], "GetItem", {"address": {"uid": "abc"}}),
    (["queue", "item", "remove", "-1"], "RemoveItem", {"address": {"index": "-1"}}),
    (
        ["queue", "item", "move", "0", "after", "x"],
        "MoveItem",
        {"source": {"index": "0"}, "destination": {"afterUid": "x"}},
    ),
    (["queue", "item", "move", "x", "+3"], "MoveItem", {"source": {"uid": "x"}, "destination": {"index": "3"}}),
    (["history", "get"], "ListHistory", {"pageSize": 1000}),
    (["history", "clear"], "ClearHistory", {}),
    (["history", "clear", "10"], "ClearHistory", {"keepNewest": "10"}),
    (["history", "clear", "-1"], "ClearHistory", {"keepNewest": "-1"}),
    (["history", "clear", "x"], "ClearHistory", {"upToItemUid": "x"}),
    (["allowed", "plans"], "ListPlans", {}),
    (["existing", "plans"], "ListPlans", {"existing": True}),
    (["allowed", "devices"], "ListDevices", {}),
    (["existing", "devices"], "ListDevices", {"existing": True}),
]


@pytest.fixture
async def session(manager: ScriptedManager) -> AsyncIterator[Session]:
    async with AsyncClient(manager.address) as client:
        yield Session(client, Printer((), as_json=False), wait=False)


@pytest.mark.parametrize(("words", "method", "request_json"), SENT)
async def test_a_command_sends_what_it_says(
    manager: ScriptedManager, session: Session, words: list[str], method: str, request_json: dict[str, Any]
) -> None:
    manager.answers = ANSWERS
    command, rest = find(words)
    answer = await command.parse(rest)(session)
    assert answer is not None
    ((called, request, _),) = manager.calls
    assert (called, json_format.MessageToDict(request)) == (method, request_json)


def test_every_command_of_the_help_is_tested_here() -> None:
    tested = {find(words)[0].words for words, _, _ in SENT} | {("watch",)}
    assert {command.words for command in COMMANDS} == tested


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["bogus"], "Commands begin with: status, watch, environment"),
        (["queue"], "qserver queue get"),
        (["queue", "ad", "plan"], "There is no command 'queue ad'"),
        (["environment", "opne"], "qserver environment open"),
        (["--bogus", "status"], "There is no option '--bogus'"),
        (["status", "now"], "Too many words: 'now'"),
        (["queue", "get", "all"], "Right is: qserver queue get"),
        (["queue", "add", "plan"], "PLAN is missing"),
        (["queue", "add", "plan", "middle", PLAN], "'middle' is not a place"),
        (["queue", "add", "plan", "before", PLAN], "'before' is not a place"),
        (["queue", "add", "plan", "before", "-1", PLAN], "'-1' stands where the uid"),
        (["queue", "add", "plan", "1", "2", PLAN], "'1 2' is not a place"),
        (["queue", "add", "plan", "1.5", PLAN], "'1.5' is not a place"),
        (["queue", "add", "instruction"], "The only instruction is queue-stop"),
        (["queue", "add", "instruction", "stop"], "The only instruction is queue-stop"),
        (["queue", "stop", "now"], "Too many words"),
        (["queue", "item", "get", ""], "'' stands where the uid"),
        (["queue", "item", "get", "9" * 30], "is too large a number"),
        (["queue", "item", "get", "a", "b"], "Too many words: 'b'"),
        (["queue", "item", "move", "a"], "SRC or DEST is missing"),
        (["queue", "item", "move", "a", "b"], "'b' is not a place"),
        (["history", "clear", "1", "2"], "Too many words: '2'"),
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
