from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from queueserver_client import (
    After,
    AsyncClient,
    BatchRefused,
    Before,
    InvalidRequest,
    Item,
    ItemHandle,
    ItemInvalid,
    ItemNotFound,
    ItemRunning,
    Plan,
    PlanNotFound,
    QueueServerError,
    RevisionMismatch,
)

from tests.harness.gate import Gate
from tests.harness.progress import begun, queue
from tests.harness.wait import bounded


async def five(client: AsyncClient) -> list[ItemHandle]:
    """A queue of five items."""
    return list(await client.queue.add_batch([Plan("one_run", label) for label in "abcde"]))


async def labels(client: AsyncClient) -> str:
    return "".join(str((item.args or ["-"])[0]) for item in await queue(client))


async def unchanged(client: AsyncClient, call: Awaitable[Any], error: type[QueueServerError]) -> QueueServerError:
    """Make a call that is refused and changes nothing; answers the refusal."""
    before, items = await client.status(), await queue(client)
    with pytest.raises(error) as caught:
        await call
    after = await client.status()
    assert (after.revision, after.plan_queue_uid) == (before.revision, before.plan_queue_uid)
    assert await queue(client) == items
    return caught.value


async def test_a_batch_is_removed_in_one_step_and_what_is_not_there_is_passed_over(shared_client: AsyncClient) -> None:
    handles = await five(shared_client)
    revision = (await shared_client.status()).revision
    removed = await shared_client.queue.remove_batch([handles[3].uid, "no such item", handles[1].uid, handles[3].uid])
    assert [item.uid for item in removed.items] == [handles[3].uid, handles[1].uid]
    assert (removed.queue_size, removed.revision) == (3, revision + 1)
    assert await labels(shared_client) == "ace"
    again = await shared_client.queue.remove_batch([handles[3].uid])
    assert (again.items, again.revision) == ((), removed.revision)


@pytest.mark.parametrize("strict", [False, True])
async def test_a_removal_of_an_empty_batch_succeeds_and_changes_nothing(
    shared_client: AsyncClient, strict: bool
) -> None:
    handles = await five(shared_client)
    removed = await shared_client.queue.remove_batch([], strict=strict)
    assert (removed.items, removed.queue_size, removed.revision) == ((), 5, handles[0].revision)


async def test_a_strict_removal_of_a_batch_removes_all_or_nothing_and_says_what_is_wrong(
    shared_client: AsyncClient, gate: Gate
) -> None:
    running, kept, other = await begun(shared_client, Plan("stepping", gate.path), *[Plan("nothing")] * 2)
    uids = [kept.uid, "no such item", running.uid, kept.uid]
    refusal = await unchanged(shared_client, shared_client.queue.remove_batch(uids, strict=True), BatchRefused)
    assert isinstance(refusal, BatchRefused)
    assert [(item.index, item.reason) for item in refusal.items] == [
        (1, "ITEM_NOT_FOUND"),
        (2, "ITEM_RUNNING"),
        (3, "ITEM_REPEATED"),
    ]
    removed = await shared_client.queue.remove_batch([other.uid, kept.uid], strict=True)
    assert [item.uid for item in removed.items] == [other.uid, kept.uid]
    assert (await shared_client.queue.remove_batch([running.uid])).items == ()
    gate.open()
    await bounded(running.result())


@pytest.mark.parametrize(
    ("batch", "to", "keep_order", "expected"),
    [
        ("db", "front", False, "dbace"),
        ("db", "front", True, "bdace"),
        ("ac", "back", False, "bdeac"),
        ("ca", "back", True, "bdeac"),
        ("ea", Before("c"), False, "beacd"),
        ("ea", After("c"), True, "bcaed"),
        ("cde", After("b"), False, "abcde"),
        ("abcde", "back", False, "abcde"),
        ("", "front", False, "abcde"),
    ],
)
async def test_a_batch_is_moved_in_one_step(
    shared_client: AsyncClient, batch: str, to: Any, keep_order: bool, expected: str
) -> None:
    uids = dict(zip("abcde", [handle.uid for handle in await five(shared_client)], strict=True))
    revision = (await shared_client.status()).revision
    destination: Any = to if isinstance(to, str) else type(to)(uids[to.uid])
    moved = await shared_client.queue.move_batch(
        [uids[one] for one in batch], destination, keep_queue_order=keep_order, expected_revision=revision
    )
    assert await labels(shared_client) == expected
    assert moved.queue_size == 5
    assert moved.revision == revision + (expected != "abcde")
    if batch:
        where = moved.index
        assert [item.uid for item in (await queue(shared_client))[where : where + len(batch)]] == [
            item.uid for item in moved.items
        ]


async def test_a_batch_that_can_not_be_moved_as_a_whole_is_not_moved_at_all(
    shared_client: AsyncClient, gate: Gate
) -> None:
    running, *rest = await begun(shared_client, Plan("stepping", gate.path), *[Plan("nothing")] * 4)
    uids = [handle.uid for handle in rest]
    move = shared_client.queue.move_batch
    wrong = {"ITEM_NOT_FOUND": ["no such item"], "ITEM_RUNNING": [running.uid], "ITEM_REPEATED": [uids[1], uids[1]]}
    for reason, batch in wrong.items():
        refused = await unchanged(shared_client, move([uids[3], *batch], "front"), BatchRefused)
        assert [item.reason for item in refused.refusal.refused_items] == [reason]
    for destination in (2, Before(uids[3]), After(uids[3])):
        refusal = await unchanged(shared_client, move([uids[2], uids[3]], destination), InvalidRequest)
        assert refusal.reason == "FIELD_INVALID"
    await unchanged(shared_client, move(uids[:2], Before("no such item")), ItemNotFound)
    await unchanged(shared_client, move(uids[:2], Before(running.uid)), ItemRunning)
    await unchanged(shared_client, move(uids[:2], After(running.uid)), ItemRunning)
    await shared_client.queue.clear()
    gate.open()
    await bounded(running.result())


@pytest.mark.parametrize("new_uid", [False, True])
async def test_an_item_is_updated_at_its_place_and_keeps_its_uid_unless_asked_otherwise(
    shared_client: AsyncClient, new_uid: bool
) -> None:
    handles = await five(shared_client)
    updated = await shared_client.queue.update(handles[2].item, Plan("one_run", "x", meta={"a": 1}), new_uid=new_uid)
    assert (updated.index, updated.queue_size) == (2, 5)
    assert (updated.uid != handles[2].uid) is new_uid
    assert await labels(shared_client) == "abxde"
    found = await shared_client.queue.get(updated.uid)
    assert (found.index, found.item.meta) == (2, {"a": 1})
    if new_uid:
        with pytest.raises(ItemNotFound):
            await shared_client.queue.get(handles[2].uid)
    else:
        same = await shared_client.queue.update(updated.uid, Plan("one_run", "x", meta={"a": 1}))
        assert (same.revision, (await shared_client.status()).revision) == (updated.revision, updated.revision)


async def test_an_update_that_is_wrong_changes_nothing(shared_client: AsyncClient, gate: Gate) -> None:
    running, waiting = await begun(shared_client, Plan("stepping", gate.path), Plan("nothing"))
    update = shared_client.queue.update
    await unchanged(shared_client, update("no such item", Plan("nothing")), ItemNotFound)
    await unchanged(shared_client, update(running.uid, Plan("nothing")), ItemRunning)
    await unchanged(shared_client, update(waiting.uid, Plan("no_such_plan")), PlanNotFound)
    await unchanged(shared_client, update(waiting.uid, Plan("nothing", 1)), ItemInvalid)
    await shared_client.queue.clear()
    gate.open()
    await bounded(running.result())


Edit = Callable[[AsyncClient, str, int], Awaitable[Any]]
NEW = Plan("one_run", "x")
#: Edits of the item b of the queue abcde, and what the queue is then.
EDITS: dict[str, tuple[Edit, str]] = {
    "add": (lambda c, b, r: c.queue.add(NEW, position=After(b), expected_revision=r), "abxcde"),
    "add_batch": (lambda c, b, r: c.queue.add_batch([NEW], position=After(b), expected_revision=r), "abxcde"),
    "update": (lambda c, b, r: c.queue.update(b, NEW, expected_revision=r), "axcde"),
    "remove": (lambda c, b, r: c.queue.remove(b, expected_revision=r), "acde"),
    "remove_batch": (lambda c, b, r: c.queue.remove_batch([b], expected_revision=r), "acde"),
    "move": (lambda c, b, r: c.queue.move(b, "front", expected_revision=r), "bacde"),
    "move_batch": (lambda c, b, r: c.queue.move_batch([b], "front", expected_revision=r), "bacde"),
    "clear": (lambda c, _b, r: c.queue.clear(expected_revision=r), ""),
}


@pytest.mark.parametrize("name", EDITS)
async def test_an_edit_that_expects_another_revision_is_refused_and_one_that_expects_the_present_one_is_made(
    shared_client: AsyncClient, name: str
) -> None:
    edit, expected = EDITS[name]
    handles = await five(shared_client)
    seen = handles[0].revision
    await shared_client.queue.add(Plan("nothing"))
    await shared_client.queue.remove("back")
    refusal = await unchanged(shared_client, edit(shared_client, handles[1].uid, seen), RevisionMismatch)
    assert isinstance(refusal, RevisionMismatch)
    assert refusal.reason == "REVISION_MISMATCH"
    assert refusal.queue_revision is not None
    assert refusal.queue_revision > seen
    await edit(shared_client, handles[1].uid, refusal.queue_revision)
    assert await labels(shared_client) == expected


CHECKS: dict[str, Callable[[AsyncClient, str, Item], Awaitable[Any]]] = {
    "add": lambda client, uid, item: client.queue.add(item, position=Before(uid), validate_only=True),
    "add_batch": lambda client, _uid, item: client.queue.add_batch([item], validate_only=True),
    "update": lambda client, uid, item: client.queue.update(uid, item, validate_only=True),
}


@pytest.mark.parametrize("name", CHECKS)
async def test_a_request_that_is_only_validated_is_checked_and_changes_nothing(
    shared_client: AsyncClient, name: str
) -> None:
    handles = await five(shared_client)
    before = await shared_client.status()
    await CHECKS[name](shared_client, handles[0].uid, Plan("one_run", "x"))
    after = await shared_client.status()
    assert (after.revision, after.plan_queue_uid) == (before.revision, before.plan_queue_uid)
    assert await labels(shared_client) == "abcde"
    check = CHECKS[name](shared_client, handles[0].uid, Plan("no_such_plan"))
    await unchanged(shared_client, check, BatchRefused if name == "add_batch" else PlanNotFound)
