"""A standby names the owner, and the client goes there by itself: for changes, reads and streams, and back again."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import grpc
import pytest
from queueserver.common.v1 import item_pb2
from queueserver.manager.v1 import error_details_pb2, event_service_pb2, queue_items_pb2, queue_pb2, status_pb2
from queueserver_client import AsyncClient, NotOwner, Plan, ServiceUnavailable, Snapshot
from queueserver_client.connection.failover_channel import MOST_CHANNELS, FailoverChannel
from queueserver_rpc.status import Refusal

from tests.harness.ports import reserved_port
from tests.integration.client.scripted_manager import ScriptedManager, Silence, until_cancelled

ITEM = item_pb2.Item(item_uid="u", name="count")
ADDED = queue_items_pb2.AddItemResponse(item=ITEM, index=4)
SECONDS = 20.0


@pytest.fixture
async def owner() -> AsyncIterator[ScriptedManager]:
    """The Manager to which ``manager``, a standby, sends its clients."""
    scripted = ScriptedManager()
    await scripted.start()
    yield scripted
    await scripted.stop()


def standby_of(address: str, retry_after: float = 1.0) -> Refusal:
    detail = error_details_pb2.NotOwner(owner_address=address)
    return Refusal(grpc.StatusCode.UNAVAILABLE, "NOT_OWNER", "A standby.", retry_after=retry_after, details=[detail])


async def test_a_change_is_made_by_the_owner_under_its_id_and_the_next_one_goes_there_at_once(
    manager: ScriptedManager, owner: ScriptedManager, client: AsyncClient
) -> None:
    manager.answers["AddItem"] = standby_of(owner.address)
    owner.answers["AddItem"] = ADDED
    for _ in range(2):
        assert (await client.queue.add(Plan("count"))).index == 4
    assert (len(manager.calls), len(owner.calls)) == (1, 2)
    assert manager.requests("AddItem")[0] == owner.requests("AddItem")[0]
    assert owner.calls[0][2]["qserver-user"] == "jane"
    assert client.address == owner.address


async def test_a_read_is_answered_by_the_owner(
    manager: ScriptedManager, owner: ScriptedManager, client: AsyncClient
) -> None:
    manager.answers["GetItem"] = standby_of(owner.address)
    owner.answers["GetItem"] = queue_items_pb2.GetItemResponse(item=ITEM, state=queue_pb2.ITEM_STATE_QUEUED)
    assert (await client.queue.get("u")).item.uid == "u"
    assert (len(manager.calls), len(owner.calls)) == (1, 1)


async def test_a_watch_is_answered_by_the_owner(
    manager: ScriptedManager, owner: ScriptedManager, client: AsyncClient
) -> None:
    async def stream(_: object) -> AsyncIterator[event_service_pb2.WatchEventsResponse]:
        snapshot = event_service_pb2.WatchSnapshot(revision=7, complete=True, status=status_pb2.ManagerStatus())
        yield event_service_pb2.WatchEventsResponse(snapshot=snapshot, resume_token="t")
        await until_cancelled()

    manager.answers["WatchEvents"] = standby_of(owner.address)
    owner.answers["WatchEvents"] = stream
    async with client.watch() as watch:
        entry = await asyncio.wait_for(anext(watch), SECONDS)
    assert isinstance(entry, Snapshot)
    assert (entry.revision, len(manager.requests("WatchEvents"))) == (7, 1)


async def test_when_the_owner_is_gone_the_client_comes_back(
    manager: ScriptedManager, owner: ScriptedManager, client: AsyncClient
) -> None:
    manager.answers["AddItem"] = [standby_of(owner.address), ADDED]
    owner.answers["AddItem"] = ADDED
    await client.queue.add(Plan("count"))
    await owner.stop()
    assert (await client.queue.add(Plan("count"))).index == 4
    assert (client.address, len(manager.calls)) == (manager.address, 2)


@pytest.mark.parametrize("times_named_still", [0, 6])
async def test_a_read_that_the_owner_dies_of_is_answered_by_the_standby_that_takes_over(
    manager: ScriptedManager, owner: ScriptedManager, times_named_still: int
) -> None:
    never = Silence()
    still = [standby_of(owner.address, 0.05)] * times_named_still
    manager.answers["GetItem"] = [standby_of(owner.address), *still, queue_items_pb2.GetItemResponse(item=ITEM)]
    owner.answers["GetItem"] = never
    async with AsyncClient(manager.address, timeout=SECONDS) as client:
        call = asyncio.create_task(client.queue.get("u"))
        await asyncio.wait_for(never.asked.wait(), SECONDS)
        await owner.stop()
        assert (await call).item.uid == "u"
        assert (client.address, len(manager.calls)) == (manager.address, 2 + times_named_still)


async def test_an_owner_that_steps_back_may_name_the_one_the_client_came_from(
    manager: ScriptedManager, owner: ScriptedManager, client: AsyncClient
) -> None:
    answer = queue_items_pb2.GetItemResponse(item=ITEM, state=queue_pb2.ITEM_STATE_QUEUED)
    manager.answers["GetItem"] = lambda _: standby_of(owner.address) if len(owner.calls) == 0 else answer
    owner.answers["GetItem"] = lambda _: answer if len(owner.calls) == 1 else standby_of(manager.address)
    for address in (owner.address, manager.address):
        assert (await client.queue.get("u")).item.uid == "u"
        assert client.address == address


async def test_an_owner_that_can_not_be_reached_leaves_the_refusal_of_the_standby(
    manager: ScriptedManager, owner: ScriptedManager
) -> None:
    await owner.stop()
    manager.answers["GetItem"] = manager.answers["AddItem"] = standby_of(owner.address)
    async with AsyncClient(manager.address, timeout=3.0) as client:
        for call in (client.queue.get("u"), client.queue.add(Plan("count"))):
            with pytest.raises(NotOwner) as caught:
                await asyncio.wait_for(call, SECONDS)
            assert caught.value.owner_address == owner.address
    assert owner.calls == []


async def test_standbys_that_name_each_other_are_asked_a_few_times_and_not_in_a_rush(
    manager: ScriptedManager, owner: ScriptedManager
) -> None:
    manager.answers["AddItem"] = standby_of(owner.address, 2.0)
    owner.answers["AddItem"] = standby_of(manager.address, 2.0)
    async with AsyncClient(manager.address, timeout=5.0) as client:
        with pytest.raises(NotOwner):
            await asyncio.wait_for(client.queue.add(Plan("count")), SECONDS)
    assert 4 <= len(manager.calls) + len(owner.calls) <= 6


@pytest.mark.parametrize(
    ("home", "named", "followed"),
    [
        ("127.0.0.1:1", "127.0.0.1:2", True),
        ("localhost:1", "[::1]:2", True),
        ("unix:/run/a", "127.0.0.1:2", True),
        ("dns:///localhost:1", "127.0.0.1:2", True),
        ("ipv4:127.0.0.1:1", "127.0.0.1:2", True),
        ("ipv4:10.0.0.1:1", "ipv4:127.0.0.1:2", False),
        ("127.0.0.1:1", "unix:/run/b", True),
        ("127.0.0.1:1", "beamline:2", True),
        ("beamline:1", "beamline-2:2", True),
        ("beamline:1", "127.0.0.1:2", False),
        ("beamline:1", "localhost:2", False),
        ("beamline:1", "unix:/run/b", False),
        ("127.0.0.1:1", "0.0.0.0:2", False),
        ("beamline:1", "[::]:2", False),
        ("beamline:1", "nowhere", False),
    ],
)
def test_an_address_is_followed_only_if_it_names_a_place_as_seen_from_here(
    home: str, named: str, followed: bool
) -> None:
    channel = FailoverChannel([home], ())
    assert (channel.follow(named), channel.address) == (followed, named if followed else home)


async def test_an_address_that_refuses_connections_is_left_for_the_next_one(owner: ScriptedManager) -> None:
    owner.answers["AddItem"] = ADDED
    async with AsyncClient(f"127.0.0.1:{reserved_port()},{owner.address}", timeout=SECONDS) as client:
        assert (await client.queue.add(Plan("count"))).index == 4
        assert client.address == owner.address


async def test_a_client_does_not_suffer_from_what_another_one_failed_to_do(manager: ScriptedManager) -> None:
    manager.answers["AddItem"] = ADDED
    address = manager.address
    await manager.stop()
    async with AsyncClient(address, timeout=SECONDS) as early, AsyncClient(address, timeout=SECONDS) as late:
        for _ in range(3):
            with pytest.raises(ServiceUnavailable, match="No Queue Server answers"):
                await early.queue.add(Plan("count"))
        await manager.start(int(address.rpartition(":")[2]))
        assert (await late.queue.add(Plan("count"))).index == 4


async def test_an_address_that_says_nothing_is_left_for_the_next_one(owner: ScriptedManager) -> None:
    owner.answers["AddItem"] = ADDED
    with socket.create_server(("127.0.0.1", 0)) as mute:
        silent = f"127.0.0.1:{mute.getsockname()[1]}"
        async with AsyncClient(f"{silent},{owner.address}", timeout=SECONDS) as client:
            assert (await client.queue.add(Plan("count"))).index == 4
            assert client.address == owner.address


async def test_if_no_address_answers_all_are_named() -> None:
    first, second = f"127.0.0.1:{reserved_port()}", f"127.0.0.1:{reserved_port()}"
    async with AsyncClient(f"{first},{second}", timeout=SECONDS) as client:
        with pytest.raises(ServiceUnavailable, match=f"No Queue Server answers at {first} or {second}:"):
            await client.queue.add(Plan("count"))


async def test_there_is_a_limit_of_owners_that_are_followed() -> None:
    channel = FailoverChannel(["beamline:1"], ())
    for port in range(1, MOST_CHANNELS + 1):
        assert channel.follow(f"beamline:{port}")
        assert channel.current is not None
    assert (channel.follow("beamline:99"), channel.follow("beamline:2"), channel.go_home()) == (False, True, True)
    assert channel.is_home
    await channel.close()
