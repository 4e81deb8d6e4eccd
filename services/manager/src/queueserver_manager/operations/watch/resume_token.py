"""The place of a watcher: revision of the last change that it got, and place in the Worker's journal.

Opaque to clients. Holds the identity of the store, so that a token does not continue another store's log.
"""

from __future__ import annotations

import base64
import binascii
import struct
import uuid
import zlib
from dataclasses import dataclass

from queueserver_manager.domain.refusals.errors import ResumeTokenInvalid

_FORM = struct.Struct(">B16sQ16sQI")
_VERSION = 2


@dataclass(frozen=True, slots=True)
class ResumePoint:
    """Content of a token. ``boot_id`` is empty while no Worker was known."""

    store_id: str
    revision: int
    boot_id: str
    sequence: int
    #: This many events of the change behind ``revision`` are known already.
    ahead: int = 0

    def encode(self) -> str:
        """The token."""
        body = _FORM.pack(_VERSION, _pack(self.store_id), self.revision, _pack(self.boot_id), self.sequence, self.ahead)
        return base64.urlsafe_b64encode(body + zlib.crc32(body).to_bytes(4, "big")).decode().rstrip("=")


def decode_token(token: str) -> ResumePoint:
    """Decode a token. Raises ResumeTokenInvalid."""
    try:
        data = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        body, check = data[: _FORM.size], data[_FORM.size :]
        version, store_id, revision, boot_id, sequence, ahead = _FORM.unpack(body)
    except (binascii.Error, struct.error, ValueError) as error:
        raise ResumeTokenInvalid from error
    if version != _VERSION or check != zlib.crc32(body).to_bytes(4, "big"):
        raise ResumeTokenInvalid
    point = ResumePoint(_unpack(store_id), revision, _unpack(boot_id), sequence, ahead)
    # Base64 is read leniently; a token that encodes differently again was damaged on its way.
    if point.encode() != token:
        raise ResumeTokenInvalid
    return point


def _pack(identity: str) -> bytes:
    return uuid.UUID(identity).bytes if identity else bytes(16)


def _unpack(data: bytes) -> str:
    return str(uuid.UUID(bytes=data)) if any(data) else ""
