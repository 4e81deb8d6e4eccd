"""Startup code of the tests of permissions: a tree of devices, and plans that name them."""

import time
from collections.abc import Generator
from typing import Any

import bluesky.plan_stubs as bps
from bluesky_queueserver import parameter_annotation_decorator

Messages = Generator[Any, Any, Any]


class Node:
    """A device that can be read, with components."""

    parent = None

    def __init__(self, name: str, **components: Any) -> None:
        self.name = name
        self.component_names = tuple(components)
        for component, node in components.items():
            setattr(self, component, node)

    def read(self) -> dict[str, Any]:
        return {self.name: {"value": 1.0, "timestamp": time.time()}}

    def describe(self) -> dict[str, Any]:
        return {self.name: {"source": "test", "dtype": "number", "shape": []}}


def leaf(name: str) -> Node:
    return Node(name, val=Node(f"{name}_val"))


stage = Node("stage", mtrs=Node("mtrs", x=leaf("x"), y=Node("y")), det=leaf("stage_det"))
stage2 = Node("stage2", det=leaf("stage2_det"))
det1, det2, det3, det4 = (leaf(f"det{number}") for number in range(1, 5))
motor = leaf("motor")
_hidden = leaf("_hidden")


def count() -> Messages:
    yield from bps.null()


def scan() -> Messages:
    yield from bps.null()


def rel_scan() -> Messages:
    yield from bps.null()


def adaptive_scan() -> Messages:
    yield from bps.null()


def _private() -> Messages:
    yield from bps.null()


@parameter_annotation_decorator(
    {
        "parameters": {
            "detectors": {"annotation": "typing.List[Dets]", "devices": {"Dets": [":^det", "stage.det", "nope"]}},
            "follow_up": {"annotation": "Follow", "plans": {"Follow": [":scan$", "other"]}, "default": "scan"},
        }
    }
)
def measure_scan(detectors: list[Any], follow_up: Any = "scan") -> Messages:
    """Names from lists."""
    del detectors, follow_up
    yield from bps.null()


def told(detector):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201 - what is not annotated converts
    """End with what came for a name."""
    yield from bps.null()
    raise TypeError(f"it is a {type(detector).__name__}")
