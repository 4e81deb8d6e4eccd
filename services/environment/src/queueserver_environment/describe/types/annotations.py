"""Type hints of plans as Python objects: evaluated if they are text, without parts that say nothing about values."""

import collections.abc
import functools
import inspect
import sys
import types
import typing
from enum import Enum
from typing import Any, Final

from queueserver_inventory.type_words import PROTOCOLS

from queueserver_environment.describe.devices import class_protocol, is_device_class

_KEPT: Final = 4096
_QUALIFIERS: Final = frozenset({"Required", "NotRequired", "ReadOnly", "Final", "ClassVar"})


def resolve(annotation: Any, namespace: dict[str, Any]) -> Any:
    """Evaluate a postponed annotation with the globals of its function; return the text if it has no meaning.

    What Annotated adds is kept.
    """
    if not _has_text(annotation):
        return annotation
    try:
        holder = types.SimpleNamespace(__annotations__={"hint": _with_references(annotation)})
        return typing.get_type_hints(holder, globalns=namespace, include_extras=True)["hint"]
    except BaseException:  # noqa: BLE001 - protects the inventory from names that exist for type checkers only
        return annotation.__forward_arg__ if isinstance(annotation, typing.ForwardRef) else annotation


def _has_text(annotation: Any) -> bool:
    """Tell whether an annotation is text, or has text in it."""
    try:
        return _has_text_inside(annotation)
    except TypeError:  # it is not hashable
        return True


# Evaluating a hint that has nothing to evaluate takes much longer.
@functools.lru_cache(maxsize=_KEPT)
def _has_text_inside(annotation: Any) -> bool:
    if isinstance(annotation, (str, typing.ForwardRef)):
        return True
    if typing.get_origin(annotation) is typing.Literal:
        return False
    return any(map(_has_text, getattr(annotation, "__args__", ())))


def _with_references(hint: Any) -> Any:
    """Mark text inside `list[...]` and such as a reference: before Python 3.11 it is not evaluated by itself."""
    if sys.version_info >= (3, 11):
        return hint
    origin = typing.get_origin(hint)
    if origin is typing.Annotated:
        marked = (_with_references(hint.__origin__), *hint.__metadata__)
        return typing.Annotated[marked]
    if origin in (typing.Union, types.UnionType):
        return typing.Union[tuple(map(_with_references, hint.__args__))]  # noqa: UP007 - of a number that is known only here
    if type(hint) is not types.GenericAlias:
        return hint
    arguments = (
        typing.ForwardRef(argument) if isinstance(argument, str) else _with_references(argument)
        for argument in hint.__args__
    )
    generic: Any = hint.__origin__
    return generic[tuple(arguments)]


def without_metadata(hint: Any) -> Any:
    """Remove what Annotated adds from a resolved hint, at any depth."""
    holder = types.SimpleNamespace(__annotations__={"hint": hint})
    try:
        return typing.get_type_hints(holder, globalns={}, include_extras=False)["hint"]
    except BaseException:  # noqa: BLE001 - protects the inventory, as in resolve; a tree can be made all the same
        return hint


def device_protocol(cls: Any) -> str | None:
    """Name the protocol that a class requires of a device: "Movable", "Readable", "Flyable", or nothing for any device.

    None if it is not a class of devices.
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


def unwrapped(hint: Any) -> Any:
    """Remove what says nothing about values: Annotated, NewType, type aliases, type variables, Required and such."""
    if isinstance(hint, typing.TypeVar):
        constraints = typing.Union[hint.__constraints__] if hint.__constraints__ else inspect.Parameter.empty  # noqa: UP007 - of a number that is known only here
        return hint.__bound__ or constraints
    if isinstance(hint, typing.NewType):
        return hint.__supertype__
    origin = typing.get_origin(hint)
    if origin is typing.Annotated or getattr(origin, "_name", "") in _QUALIFIERS:
        return typing.get_args(hint)[0]
    if type(origin).__name__ == "TypeAliasType":
        return origin.__value__[typing.get_args(hint)]
    return hint.__value__ if type(hint).__name__ == "TypeAliasType" else hint


def bare(hint: Any) -> Any:
    """Remove everything that says nothing about values."""
    inner = unwrapped(hint)
    return inner if inner is hint else bare(inner)


def is_bare_iterable(hint: Any) -> bool:
    """Tell whether a hint says that something can be iterated over, and nothing about its elements."""
    return hint is collections.abc.Iterable or hint is typing.Iterable
