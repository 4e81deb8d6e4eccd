"""Whether a value matches the type of a parameter, and if not, the words that say so.

A value typed as a device or plan must name one that is there, that can do what the type asks for, and that the
submitter may use; if the plan's author listed names, it must be one of those. What is not typed may be anything.
As in Python, a whole number is a number. Unlike there, a truth value is neither, because JSON keeps them apart and a
client that mixes them up has made a mistake.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from queueserver_inventory.text_formats import has_format

from queueserver_manager.domain.inventory import NAMING_KINDS, ParameterType, RecordField, TypeKind
from queueserver_manager.domain.validation.allowed import AllowedInventory
from queueserver_manager.domain.validation.bounds import out_of_bounds
from queueserver_manager.domain.validation.type_words import LONGEST_SHOWN, describe, near_matches, shown

_LISTS = frozenset({TypeKind.LIST, TypeKind.TUPLE})
_OBJECTS = frozenset({TypeKind.MAP, TypeKind.RECORD})
#: Names that are listed where none is similar.
_MOST_NAMED = 5
_MOST_MISFITS = 10


@dataclass(frozen=True, slots=True)
class Misfit:
    """One thing that is wrong with a value."""

    #: Where in the value: empty, or a path such as ``[0].motor``.
    path: str
    #: What is wrong there.
    phrase: str


def fits(value: Any, expected: ParameterType, allowed: AllowedInventory) -> bool:
    """Whether a value fits a type: the same as no ``misfits``, without the words for what is wrong.

    Nearly every value fits, and every argument of every submitted item comes through here.
    """
    kind = expected.kind
    if kind is TypeKind.UNTYPED or kind is TypeKind.ANY:
        return True
    if kind is TypeKind.UNION:
        return any(fits(value, option, allowed) for option in expected.arguments)
    if kind in NAMING_KINDS:
        return isinstance(value, str) and allowed.names(expected, value)
    if kind is TypeKind.LIST:
        if not isinstance(value, list):
            return False
        return not expected.arguments or all(fits(element, expected.arguments[0], allowed) for element in value)
    if kind in _LISTS or kind in _OBJECTS:
        return next(misfits(value, expected, allowed), None) is None
    return _SCALARS[kind](value, expected)


def misfits(value: Any, expected: ParameterType, allowed: AllowedInventory, path: str = "") -> Iterator[Misfit]:
    """What is wrong with a value, in order: of a list the first wrong element, of an object each wrong field."""
    kind = expected.kind
    if kind in (TypeKind.UNTYPED, TypeKind.ANY):
        return
    if kind is TypeKind.UNION:
        yield from _union_misfits(value, expected, allowed, path)
    elif kind in NAMING_KINDS:
        if not isinstance(value, str) or not allowed.names(expected, value):
            yield Misfit(path, _name_phrase(value, expected, allowed))
    elif kind in _LISTS and isinstance(value, list):
        yield from _list_misfits(value, expected, allowed, path)
    elif kind is TypeKind.MAP and isinstance(value, dict):
        yield from _map_misfits(value, expected, allowed, path)
    elif kind is TypeKind.RECORD and isinstance(value, dict):
        yield from record_misfits(value, expected, allowed, path)
    elif kind in _LISTS or kind in _OBJECTS or not _SCALARS[kind](value, expected):
        yield _other(value, expected, path)


def first_misfits(value: Any, expected: ParameterType, allowed: AllowedInventory) -> list[Misfit]:
    """What is wrong with a value, but no more than a person reads."""
    return list(islice(misfits(value, expected, allowed), _MOST_MISFITS))


def record_misfits(
    value: Mapping[str, Any], expected: ParameterType, allowed: AllowedInventory, path: str
) -> Iterator[Misfit]:
    """What is wrong with the fields of an object."""
    for name, element in value.items():
        known = expected.fields.get(name)
        if known is not None:
            yield from _field_misfits(element, known, allowed, f"{path}.{name}")
        elif not expected.open:
            yield Misfit(f"{path}.{name}", f"no such field; {_fields_like(name, expected)}")
    for name, known in expected.fields.items():
        if known.required and name not in value:
            yield Misfit(f"{path}.{name}", "required and not given")


def _field_misfits(value: Any, field: RecordField, allowed: AllowedInventory, path: str) -> Iterator[Misfit]:
    is_right = True
    for found in misfits(value, field.type, allowed, path):
        is_right = False
        yield found
    problem = out_of_bounds(value, field.minimum, field.maximum) if is_right else ""
    if problem:
        yield Misfit(path, problem)


def _union_misfits(value: Any, expected: ParameterType, allowed: AllowedInventory, path: str) -> Iterator[Misfit]:
    """Of the options that have the value's shape, the one that the value comes closest to, judged by its path."""
    nearest: list[Misfit] = []
    for option in expected.arguments:
        found = first_misfits(value, option, allowed)
        if not found:
            return
        if _has_shape(value, option) and (not nearest or len(found[0].path) > len(nearest[0].path)):
            nearest = found
    yield from (Misfit(path + each.path, each.phrase) for each in nearest or [_other(value, expected, "")])


def _has_shape(value: Any, option: ParameterType) -> bool:
    if isinstance(value, list):
        return option.kind in _LISTS
    if isinstance(value, dict):
        return option.kind in _OBJECTS
    return isinstance(value, str) and option.kind in NAMING_KINDS


def _list_misfits(value: list[Any], expected: ParameterType, allowed: AllowedInventory, path: str) -> Iterator[Misfit]:
    parts = expected.arguments
    if expected.kind is TypeKind.TUPLE and len(value) != len(parts):
        yield Misfit(path, f"must have {len(parts)} elements, not {len(value)}")
        return
    for index, element in enumerate(value if parts else ()):
        found = first_misfits(element, parts[index if expected.kind is TypeKind.TUPLE else 0], allowed)
        if found:
            yield from (Misfit(f"{path}[{index}]{each.path}", each.phrase) for each in found)
            return


def _map_misfits(
    value: Mapping[str, Any], expected: ParameterType, allowed: AllowedInventory, path: str
) -> Iterator[Misfit]:
    for name, element in value.items():
        found = _key_misfits(name, expected.key, allowed)
        if not found and expected.arguments:
            found = first_misfits(element, expected.arguments[0], allowed)
        if found:
            yield from (Misfit(f"{path}.{name}{each.path}", each.phrase) for each in found)
            return


def _key_misfits(name: str, expected: ParameterType | None, allowed: AllowedInventory) -> list[Misfit]:
    if expected is None or _key_fits(name, expected, allowed):
        return []
    return [Misfit("", f"the key {each.phrase}") for each in first_misfits(name, expected, allowed)[:1]]


def _key_fits(name: str, expected: ParameterType, allowed: AllowedInventory) -> bool:
    """Whether the text of a key stands for what a type asks for."""
    if fits(name, expected, allowed):
        return True
    try:
        meant = json.loads(name)
    except (ValueError, RecursionError):
        return False
    return not isinstance(meant, (str, list, dict)) and fits(meant, expected, allowed)


def _name_phrase(value: Any, expected: ParameterType, allowed: AllowedInventory) -> str:
    what = describe(expected)
    if not isinstance(value, str) or expected.listed:
        return f"must be {what}, not {shown(value)}"
    devices = allowed.devices_for(expected) if expected.kind is not TypeKind.PLAN else iter(())
    plans = allowed.plan_names() if expected.kind is not TypeKind.DEVICE else iter(())
    candidates = (*devices, *plans)
    near, name = near_matches(value, candidates), value[:LONGEST_SHOWN]
    if near:
        hint = f"; did you mean {near}?"
    elif expected.device_class and candidates:
        hint = f"; there {'is' if len(candidates) == 1 else 'are'} {', '.join(map(repr, candidates[:_MOST_NAMED]))}"
    else:
        hint = ""
    if allowed.offers(expected.kind, value):
        return f"must be {what}, and {name!r} is none{hint}"
    return f"must be {what}, and there is no {name!r} that you may use{hint}"


def _fields_like(name: str, expected: ParameterType) -> str:
    near = near_matches(name, tuple(expected.fields))
    return f"did you mean {near}?" if near else f"there are {', '.join(expected.fields) or 'none'}"


def _other(value: Any, expected: ParameterType, path: str) -> Misfit:
    return Misfit(path, f"must be {describe(expected)}, not {shown(value)}")


def _is_literal(value: Any, expected: ParameterType) -> bool:
    return any(value == allowed and isinstance(value, bool) is isinstance(allowed, bool) for allowed in expected.values)


def _is_text(value: Any, expected: ParameterType) -> bool:
    return isinstance(value, str) and (not expected.format or has_format(value, expected.format))


def _is_integer(value: Any, _: ParameterType) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_SCALARS: dict[TypeKind, Callable[[Any, ParameterType], bool]] = {
    TypeKind.NONE: lambda value, _: value is None,
    TypeKind.BOOLEAN: lambda value, _: isinstance(value, bool),
    TypeKind.INTEGER: _is_integer,
    TypeKind.NUMBER: lambda value, _: isinstance(value, (int, float)) and not isinstance(value, bool),
    TypeKind.STRING: _is_text,
    TypeKind.ENUM: lambda value, expected: isinstance(value, str) and value in expected.choices,
    TypeKind.LITERAL: _is_literal,
    TypeKind.CALLABLE: lambda value, _: isinstance(value, str),
}
