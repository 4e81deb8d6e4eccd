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
# Trailers travel in HTTP/2 headers, which peers limit to about 8 KiB; longer sentences are cut.
MAX_MESSAGE = 2000
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
    status = status_pb2.Status(code=code, message=_cut(refusal.message))
    _pack(
        status,
        error_details_pb2.ErrorInfo(reason=refusal.reason, domain=DOMAIN, metadata=dict(refusal.metadata)),
    )
    if refusal.violations:
        shown = refusal.violations[:MAX_FIELD_VIOLATIONS]
        bad_request = error_details_pb2.BadRequest()
        for violation in shown:
            bad_request.field_violations.add(field=violation.field, description=violation.description[:400])
        _pack(status, bad_request)
    if refusal.retry_after is not None:
        delay = duration_pb2.Duration()
        delay.FromNanoseconds(int(refusal.retry_after * 1e9))
        _pack(status, error_details_pb2.RetryInfo(retry_delay=delay))
    for detail in refusal.details:
        _pack(status, detail)
    return status


async def abort(context: grpc.aio.ServicerContext[Message, Message], refusal: Refusal) -> None:
    """End a call with a refusal. Never returns: gRPC raises to unwind the handler."""
    await context.abort_with_status(rpc_status.to_status(to_proto(refusal)))


def _pack(status: status_pb2.Status, detail: Message) -> None:
    packed = any_pb2.Any()
    packed.Pack(detail)
    status.details.append(packed)


def _cut(text: str) -> str:
    return text if len(text) <= MAX_MESSAGE else text[: MAX_MESSAGE - 1] + "…"
