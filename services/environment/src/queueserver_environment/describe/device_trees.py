"""Devices as trees of descriptions, to the depth that is wanted.

Guarantees: classes of ophyd are described once, however many instances there are. A component that can't be described
is left out and reported, its siblings stay. Trees end at MAX_DEPTH levels and MAX_COMPONENTS components, and a device
that contains itself is not followed.
"""

from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from queueserver.common.v1.inventory_pb2 import DeviceDescription
from queueserver_inventory.patterns import Traits

from queueserver_environment.describe.devices import (
    class_name,
    class_traits,
    components_of,
    is_area_detector,
    is_of_class,
    ophyd_components,
    traits_of,
)
from queueserver_environment.plans.failures import error_text

MAX_DEPTH: Final = 32
"""Levels of a device tree, the device itself included, when all are wanted."""
MAX_COMPONENTS: Final = 20_000
"""Components of one device, at all levels."""
_LONGEST_BRANCH: Final = 2 * 1024 * 1024
_TOO_MANY: Final = "{} has too many components to list all of them; register the device with less depth."


@dataclass
class Problem:
    """What could not be described of a device."""

    #: One sentence.
    message: str
    error: BaseException | None = None


@dataclass
class DeviceTree:
    """One device, on its way to its description."""

    #: Levels that are described: 1 is the device alone, 0 means all.
    depth: int = 0
    #: Describe components of area detectors too, which can be thousands.
    with_area_detectors: bool = False
    #: Classes of which devices are checked for being instances.
    asked: frozenset[type] = frozenset()
    problems: list[Problem] = field(default_factory=list)
    _left: int = MAX_COMPONENTS

    def describe(self, name: str, device: object) -> DeviceDescription:
        """Describe a device with its components; what is left out is in `problems`."""
        description = DeviceDescription()
        description.CopyFrom(self._describe(name, device, self.depth or MAX_DEPTH, ()))
        description.name = name
        return description

    def _describe(self, path: str, device: object, depth: int, above: tuple[int, ...]) -> DeviceDescription:
        cls: Any = type(device)
        if ophyd_components(cls) is not None:
            content, is_whole = _class_content(cls, depth, self.asked, with_area_detectors=self.with_area_detectors)
            if not is_whole:
                self.problems.append(Problem(_TOO_MANY.format(path)))
            description = DeviceDescription.FromString(content)
            # An instance may have gained members that its class does not have.
            _set_traits(description, traits_of(device))
            return description
        description = _node(cls, traits_of(device), self.asked)
        if depth > 1 and len(above) < MAX_DEPTH:
            self._add_components(description, path, device, depth - 1, (*above, id(device)))
        return description

    def _add_components(
        self, description: DeviceDescription, path: str, device: object, depth: int, above: tuple[int, ...]
    ) -> None:
        components = components_of(device)
        while True:
            try:
                name, get = next(components)
            except StopIteration:
                return
            except BaseException as error:  # noqa: BLE001 - protects what was listed so far from a device whose code is broken
                self._leave_out(f"Components of {path}", "were", error)
                return
            self._left -= 1
            if self._left < 0:
                break
            try:
                component = self._component(f"{path}.{name}", get(), depth, above)
            except BaseException as error:  # noqa: BLE001 - protects the siblings of a component whose code is broken
                self._leave_out(f"The component {path}.{name}", "was", error)
                continue
            component.name = name
            description.components.append(component)
        if self._left == -1:
            self.problems.append(Problem(_TOO_MANY.format(path)))

    def _component(self, path: str, component: object, depth: int, above: tuple[int, ...]) -> DeviceDescription:
        if id(component) in above:
            raise ValueError("it contains itself")
        return self._describe(path, component, depth, above)

    def _leave_out(self, what: str, were: str, error: BaseException) -> None:
        cause = f"{type(error).__name__}: {error_text(error)}"
        self.problems.append(Problem(f"{what} {were} left out ({cause}); correct the device's code.", error))


@cache
def _class_content(cls: type, depth: int, asked: frozenset[type], *, with_area_detectors: bool) -> tuple[bytes, bool]:
    """Describe a class of ophyd; tell whether nothing had to be left out."""
    description, is_whole = _node(cls, class_traits(cls), asked), True
    if depth > 1 and (with_area_detectors or not is_area_detector(cls)):
        for name, component in (ophyd_components(cls) or {}).items():
            part = description.components.add()
            if isinstance(component.cls, type):
                content, part_is_whole = _class_content(
                    component.cls, depth - 1, asked, with_area_detectors=with_area_detectors
                )
                part.MergeFromString(content)
                is_whole &= part_is_whole
            else:
                part.class_name = getattr(component.cls, "__name__", "")
                part.module = getattr(component.cls, "__module__", "")
            part.name = name
    if description.ByteSize() > _LONGEST_BRANCH:
        # Classes can be composed so that the number of components grows exponentially with the depth.
        description.ClearField("components")
        is_whole = False
    return description.SerializeToString(), is_whole


def _node(cls: type, traits: Traits, asked: frozenset[type]) -> DeviceDescription:
    description = DeviceDescription(class_name=cls.__name__, module=cls.__module__)
    description.instance_of.extend(sorted(class_name(base) for base in asked if is_of_class(cls, base)))
    _set_traits(description, traits)
    return description


def _set_traits(description: DeviceDescription, traits: Traits) -> None:
    description.readable = traits.is_readable
    description.movable = traits.is_movable
    description.flyable = traits.is_flyable
