"""The two encodings of requests, answers and published messages: JSON and msgpack.

What arrives is read as untrusted input: whatever it is, either an object comes out or a DecodeError with a sentence.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from typing import Any, Final

import msgpack

#: More levels than any value of the contract may have.
MAX_DEPTH: Final = 100


class DecodeError(ValueError):
    """What arrived is not in the encoding of the socket."""


class Encoding(ABC):
    """How an object becomes bytes, and bytes an object."""

    name: str

    @abstractmethod
    def decode(self, data: bytes) -> Any:
        """The object. Raises DecodeError."""

    @abstractmethod
    def encode(self, message: Any) -> bytes:
        """The bytes."""


class Json(Encoding):
    """JSON in UTF-8."""

    name = "JSON"

    def decode(self, data: bytes) -> Any:
        """The object. Raises DecodeError."""
        try:
            return json.loads(data.decode())
        except (ValueError, RecursionError) as error:
            raise DecodeError(f"JSON decode error: {_short(error)}") from None

    def encode(self, message: Any) -> bytes:
        """The bytes."""
        return json.dumps(message).encode()


class Msgpack(Encoding):
    """msgpack with texts in UTF-8."""

    name = "MSGPACK"

    def decode(self, data: bytes) -> Any:
        """The object. Raises DecodeError."""
        try:
            return msgpack.unpackb(data, raw=False, strict_map_key=True)
        except (ValueError, TypeError, RecursionError, msgpack.UnpackException) as error:
            raise DecodeError(f"MSGPACK decode error: {_short(error)}") from None

    def encode(self, message: Any) -> bytes:
        """The bytes."""
        packed: bytes = msgpack.packb(message, use_bin_type=True)
        return packed


def encoding_of(name: str) -> Encoding:
    """The encoding with this name: json or msgpack."""
    return Msgpack() if name == "msgpack" else Json()


def _short(error: BaseException) -> str:
    return f"{error}"[:200] or type(error).__name__
