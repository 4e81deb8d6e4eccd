"""How the differences of the table are recognised: each function says whether a mismatch is that difference."""

from __future__ import annotations

import re
from typing import Any, Final

from tests.zmq_bridge.differential.comparison import MISSING, Mismatch
from tests.zmq_bridge.differential.pair import Call

_SUBMITTING: Final = {
    "queue_item_add",
    "queue_item_add_batch",
    "queue_item_update",
    "queue_item_execute",
    "function_execute",
}
_PERMISSIONS: Final = {"permissions_set", "permissions_reload"}
_LISTS: Final = ("plans_allowed_uid", "devices_allowed_uid", "plans_existing_uid", "devices_existing_uid")
#: Which calls give there a new uid to what they leave as it was.
_RENEWED: Final = {
    "plan_queue_uid": {"queue_item_move", "queue_item_move_batch", "queue_item_add_batch", "queue_clear"},
    "plan_history_uid": {"history_clear"},
    **{name: {"permissions_reload"} for name in _LISTS},
    "run_list_uid": {"queue_start", "queue_item_execute", "queue_item_add", "queue_autostart", "re_resume"},
}
#: How Python begins to say what is wrong.
_PYTHON: Final = re.compile(
    r"unhashable type|object is not (iterable|subscriptable|callable)|argument of type|has no attribute"
    r"|must be a mapping|Invalid input of type|expected string or bytes-like|Runtime error|not supported between"
    r"|indices must be|unsupported operand|takes .* positional argument|'name'\n"
)
_LARGEST: Final = 2**53


def item_as_submitted(call: Call, mismatch: Mismatch) -> bool:
    """An item that could not be taken comes back."""
    return call.method in _SUBMITTING and _both_failed(call) and mismatch.path[0] in {"item", "items"}


def python_text(call: Call, mismatch: Mismatch) -> bool:
    """The message there is that of an exception."""
    return _both_failed(call) and mismatch.path[-1] == "msg" and _PYTHON.search(str(mismatch.real)) is not None


def user_is_no_text(call: Call, mismatch: Mismatch) -> bool:
    """The user comes back as text."""
    user = call.params.get("user", "")
    return call.method in _SUBMITTING and not isinstance(user, str) and mismatch.path[-1] == "user"


def user_is_empty(call: Call, _: Mismatch) -> bool:
    """The user has no name."""
    return call.method in _SUBMITTING and call.params.get("user") == "" and not call.ours["success"]


def meta_is_merged(_: Call, mismatch: Mismatch) -> bool:
    """A list of metadata."""
    return "meta" in mismatch.path and isinstance(mismatch.real, list) and isinstance(mismatch.ours, dict)


def unsuitable_device(call: Call, _: Mismatch) -> bool:
    """A parameter that takes devices gets the name of none, or of one that can't do what its hint asks for."""
    is_accepted = bool(call.real.get("success")) and not call.ours.get("success")
    return call.method in _SUBMITTING and is_accepted and "must be the name of a device" in str(call.ours)


def no_list(call: Call, _: Mismatch) -> bool:
    """Something else is where a list is wanted."""
    wanted = [call.params.get("uids", []), call.params.get("items", [])]
    wanted += [item["args"] for item in _items(call) if isinstance(item, dict) and "args" in item]
    return call.ours.get("success") is False and any(not isinstance(value, list) for value in wanted)


def number_as_destination(call: Call, _: Mismatch) -> bool:
    """A batch is moved to an index."""
    return call.method == "queue_item_move_batch" and isinstance(call.params.get("pos_dest"), int)


def empty_uid(call: Call, _: Mismatch) -> bool:
    """An empty text is where a uid is wanted."""
    given = [call.params.get(name) for name in ("uid", "before_uid", "after_uid")]
    return "" in given and call.ours.get("success") is False


def invalid_pattern(call: Call, _: Mismatch) -> bool:
    """Permissions with a pattern that is none are accepted there."""
    return call.method == "permissions_set" and call.real["success"] and "is not a pattern" in call.ours["msg"]


def six_lists(call: Call, mismatch: Mismatch) -> bool:
    """A group has a list that was not given."""
    return call.method == "permissions_get" and mismatch.real == MISSING


def lock_booleans(_: Call, mismatch: Mismatch) -> bool:
    """What is locked is no boolean there."""
    is_lock = len(mismatch.path) > 1 and mismatch.path[-2] in {"lock", "lock_info"}
    is_field = is_lock and mismatch.path[-1] in {"environment", "queue"}
    return is_field and mismatch.real != MISSING and bool(mismatch.real) is mismatch.ours


def renewed(call: Call, mismatch: Mismatch) -> bool:
    """A uid that stands for the same as before."""
    return mismatch.is_renewed and call.cause in _RENEWED.get(str(mismatch.path[-1]), ())


def runs_are_told_later(call: Call, mismatch: Mismatch) -> bool:
    """A plan is being executed, of which the real server asks every half second."""
    state = call.before.get("manager_state")
    return mismatch.path[-1] == "run_list_uid" and state in {"starting_queue", "executing_queue"}


def lists_of_a_file(call: Call, mismatch: Mismatch) -> bool:
    """Lists were read from a file, and then from the environment."""
    return call.lists_were_read and call.cause == "environment_open" and mismatch.path[-1] in _LISTS


def queue_uid_of_permissions(call: Call, mismatch: Mismatch) -> bool:
    """Permissions change what would fail."""
    return mismatch.path[-1] == "plan_queue_uid" and call.cause in _PERMISSIONS


def task_of_permissions(call: Call, mismatch: Mismatch) -> bool:
    """The environment computed its lists, as a task."""
    return mismatch.is_renewed and mismatch.path[-1] == "task_results_uid" and call.cause in _PERMISSIONS


def lost_update(call: Call, _: Mismatch) -> bool:
    """Two items were found there where one was expected."""
    return call.method == "queue_item_update" and "number of removed items" in call.real["msg"]


def null_uid(call: Call, _: Mismatch) -> bool:
    """Null is among uids."""
    uids = call.params.get("uids")
    return call.method == "queue_item_remove_batch" and isinstance(uids, list) and None in uids


def empty_note(_: Call, mismatch: Mismatch) -> bool:
    """A note without text."""
    return mismatch.path[-1] == "note" and mismatch.real == "" and mismatch.ours is None


def function_without_name(call: Call, _: Mismatch) -> bool:
    """The name of the function is empty."""
    names = [item.get("name") for item in _items(call) if isinstance(item, dict)]
    return call.method == "function_execute" and "" in names


def running_item_is_removed(call: Call, _: Mismatch) -> bool:
    """A batch that is removed names the running item."""
    did_there = call.real.get("success") is True and call.ours.get("success") is False
    return call.method == "queue_item_remove_batch" and call.is_about_running and did_there


def running_item_is_moved(call: Call, _: Mismatch) -> bool:
    """A batch that was moved, in part, named the running item."""
    return call.cause == "queue_item_move_batch" and call.method == "queue_get" and call.is_about_running


def result_in_queue(_: Call, mismatch: Mismatch) -> bool:
    """An item that was put back."""
    is_item = len(mismatch.path) > 1 and mismatch.path[0] in {"item", "items", "running_item"}
    return is_item and mismatch.path[-1] == "result" and mismatch.ours == MISSING


def destroyed_runs(call: Call, mismatch: Mismatch) -> bool:
    """The runs of a plan whose environment was destroyed."""
    is_list = mismatch.path[-1] in {"run_list_uid", "run_list"} and call.method in {"status", "re_runs"}
    is_entry = call.method == "history_get" and mismatch.path[-1] in {"run_uids", "scan_ids"} and mismatch.real == []
    return call.was_destroyed and (is_list or is_entry)


def lost_task(call: Call, mismatch: Mismatch) -> bool:
    """A task whose environment was closed."""
    is_told = call.method in {"task_status", "task_result"} and call.cause in {
        "environment_close",
        "environment_destroy",
    }
    is_lost = mismatch.path[0] == "result" or (mismatch.real, mismatch.ours) == ("not_found", "completed")
    return is_told and is_lost


def lost_task_uid(call: Call, mismatch: Mismatch) -> bool:
    """The results of tasks changed when their environment was closed."""
    is_end = call.cause in {"environment_close", "environment_destroy"}
    return is_end and mismatch.path[-1] == "task_results_uid" and not mismatch.is_renewed


def no_traceback(call: Call, mismatch: Mismatch) -> bool:
    """What failed is no code of the user."""
    return call.method == "task_result" and mismatch.path[-1] == "traceback" and mismatch.ours == ""


def inexact_number(call: Call, _: Mismatch) -> bool:
    """A number that others would read as another one."""
    return call.ours.get("success") is False and _has_inexact(call.params)


def _has_inexact(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_has_inexact, value.values()))
    if isinstance(value, list):
        return any(map(_has_inexact, value))
    return isinstance(value, (int, float)) and not -_LARGEST < value < _LARGEST


def _both_failed(call: Call) -> bool:
    return call.real.get("success") is False and call.ours.get("success") is False


def _items(call: Call) -> list[Any]:
    """The items that were submitted, as they came."""
    given = call.params.get("items") if "items" in call.params else [call.params.get("item")]
    return given if isinstance(given, list) else []
