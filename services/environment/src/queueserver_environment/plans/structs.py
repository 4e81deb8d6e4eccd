"""Arguments of a plan call: from Protobuf's Struct and ListValue to Python objects.

Which numbers become an int is the contract's rule (`queueserver_protos.numbers`); it never changes a value.
"""

from typing import Any

from google.protobuf.struct_pb2 import ListValue, Struct, Value
from queueserver_protos.numbers import python_number


def to_list(values: ListValue) -> list[Any]:
    """Convert a ListValue."""
    return [_to_python(value) for value in values.values]


def to_dict(struct: Struct) -> dict[str, Any]:
    """Convert a Struct."""
    return {key: _to_python(value) for key, value in struct.fields.items()}


def _to_python(value: Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "number_value":
        return python_number(value.number_value)
    if kind == "string_value":
        return value.string_value
    if kind == "bool_value":
        return value.bool_value
    if kind == "list_value":
        return to_list(value.list_value)
    if kind == "struct_value":
        return to_dict(value.struct_value)
    return None
