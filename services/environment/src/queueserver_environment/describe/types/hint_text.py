"""Type hints of plans as text for people and for clients that read types from text.

Guarantees: the text of a hint that a tree can express reads as the same tree (`queueserver_inventory.type_text`). It is
as the author wrote it, except that devices appear as __READABLE__, __MOVABLE__, __FLYABLE__ or __DEVICE__, whether the
hint names a protocol of bluesky or a class, and functions __CALLABLE__. From Python 3.14 on, `typing.Optional[int]` and
`int | None` are the same to Python, and appear as `int | None`. A class with fields appears by its name,
which a reader of the text can't know.
"""

import collections.abc
import inspect
import re
import sys
import types
import typing
from enum import Enum
from typing import Any, Final

from queueserver_inventory.type_words import PROTOCOLS, device_text

from queueserver_environment.describe.types.annotations import (
    device_protocol,
    enum_members,
    is_bare_iterable,
    unwrapped,
)

_PROTOCOL_NAME: Final = re.compile(rf"(?<!['\"])\b(?:[A-Za-z_][\w.]*\.)?({'|'.join(PROTOCOLS)})\b(?:\[[^\[\]]*\])?")
_MAX_DEPTH: Final = 12
_ANY_MAKES_OLD_UNIONS: Final = sys.version_info < (3, 11)
"""`Movable | Any` is a typing.Union there."""


def hint_text(hint: Any) -> str:
    """Print a resolved hint; empty if there is none."""
    return "" if hint is inspect.Parameter.empty else _text(hint, 0)


def with_device_words(text: str) -> str:
    """Replace names of bluesky's protocols in the text of a type."""
    return _PROTOCOL_NAME.sub(lambda match: device_text(PROTOCOLS[match[1]]), text)


def _text(hint: Any, depth: int) -> str:
    if isinstance(hint, (str, typing.ForwardRef)):
        return with_device_words(hint if isinstance(hint, str) else hint.__forward_arg__)
    if hint is inspect.Parameter.empty or depth > _MAX_DEPTH:
        return "..."
    inner = unwrapped(hint)
    if inner is not hint:
        return _text(inner, depth + 1)
    if hint is Ellipsis:
        return "..."
    if is_bare_iterable(hint):
        return "collections.abc.Iterable[typing.Any]"
    origin = typing.get_origin(hint)
    if hint is typing.Callable or hint is collections.abc.Callable or origin is collections.abc.Callable:
        return "__CALLABLE__"
    protocol = device_protocol(origin or hint)
    if protocol is not None:
        return device_text(protocol)
    return _class_text(hint) if origin is None else _generic_text(hint, origin, depth + 1)


def _generic_text(hint: Any, origin: Any, depth: int) -> str:
    arguments = typing.get_args(hint)
    if origin is typing.Literal:
        return f"typing.Literal[{', '.join(map(_literal_text, arguments))}]"
    parts = [_text(argument, depth) for argument in arguments]
    if origin in (types.UnionType, typing.Union):
        # What differs in Python may have the same name here.
        is_new = origin is types.UnionType or (_ANY_MAKES_OLD_UNIONS and Any in arguments)
        return _union_text(list(dict.fromkeys(parts)), is_new=is_new)
    head = repr(hint).partition("[")[0]
    if not parts and head == "tuple":
        return "tuple[()]"
    return f"{head}[{', '.join(parts)}]" if parts else head


def _literal_text(value: Any) -> str:
    """Print one value of a Literal as it is given in a request."""
    if isinstance(value, Enum):
        return repr(next((text for text, member in enum_members(type(value)).items() if member is value), value.name))
    if isinstance(value, bytes):
        return repr(value.decode(errors="backslashreplace"))
    return repr(value)


def _union_text(parts: list[str], *, is_new: bool) -> str:
    if is_new or len(parts) == 1:
        return " | ".join(parts)
    if len(parts) == len(("type", "None")) and "None" in parts:
        return f"typing.Optional[{parts[0] if parts[1] == 'None' else parts[1]}]"
    return f"typing.Union[{', '.join('NoneType' if part == 'None' else part for part in parts)}]"


def _class_text(hint: Any) -> str:
    if hint is None or hint is type(None):
        return "None"
    if hint is Any:
        return "typing.Any"
    if not isinstance(hint, type):
        return repr(hint)
    if issubclass(hint, Enum):
        return hint.__name__
    is_short = hint.__module__ in ("builtins", "__main__")
    return hint.__qualname__ if is_short else f"{hint.__module__}.{hint.__qualname__}"
