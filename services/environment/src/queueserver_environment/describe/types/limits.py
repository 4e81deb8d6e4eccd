"""Bounds and units in type hints: `Annotated[float, Ge(0), Unit("mm")]`.

Objects of annotated_types, pydantic's `Field` and similar ones are recognised by their attributes (`ge`, `gt`, `le`,
`lt`, `multiple_of`, `unit`), so none of those packages is needed.
Guarantees: a bound is one of every number that the hint admits, and neither looser nor stricter than the hint; what
can't be expressed so is left out. Metadata of any other kind is not an error.
"""

import math
import sys
import typing
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import numpy as np
from queueserver_inventory.parameter_types import TypeKind

from queueserver_environment.describe.types.annotations import unwrapped
from queueserver_environment.describe.types.class_kinds import kind_of

#: As in the decorator: by the keys min, max, step and unit.
Limits = Mapping[str, Any]
NO_LIMITS: Final[Limits] = {}
_STRICTER: Final = {"ge": max, "gt": max, "le": min, "lt": min}
_LARGEST: Final = sys.float_info.max
_MAX_DEPTH: Final = 12
_PARTS: Final = frozenset({TypeKind.LIST, TypeKind.TUPLE, TypeKind.MAP})
_NUMBERS: Final = frozenset({TypeKind.INTEGER, TypeKind.NUMBER})
#: A record's fields have bounds of their own.
_ANYTHING: Final = frozenset({TypeKind.ANY, TypeKind.UNSPECIFIED, TypeKind.RECORD})


def has_metadata(hint: Any) -> bool:
    """Tell whether there is an Annotated anywhere in a resolved hint."""
    return _has_metadata(hint, 0)


def limits_of(hint: Any) -> Limits:
    """Read what the hint says about all numbers that it admits."""
    first, *others = list(_numbers_in(hint, {}, 0)) or [NO_LIMITS]
    return {key: value for key, value in first.items() if all(other.get(key) == value for other in others)}


def _has_metadata(hint: Any, depth: int) -> bool:
    if depth >= _MAX_DEPTH:
        return False
    inner = unwrapped(hint)
    if inner is not hint:
        return typing.get_origin(hint) is typing.Annotated or _has_metadata(inner, depth + 1)
    return any(_has_metadata(part, depth + 1) for part in typing.get_args(hint))


def _numbers_in(hint: Any, said: dict[str, Any], depth: int) -> Iterator[Limits]:
    """List what is said of each place where numbers can stand; nothing for a place where any number can."""
    if depth >= _MAX_DEPTH:
        yield NO_LIMITS
        return
    inner = unwrapped(hint)
    if inner is not hint:
        if typing.get_origin(hint) is typing.Annotated:
            said = _together([said, *map(_said_by, hint.__metadata__)])
        yield from _numbers_in(inner, said, depth + 1)
        return
    kind = kind_of(hint)
    parts = [part for part in typing.get_args(hint) if part is not Ellipsis]
    if kind is TypeKind.UNION:
        for part in parts:
            yield from _numbers_in(part, said, depth + 1)
    elif kind in _PARTS or kind in _ANYTHING:
        # Bounds of a list are none of its elements'; its unit is theirs.
        of_parts = {key: value for key, value in said.items() if key == "unit"}
        for part in parts[1:] if kind is TypeKind.MAP else parts:
            yield from _numbers_in(part, of_parts, depth + 1)
        if not parts or kind in _ANYTHING:
            yield of_parts
    elif kind in _NUMBERS or any(isinstance(part, (int, float)) for part in parts):
        yield _limits(said, whole=kind is TypeKind.INTEGER)


def _said_by(metadata: Any) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for key in ("ge", "gt", "le", "lt", "multiple_of"):
        value = _exact(_attribute(metadata, key))
        if value is not None:
            said[key] = value
    unit = _attribute(metadata, "unit")
    if isinstance(unit, str) and unit:
        said["unit"] = unit
    # pydantic's Field keeps what it says in a list of such objects.
    inside = _attribute(metadata, "metadata")
    return _together([said, *map(_said_by, inside)]) if isinstance(inside, list) else said


def _together(all_said: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Combine what holds at the same time."""
    result: dict[str, Any] = {}
    for said in all_said:
        for key, value in said.items():
            strictest = _STRICTER.get(key)
            result[key] = strictest(result[key], value) if strictest and key in result else value
    return result


def _limits(said: dict[str, Any], *, whole: bool) -> Limits:
    """Express bounds that may exclude their own value by bounds that include it."""
    lowest = [said["ge"]] if "ge" in said else []
    highest = [said["le"]] if "le" in said else []
    if "gt" in said:
        lowest.append(_exact(math.floor(said["gt"]) + 1) if whole else math.nextafter(said["gt"], math.inf))
    if "lt" in said:
        highest.append(_exact(math.ceil(said["lt"]) - 1) if whole else math.nextafter(said["lt"], -math.inf))
    limits = {
        "min": max((bound for bound in lowest if bound is not None), default=None),
        "max": min((bound for bound in highest if bound is not None), default=None),
    }
    limits |= {"step": said.get("multiple_of"), "unit": said.get("unit")}
    return {key: value for key, value in limits.items() if value is not None}


def _exact(value: Any) -> float | None:
    """Return a number as the very same float; None if that can't be, or if it is none."""
    if isinstance(value, np.integer):
        value = int(value)  # because numpy compares whole numbers with a float only approximately
    is_number = isinstance(value, (int, float, np.floating)) and not isinstance(value, bool)
    if not is_number or not abs(value) <= _LARGEST:
        return None
    return float(value) if float(value) == value else None


def _attribute(metadata: Any, name: str) -> Any:
    try:
        return getattr(metadata, name, None)
    except BaseException:  # noqa: BLE001 - protects the plan from metadata that is meant for others
        return None
