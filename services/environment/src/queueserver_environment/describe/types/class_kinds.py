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
from queueserver_inventory.parameter_types import TypeKind

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
_SIMPLE: Final[dict[Any, TypeKind]] = {
    inspect.Parameter.empty: TypeKind.UNSPECIFIED,
    Any: TypeKind.ANY,
    object: TypeKind.ANY,
    collections.abc.Hashable: TypeKind.ANY,
    None: TypeKind.NONE,
    type(None): TypeKind.NONE,
    bool: TypeKind.BOOLEAN,
    int: TypeKind.INTEGER,
    numbers.Integral: TypeKind.INTEGER,
    **dict.fromkeys((float, complex, numbers.Number, numbers.Complex, numbers.Real), TypeKind.NUMBER),
    **dict.fromkeys((decimal.Decimal, dt.timedelta), TypeKind.NUMBER),
    str: TypeKind.STRING,
    typing.Tuple: TypeKind.LIST,  # noqa: UP006 - users write it
    typing.Callable: TypeKind.CALLABLE,
    collections.abc.Callable: TypeKind.CALLABLE,
}
_SCALARS: Final = (
    (np.bool_, TypeKind.BOOLEAN),
    (np.integer, TypeKind.INTEGER),
    (np.floating, TypeKind.NUMBER),
    (int, TypeKind.INTEGER),
    (float, TypeKind.NUMBER),
    (str, TypeKind.STRING),
    (os.PathLike, TypeKind.STRING),
)
_FORMATS: Final = (
    (os.PathLike, "path"),
    (dt.datetime, "date-time"),
    (dt.date, "date"),
    (dt.time, "time"),
    (uuid.UUID, "uuid"),
    (bytes, "bytes"),
)


def kind_of(hint: Any) -> TypeKind:
    """Tell the kind of a resolved hint, without what says nothing about values."""
    inner = bare(hint)
    simple = _simple_kind(inner)
    if simple is not None:
        return simple
    if is_bare_iterable(inner):
        return TypeKind.LIST
    origin = typing.get_origin(inner)
    if origin is None:
        return class_kind(inner)
    if origin in (typing.Union, types.UnionType):
        return TypeKind.UNION
    if origin is typing.Literal:
        return TypeKind.LITERAL
    if origin is tuple:
        return TypeKind.LIST if typing.get_args(inner)[1:] == (Ellipsis,) else TypeKind.TUPLE
    return TypeKind.CALLABLE if origin is collections.abc.Callable else class_kind(origin)


def _simple_kind(hint: Any) -> TypeKind | None:
    try:
        return _SIMPLE.get(hint)
    except TypeError:  # it is not hashable
        return None


def class_kind(cls: Any) -> TypeKind:
    """Tell the kind of a class."""
    if not isinstance(cls, type):
        return TypeKind.UNSPECIFIED
    if issubclass(cls, Enum):
        return TypeKind.ENUM
    if cls in _LISTS:
        return TypeKind.LIST
    if cls in _MAPS:
        return TypeKind.MAP
    if device_protocol(cls) is not None:
        return TypeKind.DEVICE
    if has_fields(cls):
        return TypeKind.RECORD
    if text_format(cls):
        return TypeKind.STRING
    return next((kind for base, kind in _SCALARS if issubclass(cls, base)), TypeKind.UNSPECIFIED)


def text_format(cls: Any) -> str:
    """Name the form of the texts that stand for instances of a class; empty if no text does, or any."""
    if not isinstance(cls, type):
        return ""
    return next((name for base, name in _FORMATS if issubclass(cls, base)), "")
