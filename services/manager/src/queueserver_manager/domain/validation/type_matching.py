"""What is wrong with a value that does not fit the type of a parameter, in words.

Whether it fits is decided by :mod:`queueserver_inventory.value_fit`. A value typed as a device or plan must name one
that is there, that can do what the type asks for, and that the submitter may use; if the plan's author listed names, it
must be one of those.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from queueserver_inventory.parameter_types import NAMING_KINDS, ParameterType, RecordField, TypeKind
from queueserver_inventory.value_fit import fits, key_fits

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


def first_misfits(value: Any, expected: ParameterType, allowed: AllowedInventory) -> list[Misfit]:
    """What is wrong with a value, but no more than a person reads; empty if it fits."""
    return [] if fits(value, expected, allowed.names) else _first(value, expected, allowed)


def record_misfits(
    value: Mapping[str, Any], expected: ParameterType, allowed: AllowedInventory, path: str
) -> Iterator[Misfit]:
    """What is wrong with the fields of an object; nothing if it fits."""
    for name, element in value.items():
        known = expected.by_name.get(name)
        if known is not None:
            yield from _field_misfits(element, known, allowed, f"{path}.{name}")
        elif not expected.open:
            yield Misfit(f"{path}.{name}", f"no such field; {_fields_like(name, expected)}")
    for name, known in expected.by_name.items():
        if known.required and name not in value:
            yield Misfit(f"{path}.{name}", "required and not given")


def _first(value: Any, expected: ParameterType, allowed: AllowedInventory) -> list[Misfit]:
    return list(islice(_misfits(value, expected, allowed, ""), _MOST_MISFITS))


def _misfits(value: Any, expected: ParameterType, allowed: AllowedInventory, path: str) -> Iterator[Misfit]:
    """What is wrong with a value that does not fit: in a list the first element, in an object each field."""
    kind = expected.kind
    if kind is TypeKind.UNION:
        yield from _union_misfits(value, expected, allowed, path)
    elif kind in NAMING_KINDS:
        yield Misfit(path, _name_phrase(value, expected, allowed))
    elif kind in _LISTS and isinstance(value, list):
        yield from _list_misfits(value, expected, allowed, path)
    elif kind is TypeKind.MAP and isinstance(value, dict):
        yield from _map_misfits(value, expected, allowed, path)
    elif kind is TypeKind.RECORD and isinstance(value, dict):
        yield from record_misfits(value, expected, allowed, path)
    else:
        yield _other(value, expected, path)


def _field_misfits(value: Any, field: RecordField, allowed: AllowedInventory, path: str) -> Iterator[Misfit]:
    if not fits(value, field.type, allowed.names):
        yield from _misfits(value, field.type, allowed, path)
    elif problem := out_of_bounds(value, field.minimum, field.maximum):
        yield Misfit(path, problem)


def _union_misfits(value: Any, expected: ParameterType, allowed: AllowedInventory, path: str) -> Iterator[Misfit]:
    """Of the options that have the value's shape, the one that the value comes closest to, judged by its path."""
    nearest: list[Misfit] = []
    for option in expected.arguments:
        if _has_shape(value, option):
            found = _first(value, option, allowed)
            if not nearest or len(found[0].path) > len(nearest[0].path):
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
    for index, element in enumerate(value):
        part = parts[index if expected.kind is TypeKind.TUPLE else 0]
        if not fits(element, part, allowed.names):
            found = _first(element, part, allowed)
            yield from (Misfit(f"{path}[{index}]{each.path}", each.phrase) for each in found)
            return


def _map_misfits(
    value: Mapping[str, Any], expected: ParameterType, allowed: AllowedInventory, path: str
) -> Iterator[Misfit]:
    for name, element in value.items():
        found: list[Misfit] = []
        if expected.key is not None and not key_fits(name, expected.key, allowed.names):
            wrong = _first(name, expected.key, allowed)
            found = [Misfit("", f"the key {each.phrase}") for each in wrong[:1]]
        elif expected.arguments and not fits(element, expected.arguments[0], allowed.names):
            found = _first(element, expected.arguments[0], allowed)
        if found:
            yield from (Misfit(f"{path}.{name}{each.path}", each.phrase) for each in found)
            return


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
        return f"must be {what}, which {name!r} is not{hint}"
    return f"must be {what}, and there is no {name!r} that you may use{hint}"


def _fields_like(name: str, expected: ParameterType) -> str:
    near = near_matches(name, tuple(expected.by_name))
    return f"did you mean {near}?" if near else f"there are {', '.join(expected.by_name) or 'none'}"


def _other(value: Any, expected: ParameterType, path: str) -> Misfit:
    return Misfit(path, f"must be {describe(expected)}, not {shown(value)}")
