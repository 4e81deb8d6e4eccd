"""Which names the patterns in plans' decorators select: patterns in, sorted lists of names out.

Guarantees: a pattern is expanded once, however many plans use it, and only where in the trees of devices it can select
anything. Lists are bounded: one that would be too long becomes any device or plan.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final

from queueserver_inventory.descriptions import DeviceDescription
from queueserver_inventory.parameter_types import ParameterType
from queueserver_inventory.patterns import DevicePattern, NamePattern, Traits, device_pattern

from queueserver_environment.describe.plan_reading import NameList

MAX_NAMES: Final = 5_000
"""Names in one list."""
MAX_NAMES_IN_ALL: Final = 200_000
"""Names in all lists of an inventory."""


class Expansion:
    """Expands patterns over the devices and plans of one inventory."""

    def __init__(self, devices: Iterable[DeviceDescription], plans: Iterable[str]) -> None:
        self._devices = list(devices)
        self._plans = list(plans)
        self._known: dict[str, list[str]] = {}
        self._known_lists: dict[NameList, tuple[str, ...]] = {}
        self._left = MAX_NAMES_IN_ALL

    def expand(self, tree: ParameterType, lists: Mapping[str, NameList]) -> tuple[ParameterType, list[str]]:
        """Give all lists in a type their names.

        Returns the type, and the names of the lists that are too long: they have become any device or plan.
        """
        too_long: list[str] = []
        return (self._expand(tree, lists, too_long) if lists else tree), too_long

    def _expand(self, tree: ParameterType, lists: Mapping[str, NameList], too_long: list[str]) -> ParameterType:
        if not tree.listed:
            return replace(
                tree,
                arguments=tuple(self._expand(part, lists, too_long) for part in tree.arguments),
                fields=tuple(replace(each, type=self._expand(each.type, lists, too_long)) for each in tree.fields),
                key=None if tree.key is None else self._expand(tree.key, lists, too_long),
            )
        listed = lists[tree.type_name]
        if listed not in self._known_lists:
            self._known_lists[listed] = self._names(listed)
        names = self._known_lists[listed]
        self._left -= len(names)
        if len(names) > MAX_NAMES or self._left < 0:
            too_long.append(tree.type_name)
            return ParameterType(tree.kind)
        return replace(tree, choices=names)

    def _names(self, listed: NameList) -> tuple[str, ...]:
        found = {name for pattern in listed.devices for name in self._devices_of(pattern)}
        found |= {name for pattern in listed.plans for name in self._plans_of(pattern)}
        return tuple(sorted(found, key=lambda name: (name.upper(), name)))

    def _devices_of(self, pattern: DevicePattern) -> list[str]:
        if pattern.is_name:
            return [pattern.text]
        if pattern.text not in self._known:
            levels, any_depth = _levels(pattern)
            walk = _Walk(pattern, levels, any_depth=any_depth)
            self._known[pattern.text] = [name for device in self._devices for name in walk.names((), device)]
        return self._known[pattern.text]

    def _plans_of(self, pattern: NamePattern) -> list[str]:
        return [pattern.text] if pattern.is_name else [name for name in self._plans if pattern.selects(name)]


class _Walk:
    """Walks trees of devices, no deeper than a pattern can select anything."""

    def __init__(self, pattern: DevicePattern, levels: list[DevicePattern], *, any_depth: bool) -> None:
        self._pattern = pattern
        self._levels = levels
        self._is_any_depth = any_depth

    def names(self, above: tuple[str, ...], node: DeviceDescription) -> Iterator[str]:
        path = (*above, node.name)
        traits = Traits(is_readable=node.readable, is_movable=node.movable, is_flyable=node.flyable)
        if self._pattern.selects(path, traits):
            yield ".".join(path)
        if self._selects_below(path):
            for component in node.components:
                yield from self.names(path, component)

    def _selects_below(self, path: tuple[str, ...]) -> bool:
        depth = len(path)
        if depth > len(self._levels):
            return True
        if depth == len(self._levels) and not self._is_any_depth:
            return False
        return self._levels[depth - 1].selects(path, Traits())


def _levels(pattern: DevicePattern) -> tuple[list[DevicePattern], bool]:
    """Split a pattern into ones that select the devices below which it continues; tell whether it does at any depth."""
    _, *parts = pattern.text.split(":")
    ends = [number for number, part in enumerate(parts) if part.startswith("?")]
    last = ends[0] if ends else len(parts)
    return [device_pattern(":" + ":".join(parts[: number + 1])) for number in range(last)], bool(ends)
