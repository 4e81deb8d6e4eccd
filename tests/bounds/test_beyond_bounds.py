"""One more than the contract allows: every request that is too long is refused, and told which part is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from queueserver_rpc.bounds import Bounds

from tests.bounds.methods import METHODS, Method
from tests.harness.raw import Stubs, refused


def too_long(method: Method) -> Iterator[tuple[str, str, bytes]]:
    """Requests that are too long in one way each: the reason, the field and the bytes."""
    bounds = Bounds(method.request.DESCRIPTOR)
    yield "REQUEST_TOO_LARGE", "", b"\xff" * (bounds.max_bytes + 1)
    for path, most, is_count in bounds.parts():
        request = method.request()
        *parents, name = path.split(".")
        message: Any = request
        for parent in parents:
            message = getattr(message, parent)
            message.SetInParent()
        fill(message, name, most + 1, is_count=is_count)
        if len(data := request.SerializeToString()) <= bounds.max_bytes:
            yield "BATCH_TOO_LARGE" if is_count else "FIELD_INVALID", path, data


def fill(message: Any, name: str, length: int, *, is_count: bool) -> None:
    """Make a field so long, or a text in it."""
    field = message.DESCRIPTOR.fields_by_name[name]
    if is_count and field.message_type is not None:
        message.MergeFromString(bytes([field.number << 3 | 2, 0]) * length)
    elif is_count:
        getattr(message, name).extend(["" if field.cpp_type == field.CPPTYPE_STRING else 0] * length)
    elif field.is_repeated:
        getattr(message, name).append("x" * length)
    else:
        setattr(message, name, "x" * length if field.type == field.TYPE_STRING else b"x" * length)


CASES = [
    pytest.param(method, reason, field, data, id=f"{method}-{field or 'whole'}-{reason}")
    for method in METHODS
    for reason, field, data in too_long(method)
]


def test_every_text_and_list_of_every_request_has_a_bound() -> None:
    """Those of shared messages are bounded by whoever reads them, and by the bytes of the request."""
    assert len(CASES) > 2 * len(METHODS)


async def call(raw: Stubs, method: Method, data: bytes) -> Any:
    if not method.is_stream:
        return await raw.channel.unary_unary(method.path)(data)
    return [answer async for answer in raw.channel.unary_stream(method.path)(data)]


@pytest.mark.parametrize(("method", "reason", "field", "data"), CASES)
async def test_what_is_too_long_is_refused(raw: Stubs, method: Method, reason: str, field: str, data: bytes) -> None:
    refusal = await refused(call(raw, method, data))
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.INVALID_ARGUMENT, reason)
    (wrong,) = refusal.violations
    assert wrong.partition("[")[0] == field
