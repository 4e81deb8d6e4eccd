"""The states in which calls are compared, and how both servers get there and back."""

from __future__ import annotations

from typing import Any, Final

from tests.zmq_bridge.differential.pair import Pair
from tests.zmq_bridge.differential.settling import GATED_FUNCTION, GATED_PLAN, at_rest, settle

WHO: Final[dict[str, Any]] = {"user": "somebody", "user_group": "primary"}
KEY: Final = "the key"
#: All keys that are used.
KEYS: Final = (KEY, "another", "x")
_LOCK: Final[dict[str, Any]] = {"user": "holder", "environment": True, "queue": True, "note": "aligning"}
STATES: Final = ("closed", "open", "running", "paused", "task", "locked")
NOTHING: Final[dict[str, Any]] = {"item_type": "plan", "name": "nothing"}
GATED: Final[dict[str, Any]] = {"item_type": "plan", "name": GATED_PLAN}
_COUNT: Final[dict[str, Any]] = {
    "item_type": "plan",
    "name": "count",
    "args": [["det1"]],
    "kwargs": {"num": 2},
    "meta": {"sample": "a"},
}
_STOP: Final = {"item_type": "instruction", "name": "queue_stop"}


def do(pair: Pair, method: str, /, **params: Any) -> dict[str, Any]:
    """Make a call on both, wait for what it starts, and look at the status."""
    call = pair.call(method, params)
    settle(pair, call)
    pair.ask("status")
    return call.real


def fill(pair: Pair) -> None:
    """Put four different items into the queue."""
    items = [NOTHING, _COUNT, _STOP, {**NOTHING, "args": [], "kwargs": {}}]
    pair.ask("queue_item_add_batch", items=items, **WHO, **pair.key)
    pair.ask("status")


def realign(pair: Pair) -> None:
    """After a difference: the same in both queues again, and uids mean what they do from now on."""
    at_rest(pair)
    empty(pair)


def empty(pair: Pair) -> None:
    """Clear queue, history, mode and locks on both, in whatever state they are, and lock again what was locked."""
    for side in pair.sides:
        for key in KEYS:
            side.ask("unlock", lock_key=key)
        side.ask("queue_autostart", enable=False)
        side.ask("queue_mode_set", mode="default")
        side.ask("queue_clear")
        side.ask("history_clear")
        if pair.key:
            side.ask("lock", **pair.key, **_LOCK)
    _restore_permissions(pair)
    pair.forget()
    pair.ask("status")


def _restore_permissions(pair: Pair) -> None:
    if not pair.permissions_changed:
        return
    pair.permissions_changed = False
    before = pair.real.status()
    for side in pair.sides:
        for key in KEYS:
            side.ask("unlock", lock_key=key)
        side.ask("permissions_reload")
        if pair.key:
            side.ask("lock", **pair.key, **_LOCK)
    if before["worker_environment_exists"]:
        pair.real.wait_until(lambda status: status["task_results_uid"] != before["task_results_uid"], "lists")


def bring_into(pair: Pair, state: str) -> None:
    """From idle with an empty queue to a state, with items in the queue."""
    exists = pair.ask("status")["worker_environment_exists"]
    if state == "closed" and exists:
        do(pair, "environment_close")
    if state != "closed" and not exists:
        do(pair, "environment_open")
    if state in {"running", "paused"}:
        do(pair, "queue_item_add", item=GATED, **WHO)
        do(pair, "queue_start")
    if state == "paused":
        do(pair, "re_pause", option="immediate")
    if state == "task":
        do(pair, "function_execute", item={"item_type": "function", "name": GATED_FUNCTION}, **WHO)
    fill(pair)
    if state == "locked":
        pair.key = {"lock_key": KEY}
        do(pair, "lock", **pair.key, **_LOCK)


def bring_back(pair: Pair) -> None:
    """From any state to idle, with an empty queue and history, unlocked."""
    for side in pair.sides:
        for key in KEYS:
            side.ask("unlock", lock_key=key)
        side.ask("queue_mode_set", mode="default")
        side.ask("queue_autostart", enable=False)
        side.ask("queue_clear")
        _end_what_runs(side)
    pair.key, pair.background = {}, 0
    at_rest(pair)
    _restore_permissions(pair)
    for side in pair.sides:
        side.ask("queue_clear")
        side.ask("history_clear")
    pair.forget()
    pair.ask("status")


def _end_what_runs(side: Any) -> None:
    status = side.status()
    for _ in range(status["worker_background_tasks"]):
        side.open_task_gate()
    state = status["manager_state"]
    if state in {"executing_queue", "starting_queue"}:
        side.ask("re_pause", option="immediate")
        side.wait_until(lambda now: now["manager_state"] in {"paused", "idle"}, "paused")
        state = side.status()["manager_state"]
    if state == "paused":
        side.ask("re_abort")
    elif state == "executing_task":
        side.open_task_gate()
    side.wait_until(lambda now: now["manager_state"] == "idle" and not now["worker_background_tasks"], "idle")
    side.close_gates()
