"""The lock as JSON, for its key in Redis; a change of it, as older releases stored it in the log of events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from queueserver_manager.domain.events import LockChange, LockChanged
from queueserver_manager.domain.lock.lock import Claim, KeyDigest, Lock, LockRequest
from queueserver_manager.store.codecs import codec

Fields = Mapping[str, Any]


def encode_lock(lock: Lock) -> bytes:
    """JSON of the lock. ``qserver-clear-lock`` reads it, too."""
    return codec.encode(_lock_fields(lock))


def decode_lock(data: bytes) -> Lock:
    """The lock."""
    return _lock_of(codec.decode(data))


def lock_changed_of(fields: Fields) -> LockChanged:
    """A change of the lock, from plain data."""
    lock, previous, request = fields["lock"], fields["previous"], fields["request"]
    return LockChanged(
        LockChange(fields["change"]),
        _lock_of(lock) if lock is not None else None,
        _lock_of(previous) if previous is not None else None,
        fields["user"],
        fields["answer_note"],
        _request_of(request) if request is not None else None,
        emergency_key_is_set=fields["emergency_key_is_set"],
    )


def _lock_fields(lock: Lock) -> dict[str, Any]:
    return {
        "uid": lock.uid,
        **_claim_fields(lock.claim),
        "lease_end": lock.lease_end,
        **_key_fields(lock.key),
        **({"request": _request_fields(lock.request)} if lock.request is not None else {}),
    }


def _lock_of(fields: Fields) -> Lock:
    request = fields.get("request")
    return Lock(
        fields["uid"],
        _claim_of(fields),
        fields["lease_end"],
        _request_of(request) if request is not None else None,
        _key_of(fields),
    )


def _request_fields(request: LockRequest) -> dict[str, Any]:
    return {"uid": request.uid, **_claim_fields(request.claim), "end": request.end, **_key_fields(request.key)}


def _request_of(fields: Fields) -> LockRequest:
    return LockRequest(fields["uid"], _claim_of(fields), fields["end"], _key_of(fields))


def _claim_fields(claim: Claim) -> dict[str, Any]:
    return {
        "environment": claim.environment,
        "queue": claim.queue,
        "user": claim.user,
        "note": claim.note,
        "time": claim.time,
        "lease": claim.lease,
    }


def _claim_of(fields: Fields) -> Claim:
    return Claim(
        fields["environment"], fields["queue"], fields["user"], fields["note"], fields["time"], fields["lease"]
    )


def _key_fields(key: KeyDigest | None) -> dict[str, Any]:
    return {"key": [key.salt.hex(), key.digest.hex()]} if key is not None else {}


def _key_of(fields: Fields) -> KeyDigest | None:
    key = fields.get("key")
    return KeyDigest(bytes.fromhex(key[0]), bytes.fromhex(key[1])) if key is not None else None
