"""Defaults that are devices, plans or functions: the names by which a request can refer to them, as forms do."""

from collections.abc import Mapping
from typing import Any, Final

from queueserver_inventory.parameter_types import TypeKind
from queueserver_inventory.type_words import DEVICES, PLANS

from queueserver_environment.describe.types.value_types import ValueType

_UNTYPED: Final = frozenset({TypeKind.UNSPECIFIED})
_MAX_DEPTH: Final = 4


class DefaultNames:
    """Names of the objects of one namespace; of an object with several names the first in alphabetical order."""

    def __init__(self, devices: Mapping[str, Any], plans: Mapping[str, Any], others: Mapping[str, Any]) -> None:
        self._devices, self._plans, self._others = map(_by_identity, (devices, plans, others))

    def text_of(self, default: Any, takes: ValueType) -> str:
        """Print a default with names in place of objects; empty if it has none, or if they would not convert."""
        kinds = {each.kind for each in takes.everything}
        known: dict[int, str] = {}
        if TypeKind.CALLABLE in kinds:
            known |= self._others | self._plans
        if kinds & (PLANS | _UNTYPED):
            known |= self._plans
        if kinds & (DEVICES | _UNTYPED):
            known |= self._devices
        named = _named(default, known, 0) if known else default
        if named is default or not takes.accepts(named):
            return ""
        return repr(named)


def _by_identity(objects: Mapping[str, Any]) -> dict[int, str]:
    return {id(objects[name]): name for name in sorted(objects, reverse=True)}


def _named(value: Any, known: Mapping[int, str], depth: int) -> Any:
    """Replace objects by their names; the value itself if there is nothing to replace."""
    if type(value) in (list, tuple) and depth < _MAX_DEPTH:
        parts = [_named(part, known, depth + 1) for part in value]
        return value if all(new is old for new, old in zip(parts, value, strict=True)) else parts
    return known.get(id(value), value)
