"""A message that is decoded in pieces is the one that was sent, and what is no message is refused all the same."""

from __future__ import annotations

import asyncio

import pytest
from google.protobuf.message import DecodeError
from google.protobuf.struct_pb2 import Struct
from hypothesis import given
from hypothesis import strategies as st
from queueserver.common.v1.item_pb2 import Item
from queueserver.manager.v1.queue_service_pb2 import AddItemsRequest
from queueserver_rpc.pieces import decoded_in_turns, pieces


def batch(lengths: list[int]) -> AddItemsRequest:
    """Items whose names have these lengths, between other fields."""
    request = AddItemsRequest(request_id="r" * 40, validate_only=True, expected_revision=7)
    request.items.extend(Item(name="n" * length, kwargs=Struct()) for length in lengths)
    return request


async def decoded(data: bytes) -> AddItemsRequest:
    return await decoded_in_turns(AddItemsRequest(), data)


@given(st.lists(st.one_of(st.integers(0, 200), st.integers(0, 40_000)), max_size=60))
def test_what_is_decoded_in_pieces_is_what_was_sent(lengths: list[int]) -> None:
    request = batch(lengths)
    data = request.SerializeToString()
    assert b"".join(pieces(data)) == data
    assert asyncio.run(decoded(data)) == request


def test_a_long_message_has_many_pieces() -> None:
    data = batch([1000] * 1000).SerializeToString()
    assert max(map(len, pieces(data))) < 20_000


@given(st.binary(max_size=300), st.integers(0, 300))
def test_bytes_are_a_message_in_pieces_if_they_are_one_at_once(noise: bytes, at: int) -> None:
    data = batch([20_000, 20_000, 5]).SerializeToString()
    spoiled = data[: len(data) - at] + noise
    assert b"".join(pieces(spoiled)) == spoiled
    try:
        expected = AddItemsRequest.FromString(spoiled)
    except DecodeError:
        with pytest.raises(DecodeError):
            asyncio.run(decoded(spoiled))
    else:
        assert asyncio.run(decoded(spoiled)) == expected
