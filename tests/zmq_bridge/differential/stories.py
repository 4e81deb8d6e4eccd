"""What tests of whole stories do with both servers at once."""

from __future__ import annotations

from typing import Any, Final

from tests.zmq_bridge.differential.pair import Pair
from tests.zmq_bridge.differential.settling import at_rest, is_at_rest
from tests.zmq_bridge.differential.side import Answer, Side
from tests.zmq_bridge.differential.states import WHO, do

FAILING: Final[dict[str, Any]] = {"item_type": "plan", "name": "failing"}
COUNT: Final[dict[str, Any]] = {"item_type": "plan", "name": "count", "args": [["det1", "det2"]], "kwargs": {"num": 2}}
STOP: Final[dict[str, Any]] = {"item_type": "instruction", "name": "queue_stop"}


def add(pair: Pair, *items: dict[str, Any]) -> None:
    """Put items at the back of the queue."""
    for item in items:
        do(pair, "queue_item_add", item=item, **WHO)


def look(pair: Pair) -> None:
    """Compare everything that can be read."""
    for method in ("status", "queue_get", "history_get", "re_runs", "lock_info"):
        pair.ask(method)
    for option in ("open", "closed"):
        pair.ask("re_runs", option=option)


def pass_gate(pair: Pair) -> None:
    """Let the plan that waits go on, and wait until it has ended, or has been paused, and nothing goes on."""
    ended = {side: side.status()["items_in_history"] for side in pair.sides}
    for side in pair.sides:
        side.open_gate()

    def is_met(side: Side, status: Answer) -> bool:
        is_over = status["manager_state"] == "paused" or status["items_in_history"] > ended[side]
        return is_over and is_at_rest(pair, side, status)

    for side in pair.sides:
        side.wait_until(lambda status, side=side: is_met(side, status), "the end of the plan at the gate")
    look(pair)


def end_task(pair: Pair, task_uid: str) -> None:
    """Let the task that waits go on, and wait for its end."""
    uids = {pair.real: task_uid, pair.ours: pair.partners.for_ours(task_uid)}
    for side in pair.sides:
        side.open_task_gate()
    for side in pair.sides:
        side.wait_until(
            lambda _, side=side: side.ask("task_status", task_uid=uids[side])["status"] == "completed", "the task"
        )
    if pair.background:
        pair.background -= 1
    at_rest(pair)
    look(pair)
    pair.ask("task_status", task_uid=task_uid)
    pair.ask("task_result", task_uid=task_uid)
