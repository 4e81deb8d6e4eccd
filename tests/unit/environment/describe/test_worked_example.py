"""The worked example of the reference: a decorated plan, and the description that clients get of it."""

# Users write type hints in old forms, and those must be understood.
# ruff: noqa: UP006, UP035, UP045, ANN001, ANN003, ANN201
# mypy: disable-error-code="no-untyped-def, type-arg, misc, untyped-decorator"

from typing import Any, Dict, Optional

from bluesky.plans import count, scan
from queueserver_environment.describe.inventory import take_inventory
from queueserver_environment.user_api.annotation_decorator import parameter_annotation_decorator
from queueserver_inventory.list_entries import device_entry, plan_entry

from tests.unit.environment.documented import take_documented
from tests.unit.environment.hints import of_union
from tests.unit.environment.reference_devices import Detector, bundle_tree


@parameter_annotation_decorator(
    {
        "description": "Move a stage, then measure.",
        "parameters": {
            "detectors": {
                "description": "Detectors to read.",
                "annotation": "typing.List[Dets]",
                "devices": {"Dets": ["det1", ":^bundle$:-^mtrs$:.+"]},
                "default": ["det1"],
            },
            "follow_up": {
                "annotation": "typing.Union[Follow, NoneType]",
                "plans": {"Follow": [":^scan_", "nonexisting"]},
            },
            "mode": {"annotation": "Mode", "enums": {"Mode": ("fast", "slow")}},
            "position": {"min": -5, "max": 5.5, "step": 0.1},
        },
    }
)
def move_and_measure(
    mode,
    position: float,
    detectors=None,
    follow_up=None,
    *extra: int,
    num: int = 1,
    md: Optional[Dict[str, Any]] = None,
    **kwargs,
):
    """Docstring summary.

    Parameters
    ----------
    mode : str
        Fast or slow.
    position : float
        Where to go.
    num : int
        Number of
        repeats.
    """
    yield from (mode, position, detectors, follow_up, extra, num, md, kwargs)


def scan_a():
    yield


def scan_b():
    yield


BY_POSITION_OR_NAME = {"name": "POSITIONAL_OR_KEYWORD", "value": 1}
BY_NAME = {"name": "KEYWORD_ONLY", "value": 3}
EXPECTED = {
    "name": "move_and_measure",
    "module": __name__,
    "description": "Move a stage, then measure.",
    "properties": {"is_generator": True},
    "parameters": [
        {
            "name": "mode",
            "kind": BY_POSITION_OR_NAME,
            "description": "Fast or slow.",
            "annotation": {"type": "Mode", "enums": {"Mode": ["fast", "slow"]}},
        },
        {
            "name": "position",
            "kind": BY_POSITION_OR_NAME,
            "description": "Where to go.",
            "annotation": {"type": "float"},
            "min": "-5",
            "max": "5.5",
            "step": "0.1",
        },
        {
            "name": "detectors",
            "kind": BY_POSITION_OR_NAME,
            "description": "Detectors to read.",
            "annotation": {
                "type": "typing.List[Dets]",
                "devices": {"Dets": ["bundle", "bundle.mtrs.x", "bundle.mtrs.y", "det1"]},
            },
            "default": "['det1']",
            "default_defined_in_decorator": True,
        },
        {
            "name": "follow_up",
            "kind": BY_POSITION_OR_NAME,
            "annotation": {
                "type": "typing.Union[Follow, NoneType]",
                "plans": {"Follow": ["nonexisting", "scan_a", "scan_b"]},
            },
            "default": "None",
        },
        {"name": "extra", "kind": {"name": "VAR_POSITIONAL", "value": 2}, "annotation": {"type": "int"}},
        {
            "name": "num",
            "kind": BY_NAME,
            "description": "Number of\nrepeats.",
            "annotation": {"type": "int"},
            "default": "1",
        },
        {
            "name": "md",
            "kind": BY_NAME,
            "annotation": {
                "type": of_union("typing.Optional[typing.Dict[str, typing.Any]]", "typing.Dict[str, typing.Any] | None")
            },
            "default": "None",
        },
        {"name": "kwargs", "kind": {"name": "VAR_KEYWORD", "value": 4}},
    ],
}


def test_the_decorated_plan_is_described_as_in_the_reference() -> None:
    plans = {"move_and_measure": move_and_measure, "scan_a": scan_a, "scan_b": scan_b}
    inventory = take_documented({**bundle_tree(), **plans})
    assert plan_entry(inventory.plans[0]) == EXPECTED


def test_the_bundle_is_described_as_in_the_reference() -> None:
    bundle = device_entry(take_inventory(bundle_tree()).devices[0])
    detector = {
        "classname": "Detector",
        "module": Detector.__module__,
        "is_readable": True,
        "is_movable": False,
        "is_flyable": False,
    }
    motor = {**detector, "classname": "Motor", "is_movable": True}
    assert bundle == {
        **detector,
        "components": {"gain": motor, "mtrs": {**detector, "components": {"x": motor, "y": motor}}},
    }


def test_standard_plans_are_described_as_in_the_reference() -> None:
    described = {plan.name: plan_entry(plan) for plan in take_inventory({"count": count, "scan": scan}).plans}
    parameters = {
        (plan, parameter["name"]): (parameter.get("annotation", {}).get("type"), parameter.get("default"))
        for plan, entry in described.items()
        for parameter in entry["parameters"]
    }
    assert parameters["count", "detectors"] == ("collections.abc.Sequence[__READABLE__]", None)
    assert parameters["count", "num"] == ("int | None", "1")
    assert parameters["count", "delay"] == ("float | collections.abc.Iterable[float]", "0.0")
    assert parameters["count", "md"] == ("dict[str, typing.Any] | None", "None")
    assert parameters["scan", "args"] == ("__MOVABLE__ | typing.Any", None)
