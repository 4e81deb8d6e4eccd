"""What a call has started is in the next status of either server, although it goes on."""

from __future__ import annotations

from typing import Any

from tests.zmq_bridge.differential.pair import Pair
from tests.zmq_bridge.differential.settling import GATED_FUNCTION, at_rest
from tests.zmq_bridge.differential.states import GATED, WHO, bring_into, do

_QUEUE = {"starting_queue", "executing_queue"}


def _next(pair: Pair, method: str, states: set[str], **params: Any) -> None:
    """Make a call on each side alone and look at once: it goes on, or has opened or closed an environment already."""
    for side in pair.sides:
        existed = side.status()["worker_environment_exists"]
        assert side.ask(method, **params)["success"] is True, side.name
        status = side.status()
        assert status["manager_state"] in states or status["worker_environment_exists"] != existed, side.name
    at_rest(pair)


def test_an_environment_that_opens_and_closes(pair: Pair) -> None:
    bring_into(pair, "closed")
    _next(pair, "environment_open", {"creating_environment"})
    _next(pair, "environment_close", {"closing_environment"})
    _next(pair, "environment_open", {"creating_environment"})
    _next(pair, "environment_destroy", {"destroying_environment"})


def test_a_plan_that_starts_pauses_and_ends(pair: Pair) -> None:
    bring_into(pair, "open")
    do(pair, "queue_clear")
    do(pair, "queue_item_add", item=GATED, **WHO)
    _next(pair, "queue_start", _QUEUE)
    for side in pair.sides:
        assert side.ask("re_pause", option="deferred")["success"] is True
        assert side.status()["pause_pending"] is True, side.name
        assert side.ask("re_pause", option="immediate")["success"] is True
    for side in pair.sides:
        side.wait_until(lambda status: status["manager_state"] == "paused", "paused")
    _next(pair, "re_resume", {"executing_queue"})
    for side in pair.sides:
        assert side.ask("queue_stop")["success"] is True
        assert side.status()["queue_stop_pending"] is True, side.name


def test_a_task_that_starts(pair: Pair) -> None:
    bring_into(pair, "open")
    item = {"item_type": "function", "name": GATED_FUNCTION}
    _next(pair, "function_execute", {"executing_task"}, item=item, **WHO)
