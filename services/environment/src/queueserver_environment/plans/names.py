"""Names in a plan call: the objects in the live namespace that they stand for, within what the submitter may use.

Objects are looked up at the moment of use, so a device that was redefined is found in its new form. Subdevices have
dotted names. Guarantees: what access does not allow, and what the startup code has registered as excluded, is not
found by any path. Only plans and devices are found, never other objects, except by `callable`, which is
used when a plan's parameter takes a function.
"""

import difflib
import functools
import types
from collections.abc import Callable, Iterable
from typing import Any, Final

import numpy as np
from queueserver_inventory.access import Access

from queueserver_environment.describe.devices import component_names, find_component, is_device, traits_of
from queueserver_environment.describe.plan_recognition import is_plan, why_no_plan
from queueserver_environment.user_api.registration import registrations

_SHOWN: Final = 5
# What is callable beyond that, for example a RunEngine or a method of some object, is more than a function.
_FUNCTIONS: Final = (
    types.FunctionType,
    types.BuiltinFunctionType,
    type,
    functools.partial,
    np.ufunc,
    type(np.mean),
)


class Names:
    """Looks names up in a namespace.

    Parameters
    ----------
    namespace
        Where plans and devices are found.
    access
        What may be named; None for everything.

    """

    def __init__(self, namespace: dict[str, Any], access: Access | None = None) -> None:
        self._namespace = namespace
        self._access = access
        self._registered = registrations()

    def limited_to(self, access: Access) -> "Names":
        """Return the same names, limited by an access."""
        return Names(self._namespace, access)

    def plan(self, name: str) -> Callable[..., Any] | None:
        """Return the plan of that name."""
        value = self._namespace.get(name)
        return value if is_plan(value) and self._allows_plan(name) else None

    def why_no_plan(self, name: str) -> str:
        """Say why the object of that name is not a plan, in one sentence; empty if there is nothing to say."""
        return why_no_plan(name, self._namespace.get(name)) if self._allows_plan(name) else ""

    def device(self, name: str) -> object | None:
        """Return the device or, for a dotted name, the subdevice of that name.

        Raises whatever the device's own code raises, for example when a component is created now.
        """
        device = self._find(name)
        return device if device is not None and self._allows_device(name, device) else None

    def callable(self, name: str) -> Callable[..., Any] | None:
        """Return the function or class of that name, in the namespace or in a module that is named there.

        Access has to allow its whole dotted name, as that of a plan if it is one, else as that of a function. Of other
        objects only methods of devices are found, if the device may be used; nothing below an underscore is.
        """
        head, *path = name.split(".")
        if not all(part.isidentifier() and not part.startswith("_") for part in (head, *path)):
            return None
        value = self._namespace.get(head)
        while path and isinstance(value, types.ModuleType):
            value = getattr(value, path.pop(0), None)
        if path:
            return self._method(name)
        is_found = isinstance(value, _FUNCTIONS) and (
            self._allows_plan(name) if is_plan(value) else self._access is None or self._access.allows_function(name)
        )
        return value if is_found else None

    def forbids_callable(self, name: str) -> bool:
        """Tell whether `callable` finds nothing only because access does not allow it."""
        return self._access is not None and Names(self._namespace).callable(name) is not None

    def plans_like(self, name: str) -> list[str]:
        """List plans with a similar name, best first."""
        return _near(name, (key for key in self._keys() if self.plan(key) is not None))

    def devices_like(self, name: str) -> list[str]:
        """List devices with a similar name, best first; of a dotted name only the part that is wrong is replaced."""
        parent, _, last = name.rpartition(".")
        if not parent:
            return _near(name, filter(self._is_there, self._keys()))
        try:
            device = self._find(parent)
            components = component_names(device) if device is not None else None
        except BaseException:  # noqa: BLE001 - protects a message about one name from the broken code of a device
            return []
        if components is None:
            return self.devices_like(parent)
        near = [f"{parent}.{match}" for match in difflib.get_close_matches(last, components) or components]
        return [found for found in near if self._is_there(found)][:_SHOWN]

    def _keys(self) -> list[str]:
        # A copy first: threads of user code may change the namespace meanwhile.
        return [key for key in list(self._namespace) if isinstance(key, str)]

    def _find(self, name: str) -> object | None:
        head, *path = name.split(".")
        device = self._namespace.get(head)
        if device is None or not is_device(device) or self._registered.hides(head):
            return None
        for part in path:
            device = find_component(device, part)
            if device is None:
                return None
        return device

    def _is_there(self, name: str) -> bool:
        try:
            return self.device(name) is not None
        except BaseException:  # noqa: BLE001 - protects a message about one name from the broken code of another device
            return False

    def _method(self, name: str) -> Callable[..., Any] | None:
        owner, _, method = name.rpartition(".")
        device = self.device(owner)
        value = getattr(device, method, None) if device is not None else None
        return value if isinstance(value, (types.MethodType, types.FunctionType)) else None

    def _allows_plan(self, name: str) -> bool:
        return not self._registered.hides(name) and (self._access is None or self._access.allows_plan(name))

    def _allows_device(self, name: str, device: object) -> bool:
        return self._access is None or self._access.allows_device(name, traits_of(device))


def _near(name: str, candidates: Iterable[str]) -> list[str]:
    return difflib.get_close_matches(name, list(candidates))
