"""What a function returns: clients in any language get exactly that, or are told why they can't.

Guarantees: what has no form there is never replaced by a text that only looks like it. A failure names the
type, and the place in the returned object.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any, Final

import numpy as np
from queueserver_protos.task_terms import MAX_RETURN_VALUE_BYTES

from queueserver_environment.documents.values import MAX_DEPTH, plain
from queueserver_environment.plans.failures import shorten
from queueserver_environment.process.frames import CONTAINER_VALUES, MAX_VALUES, count_values, size_of_value
from queueserver_environment.tasks.errors import TaskRefusedError

_PLAIN: Final = (str, bytes, bytearray, memoryview, bool, int, float, complex, dt.date, dt.time, type(None))
_LISTS: Final = (list, tuple, range, set, frozenset)
_KEYS: Final = (str, bool, int, float, type(None))
_SHOWN: Final = 200
_MAX_VALUES: Final = MAX_VALUES - 1_000
"""What is left of a frame's values beside those of the result itself."""
_FEW_BYTES: Final = _MAX_VALUES // (1 + CONTAINER_VALUES)


def encode_return_value(value: Any) -> Any:
    """Convert what a function returned.

    Raises
    ------
    TaskRefusedError
        It can't be expressed, or is too long.

    """
    _check(value, "", 0)
    carried = plain(value)
    size = size_of_value(carried)
    if size > MAX_RETURN_VALUE_BYTES:
        raise TaskRefusedError(
            f"the function returned {size} bytes, and at most {MAX_RETURN_VALUE_BYTES} can be passed on; "
            "let it write them to a file and return its name."
        )
    if size > _FEW_BYTES and count_values(carried) > _MAX_VALUES:
        raise TaskRefusedError(
            f"the function returned more than {_MAX_VALUES} numbers, texts, lists and maps; let it write them to a "
            "file and return its name."
        )
    return carried


def _check(value: Any, path: str, depth: int) -> None:
    if isinstance(value, Enum):
        _check(value.value, path, depth)
    elif isinstance(value, np.ndarray | np.generic):
        _check_array(value, path, depth)
    elif not isinstance(value, _PLAIN):
        inside = _inside(value, path)
        if inside is None:
            raise TaskRefusedError(_sentence(type(value).__name__, path))
        if depth >= MAX_DEPTH:
            raise TaskRefusedError(f"the function returned lists in lists (or maps), more than {MAX_DEPTH} deep.")
        for place, element in inside:
            _check(element, place, depth + 1)


def _inside(value: Any, path: str) -> Iterator[tuple[str, Any]] | None:
    if isinstance(value, Mapping):
        return _entries(value, path)
    if isinstance(value, _LISTS):
        return ((f"{path}[{index}]", element) for index, element in enumerate(value))
    return None


def _entries(value: Mapping[Any, Any], path: str) -> Iterator[tuple[str, Any]]:
    texts = set()
    for key, element in value.items():
        if not isinstance(key, _KEYS) or isinstance(key, Enum):
            raise TaskRefusedError(_sentence(f"a key of type {type(key).__name__}", path, is_key=True))
        if str(key) in texts:
            raise TaskRefusedError(f"the function returned a map in which two keys have the text {str(key)!r}.")
        texts.add(str(key))
        yield f"{path}[{key!r}]", element


def _check_array(value: Any, path: str, depth: int) -> None:
    if isinstance(value, np.ma.MaskedArray):
        raise TaskRefusedError(_sentence(type(value).__name__, path))
    if value.dtype.hasobject:
        _check(value.tolist(), path, depth)


def _sentence(what: str, path: str, *, is_key: bool = False) -> str:
    thing = what if is_key else f"an object of type {what}"
    where = f" at {shorten(path, _SHOWN)}" if path else ""
    return (
        f"the function returned {thing}{where}, which can't be passed on; return numbers, texts, bytes, arrays, "
        "lists and maps."
    )
