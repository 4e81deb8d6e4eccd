"""The tree of devices on which the table of patterns is defined, and a matcher that walks it level by level."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from queueserver_inventory.patterns import Traits

DETECTOR = Traits(is_readable=True)
MOTOR = Traits(is_readable=True, is_movable=True)
FLYER = Traits(is_flyable=True)


@dataclass(frozen=True)
class Node:
    traits: Traits = DETECTOR
    components: Mapping[str, Node] = field(default_factory=dict)


VAL = {"val": Node()}
TREE: Mapping[str, Node] = {
    "stage": Node(
        components={
            "mtrs": Node(components={"x": Node(MOTOR, VAL), "y": Node(MOTOR)}),
            "det": Node(components=VAL),
        }
    ),
    "stage2": Node(components={"det": Node(components=VAL)}),
    "det1": Node(components=VAL),
    "det2": Node(),
    "motor": Node(MOTOR, VAL),
    "fly": Node(FLYER),
}


def nodes(tree: Mapping[str, Node], above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Traits]]:
    """All paths of a tree."""
    for name, node in tree.items():
        yield (*above, name), node.traits
        yield from nodes(node.components, (*above, name))


@dataclass(frozen=True)
class Written:
    """A pattern in pieces: kind, (sign, expression) for each level, expression of the rest, depth."""

    kind: str
    levels: tuple[tuple[str, str], ...]
    rest: str | None
    depth: int | None

    @property
    def text(self) -> str:
        parts = [sign + expression for sign, expression in self.levels]
        parts += [] if self.rest is None else ["?" + self.rest]
        parts += [] if self.depth is None else [f"depth={self.depth}"]
        return ":".join([self.kind, *parts])

    def expand(self, tree: Mapping[str, Node]) -> set[str]:
        """Dotted names of all that is selected: one level of the tree after the other, as people would do it."""
        found: set[str] = set()
        here = [((), tree)]
        for number, (sign, expression) in enumerate(self.levels, start=1):
            last = number == len(self.levels) and self.rest is None
            matching = [
                ((*above, name), node)
                for above, components in here
                for name, node in components.items()
                if re.search(expression, name)
            ]
            if sign != "-" or last:
                found |= {".".join(path) for path, node in matching if self._is_kind(node.traits)}
            here = [(path, node.components) for path, node in matching]
        if self.rest is not None:
            for above, components in here:
                found |= self._expand_rest(above, components)
        return found

    def _expand_rest(self, above: tuple[str, ...], components: Mapping[str, Node]) -> set[str]:
        return {
            ".".join(above + below)
            for below, traits in nodes(components)
            if (self.depth is None or len(below) <= self.depth)
            and re.search(self.rest or "", ".".join(below))
            and self._is_kind(traits)
        }

    def _is_kind(self, traits: Traits) -> bool:
        return {
            "": True,
            "__READABLE__": traits.is_readable,
            "__FLYABLE__": traits.is_flyable,
            "__DETECTOR__": traits.is_readable and not traits.is_movable,
            "__MOTOR__": traits.is_readable and traits.is_movable,
        }[self.kind]
