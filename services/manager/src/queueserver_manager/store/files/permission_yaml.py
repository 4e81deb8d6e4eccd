"""The YAML of permissions, which people write by hand and which may have been written to do harm.

Guarantees: a text of any content becomes text, null, lists and mappings of them, or is refused, in a time that its
length bounds. Aliases count as if they were written out, so a short text stands for no huge document. What YAML takes
for a number, a date or a truth value is not converted, because permissions have none: it becomes :class:`NoText`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml
from queueserver_inventory.yaml_problems import yaml_problem

#: Permissions have four levels: a deeper text is none, and would use up the stack.
MOST_LEVELS = 50
#: Values that are written. The largest permissions there can be have some 35,000.
MOST_VALUES = 50_000
#: Characters of all values, with aliases written out.
MOST_CHARACTERS = 4 * 1024 * 1024
_TAG = "tag:yaml.org,2002:"


class PermissionYamlError(ValueError):
    """The text can't be used; the message is a clause that says why."""


@dataclass(frozen=True, slots=True)
class NoText:
    """A value that YAML does not take for text, as it is written."""

    written: str

    def __str__(self) -> str:
        return self.written


def load(data: bytes) -> Any:
    """What a text says. Raises PermissionYamlError."""
    try:
        loader = _Loader(data)
        return loader.get_single_data()
    except (yaml.YAMLError, ValueError) as error:
        if isinstance(error, PermissionYamlError):
            raise
        raise PermissionYamlError(f"is not YAML ({yaml_problem(error)})") from error


@dataclass(frozen=True, slots=True)
class _Extent:
    """Of a value, with aliases written out."""

    characters: int
    levels: int


class _Loader(yaml.SafeLoader):
    """Reads one document within the bounds."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._level = 0
        self._values = 0
        #: By the identity of a node that is complete.
        self._extents: dict[int, _Extent] = {}

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Read one value. Raises PermissionYamlError beyond a bound."""
        if self._level == MOST_LEVELS:
            raise PermissionYamlError("is nested too deeply")
        self._level += 1
        self._values += 1
        if self._values > MOST_VALUES:
            raise PermissionYamlError(f"has more than {MOST_VALUES} values")
        is_alias = self.check_event(yaml.AliasEvent)
        node: Any = super().compose_node(parent, index)
        if not is_alias:
            self._extents[id(node)] = self._measured(node)
        elif id(node) not in self._extents:
            raise PermissionYamlError(f"has an alias in what it stands for (line {node.start_mark.line + 1})")
        self._level -= 1
        return node

    def _measured(self, node: Any) -> _Extent:
        if isinstance(node, yaml.ScalarNode):
            return _Extent(1 + len(node.value), 1)
        pairs = node.value if isinstance(node, yaml.MappingNode) else [(part,) for part in node.value]
        parts = [self._extents[id(part)] for pair in pairs for part in pair]
        extent = _Extent(
            1 + sum(part.characters for part in parts), 1 + max((part.levels for part in parts), default=0)
        )
        if extent.characters > MOST_CHARACTERS:
            raise PermissionYamlError(f"has more than {MOST_CHARACTERS} characters when its aliases are written out")
        if extent.levels > MOST_LEVELS:
            raise PermissionYamlError("is nested too deeply")
        return extent

    def construct_unconverted(self, node: Any) -> NoText:
        """A value of a kind that permissions don't have."""
        if not isinstance(node, yaml.ScalarNode):
            self.construct_undefined(node)
        return NoText(node.value)


_Loader.yaml_constructors = {
    _TAG + "null": yaml.SafeLoader.construct_yaml_null,
    _TAG + "str": yaml.SafeLoader.construct_yaml_str,
    _TAG + "seq": yaml.SafeLoader.construct_yaml_seq,
    _TAG + "map": yaml.SafeLoader.construct_yaml_map,
    **{_TAG + kind: _Loader.construct_unconverted for kind in ("bool", "int", "float", "timestamp", "binary", "value")},
    None: yaml.SafeLoader.construct_undefined,
}
