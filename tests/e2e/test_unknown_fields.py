"""What only a newer client knows is refused before anything is changed; where a request only reads, it does no harm."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor_pb2 import FieldDescriptorProto
from queueserver.common.v1.item_pb2 import ItemSpec
from queueserver.manager.v1 import error_details_pb2, history_service_pb2, import_state_pb2, status_service_pb2
from queueserver.manager.v1 import queue_items_pb2 as pb
from queueserver_client import AsyncClient, Plan
from queueserver_rpc.unknown import changes_something

from tests.bounds.methods import METHODS, Method
from tests.e2e.test_ownership import CALLS, STREAMS
from tests.harness.raw import Stubs, read_refusal, refused
from tests.harness.unknown_fields import UNKNOWN, Place, places, whole_number
from tests.harness.wait import bounded

INVALID = grpc.StatusCode.INVALID_ARGUMENT
CHANGING = [pytest.param(method, id=str(method)) for method in METHODS if changes_something(method.path)]
READING = [pytest.param(method, id=str(method)) for method in METHODS if not changes_something(method.path)]
#: A request of each method that could be carried out.
GOOD = {name: request for calls in CALLS.values() for name, request in calls.items()}
GOOD |= {name: request for (_, name), request in STREAMS.items()}
GOOD["UpdateItem"] = pb.UpdateItemRequest(item_uid="any", item=ItemSpec(name="one_run"))
NO_VALUE = 77
ITEMS = 3


async def everything(stubs: Stubs) -> tuple[Any, ...]:
    """All that a refused request must not change."""
    status = (await stubs.status.GetStatus(status_service_pb2.GetStatusRequest())).status
    queue = await stubs.queue.ListItems(pb.ListItemsRequest(page_size=1000))
    history = await stubs.history.ListHistory(history_service_pb2.ListHistoryRequest())
    return status.revision, status.manager_state, status.environment, queue, history


@pytest.fixture
async def unchanged(shared_client: AsyncClient, raw: Stubs) -> AsyncIterator[None]:
    """Around the test nothing changes, and there is something that could."""
    await shared_client.queue.add_batch([Plan("one_run", str(number)) for number in range(ITEMS)])
    before = await everything(raw)
    yield
    assert await everything(raw) == before


async def call(stubs: Stubs, path: str, data: bytes) -> bytes:
    """Send these bytes; the first answer, as bytes."""
    answer: bytes = await bounded(stubs.channel.unary_unary(path)(data))
    return answer


QUEUE, HISTORY = "/queueserver.manager.v1.QueueService/", "/queueserver.manager.v1.HistoryService/"
EXAMPLES = {
    "an extent of what is cleared": (QUEUE + "ClearQueue", whole_number(102, 1), "102"),
    "an address": (QUEUE + "RemoveItem", b"\x0a\x03\x98\x06\x07", "address.99"),
    "an extent of the history": (HISTORY + "ClearHistory", whole_number(99, 1), "99"),
    "a position": (QUEUE + "AddItem", GOOD["AddItem"].SerializeToString() + b"\x12\x03\x98\x06\x07", "position.99"),
    "something about an item": (
        QUEUE + "AddItem",
        GOOD["AddItem"].SerializeToString() + b"\x0a\x03\xb0\x06\x07",
        "item.102",
    ),
}


@pytest.mark.parametrize("what", EXAMPLES)
async def test_what_only_a_newer_server_knows_is_not_done_by_halves(raw: Stubs, unchanged: None, what: str) -> None:
    del unchanged
    path, data, field = EXAMPLES[what]
    refusal = await refused(call(raw, path, data))
    assert (refusal.code, refusal.domain, refusal.reason) == (INVALID, "qserver", "FIELD_UNKNOWN")
    assert list(refusal.violations) == [field]
    assert "leave it out, or use a newer server" in refusal.message


@pytest.mark.parametrize("method", CHANGING)
async def test_every_method_that_changes_something_refuses_it_at_every_place(
    raw: Stubs, unchanged: None, method: Method
) -> None:
    del unchanged
    assert GOOD[method.name].DESCRIPTOR is method.request.DESCRIPTOR
    good = GOOD[method.name].SerializeToString()
    for data, path in [(good + UNKNOWN, "1023"), *((p.request(), p.path) for p in places(method.request.DESCRIPTOR))]:
        refusal = await refused(call(raw, method.path, data))
        assert (refusal.code, refusal.reason, list(refusal.violations)) == (INVALID, "FIELD_UNKNOWN", [path])


@pytest.mark.parametrize("method", READING)
async def test_what_reads_is_answered_as_without_it(raw: Stubs, method: Method) -> None:
    good = GOOD.get(method.name, method.request()).SerializeToString()
    assert await outcome(raw, method, good + UNKNOWN) == await outcome(raw, method, good)


async def outcome(stubs: Stubs, method: Method, data: bytes) -> object:
    """The status code, or whether there is an answer."""
    try:
        if not method.is_stream:
            return bool(await call(stubs, method.path, data)) or True
        stream = stubs.channel.unary_stream(method.path)(data)
        return await bounded(stream.read()) is not grpc.aio.EOF
    except grpc.aio.AioRpcError as error:
        return error.code(), read_refusal(error).reason


def enums(method: Method) -> Iterator[tuple[bytes, str]]:
    """Requests with a value that an enum does not have, and the path of it."""
    for place in places(method.request.DESCRIPTOR):
        message = place.fields[-1].message_type if place.fields else method.request.DESCRIPTOR
        for field in message.fields:
            if field.type == FieldDescriptorProto.TYPE_ENUM:
                yield (
                    odd(method, place, field.number),
                    place.path.replace("1023", field.name).removesuffix(".null_value"),
                )


#: What a method requires beside its batch.
BESIDE_BATCH = {"ImportState": import_state_pb2.ImportStateRequest(import_id="odd").SerializeToString()}


def odd(method: Method, place: Place, number: int) -> bytes:
    data = place.request(whole_number(number, NO_VALUE))
    in_batch = any(field.is_repeated for field in place.fields[:1])
    if in_batch:
        return data + BESIDE_BATCH.get(method.name, b"")
    return GOOD[method.name].SerializeToString() + data


ENUMS = [
    pytest.param(method.values[0], data, path, id=f"{method.id}-{path}")  # type: ignore[arg-type] # as they were made
    for method in CHANGING
    for data, path in enums(method.values[0])  # type: ignore[arg-type] # as above
]


@pytest.mark.parametrize(("method", "data", "path"), ENUMS)
async def test_a_value_that_an_enum_does_not_have_is_refused(
    raw: Stubs, unchanged: None, method: Method, data: bytes, path: str
) -> None:
    del unchanged
    refusal = await refused(call(raw, method.path, data))
    assert refusal.code is INVALID
    if refusal.reason == "BATCH_REFUSED":
        (wrong,) = refusal.detail(error_details_pb2.BatchRefused).items
        assert [violation.field for violation in wrong.field_violations] == [path]
    else:
        assert refusal.reason in {"FIELD_INVALID", "ITEM_INVALID"}
        assert list(refusal.violations) == [path]
