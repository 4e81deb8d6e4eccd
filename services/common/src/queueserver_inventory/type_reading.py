"""Types of parameters: from the contract's messages to :mod:`queueserver_inventory.parameter_types`."""

from __future__ import annotations

from typing import Any

from google.protobuf.struct_pb2 import Value
from queueserver.common.v1 import inventory_pb2

from queueserver_inventory.parameter_types import ParameterType, RecordField, TypeKind

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
            listed=message.listed,
            protocol=message.device_protocol,
            device_class=message.device_class,
            values=tuple(map(scalar_of, message.values)),
            fields={field.name: self._field(field) for field in message.fields},
            open=message.open,
            key=self.read(message.key) if message.HasField("key") else None,
            format=message.format,
        )

    def _field(self, message: inventory_pb2.RecordField) -> RecordField:
        return RecordField(
            self.read(message.type),
            message.required,
            minimum=message.minimum if message.HasField("minimum") else None,
            maximum=message.maximum if message.HasField("maximum") else None,
        )


def read_type(message: inventory_pb2.ParameterType) -> ParameterType:
    """Read one type."""
    return TypeReader().read(message)


def scalar_of(value: Value) -> Any:
    """A value of a literal: a number or a truth value. What is neither is None, which can't be given."""
    if value.WhichOneof("kind") == "number_value":
        return int(value.number_value) if value.number_value.is_integer() else value.number_value
    return value.bool_value if value.WhichOneof("kind") == "bool_value" else None
