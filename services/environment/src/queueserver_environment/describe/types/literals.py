"""Defaults as text: which values are Python literals, and what is shown for those that are none."""

import math
from enum import Enum
from typing import Any, Final

from queueserver_environment.describe.types.annotations import enum_members
from queueserver_environment.plans.failures import shorten

MAX_DEFAULT: Final = 10_000
"""Longest text of a default, in characters."""
_ATOMS: Final = (bool, int, str, bytes, type(None), complex)
_MAX_DEPTH: Final = 20


def is_literal(value: Any, depth: int = 0) -> bool:
    """Tell whether the repr of a value is a Python literal that gives the same value."""
    kind = type(value)
    if kind in _ATOMS:
        return True
    if kind is float:
        return math.isfinite(value)
    if depth > _MAX_DEPTH:
        return False
    if kind in (list, tuple, set):
        return all(is_literal(element, depth + 1) for element in value)
    return kind is dict and all(is_literal(part, depth + 1) for item in value.items() for part in item)


def default_text(value: Any) -> str:
    """Print a default: as a literal if it is one, a member of an enum as the text that stands for it, else its repr."""
    try:
        if isinstance(value, Enum):
            texts = {id(member): text for text, member in enum_members(type(value)).items()}
            value = texts.get(id(value), value)
        return shorten(repr(value), MAX_DEFAULT)
    except BaseException:  # noqa: BLE001 - protects the inventory from a broken __repr__ in user code
        return f"<{type(value).__name__}>"
