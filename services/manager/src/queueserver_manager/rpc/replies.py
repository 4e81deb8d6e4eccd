"""Replies to requests that change something: the shared fields, and the encoding of the response."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, TypeVar

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from queueserver_long_work.work import Work, at_once

from queueserver_manager.domain.refusals.errors import FieldInvalid
from queueserver_manager.operations.caller import Caller
from queueserver_manager.operations.commit.reply import Encode, ReplySpec
from queueserver_manager.rpc.guards import guard_of

T = TypeVar("T")
_MAX_REQUEST_ID = 128


def reply_to(request: Any, caller: Caller, encode: Encode[T], part: str = "queue", secret: bytes = b"") -> ReplySpec[T]:
    """Reply to a request; ``encode`` makes the response of its result and revision. Raises FieldInvalid.

    ``part`` (a field of Revisions) is what the request changes: what its expected_revision refers to. ``secret`` stands
    for a key in its fingerprint, of which the key itself is no part.
    """
    return at_once(reply_to_long(request, caller, encode, part, secret))


def reply_to_long(
    request: Any, caller: Caller, encode: Encode[T], part: str = "queue", secret: bytes = b""
) -> Work[ReplySpec[T]]:
    """As :func:`reply_to`, in steps."""
    request_id = request.request_id
    fields = request.DESCRIPTOR.fields_by_name
    expected = request.expected_revision if "expected_revision" in fields else 0
    if expected < 0:
        raise FieldInvalid("expected_revision", "must be 0 or more")
    if len(request_id) > _MAX_REQUEST_ID:
        raise FieldInvalid("request_id", f"must have at most {_MAX_REQUEST_ID} characters")
    validate_only = "validate_only" in fields and request.validate_only
    guard = guard_of(request, caller)
    return ReplySpec(
        encode,
        request_id=request_id,
        fingerprint=(yield from _fingerprint(request, caller, secret)) if request_id else "",
        expected_revision=expected,
        part=part,
        validate_only=validate_only,
        # What changes nothing needs no key.
        guard=None if validate_only else guard,
        user=caller.user,
    )


def _fingerprint(request: Message, caller: Caller, secret: bytes) -> Work[str]:
    """The same for the same request of the same caller, different for any other. Keys of locks are no part of it."""
    digest = hashlib.blake2b(digest_size=16)
    for part in (request.DESCRIPTOR.full_name, caller.user, caller.user_group):
        digest.update(part.encode() + b"\0")
    if secret:
        digest.update(secret)
    for field, value in request.ListFields():
        if field.name == "lock_key":
            continue
        batch = value if _is_batch(field) else (type(request)(**{field.name: value}),)
        digest.update(b"%d:%d:" % (field.number, len(batch)))
        for one in batch:
            data = one.SerializeToString(deterministic=True)
            digest.update(b"%d:" % len(data))
            digest.update(data)
            yield
    return digest.hexdigest()


def _is_batch(field: FieldDescriptor) -> bool:
    kind = field.message_type
    return field.is_repeated and kind is not None and not kind.GetOptions().map_entry


def empty_answer(response: type[Message]) -> Encode[None]:
    """How a method responds whose response only says that it was done."""

    def encode(_result: None, _revision: int) -> bytes:
        return response().SerializeToString()

    return encode


def revision_answer(response: Callable[..., Message]) -> Encode[None]:
    """How a method responds whose response only says at which revision it was done."""

    def encode(_result: None, revision: int) -> bytes:
        return response(revision=revision).SerializeToString()

    return encode
