"""Waits until both servers are at rest after a call that only starts something, so that they can be compared again."""

from __future__ import annotations

from typing import Final

from tests.zmq_bridge.differential.pair import Call, Pair
from tests.zmq_bridge.differential.side import Answer, Side

#: Calls that start something which goes on after their answer.
_STARTING: Final = {
    "environment_open",
    "environment_close",
    "environment_destroy",
    "queue_start",
    "queue_item_execute",
    "queue_autostart",
    "re_resume",
    "re_stop",
    "re_abort",
    "re_halt",
}
TASKS: Final = {"environment_update", "script_upload", "function_execute"}
_ADDING: Final = {"queue_item_add", "queue_item_add_batch"}
_PERMISSIONS: Final = {"permissions_set", "permissions_reload"}
#: The plan and the function of startup code that wait until they may go on.
GATED_PLAN: Final = "gated"
GATED_FUNCTION: Final = "wait_at_gate"


def settle(pair: Pair, call: Call) -> None:
    """Wait for what a call started, if it started something on both sides."""
    if call.real.get("success") is not True or call.ours.get("success") is not True:
        return
    if call.method in TASKS:
        _wait_for_task(pair, call)
    elif call.method == "re_pause":
        if call.params.get("option") == "immediate":
            _wait(pair, "paused", lambda _, status: status["manager_state"] != "executing_queue")
        return
    elif call.method in _PERMISSIONS:
        _wait_for_lists(pair, call)
    elif call.method in _STARTING or (call.method in _ADDING and call.before.get("queue_autostart_enabled")):
        _wait(pair, f"at rest after {call}", lambda side, status: is_at_rest(pair, side, status))


def at_rest(pair: Pair) -> None:
    """Wait until nothing happens by itself on either side."""
    _wait(pair, "at rest", lambda side, status: is_at_rest(pair, side, status))


def is_at_rest(pair: Pair, side: Side, status: Answer) -> bool:
    """Nothing happens by itself: idle, paused, or waiting at the gate."""
    state, environment = status["manager_state"], status["worker_environment_state"]
    exists = status["worker_environment_exists"]
    if state == "paused":
        return bool(status["re_state"] == "paused")
    if state == "executing_task":
        return bool(environment == "executing_task")
    if state == "executing_queue":
        return environment == "executing_plan" and status["re_state"] == "running" and _is_gated(side)
    if state != "idle" or status["worker_background_tasks"] != pair.background:
        return False
    if exists and (environment != "idle" or status["re_state"] not in {None, "idle"}):
        return False
    if not exists and environment != "closed":
        return False
    will_start = status["queue_autostart_enabled"] and status["items_in_queue"] and exists
    return not will_start


def _is_gated(side: Side) -> bool:
    return side.ask("queue_get")["running_item"].get("name") == GATED_PLAN and any(
        run["is_open"] for run in side.ask("re_runs")["run_list"]
    )


def _wait_for_task(pair: Pair, call: Call) -> None:
    uid = call.real["task_uid"]
    gated = call.params.get("item", {}).get("name") == GATED_FUNCTION
    if gated and call.params.get("run_in_background"):
        pair.background += 1
        _wait(pair, "a task in the background", lambda _, status: status["worker_background_tasks"] == pair.background)
    elif gated:
        at_rest(pair)
    else:
        uids = {pair.real: uid, pair.ours: pair.partners.for_ours(uid)}
        _wait(
            pair,
            f"the end of the task of {call}",
            lambda side, _: side.ask("task_status", task_uid=uids[side])["status"] == "completed",
        )
        _wait(pair, "no task", lambda _, status: status["worker_background_tasks"] == pair.background)
        if not call.params.get("run_in_background"):
            at_rest(pair)


def _wait_for_lists(pair: Pair, call: Call) -> None:
    """The real server has its environment compute its lists again, as a task that nobody started."""
    before = call.before
    if not before.get("worker_environment_exists") or pair.real.status()["plans_allowed_uid"] == before.get(
        "plans_allowed_uid"
    ):
        return
    pair.real.wait_until(lambda status: status["task_results_uid"] != before["task_results_uid"], "lists")


def _wait(pair: Pair, what: str, met: object) -> None:
    for side in pair.sides:
        side.wait_until(lambda status, side=side: met(side, status), what)  # type: ignore[operator, misc]
