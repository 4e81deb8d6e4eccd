"""Devices as trees of descriptions, to the depth that is wanted.

Guarantees: classes of ophyd are described once, however many instances there are. A component that can't be described
is left out and reported, its siblings stay. Trees end at MAX_DEPTH levels and MAX_COMPONENTS components, and a device
that contains itself is not followed.
"""

from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Final

from queueserver_inventory.description_sizes import Sizes
from queueserver_inventory.descriptions import DeviceDescription
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
        return self._describe(name, name, device, self.depth or MAX_DEPTH, ())

    def _describe(self, name: str, path: str, device: object, depth: int, above: tuple[int, ...]) -> DeviceDescription:
        cls: Any = type(device)
        if ophyd_components(cls) is not None:
            content, is_whole = _class_content(cls, depth, self.asked, with_area_detectors=self.with_area_detectors)
            if not is_whole:
                self.problems.append(Problem(_TOO_MANY.format(path)))
            # An instance may have gained members that its class does not have.
            traits = traits_of(device)
            return replace(
                content,
                name=name,
                readable=traits.is_readable,
                movable=traits.is_movable,
                flyable=traits.is_flyable,
            )
        components: list[DeviceDescription] = []
        if depth > 1 and len(above) < MAX_DEPTH:
            self._add_components(components, path, device, depth - 1, (*above, id(device)))
        return _node(name, cls, traits_of(device), self.asked, tuple(components))

    def _add_components(
        self, found: list[DeviceDescription], path: str, device: object, depth: int, above: tuple[int, ...]
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
                found.append(self._component(name, f"{path}.{name}", get(), depth, above))
            except BaseException as error:  # noqa: BLE001 - protects the siblings of a component whose code is broken
                self._leave_out(f"The component {path}.{name}", "was", error)
        if self._left == -1:
            self.problems.append(Problem(_TOO_MANY.format(path)))

    def _component(
        self, name: str, path: str, component: object, depth: int, above: tuple[int, ...]
    ) -> DeviceDescription:
        if id(component) in above:
            raise ValueError("it contains itself")
        return self._describe(_sendable(name), path, component, depth, above)

    def _leave_out(self, what: str, were: str, error: BaseException) -> None:
        cause = f"{type(error).__name__}: {error_text(error)}"
        self.problems.append(Problem(f"{what} {were} left out ({cause}); correct the device's code.", error))


@cache
def _class_content(
    cls: type, depth: int, asked: frozenset[type], *, with_area_detectors: bool
) -> tuple[DeviceDescription, bool]:
    """Describe a class of ophyd, without a name; tell whether nothing had to be left out."""
    components: list[DeviceDescription] = []
    is_whole = True
    if depth > 1 and (with_area_detectors or not is_area_detector(cls)):
        for name, component in (ophyd_components(cls) or {}).items():
            if isinstance(component.cls, type):
                content, part_is_whole = _class_content(
                    component.cls, depth - 1, asked, with_area_detectors=with_area_detectors
                )
                components.append(replace(content, name=name))
                is_whole &= part_is_whole
            else:
                words = _words_of(component.cls)
                components.append(DeviceDescription(name=name, class_name=words[0], module=words[1]))
    description = _node("", cls, class_traits(cls), asked, tuple(components))
    if _class_sizes.device(description) > _LONGEST_BRANCH:
        # Classes can be composed so that the number of components grows exponentially with the depth.
        return replace(description, components=()), False
    return description, is_whole


_class_sizes: Final = Sizes()


def _node(
    name: str, cls: type, traits: Traits, asked: frozenset[type], components: tuple[DeviceDescription, ...]
) -> DeviceDescription:
    written, module = _words_of(cls)
    return DeviceDescription(
        name=name,
        readable=traits.is_readable,
        movable=traits.is_movable,
        flyable=traits.is_flyable,
        class_name=written,
        module=module,
        components=components,
        instance_of=tuple(sorted(class_name(base) for base in asked if is_of_class(cls, base))),
    )


@cache
def _words_of(cls: Any) -> tuple[str, str]:
    """Return the name of a class, or of what makes instances, and its module."""
    return _sendable(getattr(cls, "__name__", "")), _sendable(getattr(cls, "__module__", ""))


def _sendable(text: object) -> str:
    """Refuse what is no text, or none that can be encoded. Raises TypeError or UnicodeError."""
    if not isinstance(text, str):
        raise TypeError(f"a name must be a text, not {type(text).__name__}")
    text.encode()
    return text
