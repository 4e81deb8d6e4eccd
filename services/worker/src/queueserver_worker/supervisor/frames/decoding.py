"""Frames of the environment, which are untrusted: from bytes to the contract's messages."""

from __future__ import annotations

from typing import TypeVar

from google.protobuf.message import Message
from queueserver.worker.v1.environment_channel_pb2 import FromEnvironment

from queueserver_worker.supervisor.frames.messages import fill_message
from queueserver_worker.supervisor.frames.packed import BadFrameError, unpack

M = TypeVar("M", bound=Message)


def decode(data: bytes) -> FromEnvironment:
    """Decode a frame of the environment, without its length. Raises BadFrameError, and nothing else."""
    return decode_as(FromEnvironment, data)


def decode_as(kind: type[M], data: bytes) -> M:
    """Decode a frame in either direction. Raises BadFrameError."""
    body = unpack(data)
    if type(body) is not dict or len(body) != 1:
        raise BadFrameError("it is no map with one entry")
    frame = kind()
    fill_message(frame, body)
    return frame
