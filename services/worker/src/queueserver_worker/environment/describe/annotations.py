"""Type hints of plans: from Python's annotations to the ParameterType tree.

Guarantees: the tree is plain data that nobody needs to evaluate; whatever can't be expressed is KIND_UNSPECIFIED
(any value, names convert), never an error, and only where it stands: what else a hint says is kept.
"""

import collections.abc
import dataclasses
import functools
import inspect
import numbers
import os
import types
import typing
from collections.abc import Iterator
from enum import Enum
from typing import Any, Final

import numpy as np
from queueserver.common.v1.inventory_pb2 import ParameterType
from queueserver_inventory.type_text import TypeTextError, read_type
from queueserver_inventory.type_trees import literal_type, union_of
from queueserver_inventory.type_words import PROTOCOLS

from queueserver_worker.environment.describe.devices import class_protocol, is_device_class

_MAX_DEPTH: Final = 12
_KEPT: Final = 4096
_LISTS: Final = (
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
    float: ParameterType.KIND_NUMBER,
    numbers.Number: ParameterType.KIND_NUMBER,
    numbers.Real: ParameterType.KIND_NUMBER,
    numbers.Integral: ParameterType.KIND_INTEGER,
    str: ParameterType.KIND_STRING,
    os.PathLike: ParameterType.KIND_STRING,
    tuple: ParameterType.KIND_LIST,
    typing.Tuple: ParameterType.KIND_LIST,  # noqa: UP006 - users write it
    typing.Callable: ParameterType.KIND_CALLABLE,
    collections.abc.Callable: ParameterType.KIND_CALLABLE,
}
_SCALARS: Final = (
    (np.bool_, ParameterType.KIND_BOOLEAN),
    (np.integer, ParameterType.KIND_INTEGER),
    (np.floating, ParameterType.KIND_NUMBER),
    (float, ParameterType.KIND_NUMBER),
    (str, ParameterType.KIND_STRING),
    (os.PathLike, ParameterType.KIND_STRING),
)


def resolve(annotation: Any, namespace: dict[str, Any]) -> Any:
    """Evaluate a postponed annotation with the globals of its function; give back the text if it has no meaning.

    What Annotated adds is kept.
    """
    if not _has_text(annotation):
        return annotation
    holder = types.SimpleNamespace(__annotations__={"hint": annotation})
    try:
        return typing.get_type_hints(holder, globalns=namespace, include_extras=True)["hint"]
    except BaseException:  # noqa: BLE001 - protects the inventory from names that exist for type checkers only
        return annotation


def _has_text(annotation: Any) -> bool:
    """Tell whether an annotation is text, or has text in it."""
    try:
        return _has_text_inside(annotation)
    except TypeError:  # it is not hashable
        return True


# To evaluate what has nothing to evaluate takes much longer.
@functools.lru_cache(maxsize=_KEPT)
def _has_text_inside(annotation: Any) -> bool:
    if isinstance(annotation, (str, typing.ForwardRef)):
        return True
    if typing.get_origin(annotation) is typing.Literal:
        return False
    return any(map(_has_text, getattr(annotation, "__args__", ())))


def without_metadata(hint: Any) -> Any:
    """Take what Annotated adds out of a resolved hint, at any depth."""
    holder = types.SimpleNamespace(__annotations__={"hint": hint})
    try:
        return typing.get_type_hints(holder, globalns={}, include_extras=False)["hint"]
    except BaseException:  # noqa: BLE001 - protects the inventory, as in resolve; a tree can be made all the same
        return hint


def parameter_type(hint: Any) -> ParameterType:
    """Express a resolved hint as a tree; of one that is still text, what can be read without its names."""
    if not isinstance(hint, str):
        return _tree(hint, 0)
    try:
        return read_type(hint, lenient=True)
    except TypeTextError:
        return ParameterType()


def device_protocol(cls: Any) -> str | None:
    """Name the protocol that a class asks of a device: "Movable", "Readable", "Flyable", or nothing for any device.

    None if it is no class of devices.
    """
    if not isinstance(cls, type):
        return None
    if cls.__module__ == "bluesky.protocols" and cls.__name__ in PROTOCOLS:
        return PROTOCOLS[cls.__name__]
    if is_device_class(cls):
        return class_protocol(cls)
    for base in cls.__mro__[1:]:
        if base.__module__ == "bluesky.protocols" and base.__name__ in PROTOCOLS:
            return PROTOCOLS[base.__name__]
    return None


def enum_members(cls: type[Enum]) -> dict[str, Enum]:
    """List the members of an enum by the texts that stand for them: their values if all are texts, else their names."""
    if all(isinstance(member.value, str) for member in cls):
        return {member.value: member for member in cls}
    return dict(cls.__members__)


def enum_classes(hint: Any) -> Iterator[type[Enum]]:
    """List the enums in a resolved hint, at any depth."""
    return _enums_in(hint, 0)


def unwrapped(hint: Any) -> Any:
    """Take off what says nothing about values: Annotated, NewType, type aliases, type variables."""
    if typing.get_origin(hint) is typing.Annotated:
        return typing.get_args(hint)[0]
    if isinstance(hint, typing.TypeVar):
        return hint.__bound__ or inspect.Parameter.empty
    if isinstance(hint, typing.NewType):
        return hint.__supertype__
    return getattr(hint, "__value__", hint) if type(hint).__name__ == "TypeAliasType" else hint


def is_bare_iterable(hint: Any) -> bool:
    """Tell whether a hint says that something can be iterated over, and nothing about its elements."""
    return hint is collections.abc.Iterable or hint is typing.Iterable


def _tree(hint: Any, depth: int) -> ParameterType:
    if isinstance(hint, typing.ForwardRef):
        return parameter_type(hint.__forward_arg__)
    kind = _simple_kind(hint)
    if kind is not None:
        return ParameterType(kind=kind)
    if depth >= _MAX_DEPTH:
        return ParameterType()
    inner = unwrapped(hint)
    if inner is not hint:
        return _tree(inner, depth + 1)
    if is_bare_iterable(hint):
        return ParameterType(kind=ParameterType.KIND_LIST, arguments=[ParameterType(kind=ParameterType.KIND_ANY)])
    origin = typing.get_origin(hint)
    if origin is None:
        return _class_tree(hint) if isinstance(hint, type) else ParameterType()
    return _generic_tree(origin, typing.get_args(hint), depth + 1)


def _simple_kind(hint: Any) -> "ParameterType.Kind.ValueType | None":
    try:
        return _SIMPLE.get(hint)
    except TypeError:
        return None


def _generic_tree(origin: Any, arguments: tuple[Any, ...], depth: int) -> ParameterType:
    if origin in (typing.Union, types.UnionType):
        return union_of(_tree(argument, depth) for argument in arguments)
    if origin is typing.Literal:
        return _literal(arguments)
    if origin is tuple:
        return _tuple(arguments, depth)
    if origin is collections.abc.Callable:
        return ParameterType(kind=ParameterType.KIND_CALLABLE)
    tree = _class_tree(origin)
    element = {ParameterType.KIND_LIST: arguments[:1], ParameterType.KIND_MAP: arguments[1:2]}.get(tree.kind, ())
    if origin is not np.ndarray:
        tree.arguments.extend(_tree(argument, depth) for argument in element)
    return tree


def _class_tree(cls: Any) -> ParameterType:
    if not isinstance(cls, type):
        return ParameterType()
    if issubclass(cls, Enum):
        return ParameterType(kind=ParameterType.KIND_ENUM, choices=enum_members(cls), type_name=cls.__name__)
    if cls in _LISTS:
        return ParameterType(kind=ParameterType.KIND_LIST)
    if cls in _MAPS or typing.is_typeddict(cls):
        return ParameterType(kind=ParameterType.KIND_MAP)
    protocol = device_protocol(cls)
    if protocol is not None:
        return ParameterType(kind=ParameterType.KIND_DEVICE, device_protocol=protocol)
    if dataclasses.is_dataclass(cls):
        # Which names are meant in the values of its fields, the fields do not tell: all convert, as without a hint.
        return ParameterType(kind=ParameterType.KIND_MAP, arguments=[ParameterType()])
    return ParameterType(
        kind=next((kind for base, kind in _SCALARS if issubclass(cls, base)), ParameterType.KIND_UNSPECIFIED)
    )


def _literal(values: tuple[Any, ...]) -> ParameterType:
    enums = [_class_tree(type(value)) for value in values if isinstance(value, Enum)]
    others = [value for value in values if not isinstance(value, Enum)]
    return union_of([literal_type(others), *enums] if others else enums)


def _tuple(arguments: tuple[Any, ...], depth: int) -> ParameterType:
    if len(arguments) == 2 and arguments[1] is Ellipsis:  # noqa: PLR2004 - the form tuple[X, ...]
        return ParameterType(kind=ParameterType.KIND_LIST, arguments=[_tree(arguments[0], depth)])
    return ParameterType(kind=ParameterType.KIND_TUPLE, arguments=[_tree(argument, depth) for argument in arguments])


def _enums_in(hint: Any, depth: int) -> Iterator[type[Enum]]:
    if depth >= _MAX_DEPTH:
        return
    inner = unwrapped(hint)
    if isinstance(inner, Enum):
        yield type(inner)
    elif isinstance(inner, type) and issubclass(inner, Enum):
        yield inner
    else:
        for part in typing.get_args(inner):
            yield from _enums_in(part, depth + 1)
