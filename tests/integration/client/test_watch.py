from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import grpc
import pytest
from queueserver.common.v1 import item_pb2
from queueserver.manager.v1 import event_pb2, event_service_pb2, queue_items_pb2
from queueserver_client import (
    AsyncClient,
    Event,
    InvalidRequest,
    ItemAdded,
    QueueServerError,
    ServerFault,
    ServiceUnavailable,
    Snapshot,
    UnknownEvent,
)
from queueserver_rpc.status import Refusal

from tests.integration.client.scripted_manager import ScriptedManager, until_cancelled


def snapshot(*uids: str, token: str = "", complete: bool = True) -> event_service_pb2.WatchEventsResponse:
    items = [item_pb2.Item(item_uid=uid, name="count") for uid in uids]
    return event_service_pb2.WatchEventsResponse(
        snapshot=event_service_pb2.WatchSnapshot(revision=1, queue=items, complete=complete), resume_token=token
    )


def added(*uids: str, token: str) -> event_service_pb2.WatchEventsResponse:
    events = [
        event_pb2.WatchEvent(
            revision=2, item_added=event_pb2.ItemAdded(item=item_pb2.Item(item_uid=uid, name="count"), index=0)
        )
        for uid in uids
    ]
    return event_service_pb2.WatchEventsResponse(batch=event_service_pb2.EventBatch(events=events), resume_token=token)


def script(*calls: Sequence[Any]) -> list[Any]:
    """Answers of the Watch method, call by call. A call that ends with None stays open."""

    def play(messages: Sequence[Any]) -> Any:
        async def stream(_: event_service_pb2.WatchEventsRequest) -> AsyncIterator[Any]:
            for message in messages:
                if message is None:
                    await until_cancelled()
                yield message

        return stream

    return [play(messages) for messages in calls]


async def take(watch: Any, count: int) -> list[Event | Snapshot]:
    return [await asyncio.wait_for(watch.__anext__(), 10.0) for _ in range(count)]


def uids(entries: Sequence[Event | Snapshot]) -> list[str]:
    return [entry.item.uid for entry in entries if isinstance(entry, ItemAdded)]


async def test_the_parts_of_a_snapshot_are_put_together(manager: ScriptedManager, client: AsyncClient) -> None:
    manager.answers["WatchEvents"] = script([snapshot("a", "b", complete=False), snapshot("c", token="t1"), None])
    async with client.watch(["queue"]) as watch:
        (first,) = await take(watch, 1)
        assert isinstance(first, Snapshot)
        assert [item.uid for item in first.queue] == ["a", "b", "c"]
        assert not first.restarted
        assert watch.resume_token == "t1"
    assert manager.requests("WatchEvents")[0].kinds == [event_pb2.EVENT_KIND_QUEUE]


async def test_the_token_moves_on_only_with_the_last_event_of_a_batch(
    manager: ScriptedManager, client: AsyncClient
) -> None:
    manager.answers["WatchEvents"] = script([snapshot(token="t1"), added("a", "b", token="t2"), None])
    async with client.watch() as watch:
        await take(watch, 2)
        assert watch.resume_token == "t1"
        await take(watch, 1)
        assert watch.resume_token == "t2"


@pytest.mark.parametrize(
    "interruption",
    [
        Refusal(grpc.StatusCode.UNAVAILABLE, "NOT_READY", "Starting."),
        Refusal(grpc.StatusCode.UNAVAILABLE, "NOT_OWNER", "Another one."),
        Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, "WATCHER_TOO_SLOW", "Too slow."),
    ],
)
async def test_an_interrupted_watch_goes_on_after_the_last_event(
    manager: ScriptedManager, client: AsyncClient, interruption: Refusal
) -> None:
    manager.answers["WatchEvents"] = script(
        [snapshot(token="t1"), added("a", token="t2"), interruption], [interruption], [added("b", token="t3"), None]
    )
    told: list[QueueServerError] = []
    async with client.watch(on_interruption=told.append) as watch:
        entries = await take(watch, 3)
    assert uids(entries) == ["a", "b"]
    assert [request.resume_token for request in manager.requests("WatchEvents")] == ["", "t2", "t2"]
    assert [error.reason for error in told] == [interruption.reason]


async def test_a_watch_survives_a_restart_of_the_server(manager: ScriptedManager, client: AsyncClient) -> None:
    manager.answers["WatchEvents"] = script([snapshot(token="t1"), None], [added("a", token="t2"), None])
    async with client.watch() as watch:
        await take(watch, 1)
        restart = asyncio.create_task(manager.restart())
        assert uids(await take(watch, 1)) == ["a"]
        await restart
    assert [request.resume_token for request in manager.requests("WatchEvents")] == ["", "t1"]


async def test_each_message_is_a_sign_of_life_also_one_without_news(
    manager: ScriptedManager, client: AsyncClient
) -> None:
    lost = Refusal(grpc.StatusCode.UNAVAILABLE, "NOT_READY", "Starting.")
    manager.answers["WatchEvents"] = script(
        [snapshot(token="t1"), lost], [added(token="t2"), added("a", token="t3"), None]
    )
    told: list[str] = []
    watch = client.watch(on_interruption=lambda _: told.append("lost"), on_sign_of_life=lambda: told.append("alive"))
    async with watch:
        await take(watch, 2)
    assert told == ["alive", "lost", "alive", "alive"]


async def test_a_stream_that_the_server_ends_is_taken_up_again(manager: ScriptedManager, client: AsyncClient) -> None:
    manager.answers["WatchEvents"] = script([snapshot(token="t1")], [added("a", token="t2"), None])
    async with client.watch() as watch:
        assert uids(await take(watch, 2)) == ["a"]


async def test_an_expired_token_begins_anew_with_a_marked_snapshot(
    manager: ScriptedManager, client: AsyncClient
) -> None:
    expired = Refusal(grpc.StatusCode.OUT_OF_RANGE, "RESUME_TOKEN_EXPIRED", "Too old.")
    manager.answers["WatchEvents"] = script([expired], [snapshot("a", token="t9"), None])
    async with client.watch(resume_token="t0") as watch:
        (first,) = await take(watch, 1)
    assert isinstance(first, Snapshot)
    assert first.restarted
    assert [request.resume_token for request in manager.requests("WatchEvents")] == ["t0", ""]


async def test_a_half_received_snapshot_is_thrown_away(manager: ScriptedManager, client: AsyncClient) -> None:
    busy = Refusal(grpc.StatusCode.UNAVAILABLE, "NOT_READY", "Starting.")
    manager.answers["WatchEvents"] = script([snapshot("a", complete=False), busy], [snapshot("b", token="t1"), None])
    async with client.watch() as watch:
        (first,) = await take(watch, 1)
    assert isinstance(first, Snapshot)
    assert [item.uid for item in first.queue] == ["b"]


async def test_a_refusal_that_will_not_pass_ends_the_watch(manager: ScriptedManager, client: AsyncClient) -> None:
    manager.answers["WatchEvents"] = Refusal(grpc.StatusCode.INVALID_ARGUMENT, "RESUME_TOKEN_INVALID", "No token.")
    with pytest.raises(InvalidRequest):
        await take(client.watch(resume_token="x"), 1)


async def test_a_watch_gives_up_when_the_server_stays_away(manager: ScriptedManager, client: AsyncClient) -> None:
    manager.answers["WatchEvents"] = script([snapshot(token="t1"), None])
    watch = client.watch(reconnect_timeout=0.5)
    await take(watch, 1)
    await manager.stop()
    with pytest.raises(ServiceUnavailable):
        await take(watch, 1)


async def test_a_watch_without_a_server_fails_at_once() -> None:
    async with AsyncClient("127.0.0.1:1") as client:
        with pytest.raises(ServiceUnavailable, match="No Queue Server answers"):
            await take(client.watch(), 1)


async def test_a_watch_of_a_client_that_was_connected_waits_for_a_server_that_restarts(
    manager: ScriptedManager, client: AsyncClient
) -> None:
    manager.answers |= {"ListItems": queue_items_pb2.ListItemsResponse()}
    manager.answers["WatchEvents"] = script([snapshot("a", token="t1"), None])
    await client.queue.page()
    await manager.stop()
    async with client.watch() as watch:
        waiting = asyncio.create_task(take(watch, 1))
        with pytest.raises(asyncio.TimeoutError):  # as long as nobody is there, it neither fails nor answers
            await asyncio.wait_for(asyncio.shield(waiting), 1.5)
        await manager.restart()
        assert isinstance((await waiting)[0], Snapshot)


async def test_an_event_that_can_not_be_read_ends_the_watch(manager: ScriptedManager, client: AsyncClient) -> None:
    manager.answers["WatchEvents"] = script([snapshot(token="t1"), b"\xff", None])
    async with client.watch() as watch:
        await take(watch, 1)
        with pytest.raises(ServerFault, match="can't be read"):
            await take(watch, 1)


async def test_a_server_that_ends_each_stream_at_once_is_given_up(
    manager: ScriptedManager, client: AsyncClient
) -> None:
    async def empty(_: event_service_pb2.WatchEventsRequest) -> AsyncIterator[Any]:
        return
        yield

    manager.answers["WatchEvents"] = empty
    with pytest.raises(ServiceUnavailable, match="ended the stream"):
        await take(client.watch(reconnect_timeout=0.5), 1)


async def test_events_that_only_a_newer_server_knows_are_told_as_such(
    manager: ScriptedManager, client: AsyncClient
) -> None:
    strange = event_service_pb2.WatchEventsResponse(
        batch=event_service_pb2.EventBatch(events=[event_pb2.WatchEvent(revision=3)]), resume_token="t2"
    )
    manager.answers["WatchEvents"] = script([snapshot(token="t1"), strange, added("a", token="t3"), None])
    async with client.watch() as watch:
        _, unknown, *known = await take(watch, 3)
    assert isinstance(unknown, UnknownEvent)
    assert unknown.revision == 3
    assert uids(known) == ["a"]
