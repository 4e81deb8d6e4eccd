"""Names of people and user groups in every script: as they are sent, kept, shown, compared and refused."""

from __future__ import annotations

import unicodedata
from collections.abc import AsyncIterator

import grpc
import pytest
from queueserver.common.v1 import item_pb2
from queueserver.manager.v1 import queue_items_pb2 as pb
from queueserver.manager.v1.inventory_service_pb2 import ListPlansRequest
from queueserver_client import AsyncClient, ItemFinished, Plan, QueueServerError, Snapshot

from tests.e2e.conftest import Shell
from tests.harness.progress import history, queue
from tests.harness.raw import Stubs, refused
from tests.harness.stack import Stack
from tests.harness.wait import bounded

NAME = "Žofie Ünal"
GROUP = "Gäste"
DECOMPOSED = unicodedata.normalize("NFD", NAME)
ITEM = item_pb2.ItemSpec(name="one_run")


@pytest.fixture
async def guests(shared_client: AsyncClient) -> AsyncIterator[AsyncClient]:
    """A client of a server whose permissions have a group that is not ASCII, written in decomposed form."""
    before = (await shared_client.permissions.get()).user_group_permissions
    group = unicodedata.normalize("NFD", GROUP)
    await shared_client.permissions.set({"user_groups": before["user_groups"] | {group: {"allowed_plans": [None]}}})
    yield shared_client
    await shared_client.permissions.set(before)


async def test_a_name_that_is_not_ascii_goes_with_an_item_from_the_queue_into_the_history_and_into_events(
    shared_client: AsyncClient, shared_stack: Stack
) -> None:
    async with AsyncClient(shared_stack.address, user=NAME) as zofie, zofie.watch(["queue"]) as events:
        assert isinstance(await bounded(anext(events)), Snapshot)
        handle = await zofie.queue.add(Plan("one_run"))
        assert (handle.item.user, (await queue(zofie))[0].user) == (NAME, NAME)
        await zofie.queue.start()
        await bounded(handle.result())
        told = []
        async for event in events:
            told.append(event)
            if isinstance(event, ItemFinished):
                break
    assert NAME in [getattr(event, "user", None) for event in told]
    assert [entry.item.user for entry in await history(shared_client)] == [NAME]


@pytest.mark.parametrize("kind", ["qserver-user", "qserver-user-group"])
@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (b"\xff\xfe", "must be text in UTF-8, and is not from byte 0 on"),
        ("admin\u202etxt".encode(), "leave out U+202E RIGHT-TO-LEFT OVERRIDE"),
        ("𐌰".encode() * 80, "at most 100 characters, and 300 bytes"),
        (("e" + "\u0301" * 3000).encode(), "at most 100 characters"),
        (b" jane", "must not begin or end with a space"),
    ],
)
async def test_bytes_that_are_no_name_are_refused(
    shared_client: AsyncClient, raw: Stubs, kind: str, value: bytes, problem: str
) -> None:
    key = f"{kind}-bin"
    refusal = await refused(raw.queue.AddItem(pb.AddItemRequest(item=ITEM), metadata=((key, value),)))
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
    assert list(refusal.violations) == [key]
    assert problem in refusal.violations[key]
    assert await queue(shared_client) == []


async def test_the_name_in_utf8_wins_over_the_plain_one_and_is_kept_composed(
    shared_client: AsyncClient, raw: Stubs
) -> None:
    del shared_client
    both = (("qserver-user", "Zofie Unal"), ("qserver-user-bin", DECOMPOSED.encode()))
    answer = await raw.queue.AddItem(pb.AddItemRequest(item=ITEM), metadata=both)
    assert answer.item.user == NAME


async def test_a_repeated_request_is_the_same_however_the_name_is_written(
    shared_client: AsyncClient, raw: Stubs
) -> None:
    request = pb.AddItemRequest(item=ITEM, request_id="names-of-people")
    uids = [
        (await raw.queue.AddItem(request, metadata=(("qserver-user-bin", name.encode()),))).item.item_uid
        for name in (NAME, DECOMPOSED)
    ]
    assert [item.uid for item in await queue(shared_client)] == [uids[0]] == [uids[1]]


async def test_a_group_is_found_however_its_name_is_written(
    guests: AsyncClient, shared_stack: Stack, raw: Stubs
) -> None:
    assert GROUP in (await guests.permissions.get()).user_group_permissions["user_groups"]
    for written in (GROUP, unicodedata.normalize("NFD", GROUP)):
        assert (await raw.inventory.ListPlans(ListPlansRequest(user_group=written))).plans
        async with AsyncClient(shared_stack.address, user_group=written) as guest:
            assert (await guest.queue.add(Plan("one_run"))).item.user_group == GROUP


async def test_two_groups_of_one_name_are_refused(guests: AsyncClient) -> None:
    present = (await guests.permissions.get()).user_group_permissions["user_groups"]
    twice = present | {unicodedata.normalize("NFD", GROUP): {}}
    with pytest.raises(QueueServerError, match="written in two ways that look the same"):
        await guests.permissions.set({"user_groups": twice})


async def test_qserver_acts_under_any_name_and_prints_it_also_where_no_language_is_set(
    shared_client: AsyncClient, qserver: Shell
) -> None:
    words = ("queue", "add", "plan", '{"name": "one_run"}')
    for added in (qserver("--user", NAME, *words), qserver(*words, QSERVER_USER=NAME, LC_ALL="C", LANG="C")):
        assert (added.returncode, added.stderr) == (0, b"")
        assert f"'user': '{NAME}'".encode() in added.stdout
    assert [item.user for item in await queue(shared_client)] == [NAME, NAME]
