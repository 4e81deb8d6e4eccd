"""Devices: which objects are devices, what they can do and of what they consist.

Guarantees: looking at a device runs none of its properties and creates none of its lazy components, so an
inventory of a beamline that is switched off takes no time and no connection. Classes of ophyd are described once,
however many instances there are. Trees end at MAX_DEPTH levels.
Does not guarantee that a component that is listed can be connected.
"""

from collections.abc import Iterator
from functools import cache
from types import FunctionType, ModuleType
from typing import Any, Final

from queueserver.common.v1.inventory_pb2 import DeviceDescription

from queueserver_worker.environment.failures import error_text

MAX_DEPTH: Final = 5
"""Levels of a device tree, the device itself included."""
_READABLE: Final = frozenset({"name", "read", "describe"})
_MOVABLE: Final = frozenset({"set"})
_FLYABLE: Final = frozenset({"name", "kickoff", "complete"})
_COMPOSED: Final = frozenset({"name", "children", "connect"})
_MEMBERS: Final = _READABLE | _MOVABLE | _FLYABLE | _COMPOSED
_NO_DEVICES: Final = (type, ModuleType, FunctionType)


def is_device(value: object) -> bool:
    """Tell whether an object is a device: readable, flyable, or an ophyd-async device."""
    if isinstance(value, _NO_DEVICES):
        return False
    members = _members(value)
    return members >= _READABLE or members >= _FLYABLE or members >= _COMPOSED


def is_device_class(cls: type) -> bool:
    """Tell whether instances of a class are devices, as far as the class shows."""
    members = _members_of_class(cls)
    named = members | {"name"}
    return named >= _READABLE or named >= _FLYABLE or members >= _COMPOSED


def class_protocol(cls: type) -> str:
    """Name the protocol that says most about a device class: "Movable", "Readable", "Flyable" or nothing."""
    members = _members_of_class(cls) | {"name"}
    for protocol, wanted in (("Movable", _MOVABLE), ("Readable", _READABLE), ("Flyable", _FLYABLE)):
        if members >= wanted:
            return protocol
    return ""


def find_component(device: object, name: str) -> object | None:
    """Return a component of a device by its name, or None if it has none of that name.

    Unlike a description this creates a lazy component, because the caller wants to use it.
    """
    if _ophyd_components(type(device)) is not None:
        return getattr(device, name) if name in getattr(device, "component_names", ()) else None
    if _members(device) >= _COMPOSED:
        return dict(_children(device)).get(name)
    if name.startswith("_"):
        return None
    component = getattr(device, name, None)
    return component if component is not None and is_device(component) else None


def component_names(device: object) -> list[str]:
    """List the names of a device's components."""
    components = _ophyd_components(type(device))
    if components is not None:
        return list(components)
    return [name for name, _ in _children(device)] if _members(device) >= _COMPOSED else []


def describe_device(name: str, device: object, problems: list[str]) -> DeviceDescription:
    """Describe a device with its components.

    Where the components of a device can't be listed, they are left out and a sentence is added to `problems`.
    """
    description = DeviceDescription()
    description.CopyFrom(_describe(name, device, MAX_DEPTH, problems))
    description.name = name
    return description


def _describe(path: str, device: object, depth: int, problems: list[str]) -> DeviceDescription:
    if _ophyd_components(type(device)) is not None:
        description = _describe_class(type(device), depth)
        description.MergeFrom(_flags(_members(device)))
        return description
    description = _describe_node(type(device), _members(device))
    if depth > 1 and _members(device) >= _COMPOSED:
        description.components.extend(_describe_children(path, device, depth - 1, problems))
    return description


def _describe_children(path: str, device: object, depth: int, problems: list[str]) -> list[DeviceDescription]:
    found = []
    try:
        for name, child in _children(device):
            component = _describe(f"{path}.{name}", child, depth, problems)
            component.name = name
            found.append(component)
    except Exception as error:  # noqa: BLE001 - protects the other devices from one whose code is broken
        problems.append(f"The components of {path} were left out ({type(error).__name__}: {error_text(error)}).")
        return []
    return found


@cache
def _cached_class_description(cls: type, depth: int) -> bytes:
    description = _describe_node(cls, _members_of_class(cls) | {"name"})
    if depth > 1 and not _is_area_detector(cls):
        for name, component in (_ophyd_components(cls) or {}).items():
            part = description.components.add()
            part.CopyFrom(_describe_component(component, depth - 1))
            part.name = name
    return description.SerializeToString()


def _describe_class(cls: type, depth: int) -> DeviceDescription:
    return DeviceDescription.FromString(_cached_class_description(cls, depth))


def _describe_component(component: Any, depth: int) -> DeviceDescription:
    cls = component.cls
    if isinstance(cls, type):
        return _describe_class(cls, depth)
    return DeviceDescription(classname=getattr(cls, "__name__", ""), module=getattr(cls, "__module__", ""))


def _describe_node(cls: type, members: frozenset[str]) -> DeviceDescription:
    description = _flags(members)
    description.classname = cls.__name__
    description.module = cls.__module__
    return description


def _flags(members: frozenset[str]) -> DeviceDescription:
    return DeviceDescription(
        is_readable=members >= _READABLE, is_movable=members >= _MOVABLE, is_flyable=members >= _FLYABLE
    )


def _children(device: Any) -> Iterator[tuple[str, object]]:
    for name, child in device.children():
        yield str(name), child


@cache
def _members_of_class(cls: type) -> frozenset[str]:
    """Find which of the protocols' members a class has, without running any property of an instance."""
    owned = {name: vars(base)[name] for base in reversed(cls.__mro__) for name in _MEMBERS if name in vars(base)}
    return frozenset(name for name, value in owned.items() if value is not None)


def _members(value: object) -> frozenset[str]:
    cls: Any = type(value)
    members: frozenset[str] = _members_of_class(cls)
    own = getattr(value, "__dict__", None)
    return members | (_MEMBERS & own.keys()) if isinstance(own, dict) else members


def _ophyd_components(cls: type) -> dict[str, Any] | None:
    """Return the components that an ophyd class declares, or None if it is no class of ophyd."""
    if not any(base.__module__ == "ophyd.ophydobj" for base in cls.__mro__):
        return None
    return dict(getattr(cls, "_sig_attrs", {}))


def _is_area_detector(cls: type) -> bool:
    return any(base.__name__ == "ADBase" and base.__module__.startswith("ophyd.") for base in cls.__mro__)
