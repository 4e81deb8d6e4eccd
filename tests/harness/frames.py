"""Frames of a stand-in for the environment process: made from the contract's messages, and read back into them."""

from __future__ import annotations

import struct
from typing import Any

import msgpack
from queueserver.common.v1.document_pb2 import RunDocument
from queueserver.common.v1.value_pb2 import DataValue
from queueserver.worker.v1 import environment_channel_pb2 as pb
from queueserver_worker.supervisor.frames.decoding import decode_as
from queueserver_worker.supervisor.frames.encoding import encode
from queueserver_worker.supervisor.frames.packed import ARRAY, BIG_INTEGER, CHANNEL_VERSION

LENGTH = struct.Struct(">I")


def frame(message: pb.FromEnvironment) -> bytes:
    """A frame of the environment, with its length."""
    return with_length(payload(message))


def payload(message: pb.FromEnvironment) -> bytes:
    """A frame of the environment, without its length."""
    return encode(message, _OTHERS)


def hello(version: int = CHANNEL_VERSION) -> bytes:
    """The first frame."""
    return frame(pb.FromEnvironment(hello=pb.EnvironmentHello(channel_version=version)))


def with_length(data: bytes) -> bytes:
    return LENGTH.pack(len(data)) + data


def command(data: bytes) -> pb.ToEnvironment:
    """Read a frame of the supervisor."""
    return decode_as(pb.ToEnvironment, data)


def _value(value: DataValue) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "list":
        return [_value(each) for each in value.list.values]
    if kind == "map":
        return {key: _value(each) for key, each in value.map.entries.items()}
    if kind == "array":
        parts = (value.array.dtype, list(value.array.shape), value.array.data)
        return msgpack.ExtType(ARRAY, msgpack.packb(parts))
    if kind == "big_integer":
        return msgpack.ExtType(BIG_INTEGER, value.big_integer.encode())
    return None if kind in {"null", None} else getattr(value, str(kind))


def _document(document: RunDocument) -> Any:
    """A document of plain fields, such as a start or stop document."""
    kind = str(document.WhichOneof("kind"))
    fields = {field.name: value for field, value in getattr(document, kind).ListFields()}
    return {kind: {name.removesuffix("_uid"): value for name, value in fields.items()}}


_OTHERS = (("queueserver.common.v1.DataValue", _value), ("queueserver.common.v1.RunDocument", _document))
