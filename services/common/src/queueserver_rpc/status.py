"""Refusals as ``google.rpc.Status``: canonical code, stable reason, typed details, one sentence.

Every refusal of every service is built here, so a client can rely on finding an ``ErrorInfo`` with the
domain ``qserver`` in it. The sentence is for people, the reason for programs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

DOMAIN = "qserver"
#: Metadata of a refusal that does not say that nothing was done: whether it was is not known.
FATE_UNKNOWN = {"fate": "unknown"}
#: Trailer that says after how many milliseconds a retry may help.
RETRY_PUSHBACK = "grpc-retry-pushback-ms"
# Trailers travel in HTTP/2 headers, which peers limit to about 8 KiB altogether. The sentence is in them twice (once
# percent-encoded, which triples what is not ASCII), the details once, in base64. So both are bounded, in bytes.
MAX_MESSAGE_BYTES = 800
MAX_FIELD_BYTES = 120
MAX_DESCRIPTION_BYTES = 240
MAX_STATUS_BYTES = 3600
MAX_FIELD_VIOLATIONS = 20


@dataclass(frozen=True, slots=True)
class Violation:
    """One wrong field of a request: its path, and what is wrong with it."""

    field: str
    description: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Everything a client is told about a request that was refused."""

    code: grpc.StatusCode
    reason: str
    message: str
    violations: Sequence[Violation] = ()
    #: Seconds after which a retry may help; None if it never does by itself.
    retry_after: float | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    details: Iterable[Message] = ()


def to_proto(refusal: Refusal) -> status_pb2.Status:
    """Put a refusal into the message that travels in the trailers."""
    code: int = refusal.code.value[0]
    status = status_pb2.Status(code=code, message=cut(refusal.message, MAX_MESSAGE_BYTES))
    _pack(
        status,
        error_details_pb2.ErrorInfo(reason=refusal.reason, domain=DOMAIN, metadata=dict(refusal.metadata)),
    )
    if refusal.retry_after is not None:
        delay = duration_pb2.Duration()
        delay.FromNanoseconds(int(refusal.retry_after * 1e9))
        _pack(status, error_details_pb2.RetryInfo(retry_delay=delay))
    for detail in refusal.details:
        if status.ByteSize() + detail.ByteSize() <= MAX_STATUS_BYTES:
            _pack(status, detail)
    if refusal.violations:
        _pack(status, _bad_request(refusal.violations, MAX_STATUS_BYTES - status.ByteSize()))
    return status


def _bad_request(violations: Sequence[Violation], room: int) -> error_details_pb2.BadRequest:
    """The first wrong fields, as many as there is room for (bytes), but always one."""
    message = error_details_pb2.BadRequest()
    for violation in violations[:MAX_FIELD_VIOLATIONS]:
        message.field_violations.add(
            field=cut(violation.field, MAX_FIELD_BYTES),
            description=cut(violation.description, MAX_DESCRIPTION_BYTES),
        )
        if message.ByteSize() > room and len(message.field_violations) > 1:
            del message.field_violations[-1]
            break
    return message


async def abort(context: grpc.aio.ServicerContext[Message, Message], refusal: Refusal) -> None:
    """End a call with a refusal. Never returns: gRPC raises to unwind the handler."""
    status = rpc_status.to_status(to_proto(refusal))
    trailers = status.trailing_metadata
    if refusal.retry_after is not None:
        # What gRPC's own retries wait for, in clients that configure them; they don't read the details.
        trailers = (*trailers, (RETRY_PUSHBACK, str(round(refusal.retry_after * 1000))))
    await context.abort(status.code, status.details, trailers)


def _pack(status: status_pb2.Status, detail: Message) -> None:
    packed = any_pb2.Any()
    packed.Pack(detail)
    status.details.append(packed)


def cut(text: str, most: int) -> str:
    """Text of at most so many bytes of UTF-8, with an ellipsis where something is missing."""
    encoded = text.encode(errors="replace")
    return text if len(encoded) <= most else encoded[: most - 3].decode(errors="ignore") + "…"
