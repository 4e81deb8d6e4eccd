"""Type hints of plans: from Python's annotations to the ParameterType tree.

Guarantees: the tree is plain data that nobody needs to evaluate; whatever can't be expressed is KIND_UNSPECIFIED
(any value, names convert), never an error. Text for people names bluesky's protocols as __READABLE__,
__MOVABLE__, __FLYABLE__ and __DEVICE__.
"""

import collections.abc
import inspect
import numbers
import os
import re
import types
import typing
from enum import Enum
from typing import Any, Final

import numpy as np
from queueserver.common.v1.inventory_pb2 import ParameterType

from queueserver_worker.environment.describe.devices import class_protocol, is_device_class

_PROTOCOLS: Final = {"Readable": "Readable", "Movable": "Movable", "NamedMovable": "Movable", "Flyable": "Flyable"}
_DEVICE_PROTOCOLS: Final = frozenset(_PROTOCOLS) | {
    "Configurable",
    "Triggerable",
    "Locatable",
    "Stageable",
    "Pausable",
    "Stoppable",
    "Subscribable",
    "Checkable",
    "Preparable",
    "Collectable",
    "EventCollectable",
    "EventPageCollectable",
    "HasName",
    "HasParent",
    "HasHints",
    "WritesExternalAssets",
    "WritesStreamAssets",
}
_PROTOCOL_TEXT: Final = re.compile(
    rf"\b(?:[A-Za-z_][\w.]*\.)?({'|'.join(sorted(_DEVICE_PROTOCOLS))})\b(?:\[[^\[\]]*\])?"
)
_MAX_DEPTH: Final = 12
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
_MAPS: Final = (dict, collections.abc.Mapping, collections.abc.MutableMapping, collections.OrderedDict)
_SIMPLE: Final[dict[Any, "ParameterType.Kind.ValueType"]] = {
    inspect.Parameter.empty: ParameterType.KIND_UNSPECIFIED,
    Any: ParameterType.KIND_ANY,
    object: ParameterType.KIND_ANY,
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
    collections.abc.Callable: ParameterType.KIND_CALLABLE,
}


def resolve(annotation: Any, namespace: dict[str, Any]) -> Any:
    """Evaluate a postponed annotation with the globals of its function; give back the text if it has no meaning."""
    if not isinstance(annotation, str) and not hasattr(annotation, "__args__"):
        return annotation
    holder = types.SimpleNamespace(__annotations__={"hint": annotation})
    try:
        return typing.get_type_hints(holder, globalns=namespace, include_extras=False)["hint"]
    except Exception:  # noqa: BLE001 - protects the inventory from names that exist for type checkers only
        return annotation


def parameter_type(hint: Any) -> ParameterType:
    """Express a resolved hint as a tree."""
    return _tree(hint, 0)


def annotation_text(annotation: Any) -> str:
    """Print a hint for people; empty if there is none."""
    if annotation is inspect.Parameter.empty:
        return ""
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    return _PROTOCOL_TEXT.sub(lambda match: f"__{_PROTOCOLS.get(match[1], 'Device').upper()}__", text)


def _tree(hint: Any, depth: int) -> ParameterType:
    kind = _simple_kind(hint)
    if kind is not None:
        return ParameterType(kind=kind)
    if depth >= _MAX_DEPTH:
        return ParameterType()
    inner = _unwrapped(hint)
    if inner is not hint:
        return _tree(inner, depth + 1)
    origin = typing.get_origin(hint)
    if origin is None:
        return _class_tree(hint) if isinstance(hint, type) else ParameterType()
    return _generic_tree(origin, typing.get_args(hint), depth + 1)


def _simple_kind(hint: Any) -> "ParameterType.Kind.ValueType | None":
    try:
        return _SIMPLE.get(hint)
    except TypeError:
        return None


def _unwrapped(hint: Any) -> Any:
    """Take off what says nothing about values: Annotated, NewType, type aliases, type variables."""
    if typing.get_origin(hint) is typing.Annotated:
        return typing.get_args(hint)[0]
    if isinstance(hint, typing.TypeVar):
        return hint.__bound__ or inspect.Parameter.empty
    if isinstance(hint, typing.NewType):
        return hint.__supertype__
    return getattr(hint, "__value__", hint) if type(hint).__name__ == "TypeAliasType" else hint


def _generic_tree(origin: Any, arguments: tuple[Any, ...], depth: int) -> ParameterType:
    if origin in (typing.Union, types.UnionType):
        return _union([_tree(argument, depth) for argument in arguments])
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
        return _enum(cls)
    if cls in _LISTS:
        return ParameterType(kind=ParameterType.KIND_LIST)
    if cls in _MAPS or typing.is_typeddict(cls):
        return ParameterType(kind=ParameterType.KIND_MAP)
    protocol = _device_protocol(cls)
    if protocol is not None:
        return ParameterType(kind=ParameterType.KIND_DEVICE, device_protocol=protocol)
    for base, kind in ((np.bool_, ParameterType.KIND_BOOLEAN), (np.integer, ParameterType.KIND_INTEGER)):
        if issubclass(cls, base):
            return ParameterType(kind=kind)
    if issubclass(cls, (np.floating, float)):
        return ParameterType(kind=ParameterType.KIND_NUMBER)
    if issubclass(cls, (str, os.PathLike)):
        return ParameterType(kind=ParameterType.KIND_STRING)
    return ParameterType()


def _device_protocol(cls: type) -> str | None:
    if cls.__module__ == "bluesky.protocols" and cls.__name__ in _DEVICE_PROTOCOLS:
        return _PROTOCOLS.get(cls.__name__, "")
    if is_device_class(cls):
        return class_protocol(cls)
    for base in cls.__mro__[1:]:
        if base.__module__ == "bluesky.protocols" and base.__name__ in _DEVICE_PROTOCOLS:
            return _PROTOCOLS.get(base.__name__, "")
    return None


def _union(parts: list[ParameterType]) -> ParameterType:
    distinct: list[ParameterType] = []
    for part in parts:
        for option in part.arguments if part.kind == ParameterType.KIND_UNION else [part]:
            if option not in distinct:
                distinct.append(option)
    return distinct[0] if len(distinct) == 1 else ParameterType(kind=ParameterType.KIND_UNION, arguments=distinct)


def _literal(values: tuple[Any, ...]) -> ParameterType:
    texts = [value for value in values if isinstance(value, str)]
    parts = [_tree(type(value), 0) for value in values if not isinstance(value, str)]
    if texts:
        parts.insert(0, ParameterType(kind=ParameterType.KIND_ENUM, choices=texts))
    return _union(parts)


def _enum(cls: type[Enum]) -> ParameterType:
    values = [member.value for member in cls]
    choices = values if all(isinstance(value, str) for value in values) else [member.name for member in cls]
    return ParameterType(kind=ParameterType.KIND_ENUM, choices=choices)


def _tuple(arguments: tuple[Any, ...], depth: int) -> ParameterType:
    if len(arguments) == 2 and arguments[1] is Ellipsis:  # noqa: PLR2004 - the form tuple[X, ...]
        return ParameterType(kind=ParameterType.KIND_LIST, arguments=[_tree(arguments[0], depth)])
    return ParameterType(kind=ParameterType.KIND_TUPLE, arguments=[_tree(argument, depth) for argument in arguments])
