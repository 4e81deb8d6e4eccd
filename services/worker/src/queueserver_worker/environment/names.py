"""Names in a plan call: what they stand for in the live namespace.

Objects are looked up at the moment of use, so a device that was redefined is found in its new form. Subdevices have
dotted names. Only plans and devices are found, never other objects, except by `callable`, which is asked for when a
plan's parameter takes a function.
"""

import difflib
from collections.abc import Callable
from typing import Any, Final

from queueserver_worker.environment.describe.devices import component_names, find_component, is_device
from queueserver_worker.environment.describe.plans import is_plan

_SHOWN: Final = 5


class Names:
    """Looks names up in a namespace."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        self._namespace = namespace

    def plan(self, name: str) -> Callable[..., Any] | None:
        """Return the plan of that name."""
        value = self._namespace.get(name)
        return value if is_plan(value) else None

    def device(self, name: str) -> object | None:
        """Return the device or, for a dotted name, the subdevice of that name."""
        head, *path = name.split(".")
        device = self._namespace.get(head)
        if device is None or not is_device(device):
            return None
        for part in path:
            device = find_component(device, part)
            if device is None:
                return None
        return device

    def callable(self, name: str) -> Callable[..., Any] | None:
        """Return the function that a dotted name leads to; names with a leading underscore are out of reach."""
        head, *path = name.split(".")
        if not all(part.isidentifier() and not part.startswith("_") for part in (head, *path)):
            return None
        value = self._namespace.get(head)
        for part in path:
            value = getattr(value, part, None)
        return value if callable(value) else None

    def plans_like(self, name: str) -> list[str]:
        """List plans with a similar name, best first."""
        return difflib.get_close_matches(name, [key for key, value in self._namespace.items() if is_plan(value)])

    def devices_like(self, name: str) -> list[str]:
        """List devices with a similar name, best first; of a dotted name only the part that is wrong is replaced."""
        parent, _, last = name.rpartition(".")
        if not parent:
            devices = [key for key, value in self._namespace.items() if is_device(value)]
            return difflib.get_close_matches(name, devices)
        device = self.device(parent)
        if device is None:
            return self.devices_like(parent)
        components = component_names(device)
        near = difflib.get_close_matches(last, components) or components[:_SHOWN]
        return [f"{parent}.{match}" for match in near]
