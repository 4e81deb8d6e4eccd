"""Functions, scripts and updates: what becomes of them is told alike."""

from __future__ import annotations

from typing import Any

import pytest

from tests.zmq_bridge.differential.pair import Pair
from tests.zmq_bridge.differential.states import WHO, bring_into, do
from tests.zmq_bridge.differential.stories import end_task, look

_GATED = {"item_type": "function", "name": "wait_at_gate"}


def _function(name: str, *args: Any, **kwargs: Any) -> dict[str, Any]:
    return {"item_type": "function", "name": name, "args": list(args), "kwargs": kwargs}


def _result(pair: Pair, answer: dict[str, Any]) -> None:
    uid = answer["task_uid"]
    for wanted in (uid, [uid]):
        pair.ask("task_status", task_uid=wanted)
    pair.ask("task_result", task_uid=uid)


@pytest.mark.parametrize("in_background", [False, True])
@pytest.mark.parametrize(
    "item",
    [
        _function("add", 1, 2),
        _function("add", "a", second="b"),
        _function("add", 1, "a"),
        _function("give", {"a": [1, 2.5, None, True, "x", {"b": []}], "": 0}),
        _function("give"),
        _function("give", 1 - 2**53),
        _function("fail"),
        _function("fail", "another text"),
        _function("give_object"),
        _function("give", "det1"),
        _function("missing"),
        _function("add"),
        {"item_type": "function", "name": "give"},
    ],
    ids=lambda item: f"{item['name']}{item.get('args', '')}",
)
def test_a_function_is_executed(pair: Pair, item: dict[str, Any], in_background: bool) -> None:
    bring_into(pair, "open")
    _result(pair, do(pair, "function_execute", item=item, run_in_background=in_background, **WHO))
    look(pair)


@pytest.mark.parametrize("group", ["primary", "visitors"])
@pytest.mark.parametrize("name", ["add", "give", "forbidden_function", "_hidden"])
def test_a_function_is_executed_if_the_group_may(pair: Pair, name: str, group: str) -> None:
    bring_into(pair, "open")
    do(pair, "function_execute", item=_function(name, 1), user="somebody", user_group=group)


@pytest.mark.parametrize("state", ["open", "running", "paused", "task"])
@pytest.mark.parametrize(
    "script",
    [
        "value = 1",
        "",
        "raise ValueError('on purpose')",
        "this is no Python",
        "import missing_module",
        "print('é\\u2713')",
    ],
)
def test_a_script_is_executed_in_the_background_in_any_state(pair: Pair, state: str, script: str) -> None:
    bring_into(pair, state)
    _result(pair, do(pair, "script_upload", script=script, run_in_background=True, update_lists=False))
    look(pair)


def test_scripts_change_plans_and_devices(pair: Pair) -> None:
    bring_into(pair, "open")
    for script, updates in (
        ("def new_plan(a: int = 1):\n    yield from bps.null()\n", True),
        ("def hidden_plan():\n    yield from bps.null()\n", False),
        ("del new_plan", True),
        ("del hidden_plan", True),
        ("a = 1", True),
    ):
        _result(pair, do(pair, "script_upload", script=script, update_lists=updates))
        pair.ask("plans_existing")
        pair.ask("plans_allowed", user_group="primary")
        look(pair)
    _result(pair, do(pair, "environment_update"))
    _result(pair, do(pair, "environment_update", run_in_background=True))
    look(pair)


def test_a_task_is_waited_for(pair: Pair) -> None:
    bring_into(pair, "open")
    uid = do(pair, "function_execute", item=_GATED, **WHO)["task_uid"]
    pair.ask("task_result", task_uid=uid)
    look(pair)
    end_task(pair, uid)


def test_tasks_wait_in_the_background_of_a_plan(pair: Pair) -> None:
    bring_into(pair, "running")
    uid = do(pair, "function_execute", item=_GATED, run_in_background=True, **WHO)["task_uid"]
    pair.ask("task_result", task_uid=uid)
    look(pair)


@pytest.mark.parametrize("ending", ["environment_close", "environment_destroy"])
@pytest.mark.parametrize("in_background", [False, True])
def test_a_task_ends_with_its_environment(pair: Pair, ending: str, in_background: bool) -> None:
    bring_into(pair, "open")
    answer = do(pair, "function_execute", item=_GATED, run_in_background=in_background, **WHO)
    pair.background = 0
    ended = do(pair, ending)
    if ended["success"]:
        _result(pair, answer)
        look(pair)
