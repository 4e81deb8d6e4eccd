"""Texts in a call that are probably mistakes: a misspelt device where any text is accepted.

A plan that takes any value gets a misspelt name as text, and fails somewhere inside. Such a call can't be refused,
because the text may be intended, but its submitter gets a warning. A text is worth a warning where a device's name
would become the device, and where it names nothing: if it is similar to the name of a device, if the type has a
device there, or if it stands among devices. Metadata is left alone.
Guarantees: the cost of one request is bounded; beyond that nothing more is examined or reported.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from queueserver_inventory.metadata_names import is_metadata_name
from queueserver_inventory.parameter_types import ParameterType, TypeKind

from queueserver_manager.domain.inventory import Parameter, ParameterKind, Plan
from queueserver_manager.domain.queue.item import ItemWarning
from queueserver_manager.domain.validation.allowed import AllowedInventory

#: Warnings of one item, and of all items of one request.
_MOST_OF_ITEM, _MOST = 20, 100
#: Texts of one item, and of all items of one request, that are compared with the names of all devices.
_COMPARED_OF_ITEM, _COMPARED = 5, 100
#: Values of one item that are examined, those in lists and objects included.
_SEEN_OF_ITEM = 1_000
_LONGEST_NAME = 60
_LONGEST_PATH = 120
_NAMING = frozenset({TypeKind.UNSPECIFIED, TypeKind.DEVICE, TypeKind.DEVICE_OR_PLAN})
_ANYTHING = frozenset({TypeKind.UNSPECIFIED, TypeKind.ANY})
_LISTS = _ANYTHING | {TypeKind.LIST, TypeKind.TUPLE}
_TEXTS = _ANYTHING | {TypeKind.STRING, TypeKind.ENUM, TypeKind.CALLABLE}


@dataclass(frozen=True, slots=True)
class _Text:
    """A text where a device could stand."""

    where: str
    text: str
    #: The type has a device at this place, and takes any other value only because it can't be more precise.
    is_for_device: bool
    #: It is in a list beside a device.
    is_among_devices: bool


class Warner:
    """Looks through the items of one request."""

    def __init__(self) -> None:
        self._left, self._compared = _MOST, 0

    def look(
        self, plan: Plan, args: Sequence[Any], kwargs: Mapping[str, Any], allowed: AllowedInventory, path: str
    ) -> tuple[ItemWarning, ...]:
        """Warnings about a call that fits the plan."""
        if not plan.doubtful or not self._left:
            return ()
        found: list[ItemWarning] = []
        compared = min(_COMPARED, self._compared + _COMPARED_OF_ITEM)
        for text in _Places(allowed).texts(plan, args, kwargs, path):
            near: tuple[str, ...] = ()
            if allowed.has_looked_for(text.text):
                near = allowed.devices_like(text.text)
            elif self._compared < compared:
                near = allowed.devices_like(text.text)
                self._compared += 1
            if near or text.is_for_device or (text.is_among_devices and _looks_like_name(text.text)):
                found.append(_warning(text, near))
            if len(found) >= min(_MOST_OF_ITEM, self._left):
                break
        self._left -= len(found)
        return tuple(found)


def _warning(text: _Text, near: tuple[str, ...]) -> ItemWarning:
    hint = f"did you mean {' or '.join(map(repr, near))}?" if near else "the plan gets it as text."
    shown = text.text[:_LONGEST_NAME]
    return ItemWarning(
        text.where[:_LONGEST_PATH], shown, f"{text.where[:_LONGEST_PATH]}: {shown!r} names no device; {hint}", near
    )


def _looks_like_name(text: str) -> bool:
    return all(part.isidentifier() for part in text.split("."))


class _Places:
    """Goes through the values of one call, as far as devices could stand there."""

    def __init__(self, allowed: AllowedInventory) -> None:
        self._allowed = allowed
        self._left = _SEEN_OF_ITEM

    def texts(self, plan: Plan, args: Sequence[Any], kwargs: Mapping[str, Any], path: str) -> Iterator[_Text]:
        """List the texts that name nothing, where a device could stand."""
        taken, rest = len(plan.by_position), plan.catch_all(ParameterKind.VAR_POSITIONAL)
        for index, (value, parameter) in enumerate(zip(args, plan.by_position, strict=False)):
            yield from self._of_parameter(value, parameter, plan, f"{path}.args[{index}]")
        if rest is not None and rest.name in plan.doubtful:
            yield from self._in_list(args[taken:], ParameterType(TypeKind.LIST, (rest.type,)), f"{path}.args", taken)
        others = plan.catch_all(ParameterKind.VAR_KEYWORD)
        for name, value in kwargs.items():
            named = plan.by_name.get(name)
            if named is not None and named is not others and named is not rest:
                yield from self._of_parameter(value, named, plan, f"{path}.kwargs.{name}")
            elif others is not None and not is_metadata_name(name):
                yield from self._of_others(name, value, others, plan, f"{path}.kwargs.{name}")

    def _of_parameter(self, value: Any, parameter: Parameter, plan: Plan, where: str) -> Iterator[_Text]:
        if parameter.name in plan.doubtful:
            yield from self._in(value, [parameter.type], where, among_devices=False)

    def _of_others(self, name: str, value: Any, others: Parameter, plan: Plan, where: str) -> Iterator[_Text]:
        is_record = others.type.kind is TypeKind.RECORD
        if others.name in plan.doubtful:
            types = _values(others.type, name) if is_record else (others.type,)
            yield from self._in(value, types, where, among_devices=False)

    def _in(self, value: Any, types: Iterable[ParameterType], where: str, *, among_devices: bool) -> Iterator[_Text]:
        self._left -= 1
        if self._left < 0:
            return
        if isinstance(value, str):
            yield from self._text(value, types, where, among_devices=among_devices)
        elif isinstance(value, list):
            for option in _flattened(types):
                yield from self._in_list(value, option, where)
        elif isinstance(value, dict):
            for key, element in value.items():
                inside = [part for option in _flattened(types) for part in _values(option, key)]
                if inside and not is_metadata_name(key):
                    yield from self._in(element, inside, f"{where}.{key}", among_devices=False)

    def _in_list(self, values: Sequence[Any], option: ParameterType, where: str, first: int = 0) -> Iterator[_Text]:
        if option.kind not in _LISTS:
            return
        has_device = any(isinstance(value, str) and self._allowed.has_device(value) for value in values[:_SEEN_OF_ITEM])
        for index, value in enumerate(values):
            if self._left < 0:
                return
            inside = _elements(option, index)
            yield from self._in(value, inside, f"{where}[{first + index}]", among_devices=has_device)

    def _text(self, text: str, types: Iterable[ParameterType], where: str, *, among_devices: bool) -> Iterator[_Text]:
        options = list(_flattened(types))
        kinds = {option.kind for option in options}
        if len(text) > _LONGEST_NAME or not kinds & _NAMING or not kinds & _TEXTS:
            return
        if any(option.kind is TypeKind.ENUM and text in option.choices for option in options):
            return
        if not text or self._allowed.offers(TypeKind.DEVICE_OR_PLAN, text):
            return
        is_for_device = bool(kinds & {TypeKind.DEVICE, TypeKind.DEVICE_OR_PLAN}) and not kinds & (_TEXTS - _ANYTHING)
        yield _Text(where, text, is_for_device, among_devices)


def _flattened(types: Iterable[ParameterType]) -> Iterator[ParameterType]:
    for each in types:
        if each.kind is TypeKind.UNION:
            yield from _flattened(each.arguments)
        else:
            yield each


def _elements(option: ParameterType, index: int) -> Iterable[ParameterType]:
    """What an element of a list may be."""
    if option.kind in _ANYTHING:
        return (option,)
    if option.kind is TypeKind.TUPLE:
        return option.arguments[index : index + 1]
    parts = [part for inside in option.arguments if inside.kind is TypeKind.TUPLE for part in inside.arguments]
    # Positional arguments may be a repetition of a tuple's elements.
    return (*option.arguments, parts[index % len(parts)]) if parts else option.arguments


def _values(option: ParameterType, key: str) -> Iterable[ParameterType]:
    """What an object may have at a key."""
    if option.kind in _ANYTHING:
        return (option,)
    if option.kind is TypeKind.RECORD:
        return (option.by_name[key].type,) if key in option.by_name else ()
    return option.arguments if option.kind is TypeKind.MAP else ()
