"""Fields that the server does not know: found wherever they are, and nothing else is taken for one."""

from __future__ import annotations

import asyncio
import re
import tracemalloc
from typing import Any

import pytest
from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st
from queueserver.common.v1.item_pb2 import ItemSpec
from queueserver.common.v1.permissions_pb2 import GroupPermissions, UserGroupPermissions
from queueserver.manager.v1 import queue_service_pb2
from queueserver.manager.v1.permission_service_pb2 import SetPermissionsRequest
from queueserver.manager.v1.queue_items_pb2 import AddItemRequest, AddItemsRequest
from queueserver_long_work.chunked_decoding import decoded_in_turns
from queueserver_long_work.work import Work
from queueserver_rpc.faults import RequestFault
from queueserver_rpc.reasons import name_of
from queueserver_rpc.unknown import changes_something, unknown_field, unknown_in_piece

from tests.harness.unknown_fields import UNKNOWN, Place, delimited, places, varint, whole_number

SERVICE = f"/{queue_service_pb2.DESCRIPTOR.services_by_name['QueueService'].full_name}/"
PLACES = [pytest.param(place, id=place.path) for place in places(AddItemsRequest.DESCRIPTOR)]


def at_once(data: bytes, kind: type[Message] = AddItemsRequest) -> RequestFault | None:
    return unknown_field(kind.FromString(data), data)


def in_pieces(data: bytes, kind: type[Message] = AddItemsRequest, *, check: bool = True) -> RequestFault | None:
    """What is found first while a request is decoded in turns."""
    found: list[RequestFault] = []

    def look(message: Message, piece: bytes, path: str) -> Work[None]:
        fault = yield from unknown_in_piece(message, piece, path)
        if fault is not None:
            found.append(fault)

    async def decode() -> None:
        message = kind()
        async for _ in decoded_in_turns(message, data, look):
            pass
        if check:
            assert message == kind.FromString(data)

    asyncio.run(decode())
    return found[0] if found else None


def batch(count: int, length: int) -> bytes:
    return AddItemsRequest(request_id="r", items=[ItemSpec(name="n" * length)] * count).SerializeToString()


def test_the_contract_says_which_methods_change_something() -> None:
    assert changes_something(SERVICE + "AddItem")
    assert not changes_something(SERVICE + "ListItems")
    assert not changes_something("/grpc.health.v1.Health/Check")


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("find", [at_once, in_pieces])
def test_a_field_that_is_not_known_is_found_wherever_it_is(find: Any, place: Place) -> None:
    fault = find(place.request())
    assert (name_of(fault.reason), fault.field) == ("FIELD_UNKNOWN", place.path)
    assert "newer server" in fault.refusal().message


@given(st.integers(0, 40), st.integers(0, 40), st.integers(1, 3000))
def test_an_item_of_a_long_batch_is_named_by_its_index(before: int, after: int, length: int) -> None:
    odd = delimited(1, delimited(2, b"count") + UNKNOWN)
    data = batch(before, length) + odd + batch(after, length)
    for find in (at_once, in_pieces):
        fault = find(data)
        assert fault is not None
        assert fault.field == f"items[{before}].1023"


def test_it_is_named_in_a_long_message_that_is_taken_apart() -> None:
    groups = {f"g{n}": GroupPermissions(allowed_plans=["count"] * 30) for n in range(1000)}
    permissions = UserGroupPermissions(user_groups=groups).SerializeToString()
    data = delimited(1, permissions + UNKNOWN)
    for find in (at_once, in_pieces):
        fault = find(data, SetPermissionsRequest)
        assert fault is not None
        assert fault.field == "permissions.1023"


def test_a_field_with_another_encoding_than_its_own_is_not_known() -> None:
    fault = at_once(delimited(1, delimited(1, b"plan")))
    assert fault is not None
    assert (fault.field, "encoded" in fault.description) == ("items[0].item_type", True)


def test_an_entry_of_a_map_that_has_more_than_key_and_value_is_not_lost_silently() -> None:
    entry = delimited(1, b"num") + delimited(2, delimited(3, b"5")) + UNKNOWN
    fault = at_once(delimited(1, delimited(4, delimited(1, entry))))
    assert fault is not None
    assert fault.field == "items[0].kwargs.fields"


def test_a_group_is_not_known() -> None:
    fault = at_once(b"\x9b\x06\x9c\x06")
    assert fault is not None
    assert fault.field == "99"


MANY = b"\xf8\x3f\x00" * 330_000
#: A lot of small fields that are not known, each 3 bytes long: alone, in a list, in an object.
LOADED = {
    "items[0].1023": MANY,
    "items[0].args[0].1023": delimited(3, delimited(1, MANY)),
    "items[0].kwargs.k.1023": delimited(4, delimited(1, delimited(1, b"k") + delimited(2, MANY))),
}


@pytest.mark.parametrize(("path", "item"), LOADED.items(), ids=LOADED)
def test_the_first_of_very_many_is_named_without_a_look_at_the_others(path: str, item: bytes) -> None:
    tracemalloc.start()
    fault = in_pieces(delimited(1, item), check=False)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert fault is not None
    assert fault.field == path
    # An object of Python for each of them would take ten times as much.
    assert most < 5 * len(MANY)


def test_behind_more_than_anything_may_have_it_is_refused_without_a_long_search() -> None:
    data = delimited(1, delimited(3, delimited(1, delimited(6, b"\x0a\x00" * 500_000 + UNKNOWN))))
    fault = in_pieces(data, check=False)
    assert fault is not None
    assert (fault.field, fault.description) == (
        "request", "has a field that this server does not know: leave it out, or use a newer server"
    )  # fmt: skip


def _part(number: int, content: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """A field whose numbers may be longer than they need to be."""
    return st.builds(delimited, st.just(number), content, st.integers(0, 2))


def _number(number: int, values: st.SearchStrategy[int]) -> st.SearchStrategy[bytes]:
    return st.builds(whole_number, st.just(number), values, st.integers(0, 2))


def _several(*parts: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """Fields in any order, some several times, some not at all."""
    return st.lists(st.one_of(*parts), max_size=6).map(b"".join)


TEXT = st.sampled_from([b"", b"a", b"num", "ü".encode()])
VALUE = st.one_of(
    _part(3, TEXT), _number(4, st.integers(0, 1)), _number(1, st.just(0)), st.sampled_from([b"\x11" + bytes(8), b""])
)
ARGS = _several(_part(1, VALUE))
KWARGS = _several(_part(1, _several(_part(1, TEXT), _part(2, VALUE))))
ITEM = _several(_number(1, st.integers(0, 2)), _part(2, TEXT), _part(3, ARGS), _part(4, KWARGS))
POSITION = _several(_number(1, st.integers(0, 1)), _number(3, st.integers(0, 2**31)), _part(4, TEXT))
#: Requests to add an item, in the many encodings that Protobuf allows.
REQUEST = _several(_part(1, ITEM), _part(2, POSITION), _part(100, TEXT), _number(102, st.integers(0, 1)))


@given(REQUEST)
def test_no_encoding_of_what_is_known_is_taken_for_something_else(data: bytes) -> None:
    assert at_once(data, AddItemRequest) is None
    assert in_pieces(data, AddItemRequest) is None


NUMBERS = st.one_of(st.integers(200, 18_999), st.integers(20_000, 2**29 - 1))
LATER = st.one_of(
    st.builds(whole_number, NUMBERS, st.integers(0, 2**64 - 1)),
    st.builds(delimited, NUMBERS, st.binary(max_size=20)),
    NUMBERS.map(lambda number: varint(number << 3 | 1) + bytes(8)),
    NUMBERS.map(lambda number: varint(number << 3 | 5) + bytes(4)),
    NUMBERS.map(lambda number: varint(number << 3 | 3) + varint(number << 3 | 4)),
)


@given(REQUEST, LATER, st.sampled_from(list(places(AddItemRequest.DESCRIPTOR))))
def test_no_encoding_of_what_is_known_hides_what_is_not(known: bytes, later: bytes, place: Place) -> None:
    data = known + place.request(later)
    found = at_once(data, AddItemRequest)
    assert found is not None
    # Elements that the request has already count before it.
    assert re.sub(r"\[\d+\]", "[]", found.field).startswith(place.path.removesuffix("1023").replace("[0]", "[]"))
    assert "is not a field that this server knows" in found.description
