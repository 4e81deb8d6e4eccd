"""Messages put together from serialized parts are what Protobuf itself would have written, or reads as the same."""

from __future__ import annotations

import pytest
from google.protobuf.internal import decoder
from hypothesis import example, given
from hypothesis import strategies as st
from queueserver.manager.v1 import event_pb2, event_service_pb2
from queueserver_manager.wire import framing

from tests.unit.manager.samples import relaxed, texts


@relaxed
@given(st.integers(0, 2**31 - 1))
@example(0)
@example(127)
@example(128)
@example(16_383)
@example(16_384)
def test_a_number_is_written_as_protobuf_writes_it(number: int) -> None:
    assert framing.number(2, number) == event_pb2.ItemRemoved(index=number).SerializeToString()
    read, end = decoder._DecodeVarint(framing.varint(number), 0)  # type: ignore[attr-defined]
    assert (read, end) == (number, len(framing.varint(number)))


@relaxed
@given(st.lists(texts, max_size=5))
def test_repeated_messages_are_written_as_protobuf_writes_them(uids: list[str]) -> None:
    events = [event_pb2.WatchEvent(revision=3, item_removed=event_pb2.ItemRemoved(item_uid=uid)) for uid in uids]
    expected = event_service_pb2.EventBatch(events=events).SerializeToString()
    assert framing.repeated(1, (event.SerializeToString() for event in events)) == expected


@relaxed
@given(texts, st.integers(0, 2**31 - 1))
def test_a_message_in_a_message_is_written_as_protobuf_writes_it(uid: str, index: int) -> None:
    inner = event_pb2.ItemRemoved(item_uid=uid, index=index)
    field = event_pb2.WatchEvent.ITEM_REMOVED_FIELD_NUMBER
    expected = event_pb2.WatchEvent(item_removed=inner).SerializeToString()
    assert framing.submessage(field, inner.SerializeToString()) == expected


@pytest.mark.parametrize("size", [0, 1, 127, 128, 20_000])
def test_text_of_any_length_is_written_with_a_field_number_beyond_fifteen(size: int) -> None:
    console = event_pb2.WatchEvent()
    console.console.text = "x" * size
    content = console.console.SerializeToString()
    field = event_pb2.WatchEvent.CONSOLE_FIELD_NUMBER
    assert field > 15
    assert framing.submessage(field, content) == console.SerializeToString()


def test_nothing_repeated_is_nothing_written() -> None:
    assert framing.repeated(1, []) == b""
