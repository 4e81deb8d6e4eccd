"""Calls about everything but the items of the queue, right and wrong, as they are tried in every state."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from tests.zmq_bridge.differential.queue_calls import WHOS, Written
from tests.zmq_bridge.differential.references import UNKNOWN, Executed, Task
from tests.zmq_bridge.differential.states import KEY, WHO

_VALUES: Final[tuple[Any, ...]] = (None, 0, 1, "x", "", [], {}, 1.5)
_PERMISSIONS: Final[tuple[Any, ...]] = (
    None,
    5,
    "x",
    [],
    {},
    {"user_groups": {}},
    {"user_groups": 5},
    {"user_groups": {"primary": {}}},
    {"user_groups": {"root": {}}, "x": 1},
    {"user_groups": {"root": 5}},
    {"user_groups": {"root": {"x": []}}},
    {"user_groups": {"root": {"allowed_plans": 5}}},
    {"user_groups": {"root": {"allowed_plans": [5]}}},
    {"user_groups": {"root": {}, "primary": {"allowed_plans": [":(("]}}},
)
_EVERYTHING: Final = {"allowed_plans": [None], "allowed_devices": [None], "allowed_functions": [None]}
SOME_PERMISSIONS: Final = {
    "user_groups": {"root": _EVERYTHING, "primary": {**_EVERYTHING, "forbidden_plans": ["count"]}}
}


def looking() -> Iterator[Written]:
    """What changes nothing."""
    for name in ("status", "ping"):
        yield name, {}
        yield name, {"x": 1}
    for name in ("config_get", "permissions_get", "plans_existing", "devices_existing", "re_metadata", "history_get"):
        yield name, {}
        yield name, {"x": 1}
    for name in ("plans_allowed", "devices_allowed"):
        for group in ("primary", "visitors", "root", "unknown", "", None, 5, [1], {}):
            yield name, {"user_group": group}
        yield name, {}
        yield name, {"user_group": "primary", "user": "u"}
    for option in ("active", "open", "closed", "x", "", None, 5, []):
        yield "re_runs", {"option": option}
    yield "re_runs", {}
    yield "lock_info", {}
    for key in (KEY, "another", *_VALUES):
        yield "lock_info", {"lock_key": key}
    yield "unknown_method", {}


def about_tasks() -> Iterator[Written]:
    """What became of tasks."""
    for name in ("task_status", "task_result"):
        yield name, {}
        for uid in (
            Task(),
            UNKNOWN,
            "x",
            "",
            None,
            5,
            {},
            [],
            [Task()],
            [Task(), UNKNOWN],
            [UNKNOWN, UNKNOWN],
            [5],
            [[]],
        ):
            yield name, {"task_uid": uid}
        yield name, {"task_uid": UNKNOWN, "x": 1}


def modes() -> Iterator[Written]:
    """The mode of the queue, and autostart where it starts nothing."""
    yield "queue_mode_set", {}
    for mode in (
        {"loop": True},
        {},
        {"ignore_failures": True},
        {"loop": False},
        "default",
        {"loop": True, "ignore_failures": True},
        "default",
        *_VALUES,
        {"x": True},
        {"loop": 1},
        {"loop": "True"},
        {"loop": None},
        {"loop": True, "x": 1},
        {"loop": True, "ignore_failures": 5},
        "Default",
    ):
        yield "queue_mode_set", {"mode": mode}
    yield "queue_mode_set", {"mode": "default", "x": 1}
    yield "queue_autostart", {}
    for enable in (False, False, *_VALUES):
        yield "queue_autostart", {"enable": enable}
    yield "queue_stop_cancel", {}
    yield "queue_stop_cancel", {"x": 1}


def histories() -> Iterator[Written]:
    """Clearing the history."""
    yield "history_clear", {"size": 10**6}
    yield "history_clear", {"item_uid": UNKNOWN}
    for size in ("x", "", [], {}, 1.5, 2.0):
        yield "history_clear", {"size": size}
    for uid in ("", "x", 5, [], {}, None):
        yield "history_clear", {"item_uid": uid}
    yield "history_clear", {"size": 1, "item_uid": Executed(0)}
    yield "history_clear", {"size": None, "item_uid": Executed(0)}
    yield "history_clear", {"size": 2**70}
    yield "history_clear", {"size": 2}
    yield "history_clear", {"size": True}
    yield "history_clear", {"size": -(2**70)}
    yield "history_clear", {"size": -1}
    yield "history_clear", {"size": 0}
    yield "history_clear", {}
    yield "history_clear", {"x": 1}


def locks() -> Iterator[Written]:
    """The lock, from unlocked to unlocked."""
    yield "lock", {}
    yield "lock", {"user": "holder"}
    yield "lock", {"user": "holder", "lock_key": KEY}
    good = {"lock_key": KEY, "user": "holder", "environment": True}
    for name in good:
        yield "lock", {key: value for key, value in good.items() if key != name}
        for value in _VALUES:
            yield "lock", {**good, name: value, "note": "first"}
            yield "lock_info", {}
            yield "unlock", {"lock_key": KEY}
            if isinstance(value, str) and value:
                yield "unlock", {"lock_key": value}
    for note in ("note", None, "", 5, [], "two\nlines"):
        yield "lock", {**good, "note": note}
    for key in ("", None, 5):
        yield "lock", {**good, "lock_key": key, "note": 5}
        yield "queue_stop_cancel", {}
    yield "lock", {**good, "queue": True, "environment": False}
    yield "queue_clear", {}
    yield "queue_clear", {"lock_key": KEY}
    yield "queue_clear", {"lock_key": "another"}
    yield "queue_stop_cancel", {}
    yield "queue_stop_cancel", {"lock_key": "another"}
    yield "lock", {**good, "lock_key": "another"}
    yield "lock", {**good, "x": 1}
    yield "unlock", {}
    for key in ("another", *_VALUES):
        yield "unlock", {"lock_key": key}
    yield "unlock", {"lock_key": KEY, "x": 1}
    for key in (KEY, KEY, "another"):
        yield "unlock", {"lock_key": key}


def permissions() -> Iterator[Written]:
    """Permissions of user groups, from those of the file to those of the file."""
    yield "permissions_set", {}
    for given in _PERMISSIONS:
        yield "permissions_set", {"user_group_permissions": given}
    yield "permissions_set", {"user_group_permissions": SOME_PERMISSIONS}
    yield "permissions_set", {"user_group_permissions": SOME_PERMISSIONS}
    yield "permissions_get", {}
    yield "plans_allowed", {"user_group": "primary"}
    yield "plans_allowed", {"user_group": "visitors"}
    yield "permissions_reload", {"restore_permissions": False}
    yield "permissions_get", {}
    for name in ("restore_permissions", "restore_plans_devices"):
        for value in ("x", None, 0, False):
            yield "permissions_reload", {name: value}
    yield "permissions_reload", {"x": 1}
    yield "permissions_reload", {}
    yield "permissions_get", {}


def refused_anywhere() -> Iterator[Written]:
    """What is refused in any state because of its parameters."""
    for name in (
        "environment_open",
        "environment_close",
        "environment_destroy",
        "environment_update",
        "queue_start",
        "queue_stop",
        "queue_stop_cancel",
        "queue_item_execute",
        "queue_clear",
        "history_clear",
        "permissions_reload",
        "queue_autostart",
        "queue_mode_set",
        "re_pause",
        "re_resume",
        "re_stop",
        "re_abort",
        "re_halt",
        "script_upload",
        "function_execute",
        "kernel_interrupt",
    ):
        yield name, {"unknown": 1}
        yield name, {"lock_key": 5}
        yield name, {"lock_key": [], "unknown": 1}
    for option in ("x", "", None, 5, [], {}):
        yield "re_pause", {"option": option}
    # what counts as no option stops the real server where it is idle
    yield "manager_stop", {"option": "x"}
    yield "manager_stop", {"option": 5}
    yield "manager_stop", {"unknown": 1}
    yield "manager_test", {}
    yield "manager_test", {"test_name": "x"}
    yield "kernel_interrupt", {}
    yield "kernel_interrupt", {"interrupt_task": True, "interrupt_plan": True}
    yield "script_upload", {}
    for script in (None, 5, [], {}):
        yield "script_upload", {"script": script}
    yield "function_execute", {}
    add = {"item_type": "function", "name": "add"}
    for item in (
        None,
        {},
        {"item_type": "plan", "name": "nothing"},
        {"item_type": "function"},
        {**add, "name": 5},
        {**add, "name": ""},
        {**add, "name": "forbidden_function"},
        {**add, "name": "_x"},
        {**add, "args": 5},
        {**add, "args": {}},
        {**add, "kwargs": []},
        {**add, "kwargs": 5},
    ):
        yield "function_execute", {"item": item, **WHO}
    for who in WHOS:
        if who != {"user": "u", "user_group": "visitors"} and who.get("user_group") != "primary":
            yield "function_execute", {"item": add, **who}
    for item in (None, {}, {"item_type": "function", "name": "add"}, {"item_type": "plan", "name": "missing"}):
        yield "queue_item_execute", {"item": item, **WHO}
    for who in WHOS:
        if who.get("user_group") not in ["primary", "visitors", "root"]:
            yield "queue_item_execute", {"item": {"item_type": "plan", "name": "nothing"}, **who}


def refused_in(state: str) -> Iterator[Written]:
    """What is refused in a state because of the state."""
    if state in {"closed", "running", "paused", "task"}:
        yield "queue_start", {}
        yield "queue_item_execute", {"item": {"item_type": "plan", "name": "nothing"}, **WHO}
        yield "environment_close", {}
        yield "environment_update", {}
        yield "script_upload", {"script": "a = 1"}
        yield "script_upload", {"script": ""}
        yield "function_execute", {"item": {"item_type": "function", "name": "add"}, **WHO}
    if state == "closed":
        yield "environment_destroy", {}
        yield "environment_update", {"run_in_background": True}
        yield "script_upload", {"script": "a = 1", "run_in_background": True}
        yield "function_execute", {"item": {"item_type": "function", "name": "add"}, "run_in_background": True, **WHO}
    if state != "closed":
        yield "environment_open", {}
    if state in {"running", "paused", "task"}:
        yield "manager_stop", {}
        for option in ("safe_on", "", None, 0):
            yield "manager_stop", {"option": option}
    if state != "running":
        yield "queue_stop", {}
        yield "re_pause", {}
        yield "re_pause", {"option": "immediate"}
    if state != "paused":
        for name in ("re_resume", "re_stop", "re_abort", "re_halt"):
            yield name, {}
