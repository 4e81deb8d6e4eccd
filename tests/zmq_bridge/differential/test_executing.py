"""Plans that run, fail, pause and end in every way: states, history and queue are alike after each step."""

from __future__ import annotations

import pytest

from tests.zmq_bridge.differential.pair import Pair
from tests.zmq_bridge.differential.states import GATED, NOTHING, WHO, bring_into, do
from tests.zmq_bridge.differential.stories import COUNT, FAILING, STOP, add, look, pass_gate

_MODES = ({}, {"loop": True}, {"ignore_failures": True}, {"loop": True, "ignore_failures": True})


def test_an_environment_opens_closes_and_is_destroyed(pair: Pair) -> None:
    for method in ("environment_close", "environment_open", "environment_destroy", "environment_open"):
        do(pair, method)
        look(pair)
        for name in ("plans", "devices"):
            pair.ask(f"{name}_existing")
            pair.ask(f"{name}_allowed", user_group="primary")
    bring_into(pair, "closed")
    look(pair)


def test_plans_run_until_one_fails(pair: Pair) -> None:
    bring_into(pair, "open")
    do(pair, "queue_clear")
    add(pair, NOTHING, COUNT, FAILING, NOTHING)
    do(pair, "queue_start")
    look(pair)
    do(pair, "queue_item_remove", pos="front")
    do(pair, "queue_start")
    look(pair)
    do(pair, "queue_start")
    look(pair)


def test_failures_are_ignored_when_asked_for(pair: Pair) -> None:
    bring_into(pair, "open")
    do(pair, "queue_clear")
    do(pair, "queue_mode_set", mode={"ignore_failures": True})
    add(pair, FAILING, NOTHING)
    do(pair, "queue_start")
    look(pair)


def test_a_loop_ends_at_an_instruction(pair: Pair) -> None:
    bring_into(pair, "open")
    do(pair, "queue_clear")
    do(pair, "queue_mode_set", mode={"loop": True})
    add(pair, NOTHING, COUNT, STOP)
    for _ in range(2):
        do(pair, "queue_start")
        look(pair)


def test_a_stop_waits_for_the_end_of_the_plan(pair: Pair) -> None:
    bring_into(pair, "running")
    do(pair, "queue_stop")
    do(pair, "queue_stop")
    do(pair, "queue_stop_cancel")
    do(pair, "queue_stop")
    pass_gate(pair)
    do(pair, "queue_stop_cancel")


@pytest.mark.parametrize("mode", _MODES, ids=str)
@pytest.mark.parametrize("ending", ["re_stop", "re_abort", "re_halt", "environment_destroy"])
def test_a_paused_plan_is_ended(pair: Pair, ending: str, mode: dict[str, bool]) -> None:
    bring_into(pair, "open")
    do(pair, "queue_clear")
    add(pair, GATED, STOP, NOTHING)
    do(pair, "queue_mode_set", mode=mode)
    do(pair, "queue_start")
    do(pair, "re_pause", option="immediate")
    look(pair)
    do(pair, ending)
    look(pair)


def test_a_paused_plan_goes_on(pair: Pair) -> None:
    bring_into(pair, "paused")
    do(pair, "re_resume")
    look(pair)
    do(pair, "re_pause", option="immediate")
    do(pair, "re_resume")
    pass_gate(pair)


def test_a_deferred_pause_waits_for_a_checkpoint(pair: Pair) -> None:
    bring_into(pair, "running")
    do(pair, "re_pause")
    look(pair)
    do(pair, "re_pause", option="deferred")
    pass_gate(pair)
    do(pair, "re_resume")
    look(pair)


def test_a_plan_in_a_destroyed_environment_has_failed(pair: Pair) -> None:
    bring_into(pair, "running")
    do(pair, "environment_destroy")
    look(pair)


@pytest.mark.parametrize("mode", _MODES, ids=str)
@pytest.mark.parametrize("item", [NOTHING, COUNT, FAILING, STOP], ids=lambda item: item["name"])
def test_an_item_is_executed_now(pair: Pair, item: dict[str, object], mode: dict[str, bool]) -> None:
    bring_into(pair, "open")
    do(pair, "queue_mode_set", mode=mode)
    do(pair, "queue_item_execute", item=item, **WHO)
    look(pair)


@pytest.mark.parametrize("ending", ["re_resume", "re_stop", "re_abort", "re_halt", "environment_destroy"])
def test_an_item_that_is_executed_now_is_paused_and_ended(pair: Pair, ending: str) -> None:
    bring_into(pair, "open")
    do(pair, "queue_item_execute", item=GATED, **WHO)
    look(pair)
    do(pair, "re_pause", option="immediate")
    look(pair)
    do(pair, ending)
    look(pair)
    if ending == "re_resume":
        pass_gate(pair)


def test_autostart_starts_what_is_added_until_something_fails(pair: Pair) -> None:
    bring_into(pair, "open")
    do(pair, "queue_clear")
    do(pair, "queue_autostart", enable=True)
    add(pair, NOTHING, COUNT)
    look(pair)
    add(pair, FAILING)
    look(pair)
    do(pair, "queue_clear")
    add(pair, NOTHING)
    do(pair, "queue_autostart", enable=True)
    look(pair)
    add(pair, STOP)
    look(pair)


def test_the_history_is_trimmed(pair: Pair) -> None:
    bring_into(pair, "open")
    do(pair, "queue_clear")
    add(pair, *[NOTHING] * 5)
    do(pair, "queue_start")
    items = pair.ask("history_get")["items"]
    for params in (
        {"size": 9},
        {"size": 5},
        {"size": 4},
        {"item_uid": items[2]["item_uid"]},
        {"item_uid": items[0]["item_uid"]},
        {"size": 0},
    ):
        do(pair, "history_clear", **params)
        look(pair)
