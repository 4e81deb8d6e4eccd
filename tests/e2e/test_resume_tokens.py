from __future__ import annotations

import uuid

import grpc
import pytest
from queueserver.manager.v1 import event_pb2, event_service_pb2
from queueserver_client import AsyncClient, EventKind, Item, Plan, Snapshot
from queueserver_manager.operations.watch.resume_token import ResumePoint, decode_token
from queueserver_manager.store.keys import Keys

from tests.harness.parts import Parts
from tests.harness.raw import Refused, connect, read_refusal
from tests.harness.raw_watch import hear, snapshot
from tests.harness.wait import bounded, first


async def refusal_of(parts: Parts, token: str) -> Refused:
    async with connect(parts.address) as stubs:
        call = stubs.events.WatchEvents(event_service_pb2.WatchEventsRequest(resume_token=token))
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await bounded(call.read())
    return read_refusal(caught.value)


@pytest.mark.parametrize(
    "garbage", ["garbage", "=", "é", "AAAA" * 20, "x" * 10_000, " ", "\x00", "-1", "0" * 66, "AQ" * 30]
)
async def test_what_is_no_token_is_refused(parts: Parts, garbage: str) -> None:
    refusal = await refusal_of(parts, garbage)
    assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT
    assert (refusal.domain, refusal.reason) == ("qserver", "RESUME_TOKEN_INVALID")
    assert "without a token" in refusal.message


async def test_a_token_with_any_character_changed_is_refused(parts: Parts, parts_client: AsyncClient) -> None:
    del parts_client
    _, token = await snapshot(parts.address)
    for place in (0, 5, 25, 40, len(token) - 2):
        changed = "A" if token[place] != "A" else "B"
        refusal = await refusal_of(parts, token[:place] + changed + token[place + 1 :])
        assert refusal.reason == "RESUME_TOKEN_INVALID"


async def test_a_token_of_another_store_or_from_the_future_is_refused_as_expired(
    parts: Parts, parts_client: AsyncClient
) -> None:
    del parts_client
    _, token = await snapshot(parts.address)
    point = decode_token(token)
    foreign = ResumePoint(str(uuid.uuid4()), point.revision, point.boot_id, point.sequence)
    future = ResumePoint(point.store_id, point.revision + 1, point.boot_id, point.sequence)
    for other in (foreign, future):
        refusal = await refusal_of(parts, other.encode())
        assert (refusal.code, refusal.reason) == (grpc.StatusCode.OUT_OF_RANGE, "RESUME_TOKEN_EXPIRED")
        assert "without a token" in refusal.message


async def test_a_token_older_than_what_is_kept_is_refused_and_a_client_begins_anew(
    parts: Parts, parts_client: AsyncClient
) -> None:
    _, token = await snapshot(parts.address)
    handles = [await parts_client.queue.add(Plan("one_run")) for _ in range(3)]
    with parts.redis.connect() as connection:
        connection.xtrim(Keys("qs").events, maxlen=1, approximate=False)
    refusal = await refusal_of(parts, token)
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.OUT_OF_RANGE, "RESUME_TOKEN_EXPIRED")
    async with parts_client.watch([EventKind.QUEUE], resume_token=token) as watch:
        begin = await first(watch, lambda _: True)
    assert isinstance(begin, Snapshot)
    assert begin.restarted
    assert [item.uid for item in begin.queue] == [handle.uid for handle in handles]


async def test_an_emptied_redis_ends_the_term_and_its_tokens(parts: Parts, parts_client: AsyncClient) -> None:
    await parts_client.queue.add(Plan("one_run"))
    _, token = await snapshot(parts.address)
    with parts.redis.connect() as connection:
        connection.flushall()
    with parts.manager_killed():
        pass
    assert (await refusal_of(parts, token)).reason == "RESUME_TOKEN_EXPIRED"
    assert (await parts_client.status()).items_in_queue == 0
    await parts_client.queue.add(Item.queue_stop())


async def test_unknown_kinds_and_a_negative_limit_are_refused(parts: Parts) -> None:
    async with connect(parts.address) as stubs:
        for request, field in (
            (event_service_pb2.WatchEventsRequest(kinds=[77]), "kinds"),  # type: ignore[list-item] # no kind has this number
            (event_service_pb2.WatchEventsRequest(kinds=[event_pb2.EVENT_KIND_UNSPECIFIED]), "kinds"),
            (event_service_pb2.WatchEventsRequest(history_limit=-1), "history_limit"),
        ):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await bounded(stubs.events.WatchEvents(request).read())
            refusal = read_refusal(caught.value)
            assert (refusal.code, refusal.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
            assert list(refusal.violations) == [field]


async def test_the_events_of_one_long_change_come_in_several_messages_and_go_on_behind_any_of_them(
    parts: Parts, parts_client: AsyncClient
) -> None:
    _, token = await snapshot(parts.address, [event_pb2.EVENT_KIND_QUEUE])
    long = [Plan("tell_types", "x" * 700_000, number) for number in range(8)]
    added = await parts_client.queue.add_batch(long)
    uids = [handle.uid for handle in added]

    def uids_of(events: list[event_pb2.WatchEvent]) -> list[str]:
        return [item.item_uid for event in events for item in (*event.items_added.items, event.item_added.item)]

    heard = await hear(parts.address, token, lambda events: uids[-1] in uids_of(events), [event_pb2.EVENT_KIND_QUEUE])
    assert [uid for uid in uids_of(heard.events) if uid] == uids
    assert len({event.revision for event in heard.events}) == 1
    assert len(heard.tokens) > 3
    for count, between in heard.tokens[:-1]:
        rest = await hear(
            parts.address, between, lambda events: uids[-1] in uids_of(events), [event_pb2.EVENT_KIND_QUEUE]
        )
        assert rest.events == heard.events[count:]
