"""What kind of values a hint is for, by the hint itself without its parts."""

import collections.abc
import datetime as dt
import decimal
import inspect
import numbers
import os
import types
import typing
import uuid
from enum import Enum
from typing import Any, Final

import numpy as np
from queueserver.common.v1.inventory_pb2 import ParameterType

from queueserver_environment.describe.types.annotations import bare, device_protocol, is_bare_iterable
from queueserver_environment.describe.types.records import has_fields

_LISTS: Final = (
    tuple,
    list,
    set,
    frozenset,
    collections.deque,
    collections.abc.Iterable,
    collections.abc.Iterator,
    collections.abc.Collection,
    collections.abc.Sequence,
    collections.abc.MutableSequence,
    collections.abc.Set,
    collections.abc.MutableSet,
    np.ndarray,
)
_MAPS: Final = (
    dict,
    collections.abc.Mapping,
    collections.abc.MutableMapping,
    collections.OrderedDict,
    collections.defaultdict,
)
_SIMPLE: Final[dict[Any, "ParameterType.Kind.ValueType"]] = {
    inspect.Parameter.empty: ParameterType.KIND_UNSPECIFIED,
    Any: ParameterType.KIND_ANY,
    object: ParameterType.KIND_ANY,
    collections.abc.Hashable: ParameterType.KIND_ANY,
    None: ParameterType.KIND_NONE,
    type(None): ParameterType.KIND_NONE,
    bool: ParameterType.KIND_BOOLEAN,
    int: ParameterType.KIND_INTEGER,
    numbers.Integral: ParameterType.KIND_INTEGER,
    **dict.fromkeys((float, complex, numbers.Number, numbers.Complex, numbers.Real), ParameterType.KIND_NUMBER),
    **dict.fromkeys((decimal.Decimal, dt.timedelta), ParameterType.KIND_NUMBER),
    str: ParameterType.KIND_STRING,
    typing.Tuple: ParameterType.KIND_LIST,  # noqa: UP006 - users write it
    typing.Callable: ParameterType.KIND_CALLABLE,
    collections.abc.Callable: ParameterType.KIND_CALLABLE,
}
_SCALARS: Final = (
    (np.bool_, ParameterType.KIND_BOOLEAN),
    (np.integer, ParameterType.KIND_INTEGER),
    (np.floating, ParameterType.KIND_NUMBER),
    (int, ParameterType.KIND_INTEGER),
    (float, ParameterType.KIND_NUMBER),
    (str, ParameterType.KIND_STRING),
    (os.PathLike, ParameterType.KIND_STRING),
)
_FORMATS: Final = (
    (os.PathLike, "path"),
    (dt.datetime, "date-time"),
    (dt.date, "date"),
    (dt.time, "time"),
    (uuid.UUID, "uuid"),
    (bytes, "bytes"),
)


def kind_of(hint: Any) -> "ParameterType.Kind.ValueType":
    """Tell the kind of a resolved hint, without what says nothing about values."""
    inner = bare(hint)
    simple = _simple_kind(inner)
    if simple is not None:
        return simple
    if is_bare_iterable(inner):
        return ParameterType.KIND_LIST
    origin = typing.get_origin(inner)
    if origin is None:
        return class_kind(inner)
    if origin in (typing.Union, types.UnionType):
        return ParameterType.KIND_UNION
    if origin is typing.Literal:
        return ParameterType.KIND_LITERAL
    if origin is tuple:
        return ParameterType.KIND_LIST if typing.get_args(inner)[1:] == (Ellipsis,) else ParameterType.KIND_TUPLE
    return ParameterType.KIND_CALLABLE if origin is collections.abc.Callable else class_kind(origin)


def _simple_kind(hint: Any) -> "ParameterType.Kind.ValueType | None":
    try:
        return _SIMPLE.get(hint)
    except TypeError:  # it is not hashable
        return None


def class_kind(cls: Any) -> "ParameterType.Kind.ValueType":
    """Tell the kind of a class."""
    if not isinstance(cls, type):
        return ParameterType.KIND_UNSPECIFIED
    if issubclass(cls, Enum):
        return ParameterType.KIND_ENUM
    if cls in _LISTS:
        return ParameterType.KIND_LIST
    if cls in _MAPS:
        return ParameterType.KIND_MAP
    if device_protocol(cls) is not None:
        return ParameterType.KIND_DEVICE
    if has_fields(cls):
        return ParameterType.KIND_RECORD
    if text_format(cls):
        return ParameterType.KIND_STRING
    return next((kind for base, kind in _SCALARS if issubclass(cls, base)), ParameterType.KIND_UNSPECIFIED)


def text_format(cls: Any) -> str:
    """Name the form of the texts that stand for instances of a class; empty if no text does, or any."""
    if not isinstance(cls, type):
        return ""
    return next((name for base, name in _FORMATS if issubclass(cls, base)), "")
