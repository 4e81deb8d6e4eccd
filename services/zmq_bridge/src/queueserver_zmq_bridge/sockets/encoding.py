"""The two encodings of requests, answers and published messages: JSON and msgpack.

What arrives is read as untrusted input: whatever it is, either an object comes out or a DecodeError with a sentence.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import msgpack


class DecodeError(ValueError):
    """What arrived is not in the encoding of the socket."""


class Encoded(bytes):
    """A value that is encoded already. It may stand for a value of a message, and is sent as it is."""

    __slots__ = ()


class Encoding(ABC):
    """How an object becomes bytes, and bytes an object."""

    name: str

    def encode(self, message: Any) -> bytes:
        """The bytes."""
        if isinstance(message, dict) and any(isinstance(value, Encoded) for value in message.values()):
            return self.join(
                {
                    key: value if isinstance(value, Encoded) else self.encode_value(value)
                    for key, value in message.items()
                }
            )
        return self.encode_value(message)

    @abstractmethod
    def decode(self, data: bytes) -> Any:
        """The object. Raises DecodeError."""

    @abstractmethod
    def encode_value(self, value: Any) -> bytes:
        """The bytes of something without encoded parts."""

    @abstractmethod
    def join(self, values: Mapping[str, bytes]) -> Encoded:
        """An object of values that are encoded already."""

    @abstractmethod
    def join_list(self, values: Sequence[bytes]) -> Encoded:
        """A list of values that are encoded already."""


class Json(Encoding):
    """JSON in UTF-8."""

    name = "JSON"

    def decode(self, data: bytes) -> Any:
        """The object. Raises DecodeError."""
        try:
            return json.loads(data.decode())
        except (ValueError, RecursionError) as error:
            raise DecodeError(f"JSON decode error: {_short(error)}") from None

    def encode_value(self, value: Any) -> bytes:
        """The bytes of something without encoded parts."""
        return json.dumps(value).encode()

    def join(self, values: Mapping[str, bytes]) -> Encoded:
        """An object of values that are encoded already."""
        inside = b", ".join(json.dumps(key).encode() + b": " + value for key, value in values.items())
        return Encoded(b"{" + inside + b"}")

    def join_list(self, values: Sequence[bytes]) -> Encoded:
        """A list of values that are encoded already."""
        return Encoded(b"[" + b", ".join(values) + b"]")


class Msgpack(Encoding):
    """msgpack with texts in UTF-8."""

    name = "MSGPACK"

    def decode(self, data: bytes) -> Any:
        """The object. Raises DecodeError."""
        try:
            return msgpack.unpackb(data, raw=False, strict_map_key=True)
        except (ValueError, TypeError, RecursionError, msgpack.UnpackException) as error:
            raise DecodeError(f"MSGPACK decode error: {_short(error)}") from None

    def encode_value(self, value: Any) -> bytes:
        """The bytes of something without encoded parts."""
        packed: bytes = msgpack.packb(value, use_bin_type=True)
        return packed

    def join(self, values: Mapping[str, bytes]) -> Encoded:
        """An object of values that are encoded already."""
        header = msgpack.Packer().pack_map_header(len(values))
        return Encoded(header + b"".join(self.encode_value(key) + value for key, value in values.items()))

    def join_list(self, values: Sequence[bytes]) -> Encoded:
        """A list of values that are encoded already."""
        return Encoded(msgpack.Packer().pack_array_header(len(values)) + b"".join(values))


def encoding_of(name: str) -> Encoding:
    """The encoding with this name: json or msgpack."""
    return Msgpack() if name == "msgpack" else Json()


def _short(error: BaseException) -> str:
    return f"{error}"[:200] or type(error).__name__
