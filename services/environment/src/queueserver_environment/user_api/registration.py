"""What startup code requests for single names: leave this plan or device out, describe that device to this depth.

Guarantees: a name can be registered before, after or without being defined; the last registration of a name counts.
What is registered through an installed bluesky-queueserver is known here too.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

_OTHER_PACKAGE: Final = "bluesky_queueserver.manager.profile_ops"


@dataclass(frozen=True)
class RegisteredDevice:
    """How a device of the namespace is treated."""

    #: Levels of the tree that are described: 1 is the device alone, 0 means all.
    depth: int = 1
    #: Don't list it, and let no request name it.
    exclude: bool = False


@dataclass(frozen=True)
class Registrations:
    """Everything that was registered, by name."""

    devices: Mapping[str, RegisteredDevice]
    #: Whether the plan is left out.
    plans: Mapping[str, bool]

    def hides(self, name: str) -> bool:
        """Tell whether requests can't name it, because it was registered as excluded."""
        device = self.devices.get(name)
        return self.plans.get(name, False) or (device is not None and device.exclude)


_devices: Final[dict[str, RegisteredDevice]] = {}
_plans: Final[dict[str, bool]] = {}


def register_device(name: str, *, depth: int = 1, exclude: bool = False) -> None:
    """Say how a device of the startup code is listed.

    Parameters
    ----------
    name
        Name of the variable; no component.
    depth
        Levels of its tree that are listed: 1 for the device alone, 2 with its components, 0 for all. Components of an
        area detector are listed only if it is registered with a depth other than 1.
    exclude
        Don't list it; requests can't name it then, code still can.

    Raises
    ------
    TypeError, ValueError
        The name is not an identifier, or the depth is not a number of levels.

    """
    _check_name("device", name)
    if isinstance(depth, bool) or not isinstance(depth, int):
        raise TypeError(f"The depth of the device {name!r} must be a whole number, not {depth!r}.")
    if depth < 0:
        raise ValueError(f"The depth of the device {name!r} must be 0 (all levels) or more, not {depth}.")
    _devices[name] = RegisteredDevice(depth, bool(exclude))


def register_plan(name: str, *, exclude: bool = False) -> None:
    """Say that a name of the startup code is a plan, or with `exclude` that requests can't name it.

    Raises
    ------
    TypeError, ValueError
        The name is not an identifier.

    """
    _check_name("plan", name)
    _plans[name] = bool(exclude)


def clear_registrations() -> None:
    """Forget everything, as before startup code is loaded."""
    _devices.clear()
    _plans.clear()


def registrations() -> Registrations:
    """Return what has been registered so far."""
    other = getattr(sys.modules.get(_OTHER_PACKAGE), "reg_ns_items", None)
    devices = {name: _device_of(entry) for name, entry in _entries(other, "reg_devices")}
    plans = {name: bool(entry.get("exclude")) for name, entry in _entries(other, "reg_plans")}
    return Registrations({**devices, **_devices}, {**plans, **_plans})


def _entries(registry: object, attribute: str) -> list[tuple[str, dict[str, Any]]]:
    """List what the other package stores, as far as it looks like what its releases have there."""
    kept = getattr(registry, attribute, None)
    items = kept.items() if isinstance(kept, dict) else ()
    return [(name, entry) for name, entry in items if isinstance(name, str) and isinstance(entry, dict)]


def _device_of(entry: dict[str, Any]) -> RegisteredDevice:
    depth = entry.get("depth")
    return RegisteredDevice(depth if isinstance(depth, int) else 1, bool(entry.get("exclude")))


def _check_name(kind: str, name: object) -> None:
    if not isinstance(name, str):
        raise TypeError(f"The name of a {kind} must be a text, not {name!r}.")
    if not name.isidentifier():
        raise ValueError(f"{name!r} can't be the name of a {kind}: register the name of a global variable.")
