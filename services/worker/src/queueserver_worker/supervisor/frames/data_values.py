"""Values of any kind: from what was read to the contract's DataValue and Struct."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

from google.protobuf.struct_pb2 import NULL_VALUE, ListValue, Struct, Value
from queueserver.common.v1.value_pb2 import DataValue

from queueserver_worker.supervisor.frames.packed import Array, BadFrameError, BigInteger

MAX_DEPTH: Final = 25
"""Protobuf readers allow 100 levels, a nested map takes three, and documents travel inside other messages."""
_INT64_MAX: Final = 2**63 - 1


def fill(message: DataValue, value: Any, depth: int = 0) -> None:
    """Set an empty DataValue to a value that was read. Raises BadFrameError if it is nested too deep, or is none."""
    filler = _FILLERS.get(type(value))
    if filler is None:
        raise BadFrameError(f"a {type(value).__name__} is no value")
    filler(message, value, depth)


def fill_entries(entries: Any, values: dict[str, Any], depth: int = 0) -> None:
    """Set the entries of a `map<string, DataValue>` field."""
    for key, value in values.items():
        # Most values are numbers.
        if type(value) is float:
            entries[key].number = value
        else:
            fill(entries[key], value, depth)


def _fill_null(message: DataValue, _value: None, _depth: int) -> None:
    message.null = True


def _fill_boolean(message: DataValue, value: bool, _depth: int) -> None:
    message.boolean = value


def _fill_integer(message: DataValue, value: int, _depth: int) -> None:
    if value <= _INT64_MAX:
        message.integer = value
    else:
        message.big_integer = str(value)


def _fill_big_integer(message: DataValue, value: BigInteger, _depth: int) -> None:
    message.big_integer = value.digits


def _fill_number(message: DataValue, value: float, _depth: int) -> None:
    message.number = value


def _fill_text(message: DataValue, value: str, _depth: int) -> None:
    message.text = value


def _fill_binary(message: DataValue, value: bytes, _depth: int) -> None:
    message.binary = value


def _fill_list(message: DataValue, value: list[Any], depth: int) -> None:
    _refuse_deeper(depth)
    message.list.SetInParent()
    add = message.list.values.add
    for element in value:
        # The elements of long lists are numbers.
        if type(element) is float:
            add().number = element
        else:
            fill(add(), element, depth + 1)


def _fill_map(message: DataValue, value: dict[str, Any], depth: int) -> None:
    _refuse_deeper(depth)
    message.map.SetInParent()
    fill_entries(message.map.entries, value, depth + 1)


def _fill_array(message: DataValue, value: Array, _depth: int) -> None:
    array = message.array
    array.dtype, array.data = value.dtype, value.data
    array.shape.extend(value.shape)


def _refuse_deeper(depth: int) -> None:
    if depth >= MAX_DEPTH:
        raise BadFrameError(f"lists and maps are more than {MAX_DEPTH} deep")


_FILLERS: Final[dict[type, Callable[[DataValue, Any, int], None]]] = {
    float: _fill_number,
    int: _fill_integer,
    str: _fill_text,
    bool: _fill_boolean,
    type(None): _fill_null,
    list: _fill_list,
    dict: _fill_map,
    bytes: _fill_binary,
    Array: _fill_array,
    BigInteger: _fill_big_integer,
}


def fill_struct(message: Struct, values: Any, depth: int = 0) -> None:
    """Set an empty Struct from a map of plain values. Raises BadFrameError if it is none."""
    if type(values) is not dict:
        raise BadFrameError(f"a {type(values).__name__} is no map")
    _refuse_deeper(depth)
    for key, value in values.items():
        fill_value(message.fields[key], value, depth + 1)


def fill_list_value(message: ListValue, values: Any, depth: int = 0) -> None:
    """Set an empty ListValue from a list of plain values. Raises BadFrameError if it is none."""
    if type(values) is not list:
        raise BadFrameError(f"a {type(values).__name__} is no list")
    _refuse_deeper(depth)
    for value in values:
        fill_value(message.values.add(), value, depth + 1)


def fill_value(message: Value, value: Any, depth: int = 0) -> None:
    """Set an empty Value to a plain value. Raises BadFrameError if JSON has no such value."""
    kind = type(value)
    if kind is str:
        message.string_value = value
    elif kind is float or kind is int:
        if not math.isfinite(value):
            raise BadFrameError(f"JSON has no number {value}")
        message.number_value = value
    elif kind is bool:
        message.bool_value = value
    elif value is None:
        message.null_value = NULL_VALUE
    elif kind is dict:
        message.struct_value.SetInParent()
        fill_struct(message.struct_value, value, depth)
    else:
        message.list_value.SetInParent()
        fill_list_value(message.list_value, value, depth)
