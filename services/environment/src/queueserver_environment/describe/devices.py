"""Devices: which objects are devices, what they can do, and which components they have.

Guarantees: looking at a device of ophyd or ophyd-async runs none of its properties and creates none of its lazy
components, so an inventory of a beamline that is switched off takes no time and no connection.
Does not guarantee that a component that is listed can be connected.
"""

from collections.abc import Callable, Iterator
from functools import cache
from types import FunctionType, ModuleType
from typing import Any, Final

from queueserver_inventory.patterns import Traits

_READABLE: Final = frozenset({"name", "read", "describe"})
_MOVABLE: Final = frozenset({"set"})
_FLYABLE: Final = frozenset({"name", "kickoff", "complete"})
_COMPOSED: Final = frozenset({"name", "children", "connect"})
#: Members that nothing but a device has, and those of a mapping.
_OF_DEVICES: Final = frozenset({"set", "trigger", "stage", "kickoff", "parent", "read_configuration", "hints"})
_MAPPING: Final = frozenset({"keys", "__getitem__", "__iter__", "__len__"})
_MEMBERS: Final = _READABLE | _MOVABLE | _FLYABLE | _COMPOSED | _OF_DEVICES | _MAPPING
#: Libraries whose catalogs and clients have a name, and can be read and described, as a detector can.
_OF_DATA: Final = frozenset({"databroker", "intake", "tiled", "suitcase", "xarray", "pandas", "dask"})
_NO_DEVICES: Final = (type, ModuleType, FunctionType)


def is_device(value: object) -> bool:
    """Tell whether an object is a device: readable, flyable, or an ophyd-async device.

    Recorded data are none, although a catalog of them can be read and described.
    """
    if isinstance(value, _NO_DEVICES):
        return False
    cls: Any = type(value)
    members = _members(value)
    return (_reads(members) or members >= _FLYABLE or members >= _COMPOSED) and not _is_of_data(cls)


def is_device_class(cls: type) -> bool:
    """Tell whether instances of a class are devices, as far as the class shows."""
    members = _members_of_class(cls)
    named = members | {"name"}
    return (_reads(named) or named >= _FLYABLE or members >= _COMPOSED) and not _is_of_data(cls)


def _reads(members: frozenset[str]) -> bool:
    """Tell whether an object with these members can be read as a device; a mapping needs more than that."""
    return members >= _READABLE and not (members >= _MAPPING and members.isdisjoint(_OF_DEVICES))


@cache
def _is_of_data(cls: type) -> bool:
    """Tell whether a class is, or is made from, one of a library for recorded data."""
    return any(str(base.__module__).partition(".")[0] in _OF_DATA for base in cls.__mro__)


def class_protocol(cls: type) -> str:
    """Name the most specific protocol of a device class: "Movable", "Readable", "Flyable" or nothing."""
    traits = class_traits(cls)
    if traits.is_movable:
        return "Movable"
    if traits.is_readable:
        return "Readable"
    return "Flyable" if traits.is_flyable else ""


def traits_of(device: object) -> Traits:
    """Tell what a device can do."""
    return _traits(_members(device))


@cache
def class_traits(cls: type) -> Traits:
    """Tell what instances of a class of devices can do."""
    return _traits(_members_of_class(cls) | {"name"})


def find_component(device: object, name: str) -> object | None:
    """Return a component of a device by its name, or None if it has none of that name.

    Unlike a description this creates a lazy component, because the caller wants to use it.
    """
    cls: Any = type(device)
    if ophyd_components(cls) is not None:
        return getattr(device, name) if name in getattr(device, "component_names", ()) else None
    if _members(device) >= _COMPOSED:
        return next((child for key, child in device.children() if str(key) == name), None)  # type: ignore[attr-defined] # it has them, see _members
    if name.startswith("_"):
        return None
    component = getattr(device, name, None)
    return component if component is not None and is_device(component) else None


def component_names(device: object) -> list[str]:
    """List the names of a device's components."""
    cls: Any = type(device)
    components = ophyd_components(cls)
    if components is not None:
        return list(components)
    return [name for name, _ in components_of(device)]


def components_of(device: Any) -> Iterator[tuple[str, Callable[[], object]]]:
    """List the components of a device that is not from ophyd: their names, and how to get each.

    Raises whatever the device's own code raises.
    """
    if _members(device) >= _COMPOSED:
        for name, child in device.children():
            yield str(name), lambda child=child: child  # type: ignore[misc] # mypy can't infer a default's type
        return
    for name in _named_components(device):
        yield name, lambda name=name: getattr(device, name)  # type: ignore[misc] # as above


def class_name(cls: type) -> str:
    """Return the full name of a class."""
    return f"{cls.__module__}.{cls.__qualname__}"


def is_of_class(cls: type, wanted: type) -> bool:
    """Tell whether instances of a class of devices are instances of another class."""
    try:
        return issubclass(cls, wanted)
    except BaseException:  # noqa: BLE001 - protects the inventory from a metaclass with broken code
        return False


@cache
def ophyd_components(cls: type) -> dict[str, Any] | None:
    """Return the components that an ophyd class declares, by name; None if it is not a class of ophyd."""
    if not any(base.__module__ == "ophyd.ophydobj" for base in cls.__mro__):
        return None
    return dict(getattr(cls, "_sig_attrs", {}))


@cache
def is_area_detector(cls: type) -> bool:
    """Tell whether a class is an area detector, or a part of one, of ophyd."""
    return any(base.__name__ == "ADBase" and base.__module__.startswith("ophyd.") for base in cls.__mro__)


def _named_components(device: object) -> list[str]:
    # Looked up without getattr first: a class of users may respond to any name.
    known = "component_names" in getattr(device, "__dict__", ()) or hasattr(type(device), "component_names")
    names = getattr(device, "component_names", ()) if known else ()
    return [name for name in names if isinstance(name, str)] if isinstance(names, (list, tuple)) else []


def _traits(members: frozenset[str]) -> Traits:
    return Traits(is_readable=members >= _READABLE, is_movable=members >= _MOVABLE, is_flyable=members >= _FLYABLE)


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
