"""Calls of bluesky's own plans and stubs, as people write them: positional, by name, with all that is optional."""

from collections.abc import Iterable
from typing import Any

import bluesky.plan_stubs as bps
import bluesky.plans as bp
from ophyd.sim import det1, det2, flyer1, motor1, motor2, motor3

DETS = ["det1", "det2"]
_SPIRAL = ["motor1", "motor2", 0, 0, 1, 1, 0.5, 5]
_REL_SPIRAL = ["motor1", "motor2", 1, 1, 0.5, 5]
_ADAPTIVE = [DETS, "det1", "motor1", -1, 1, 0.1, 1, 0.5, True]
_STEP = {"per_step": "one_nd_step", "md": {"sample": "A", "motor": "motor1"}}
_ONE_STEP = {"per_step": "one_1d_step", "md": {}}
_GRIDS: list[list[Any]] = [
    [DETS, "motor1", -1, 1, 3, "motor2", -1, 1, 3],
    [DETS, "motor1", -1, 1, 3, "motor2", -1, 1, 3, {"snake_axes": True}],
    [DETS, "motor1", -1, 1, 3, "motor2", -1, 1, 3, {"snake_axes": ["motor2"], **_STEP}],
]
_SCANS: list[list[Any]] = [
    [DETS, "motor1", -1, 1, 10],
    [DETS, "motor1", -1, 1, {"num": 10}],
    [DETS, "motor1", -1, 1, "motor2", -2.5, 2.5, 10],
    [DETS, "motor1", -1, 1, "motor2", -1, 1, {"num": 10, **_STEP}],
]
_LISTS: list[list[Any]] = [
    [DETS, "motor1", [0, 0.5, 1]],
    [DETS, "motor1", [0, 1], "motor2", [2, 3]],
    [DETS, "motor1", [0, 1], {**_STEP}],
]
_GRID_LISTS: list[list[Any]] = [
    [DETS, "motor1", [0, 1], "motor2", [2, 3]],
    [DETS, "motor1", [0, 1], "motor2", [2, 3], {"snake_axes": True}],
    [DETS, "motor1", [0, 1], "motor2", [2, 3], {"snake_axes": ["motor2"], **_STEP}],
]
_INNER: list[list[Any]] = [[DETS, 5, "motor1", -1, 1], [DETS, 5, "motor1", -1, 1, "motor2", -1, 1, {**_STEP}]]
_LINE: list[list[Any]] = [[DETS, "motor1", 1, 10, 5], [DETS, "motor1", 1, 10, {"num": 5, **_ONE_STEP}]]


def _each(plans: Iterable[str], calls: list[list[Any]]) -> dict[str, list[list[Any]]]:
    return {plan: calls for plan in plans}  # noqa: C420 - they only read it


#: Arguments of each call; a dictionary at the end has those that are given by name.
PLANS: dict[str, list[list[Any]]] = {
    "count": [
        [["det1"]],
        [DETS, 3],
        [{"detectors": DETS, "num": 3, "delay": 0.5}],
        [DETS, 3, [0.1, 0.2], {"per_shot": "one_shot", "md": {"sample": "A"}}],
        [DETS, {"num": None}],
    ],
    **_each(("scan", "rel_scan", "relative_scan"), _SCANS),
    **_each(("list_scan", "rel_list_scan", "relative_list_scan"), _LISTS),
    **_each(("grid_scan", "rel_grid_scan", "outer_product_scan", "relative_outer_product_scan"), _GRIDS),
    **_each(("list_grid_scan", "rel_list_grid_scan"), _GRID_LISTS),
    **_each(("inner_product_scan", "relative_inner_product_scan"), _INNER),
    **_each(("log_scan", "rel_log_scan", "relative_log_scan", "_scan_1d", "_rel_scan_1d"), _LINE),
    **_each(
        ("adaptive_scan", "rel_adaptive_scan", "relative_adaptive_scan"),
        [_ADAPTIVE, [*_ADAPTIVE, 0.9], [*_ADAPTIVE, {"threshold": None, "md": {}}]],
    ),
    **_each(("spiral", "spiral_fermat"), [[DETS, *_SPIRAL], [DETS, *_SPIRAL, {"dr_y": 0.5, "tilt": 0.1}]]),
    **_each(
        ("rel_spiral", "relative_spiral", "rel_spiral_fermat", "relative_spiral_fermat"),
        [[DETS, *_REL_SPIRAL], [DETS, *_REL_SPIRAL, {"dr_y": None, "tilt": 0.1}]],
    ),
    "spiral_square": [[DETS, "motor1", "motor2", 0, 0, 1, 1, 5, 5]],
    "rel_spiral_square": [[DETS, "motor1", "motor2", 1, 1, 5, 5]],
    "x2x_scan": [[DETS, "motor1", "motor2", 0, 1, 5]],
    "tune_centroid": [[["det1"], "det1", "motor1", 0, 1, 0.1], [["det1"], "det1", "motor1", 0, 1, 0.1, 5, 2, True]],
    "tweak": [["det1", "det1", "motor1", 0.1]],
    "fly": [[["flyer1"]], [["flyer1"], {"md": {"sample": "A"}}]],
}
STUBS: dict[str, list[list[Any]]] = {
    **_each(("mv", "mov", "mvr", "movr"), [["motor1", 5], ["motor1", 5, "motor2", -0.5, {"group": "a"}]]),
    **_each(("abs_set", "rel_set"), [["motor1", 5], ["motor1", 5, {"wait": True, "group": "a"}]]),
    **_each(("null", "checkpoint", "clear_checkpoint", "pause", "deferred_pause", "drop", "save"), [[]]),
    **_each(("stage", "unstage"), [["det1"], ["det1", {"group": "a", "wait": True}]]),
    **_each(("stage_all", "unstage_all"), [["det1"], ["det1", "motor1"]]),
    **_each(("kickoff", "complete"), [["flyer1"], ["flyer1", {"group": "a", "wait": True}]]),
    **_each(("kickoff_all", "complete_all"), [["flyer1"], ["flyer1", {"wait": True}]]),
    **_each(("wait", "_wait"), [[], ["a"], ["a", {"timeout": 5.5, "watch": ["b"]}]]),
    "sleep": [[1], [0.5]],
    "rd": [["det1"], ["motor1", {"default_value": 5}]],
    "read": [["det1"]],
    "trigger": [["det1"], ["det1", {"group": "a", "wait": True}]],
    "trigger_and_read": [[DETS], [DETS, "baseline"]],
    "create": [[], ["primary"]],
    "declare_stream": [["det1", "det2", {"name": "primary"}], ["flyer1", {"name": "primary", "collect": True}]],
    "open_run": [[], [{"md": {"sample": "A"}}]],
    "close_run": [[], ["success", "all is well"]],
    "monitor": [["det1"], ["det1", {"name": "watched"}]],
    "unmonitor": [["det1"]],
    "collect": [["flyer1"], ["flyer1", {"stream": True, "return_payload": False}]],
    "collect_while_completing": [[["flyer1"], ["det1"], {"flush_period": 1, "stream_name": "s"}]],
    "configure": [["det1", {"sigma": 1}, {}]],
    "prepare": [["flyer1", 5], ["flyer1", {"a": 1}, {"group": "a", "wait": True}]],
    "locate": [["motor1"], ["motor1", "motor2", {"squeeze": False}]],
    "stop": [["motor1"]],
    "input_plan": [[], ["Ready?"]],
    "one_shot": [[DETS], [DETS, {"take_reading": "trigger_and_read"}]],
    "one_1d_step": [[DETS, "motor1", 5]],
    "one_nd_step": [[DETS, {"motor1": 1, "motor2": 2}, {"motor1": None, "motor2": None}, {}]],
    "move_per_step": [[{"motor1": 1}, {"motor1": None}, {}]],
    "repeat": [["checkpoint"], ["checkpoint", 3, 0.5], ["checkpoint", {"num": None, "delay": [1, 2]}]],
    "repeater": [[3, "count", ["det1"]]],
    "subscribe": [["all", "print_document"]],
    "unsubscribe": [[5]],
    "broadcast_msg": [["stage", ["det1"]]],
}
#: They take what nobody can write in JSON: generators, cyclers, suspenders, futures.
NOT_FOR_REQUESTS = {"scan_nd", "ramp_plan", "caching_repeater", "install_suspender", "remove_suspender", "wait_for"}


def print_document(name: str, document: Any) -> None:
    """A callback."""


def namespace() -> dict[str, Any]:
    """All plans and stubs of bluesky, and some devices."""
    found: dict[str, Any] = {}
    for module in (bp, bps):
        found |= {name: value for name, value in vars(module).items() if not name.startswith("__")}
    devices = {"det1": det1, "det2": det2, "motor1": motor1, "motor2": motor2, "motor3": motor3, "flyer1": flyer1}
    return {**found, **devices, "print_document": print_document}


def split(call: list[Any]) -> tuple[list[Any], dict[str, Any]]:
    """The positional and the named arguments of a call."""
    return (call[:-1], call[-1]) if call and isinstance(call[-1], dict) else (call, {})
