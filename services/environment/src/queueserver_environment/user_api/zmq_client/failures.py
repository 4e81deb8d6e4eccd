"""How a request fails, and the encodings of messages."""

import enum
import json
from typing import Any, Final

import msgpack


class CommTimeoutError(TimeoutError):
    """No answer came in time."""


class CommJsonRpcError(RuntimeError):
    """A request was answered with an error.

    Parameters
    ----------
    message
        What went wrong.
    error_code
        Its number.
    error_type
        Its kind, in one word.

    """

    def __init__(self, message: str, error_code: int, error_type: str) -> None:
        super().__init__(message)
        self.message = message
        self.error_code = error_code
        self.error_type = error_type

    def __str__(self) -> str:
        return f"{self.message}\nError code: {self.error_code}. Error type: {self.error_type}"


class ZMQEncoding(enum.Enum):
    """Encoding of messages."""

    JSON = "json"
    MSGPACK = "msgpack"


def supported_zmq_encodings() -> tuple[str, ...]:
    """Return the names of the encodings."""
    return tuple(encoding.value for encoding in ZMQEncoding)


def process_zmq_encoding_name(encoding: str | ZMQEncoding) -> ZMQEncoding:
    """Return the encoding of a name, in letters of any case. Raises ValueError."""
    if isinstance(encoding, ZMQEncoding):
        return encoding
    name = encoding.lower() if isinstance(encoding, str) else encoding
    if name not in supported_zmq_encodings():
        raise ValueError(f"{encoding!r} is no encoding: use one of {', '.join(supported_zmq_encodings())}.")
    return ZMQEncoding(name)


def encoded(message: object, encoding: ZMQEncoding) -> bytes:
    """Return the bytes of a message."""
    if encoding is ZMQEncoding.MSGPACK:
        return bytes(msgpack.packb(message, use_bin_type=True))
    return json.dumps(message).encode()


def decoded(data: bytes, encoding: ZMQEncoding) -> Any:
    """Return the message that some bytes are. Raises ValueError."""
    return msgpack.unpackb(data, raw=False) if encoding is ZMQEncoding.MSGPACK else json.loads(data)


NO_ANSWER: Final = (
    "ZMQ communication error: timeout occurred: no answer came within {} ms. Is the server running at {}?"
)
