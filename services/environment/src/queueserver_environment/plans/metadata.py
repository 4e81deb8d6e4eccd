"""The RunEngine's metadata, for people and programs that request it while the environment is busy.

Guarantees: a request never waits, not even for metadata in a file or on another machine: a separate thread
reads it. Metadata that can be read only in part is returned in part. What JSON can't express, or would lose, becomes
text. What would make the answer longer than MAX_METADATA_BYTES is replaced by a note.
Does not guarantee one moment for all values: they may change while they are read.
"""

import datetime as dt
import math
import threading
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import Any, Final

import numpy as np
from google.protobuf.struct_pb2 import NULL_VALUE, Struct, Value
from queueserver.worker.v1.environment_channel_pb2 import FromEnvironment, MetadataAnswer
from queueserver_protos.numbers import is_exact

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
            answer = MetadataAnswer(number=number, metadata=to_struct(self._read_safely()))
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


def to_struct(metadata: Mapping[Any, Any]) -> Struct:
    """Convert metadata, as far as it can be read."""
    struct = Struct()
    left = MAX_METADATA_BYTES
    for key, value in _copy(metadata).items():
        name, message = _key(key), Value()
        _fill_safely(message, value)
        left -= len(name.encode()) + _BESIDE_VALUE
        size = message.ByteSize()
        if size > left:
            message.string_value = f"left out: {size} bytes are too many to be sent"
        left -= message.ByteSize()
        if left < 0:
            break
        struct.fields[name].CopyFrom(message)
    return struct


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


def _fill_safely(message: Value, value: Any) -> None:
    try:
        _fill(message, value.get() if isinstance(value, _Lazy) else value, 0)
    except BaseException as error:  # noqa: BLE001 - protects the other values from an object of the user
        message.Clear()
        message.string_value = f"can't be read: {type(error).__name__}: {error_text(error)}"


def _fill(message: Value, value: Any, depth: int) -> None:
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if value is None:
        message.null_value = NULL_VALUE
    elif isinstance(value, bool):
        message.bool_value = value
    elif isinstance(value, int | float) and _is_number_of_json(value):
        message.number_value = float(value)
    elif isinstance(value, Mapping) and depth < MAX_DEPTH:
        _fill_struct(message, value, depth)
    elif isinstance(value, list | tuple | set | frozenset) and depth < MAX_DEPTH:
        _fill_list(message, list(value), depth)
    else:
        message.string_value = _text(value) if isinstance(value, str) else shorten(_other_text(value), MAX_TEXT)


def _fill_struct(message: Value, mapping: Mapping[Any, Any], depth: int) -> None:
    message.struct_value.SetInParent()
    for key, value in _copy(mapping).items():
        inner = value.get() if isinstance(value, _Lazy) else value
        _fill(message.struct_value.fields[_key(key)], inner, depth + 1)


def _fill_list(message: Value, values: Iterable[Any], depth: int) -> None:
    message.list_value.SetInParent()
    for element in values:
        _fill(message.list_value.values.add(), element, depth + 1)


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
