"""A message that is decoded in pieces is the one that was sent, and what is not a message is refused all the same."""

from __future__ import annotations

import asyncio

import pytest
from google.protobuf.message import DecodeError, Message
from google.protobuf.struct_pb2 import Struct
from google.protobuf.unknown_fields import UnknownFieldSet
from hypothesis import given
from hypothesis import strategies as st
from queueserver.common.v1.item_pb2 import ItemSpec
from queueserver.manager.v1.queue_items_pb2 import AddItemsRequest
from queueserver_long_work.chunked_decoding import decoded_in_turns, pieces

START_GROUP = 3


def batch(lengths: list[int]) -> AddItemsRequest:
    """Items whose names have these lengths, between other fields."""
    request = AddItemsRequest(request_id="r" * 40, validate_only=True, expected_revision=7)
    request.items.extend(ItemSpec(name="n" * length, kwargs=Struct()) for length in lengths)
    return request


async def decoded(data: bytes) -> AddItemsRequest:
    message = AddItemsRequest()
    async for part in decoded_in_turns(message, data):
        assert part is message
    return message


def has_groups(message: Message) -> bool:
    """A kind of field that no contract of today has; what is unknown may have it."""
    return any(field.wire_type == START_GROUP for field in UnknownFieldSet(message))


@given(st.lists(st.one_of(st.integers(0, 200), st.integers(0, 40_000)), max_size=60))
def test_what_is_decoded_in_pieces_is_what_was_sent(lengths: list[int]) -> None:
    request = batch(lengths)
    data = request.SerializeToString()
    assert b"".join(pieces(data)) == data
    assert asyncio.run(decoded(data)) == request


def test_a_long_message_has_many_pieces() -> None:
    data = batch([1000] * 1000).SerializeToString()
    assert max(map(len, pieces(data))) < 20_000


def test_a_long_message_that_begins_with_its_other_fields_has_many_pieces() -> None:
    whole, first = batch([1000] * 1000), AddItemsRequest(request_id="r", validate_only=True, expected_revision=7)
    whole.MergeFrom(first)
    data = first.SerializeToString() + whole.SerializeToString()
    assert max(map(len, pieces(data))) < 20_000
    assert asyncio.run(decoded(data)) == whole


@given(st.binary(max_size=300), st.integers(0, 300))
def test_bytes_are_a_message_in_pieces_if_they_are_one_at_once(noise: bytes, at: int) -> None:
    data = batch([20_000, 20_000, 5]).SerializeToString()
    spoiled = data[: len(data) - at] + noise
    try:
        expected = AddItemsRequest.FromString(spoiled)
    except DecodeError:
        with pytest.raises(DecodeError):
            asyncio.run(decoded(spoiled))
        return
    try:
        assert asyncio.run(decoded(spoiled)) == expected
    except DecodeError:
        assert has_groups(expected)
