"""Why requests are refused: the contract's enum ErrorReason, and the status code that it gives to each of its values.

Every refusal of a service is made by :func:`refused`, so none has a reason that the contract does not know, or the
code of another one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

import grpc
from google.protobuf.message import Message
from queueserver.common.v1 import error_reason_pb2
from queueserver.common.v1.error_reason_pb2 import ErrorReason

from queueserver_rpc.status import Refusal, Violation

__all__ = ["ErrorReason", "Reason", "code_of", "name_of", "refused"]

Reason: TypeAlias = "ErrorReason.ValueType"
_PREFIX = "ERROR_REASON_"
#: Name and code of each reason; the first value of the enum is none.
_KNOWN: dict[int, tuple[str, grpc.StatusCode]] = {
    value.number: (
        value.name.removeprefix(_PREFIX),
        grpc.StatusCode[value.GetOptions().Extensions[error_reason_pb2.status_code]],
    )
    for value in ErrorReason.DESCRIPTOR.values[1:]
}


def name_of(reason: Reason) -> str:
    """The text of ErrorInfo.reason, for example "ITEM_NOT_FOUND"."""
    return _KNOWN[reason][0]


def code_of(reason: Reason) -> grpc.StatusCode:
    """The status code of every refusal for this reason."""
    return _KNOWN[reason][1]


def refused(
    reason: Reason,
    message: str,
    *,
    violations: Sequence[Violation] = (),
    retry_after: float | None = None,
    metadata: Mapping[str, str] | None = None,
    details: Iterable[Message] = (),
) -> Refusal:
    """A refusal: its reason, one sentence that names the way out, and the rest that the client gets."""
    return Refusal(
        code_of(reason),
        name_of(reason),
        message,
        violations=violations,
        retry_after=retry_after,
        metadata=metadata or {},
        details=details,
    )
