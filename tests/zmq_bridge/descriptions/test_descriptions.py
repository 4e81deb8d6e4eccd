"""Descriptions of plans and devices are those of bluesky-queueserver, which describes the same startup code here."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from queueserver_client import Client

from tests.harness.services import BridgeProcess
from tests.harness.stack import Stack, running_stack
from tests.zmq_bridge.clients.installed import PYTHON, program
from tests.zmq_bridge.old_client import OldClient

_HERE: Final = Path(__file__).parent
STARTUP: Final = _HERE / "startup"
_GROUPS: Final = ("root", "primary", "few")
#: Plans of 30-other.py and of bluesky; the others have to be described in the same words.
_OTHER: Final = {
    "any_function": {"a": {"annotation": {"type": "__CALLABLE__"}, "eval_expressions": True}},
    "count": {"per_shot": {"annotation": {"type": "__CALLABLE__ | None"}, "eval_expressions": True}},
    "device_as_default": None,
    "endless": None,
    "enumeration": {"a": {"annotation": {"type": "Colour", "enums": {"Colour": ["RED", "BLUE"]}}}},
    "grid_scan": {
        "snake_axes": {
            "annotation": {"type": "collections.abc.Iterable[__MOVABLE__] | bool | None"},
            "convert_device_names": True,
        },
        "per_step": {"annotation": {"type": "__CALLABLE__ | None"}, "eval_expressions": True},
    },
    "in_another_style": {"a": {"description": "first."}},
    "lines": {},
    "list_grid_scan": {
        "snake_axes": {
            "annotation": {"type": "collections.abc.Iterable[__MOVABLE__] | bool | None"},
            "convert_device_names": True,
        },
        "per_step": {"annotation": {"type": "__CALLABLE__ | None"}, "eval_expressions": True},
    },
    "number_or_nothing": {"a": {"annotation": {"type": "float | None"}}},
    "quoted": {
        "a": {"annotation": {"type": "typing.List[int]"}},
        "b": {"annotation": {"type": "__READABLE__"}, "convert_device_names": True},
        "c": {"annotation": None},
        "d": {"annotation": {"type": "int | None"}},
    },
    "rare_protocol": {"a": {"annotation": {"type": "__DEVICE__"}, "convert_device_names": True}},
    "scan": {"per_step": {"annotation": {"type": "__CALLABLE__ | None"}, "eval_expressions": True}},
}


@pytest.fixture(scope="module")
def server() -> Iterator[Stack]:
    with running_stack(startup=STARTUP) as running:
        with Client(running.address) as client:
            client.environment.open()
        yield running


@pytest.fixture(scope="module")
def ours(server: Stack) -> dict[str, Any]:
    """All lists, by method and user group."""
    bridge = BridgeProcess(server.address)
    try:
        with OldClient(bridge.address) as client:
            found = {name: client(name)[name] for name in ("plans_existing", "devices_existing")}
            for group in _GROUPS:
                for name in ("plans_allowed", "devices_allowed"):
                    found[f"{name}:{group}"] = client(name, user_group=group)[name]
            return found
    finally:
        bridge.close()


@pytest.fixture(scope="module")
def theirs() -> dict[str, Any]:
    """The same lists of bluesky-queueserver."""
    program("qserver-list-plans-devices")
    told = subprocess.run(
        [PYTHON, "-I", _HERE / "programs" / "describe.py", STARTUP], capture_output=True, text=True, check=True
    )
    found: dict[str, Any] = json.loads(told.stdout)
    return found


@pytest.mark.parametrize("where", ["plans_existing", *(f"plans_allowed:{group}" for group in _GROUPS)])
def test_plans_are_described_as_by_bluesky_queueserver(
    ours: dict[str, Any], theirs: dict[str, Any], where: str
) -> None:
    expected = {name: plan for name, plan in theirs[where].items() if name not in _OTHER}
    assert {name: plan for name, plan in ours[where].items() if name not in _OTHER} == expected
    assert "scan_a" in expected


@pytest.mark.parametrize("where", ["devices_existing", *(f"devices_allowed:{group}" for group in _GROUPS)])
def test_devices_are_described_as_by_bluesky_queueserver(
    ours: dict[str, Any], theirs: dict[str, Any], where: str
) -> None:
    assert ours[where] == theirs[where]
    assert "bundle" in ours[where]


@pytest.mark.parametrize("name", [name for name, differences in _OTHER.items() if differences is not None])
def test_where_more_is_known_of_a_plan_nothing_else_differs(
    ours: dict[str, Any], theirs: dict[str, Any], name: str
) -> None:
    expected = theirs["plans_existing"][name]
    for parameter in expected["parameters"]:
        parameter.update((_OTHER[name] or {}).get(parameter["name"], {}))
        if parameter.get("annotation", "") is None:
            del parameter["annotation"]
    found = ours["plans_existing"][name]
    if name == "lines":
        assert found["description"] == " ".join(expected["description"].split())
        expected = {**expected, "description": found["description"]}
    assert found == expected


def test_plans_that_bluesky_queueserver_leaves_out_are_described(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    left_out = {name for name, differences in _OTHER.items() if differences is None}
    assert set(ours["plans_existing"]) - set(theirs["plans_existing"]) == left_out
    assert ours["plans_existing"]["device_as_default"]["parameters"][0]["default"] == "'motor1'"


_ACCEPTED: Final = [
    ("count", {"detectors": ["det1"]}, True),
    ("count", {"detectors": ["det1"], "num": 5, "per_shot": "my.function"}, True),
    ("count", {"detectors": ["det1"], "num": None}, True),
    ("count", {"detectors": "det1"}, False),
    ("count", {"detectors": ["det1"], "num": "5"}, False),
    ("grid_scan", {"detectors": ["det1"], "snake_axes": True}, True),
    ("grid_scan", {"detectors": ["det1"], "snake_axes": ["motor1"]}, True),
    ("number_or_nothing", {"a": 1.5}, True),
    ("number_or_nothing", {"a": "x"}, False),
    ("enumeration", {"a": "RED"}, True),
    ("enumeration", {"a": "GREEN"}, False),
    ("any_function", {"a": "my.function"}, True),
    ("quoted", {"a": [1], "b": "det1", "c": 5}, True),
    ("quoted", {"a": ["1"], "b": "det1", "c": 5}, False),
    ("rare_protocol", {"a": "det1"}, True),
    ("texts", {"a": "2026-01-01T00:00:00", "b": "/tmp"}, True),  # noqa: S108 - a text
    ("device_as_default", {}, True),
    ("endless", {}, True),
    ("lists", {}, False),
]


def test_validate_plan_understands_our_descriptions(ours: dict[str, Any]) -> None:
    given = {
        "plans": ours["plans_allowed:primary"],
        "devices": ours["devices_allowed:primary"],
        "items": [{"item_type": "plan", "name": name, "kwargs": kwargs} for name, kwargs, _ in _ACCEPTED],
    }
    told = subprocess.run(
        [PYTHON, "-I", _HERE / "programs" / "validate.py"],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=True,
    )
    assert [
        (name, kwargs, accepted) for (name, kwargs, _), accepted in zip(_ACCEPTED, json.loads(told.stdout), strict=True)
    ] == _ACCEPTED


def test_a_list_that_was_sent_is_sent_again_until_it_changes(server: Stack) -> None:
    bridge = BridgeProcess(server.address)
    try:
        with OldClient(bridge.address) as client, OldClient(bridge.address) as another, Client(server.address) as ours:
            first = client("plans_allowed", user_group="primary")
            assert another("plans_allowed", user_group="primary") == first
            task = ours.tasks.upload_script("def made_later(a: int):\n    yield from []\n")
            assert task.wait(10).success
            changed = client("plans_allowed", user_group="primary")
            assert set(changed["plans_allowed"]) - set(first["plans_allowed"]) == {"made_later"}
            assert changed["plans_allowed_uid"] != first["plans_allowed_uid"]
            assert changed["plans_allowed_uid"] == client("status")["plans_allowed_uid"]
            refused = client("plans_allowed", user_group="unknown")
            assert (refused["success"], refused["plans_allowed"], refused["plans_allowed_uid"]) == (False, {}, None)
    finally:
        bridge.close()
