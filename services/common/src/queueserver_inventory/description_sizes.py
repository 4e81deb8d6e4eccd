"""How long the description of one plan or device may be, and how long it is: every gRPC client accepts a response.

Sizes are those of the contract's messages in bytes, worked out without protobuf by the rules of its encoding: a field
that is there takes a tag, which is one byte up to number 15 and two bytes beyond; texts and messages have their length
before them, in groups of seven bits; truth values and enums take one byte, numbers of type double eight.
Guarantees: what has a size can be sent: a text that is none, or can't be encoded, is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from queueserver_inventory.descriptions import DeviceDescription, ParameterDescription, PlanDescription
from queueserver_inventory.parameter_types import ParameterType, RecordField

MAX_PLAN_BYTES: Final = 2 * 1024 * 1024
MAX_DEVICE_BYTES: Final = 3 * 1024 * 1024

_FLAG: Final = 2
_LATE_FLAG: Final = 3
_DOUBLE: Final = 9


class Sizes:
    """Measures descriptions; parts that several of them share are measured once."""

    def __init__(self) -> None:
        #: By id of the part, which is kept beside its size, so that its id stays its own.
        self._known: dict[int, tuple[object, int]] = {}

    def plan(self, plan: PlanDescription) -> int:
        """Bytes of a plan. Raises TypeError or UnicodeError if something in it is no text."""
        texts = (plan.name, plan.description, plan.module, plan.function_name)
        parameters = sum(_delimited(self._parameter(parameter)) for parameter in plan.parameters)
        return sum(map(_text, texts)) + parameters + _FLAG * plan.returns_generator

    def device(self, device: DeviceDescription) -> int:
        """Bytes of a device with its components. Raises TypeError or UnicodeError if something in it is no text."""
        flags = device.readable + device.movable + device.flyable + device.excluded
        texts = _text(device.name) + _text(device.class_name) + _text(device.module)
        return texts + _FLAG * flags + self._once(device.components, self._components) + _texts(device.instance_of)

    def _components(self, components: tuple[DeviceDescription, ...]) -> int:
        return sum(_delimited(self.device(component)) for component in components)

    def _parameter(self, parameter: ParameterDescription) -> int:
        texts = (parameter.name, parameter.annotation, parameter.description, parameter.unit, parameter.unchecked)
        numbers = (parameter.minimum, parameter.maximum, parameter.step)
        switches = (parameter.convert_device_names, parameter.convert_plan_names)
        return (
            sum(map(_text, texts))
            + _optional_text(parameter.default_text)
            + _DOUBLE * _number_of(numbers)
            + _FLAG * (bool(parameter.kind) + parameter.default_in_decorator + _number_of(switches))
            + _LATE_FLAG * parameter.takes_device_names
            + _delimited(self._once(parameter.type, self._type))
        )

    def _type(self, tree: ParameterType) -> int:
        texts = (tree.device_protocol, tree.type_name, tree.device_class, tree.format)
        return (
            sum(map(_text, texts))
            + _FLAG * (bool(tree.kind) + tree.listed + tree.open)
            + self._once(tree.choices, _texts)
            + sum(_delimited(self._type(part)) for part in tree.arguments)
            + sum(_delimited(self._field(field)) for field in tree.fields)
            + sum(map(_value, tree.values))
            + (0 if tree.key is None else _delimited(self._type(tree.key)))
        )

    def _field(self, field: RecordField) -> int:
        return (
            _text(field.name)
            + _optional_text(field.default_text)
            + _FLAG * field.required
            + _DOUBLE * _number_of((field.minimum, field.maximum))
            + _delimited(self._type(field.type))
        )

    def _once(self, part: Any, measure: Callable[[Any], int]) -> int:
        if not part:
            return 0
        known = self._known.get(id(part))
        if known is None:
            known = self._known[id(part)] = (part, measure(part))
        return known[1]


def _number_of(values: tuple[object, ...]) -> int:
    """How many are there."""
    return sum(value is not None for value in values)


def _delimited(size: int) -> int:
    """Bytes of a text or message of that many bytes, as a field."""
    return 1 + max(1, (size.bit_length() + 6) // 7) + size


def _text(text: str) -> int:
    return _delimited(_length(text)) if text else 0


def _optional_text(text: str | None) -> int:
    return 0 if text is None else _delimited(_length(text))


def _texts(texts: tuple[str, ...]) -> int:
    return sum(_delimited(_length(text)) for text in texts)


def _length(text: str) -> int:
    if not isinstance(text, str):
        raise TypeError(f"a text is needed, not {type(text).__name__}")
    return len(text) if text.isascii() else len(text.encode())


def _value(value: Any) -> int:
    """Bytes of a value of a literal, which is a message."""
    if value is None:
        return _delimited(0)
    return _delimited(_FLAG if isinstance(value, bool) else _DOUBLE)
