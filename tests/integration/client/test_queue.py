from __future__ import annotations

import asyncio

import grpc
import pytest
from queueserver.common.v1 import item_pb2
from queueserver.manager.v1 import queue_items_pb2 as pb
from queueserver.manager.v1 import status_pb2, status_service_pb2
from queueserver_client import After, AsyncClient, Before, ManagerState, Plan, ServiceUnavailable, ValueNotRepresentable
from queueserver_rpc.status import Refusal

from tests.integration.client.scripted_manager import ScriptedManager


def stored(uid: str, name: str = "count") -> item_pb2.Item:
    return item_pb2.Item(name=name, item_uid=uid, item_type=item_pb2.ITEM_TYPE_PLAN, user="jane", attempt=1)


async def test_every_call_says_who_calls(manager: ScriptedManager, client: AsyncClient) -> None:
    status = status_pb2.ManagerStatus(
        product="RE Manager", version="0.1.0", manager_state=status_pb2.MANAGER_STATE_IDLE
    )
    manager.answers["GetStatus"] = status_service_pb2.GetStatusResponse(status=status)
    answer = await client.status()
    assert (answer.product, answer.version) == ("RE Manager", "0.1.0")
    assert answer.manager_state is ManagerState.IDLE
    assert answer.running_item_uid is None
    metadata = manager.calls[0][2]
    assert metadata["qserver-user"] == "jane"
    assert metadata["qserver-user-group"] == "primary"


@pytest.mark.parametrize("name", ["Žofie Ünal", "山田 太郎", "a\nb", " jane"])
async def test_a_name_that_a_plain_header_can_not_carry_goes_as_bytes(manager: ScriptedManager, name: str) -> None:
    manager.answers["GetStatus"] = status_service_pb2.GetStatusResponse()
    async with AsyncClient(manager.address, user=name, user_group=name) as client:
        await client.status()
    metadata = manager.calls[0][2]
    assert metadata["qserver-user-bin"] == metadata["qserver-user-group-bin"] == name.encode()
    assert not {"qserver-user", "qserver-user-group"} & set(metadata)


async def test_add_sends_the_plan_and_its_place_and_answers_a_handle(
    manager: ScriptedManager, client: AsyncClient
) -> None:
    manager.answers["AddItem"] = pb.AddItemResponse(item=stored("u1"), index=2, queue_size=3)
    handle = await client.queue.add(Plan("count", ["det1"], num=5), position=Before("u0"))
    request = manager.requests("AddItem")[0]
    assert request.position.before_uid == "u0"
    assert request.item.kwargs["num"] == 5
    assert (handle.uid, handle.index, handle.queue_size, handle.item.user) == ("u1", 2, 3, "jane")


async def test_every_place_and_address_reaches_the_server(manager: ScriptedManager, client: AsyncClient) -> None:
    manager.answers["MoveItem"] = pb.MoveItemResponse(item=stored("u1"), index=0, queue_size=3)
    for source, destination in (("front", "back"), (-1, 0), ("u1", After("u2")), ("back", "front")):
        await client.queue.move(source, destination)  # type: ignore[arg-type] # the loop widens the literals
    kinds = [(r.source.WhichOneof("address"), r.destination.WhichOneof("place")) for r in manager.requests("MoveItem")]
    assert kinds == [("front", "back"), ("index", "index"), ("uid", "after_uid"), ("back", "front")]


async def test_a_batch_answers_a_handle_for_each_item_in_order(manager: ScriptedManager, client: AsyncClient) -> None:
    manager.answers["AddItems"] = pb.AddItemsResponse(item_uids=["a", "b"], index=4, queue_size=6)
    handles = await client.queue.add_batch([Plan("count"), Plan("scan")])
    assert [(h.uid, h.item.name, h.index) for h in handles] == [("a", "count", 4), ("b", "scan", 5)]


async def test_a_wrong_value_in_a_batch_is_named_with_its_item_and_nothing_is_sent(
    manager: ScriptedManager, client: AsyncClient
) -> None:
    with pytest.raises(ValueNotRepresentable) as caught:
        await client.queue.add_batch([Plan("count"), Plan("count", num=float("nan"))])
    assert caught.value.path == "items[1].kwargs.num"
    assert manager.calls == []


async def test_listing_goes_through_all_pages(manager: ScriptedManager, client: AsyncClient) -> None:
    manager.answers["ListItems"] = [
        pb.ListItemsResponse(items=[stored("a"), stored("b")], next_page_token="t"),
        pb.ListItemsResponse(items=[stored("c")]),
    ]
    assert [item.uid async for item in client.queue.list(page_size=2)] == ["a", "b", "c"]
    assert [request.page_token for request in manager.requests("ListItems")] == ["", "t"]


@pytest.mark.parametrize("index", [2**31, -(2**31) - 1, True])
async def test_an_index_beyond_64_bits_is_refused_before_sending(
    manager: ScriptedManager, client: AsyncClient, index: int
) -> None:
    with pytest.raises(ValueNotRepresentable):
        await client.queue.get(index)
    assert manager.calls == []


async def test_a_read_is_repeated_while_the_server_is_unavailable(
    manager: ScriptedManager, client: AsyncClient
) -> None:
    busy = Refusal(grpc.StatusCode.UNAVAILABLE, "NOT_READY", "Starting.")
    manager.answers["ListItems"] = [busy, busy, pb.ListItemsResponse(queue_size=7)]
    assert (await client.queue.page()).queue_size == 7


async def test_a_client_finds_the_server_again_after_a_restart(manager: ScriptedManager, client: AsyncClient) -> None:
    manager.answers["ClearQueue"] = pb.ClearQueueResponse(removed_count=1)
    manager.answers["ListItems"] = pb.ListItemsResponse(queue_size=2)
    assert await client.queue.clear() == 1
    await manager.restart()
    assert (await client.queue.page()).queue_size == 2
    assert await client.queue.clear() == 1


async def test_without_a_server_a_call_fails_at_once_with_the_way_out() -> None:
    async with AsyncClient("127.0.0.1:1", timeout=30.0) as client:
        for call in (client.status, client.queue.clear, client.history.clear):
            with pytest.raises(ServiceUnavailable, match=r"No Queue Server answers at 127\.0\.0\.1:1: is it running"):
                await asyncio.wait_for(call(), 10.0)
