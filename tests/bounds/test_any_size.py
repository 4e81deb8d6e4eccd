"""Whatever is accepted can be stored, listed, watched, moved and executed, by a client with gRPC's default limits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
from hypothesis import HealthCheck, given, settings
from queueserver.common.v1 import item_pb2
from queueserver.manager.v1 import event_pb2, event_service_pb2, queue_execution_pb2, queue_pb2
from queueserver.manager.v1 import history_service_pb2 as h
from queueserver.manager.v1 import queue_items_pb2 as q
from queueserver.manager.v1.event_service_pb2_grpc import EventServiceStub
from queueserver.manager.v1.history_service_pb2_grpc import HistoryServiceStub
from queueserver.manager.v1.queue_service_pb2_grpc import QueueServiceStub
from queueserver_client import Client

from tests.bounds.items_of_any_size import MIB, REQUEST_BYTES, Shape, batches
from tests.e2e.conftest import STARTUP
from tests.harness.parts import Parts, running_parts

SECONDS = 120
KINDS = (event_pb2.EVENT_KIND_QUEUE, event_pb2.EVENT_KIND_HISTORY)
#: A message ends at 1 MiB, or has one item or entry, which may be somewhat longer.
LONGEST_MESSAGE = MIB + MIB // 4


@dataclass
class Desk:
    """A client without options of any kind."""

    parts: Parts
    queue: Any
    history: Any
    events: Any

    def everything_missed(
        self, token: str, enough: Callable[[list[event_pb2.WatchEvent]], bool]
    ) -> tuple[list[event_pb2.WatchEvent], str]:
        """Events from a token on until it is enough, and the next token."""
        events: list[event_pb2.WatchEvent] = []
        call = self.events.WatchEvents(
            event_service_pb2.WatchEventsRequest(kinds=KINDS, resume_token=token), timeout=SECONDS
        )
        for message in call:
            assert message.ByteSize() <= LONGEST_MESSAGE
            events += message.batch.events
            token = message.resume_token
            if enough(events):
                break
        call.cancel()
        return events, token

    def snapshot(self) -> tuple[list[item_pb2.Item], str]:
        """The queue as a watch begins, and the token."""
        items: list[item_pb2.Item] = []
        call = self.events.WatchEvents(event_service_pb2.WatchEventsRequest(kinds=KINDS), timeout=SECONDS)
        for message in call:
            assert message.ByteSize() <= LONGEST_MESSAGE
            items += message.snapshot.queue
            if message.snapshot.complete:
                break
        call.cancel()
        return items, message.resume_token

    def listed(self) -> list[item_pb2.Item]:
        """The queue, page by page."""
        items: list[item_pb2.Item] = []
        token = ""
        while True:
            page = self.queue.ListItems(q.ListItemsRequest(page_token=token, page_size=10_000), timeout=SECONDS)
            assert page.ByteSize() <= LONGEST_MESSAGE
            items += page.items
            token = page.next_page_token
            if not token:
                return items

    def done(self) -> list[Any]:
        """The history, page by page."""
        entries: list[Any] = []
        token = ""
        while True:
            page = self.history.ListHistory(h.ListHistoryRequest(page_token=token, page_size=1000), timeout=SECONDS)
            assert page.ByteSize() <= LONGEST_MESSAGE
            entries += page.entries
            token = page.next_page_token
            if not token:
                return entries

    def clear(self) -> None:
        """Leave nothing of an example behind."""
        self.queue.ClearQueue(q.ClearQueueRequest(all=True), timeout=SECONDS)
        self.history.ClearHistory(h.ClearHistoryRequest(all=True), timeout=SECONDS)


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    """A server of its own, with an open environment."""
    with running_parts(STARTUP) as parts:
        with Client(parts.address) as client:
            client.environment.open()
        with grpc.insecure_channel(parts.address) as channel:
            yield Desk(parts, QueueServiceStub(channel), HistoryServiceStub(channel), EventServiceStub(channel))


def content(item: item_pb2.Item | item_pb2.ItemSpec) -> tuple[Any, ...]:
    """What was asked for."""
    return item.name, item.args, item.kwargs, item.meta, item.properties


def added(events: list[event_pb2.WatchEvent]) -> list[item_pb2.Item]:
    """Items of which events tell that they were added."""
    found = [item for event in events for item in (*event.items_added.items, event.item_added.item)]
    return [item for item in found if item.item_uid]


def have_stopped(events: list[event_pb2.WatchEvent]) -> bool:
    """The queue stopped."""
    return any(event.HasField("queue_stopped") for event in events)


def submitted(desk: Desk, shapes: list[Shape]) -> list[item_pb2.ItemSpec]:
    """Submit a batch; empty if it was refused, as it must be if, and only if, it is not legal."""
    items = [shape.item() for shape in shapes]
    request = q.AddItemsRequest(items=items)
    verdicts = {shape.is_legal for shape in shapes} | {request.ByteSize() <= REQUEST_BYTES}
    answer, call = answered(lambda: desk.queue.AddItems.with_call(request, timeout=SECONDS))
    if call.code() is grpc.StatusCode.INVALID_ARGUMENT:
        assert verdicts != {True}
        return []
    assert call.code() is grpc.StatusCode.OK, call.details()
    assert False not in verdicts
    assert len(answer.item_uids) == len(items)
    return items


def answered(ask: Callable[[], tuple[Any, Any]]) -> tuple[Any, Any]:
    """Answer and call; of a refusal, no answer."""
    try:
        return ask()
    except grpc.RpcError as refusal:
        return None, refusal


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(batches)
def test_whatever_is_accepted_is_listed_watched_moved_and_executed_as_it_was_submitted(
    desk: Desk, shapes: list[Shape]
) -> None:
    _, token = desk.snapshot()
    items = submitted(desk, shapes)
    stored = desk.listed()
    assert [content(item) for item in stored] == [content(item) for item in items]
    if not items:
        return
    events, token = desk.everything_missed(token, lambda events: len(added(events)) == len(items))
    assert added(events) == stored == desk.snapshot()[0]
    uids = [item.item_uid for item in stored]
    desk.queue.MoveItems(
        q.MoveItemsRequest(item_uids=uids[::-1], destination=queue_pb2.QueuePosition(front=True)), timeout=SECONDS
    )
    assert desk.listed() == stored[::-1]
    desk.queue.StartQueue(queue_execution_pb2.StartQueueRequest(), timeout=SECONDS)
    events, _ = desk.everything_missed(token, have_stopped)
    assert events[-1].queue_stopped.reason == event_pb2.QUEUE_STOP_REASON_EMPTY
    told = [event.history_added.entry for event in events if event.HasField("history_added")]
    assert told == desk.done()
    assert [entry.item for entry in told] == stored[::-1]
    desk.clear()


def test_what_was_stored_is_read_again_by_the_next_manager_as_it_was(desk: Desk) -> None:
    shapes = [Shape(filling, MIB, "kwargs") for filling in 'xé→😀\x01"']
    shapes += [Shape(filling, 14_990, "args") for filling in ("numbers", "lists", "keys")]
    items = submitted(desk, [*shapes, Shape("levels", 25, "meta")])
    stored = desk.listed()
    with desk.parts.manager_killed():
        pass
    assert desk.listed() == stored == desk.snapshot()[0]
    assert [content(item) for item in stored] == [content(item) for item in items]
    desk.clear()
