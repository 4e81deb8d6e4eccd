"""The tree of devices on which the reference shows what patterns select, and the bundle of its worked example."""

from collections.abc import Iterator
from typing import Any


class Detector:
    """Something readable, with components."""

    def __init__(self, **components: Any) -> None:
        self.name = ""
        self._components = components

    def children(self) -> Iterator[tuple[str, Any]]:
        return iter(self._components.items())

    def connect(self) -> None: ...
    def read(self) -> None: ...
    def describe(self) -> None: ...


class Motor(Detector):
    def set(self, value: float) -> None: ...


class Flyer:
    name = "fly"

    def kickoff(self) -> None: ...
    def complete(self) -> None: ...


def reference_tree() -> dict[str, Any]:
    return {
        "stage": Detector(mtrs=Detector(x=Motor(val=Detector()), y=Motor()), det=Detector(val=Detector())),
        "stage2": Detector(det=Detector(val=Detector())),
        "det1": Detector(val=Detector()),
        "det2": Detector(),
        "motor": Motor(val=Detector()),
        "fly": Flyer(),
    }


def bundle_tree() -> dict[str, Any]:
    return {"bundle": Detector(mtrs=Detector(x=Motor(), y=Motor()), gain=Motor()), "det1": Detector()}
