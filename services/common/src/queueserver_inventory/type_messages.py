"""Types of parameters: from the contract's messages to :mod:`queueserver_inventory.parameter_types`, and back."""

from __future__ import annotations

from typing import Any

from google.protobuf.struct_pb2 import Value
from queueserver.common.v1 import inventory_pb2

from queueserver_inventory.parameter_types import ParameterType, RecordField, TypeKind
from queueserver_inventory.type_trees import scalar_value

_KINDS = {kind.value: kind for kind in TypeKind}


class TypeReader:
    """Reads types: those that read the same are one object. The same long list of devices is in many plans."""

    def __init__(self) -> None:
        self._known: dict[bytes, ParameterType] = {}

    def read(self, message: inventory_pb2.ParameterType) -> ParameterType:
        """A type; one of a kind that only a newer Worker knows takes any value."""
        wire = message.SerializeToString(deterministic=True)
        known = self._known.get(wire)
        if known is None:
            known = self._known[wire] = self._read(message)
        return known

    def _read(self, message: inventory_pb2.ParameterType) -> ParameterType:
        return ParameterType(
            # What a newer kind names is reduced like that of the others.
            _KINDS.get(int(message.kind), TypeKind.ANY),
            tuple(map(self.read, message.arguments)),
            tuple(message.choices),
            device_protocol=message.device_protocol,
            type_name=message.type_name,
            listed=message.listed,
            values=tuple(map(_scalar_of, message.values)),
            fields=tuple(map(self._field, message.fields)),
            open=message.open,
            key=self.read(message.key) if message.HasField("key") else None,
            device_class=message.device_class,
            format=message.format,
        )

    def _field(self, message: inventory_pb2.RecordField) -> RecordField:
        return RecordField(
            message.name,
            self.read(message.type),
            message.required,
            default_text=message.default_text if message.HasField("default_text") else None,
            minimum=message.minimum if message.HasField("minimum") else None,
            maximum=message.maximum if message.HasField("maximum") else None,
        )


def type_message(tree: ParameterType) -> inventory_pb2.ParameterType:
    """The message that a reader reads back. Raises TypeError, ValueError or UnicodeError for what none can hold."""
    return inventory_pb2.ParameterType(
        kind=inventory_pb2.ParameterType.Kind.ValueType(tree.kind),
        arguments=map(type_message, tree.arguments),
        choices=tree.choices,
        device_protocol=tree.device_protocol,
        type_name=tree.type_name,
        listed=tree.listed,
        values=map(_value_of, tree.values),
        fields=map(_field_message, tree.fields),
        open=tree.open,
        key=None if tree.key is None else type_message(tree.key),
        device_class=tree.device_class,
        format=tree.format,
    )


def _field_message(field: RecordField) -> inventory_pb2.RecordField:
    return inventory_pb2.RecordField(
        name=field.name,
        type=type_message(field.type),
        required=field.required,
        default_text=field.default_text,
        minimum=field.minimum,
        maximum=field.maximum,
    )


def _scalar_of(value: Value) -> Any:
    """A value of a literal: a number or a truth value. What is neither is None, which can't be given."""
    if value.WhichOneof("kind") == "number_value":
        return scalar_value(value.number_value)
    return value.bool_value if value.WhichOneof("kind") == "bool_value" else None


def _value_of(value: Any) -> Value:
    if value is None:
        return Value()
    return Value(bool_value=value) if isinstance(value, bool) else Value(number_value=value)
