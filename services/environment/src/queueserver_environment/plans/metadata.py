"""The RunEngine's metadata, for people and programs that request it while the environment is busy.

Guarantees: a request never waits, not even for metadata in a file or on another machine: a separate thread
reads it. Metadata that can be read only in part is returned in part. What JSON can't express, or would lose, becomes
text. What would make the answer longer than MAX_METADATA_BYTES is replaced by a note.
Does not guarantee one moment for all values: they may change while they are read.
"""

import datetime as dt
import math
import threading
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, Final

import numpy as np
from queueserver_protos.numbers import is_exact

from queueserver_environment.messages.frames import FromEnvironment, MetadataAnswer
from queueserver_environment.plans.failures import error_text, shorten

MAX_METADATA_BYTES: Final = 2 * 1024 * 1024
"""Every gRPC client accepts an answer of this length."""
_BESIDE_VALUE: Final = 16
"""Bytes of an entry beside its key and value, at most."""
MAX_TEXT: Final = 10_000
"""Longest text that is made of a value that JSON can't express, in characters."""
MAX_DEPTH: Final = 24
"""Protobuf readers allow 100 levels, a nested value takes three."""
_COPY_ATTEMPTS: Final = 10


class MetadataReader:
    """Answers queries for the metadata that `read` returns."""

    def __init__(self, read: Callable[[], Any], send: Callable[[FromEnvironment], None]) -> None:
        self._read = read
        self._send = send
        self._lock = threading.Lock()
        self._wanted = 0
        self._answered = 0
        self._busy = False

    def ask(self, number: int) -> None:
        """Request an answer with this number; it answers those with lower numbers too. Returns at once."""
        with self._lock:
            self._wanted = max(self._wanted, number)
            if self._busy:
                return
            self._busy = True
        try:
            threading.Thread(target=self._answer, name="metadata", daemon=True).start()
        except RuntimeError:  # too many threads: the next request may succeed
            with self._lock:
                self._busy = False

    def _answer(self) -> None:
        while (number := self._next()) is not None:
            answer = MetadataAnswer(number=number, metadata=plain_metadata(self._read_safely()))
            self._send(FromEnvironment(metadata=answer))
            self._answered = number

    def _next(self) -> int | None:
        with self._lock:
            self._busy = self._wanted > self._answered
            return self._wanted if self._busy else None

    def _read_safely(self) -> Mapping[Any, Any]:
        try:
            metadata = self._read()
            return metadata if isinstance(metadata, Mapping) else {}
        except BaseException:  # noqa: BLE001 - protects the answer: the metadata may be an object of the startup code
            return {}


def plain_metadata(metadata: Mapping[Any, Any]) -> dict[str, Any]:
    """Make plain values of metadata, as far as it can be read."""
    answer = {}
    left = MAX_METADATA_BYTES
    for key, value in _copy(metadata).items():
        name, told = _key(key), _value_safely(value)
        left -= len(name.encode()) + _BESIDE_VALUE
        size = _size(told)
        if size > left:
            told = f"left out: {size} bytes are too many to be sent"
            size = _size(told)
        left -= size
        if left < 0:
            break
        answer[name] = told
    return answer


def _size(value: Any) -> int:
    """Return an upper bound of the bytes that a value has in the contract's Struct."""
    if isinstance(value, str):
        return len(value.encode()) + _BESIDE_VALUE
    if isinstance(value, list):
        return _BESIDE_VALUE + sum(map(_size, value))
    if isinstance(value, dict):
        return _BESIDE_VALUE + sum(len(key.encode()) + _BESIDE_VALUE + _size(each) for key, each in value.items())
    return _BESIDE_VALUE


def _copy(mapping: Mapping[Any, Any]) -> dict[Any, Any]:
    """Copy a mapping that another thread may be changing."""
    if type(mapping) is dict:
        # One step of the interpreter, which no other thread can interrupt.
        return mapping.copy()
    return {key: _Lazy(mapping, key) for key in _keys(mapping, _COPY_ATTEMPTS)}


def _keys(mapping: Mapping[Any, Any], attempts: int) -> list[Any]:
    try:
        return list(mapping)
    except BaseException:  # noqa: BLE001 - protects the answer: it changed meanwhile, or it is an object of the user
        return _keys(mapping, attempts - 1) if attempts > 1 else []


class _Lazy:
    """A value that is fetched when it is converted, so that one that can't be fetched does not spoil the others."""

    def __init__(self, mapping: Mapping[Any, Any], key: Any) -> None:
        self._mapping = mapping
        self._key = key

    def get(self) -> Any:
        return self._mapping[self._key]


def _value_safely(value: Any) -> Any:
    try:
        return _value(value.get() if isinstance(value, _Lazy) else value, 0)
    except BaseException as error:  # noqa: BLE001 - protects the other values from an object of the user
        return f"can't be read: {type(error).__name__}: {error_text(error)}"


def _value(value: Any, depth: int) -> Any:
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float) and _is_number_of_json(value):
        return float(value)
    if isinstance(value, Mapping) and depth < MAX_DEPTH:
        return _map(value, depth)
    if isinstance(value, list | tuple | set | frozenset) and depth < MAX_DEPTH:
        return [_value(element, depth + 1) for element in list(value)]
    return _text(value) if isinstance(value, str) else shorten(_other_text(value), MAX_TEXT)


def _map(mapping: Mapping[Any, Any], depth: int) -> dict[str, Any]:
    entries = _copy(mapping).items()
    return {_key(key): _value(each.get() if isinstance(each, _Lazy) else each, depth + 1) for key, each in entries}


def _is_number_of_json(number: float) -> bool:
    return is_exact(number) if isinstance(number, int) else math.isfinite(number)


def _key(key: object) -> str:
    try:
        return _text(key)
    except BaseException:  # noqa: BLE001 - protects the answer from an object of the user
        return f"<{type(key).__name__} that can't be printed>"


def _other_text(value: object) -> str:
    return value.isoformat() if isinstance(value, dt.date | dt.time) else _text(value)


def _text(value: object) -> str:
    """Return the text of anything, as valid Unicode."""
    text = value if isinstance(value, str) else str(value)
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
