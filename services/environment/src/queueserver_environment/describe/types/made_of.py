"""What the plan gets where its hint names a class that JSON does not know: how an instance is made from JSON.

Classes with fields are not handled here but in `records`.
"""

import collections
import collections.abc
import datetime as dt
import decimal
import functools
import os
import pathlib
import re
import uuid
from collections.abc import Callable
from typing import Any, Final

import numpy as np

Make = Callable[[Any], Any]

_ZULU: Final = re.compile(r"[Zz]\Z")


def _moment(cls: Any) -> Make:
    # Readers of Python 3.10 know no "Z".
    return lambda text: cls.fromisoformat(_ZULU.sub("+00:00", text))


_MADE: Final[dict[Any, Make]] = {
    tuple: tuple,
    set: set,
    collections.abc.Set: set,
    collections.abc.MutableSet: set,
    frozenset: frozenset,
    collections.deque: collections.deque,
    collections.abc.Iterator: iter,
    collections.OrderedDict: collections.OrderedDict,
    collections.defaultdict: functools.partial(collections.defaultdict, None),
    bytes: str.encode,
    uuid.UUID: uuid.UUID,
    complex: complex,
    decimal.Decimal: lambda number: decimal.Decimal(repr(number)),
    dt.timedelta: lambda seconds: dt.timedelta(seconds=seconds),
    dt.datetime: _moment(dt.datetime),
    dt.date: _moment(dt.date),
    dt.time: _moment(dt.time),
    os.PathLike: pathlib.Path,
}


def maker_of(cls: Any) -> Make | None:
    """Return what makes an instance of a class; None if a value of JSON is one already, or if nothing can make it."""
    made = _MADE.get(cls)
    if made is not None or not isinstance(cls, type):
        return made
    if issubclass(cls, pathlib.PurePath):
        return cls
    is_scalar = issubclass(cls, (int, float, str)) and cls not in (bool, int, float, str)
    # Numbers of numpy are as good as those of Python, and some of their classes are abstract.
    return cls if is_scalar and not issubclass(cls, np.generic) else None


def array_maker(arguments: tuple[Any, ...]) -> Make:
    """Return what makes an array of numpy, of the kind that the hint has in its brackets."""
    dtype = next((arguments[0] for arguments in map(_arguments, arguments[1:]) if arguments), None)
    return functools.partial(np.asarray, dtype=dtype if isinstance(dtype, type) else None)


def _arguments(hint: Any) -> tuple[Any, ...]:
    found = getattr(hint, "__args__", ())
    return found if isinstance(found, tuple) else ()
