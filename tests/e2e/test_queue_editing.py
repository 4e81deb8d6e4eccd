"""The tables of positions: what each place means, for new items, for existing ones and for moves."""

from __future__ import annotations

import random
from typing import Any

import pytest
from queueserver_client import (
    After,
    AsyncClient,
    Before,
    EventKind,
    Item,
    ItemAdded,
    ItemMoved,
    ItemRemoved,
    ItemsAdded,
    Plan,
    Position,
    QueueCleared,
    QueueView,
    Snapshot,
)

from tests.harness.wait import bounded, first


async def fill(client: AsyncClient, labels: str = "abcde") -> dict[str, str]:
    """Put one item for each label into the queue; answers label by uid."""
    handles = await client.queue.add_batch([Plan("one_run", label) for label in labels])
    return {handle.uid: label for handle, label in zip(handles, labels, strict=True)}


async def labels(client: AsyncClient) -> str:
    return "".join([(item.args or "?")[0] async for item in client.queue.list()])


@pytest.mark.parametrize(
    ("position", "result"),
    [
        ("front", "Xabcde"),
        ("back", "abcdeX"),
        (None, "abcdeX"),
        *((index, "") for index in (0, 1, 2, 4, 5, 6, 100, -1, -2, -3, -5, -6, -100)),
    ],
)
async def test_a_new_item_goes_where_list_insert_would_put_it(
    shared_client: AsyncClient, position: Position | None, result: str
) -> None:
    await fill(shared_client)
    expected = list("abcde")
    if isinstance(position, int):
        expected.insert(position, "X")
    handle = await shared_client.queue.add(Plan("one_run", "X"), position=position)
    assert await labels(shared_client) == (result or "".join(expected))
    assert (handle.index, handle.queue_size) == ((result or "".join(expected)).index("X"), 6)


async def test_the_tutorials_stop_at_minus_two_is_in_front_of_the_last_two(shared_client: AsyncClient) -> None:
    await fill(shared_client, "abc")
    handle = await shared_client.queue.add(Item.queue_stop(), position=-2)
    assert handle.index == 1


@pytest.mark.parametrize("batch", [False, True])
@pytest.mark.parametrize("position", [None, "front", "back", 0, 1, 100, -1, -100])
async def test_into_an_empty_queue_every_place_leads(
    shared_client: AsyncClient, position: Position | None, batch: bool
) -> None:
    if batch:
        handles = await shared_client.queue.add_batch([Plan("one_run", label) for label in "XY"], position=position)
        assert [handle.index for handle in handles] == [0, 1]
    else:
        handle = await shared_client.queue.add(Plan("one_run", "X"), position=position)
        assert (handle.index, handle.queue_size) == (0, 1)
    assert await labels(shared_client) == ("XY" if batch else "X")


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("other", "ace")
async def test_a_new_item_goes_beside_another(shared_client: AsyncClient, other: str, side: str) -> None:
    uids = {label: uid for uid, label in (await fill(shared_client)).items()}
    place = Before(uids[other]) if side == "before" else After(uids[other])
    handle = await shared_client.queue.add(Plan("one_run", "X"), position=place)
    expected = list("abcde")
    expected.insert(expected.index(other) + (side == "after"), "X")
    assert await labels(shared_client) == "".join(expected)
    assert handle.index == expected.index("X")


@pytest.mark.parametrize("position", ["front", "back", 2, -2, 100, -100, "before", "after"])
async def test_a_batch_goes_in_one_piece_to_where_its_first_item_would_go(
    shared_client: AsyncClient, position: str | int
) -> None:
    uids = {label: uid for uid, label in (await fill(shared_client)).items()}
    beside = {"before": Before(uids["c"]), "after": After(uids["c"])}
    place: Position = beside.get(position, position)  # type: ignore[assignment, arg-type, call-overload] # one or the other
    expected = list("abcde")
    index = {"front": 0, "back": 5, "before": 2, "after": 3}.get(str(position), position)
    assert isinstance(index, int)
    expected[index:index] = list("XYZ")
    handles = await shared_client.queue.add_batch([Plan("one_run", label) for label in "XYZ"], position=place)
    assert await labels(shared_client) == "".join(expected)
    begin = expected.index("X")
    assert [handle.index for handle in handles] == [begin, begin + 1, begin + 2]


@pytest.mark.parametrize(
    ("source", "destination", "result"),
    [
        (1, 3, "acdbe"),
        (0, -1, "bcdea"),
        (0, -2, "bcdae"),
        (4, -2, "abced"),
        (3, 1, "adbce"),
        ("front", "back", "bcdea"),
        ("back", "front", "eabcd"),
        (-2, 0, "dabce"),
        (-5, 4, "bcdea"),
    ],
)
async def test_a_moved_item_has_the_index_that_was_asked_for(
    shared_client: AsyncClient, source: int | str, destination: Position, result: str
) -> None:
    await fill(shared_client)
    moved = await shared_client.queue.move(source, destination)
    assert await labels(shared_client) == result
    assert (moved.item.args or [])[0] == result[moved.index]
    assert moved.queue_size == 5


@pytest.mark.parametrize("source", "abcde")
@pytest.mark.parametrize("other", "ace")
@pytest.mark.parametrize("side", ["before", "after"])
async def test_an_item_can_be_moved_beside_another(
    shared_client: AsyncClient, source: str, other: str, side: str
) -> None:
    uids = {label: uid for uid, label in (await fill(shared_client)).items()}
    expected = [label for label in "abcde" if label != source or source == other]
    if source != other:
        expected.insert(expected.index(other) + (side == "after"), source)
    place = Before(uids[other]) if side == "before" else After(uids[other])
    moved = await shared_client.queue.move(uids[source], place)
    assert await labels(shared_client) == "".join(expected)
    assert moved.index == expected.index(source)


@pytest.mark.parametrize("destination", [2, -3])
async def test_a_move_to_where_the_item_is_changes_nothing(shared_client: AsyncClient, destination: int) -> None:
    uids = list(await fill(shared_client))
    before = await shared_client.status()
    for place in (destination, Before(uids[2]), After(uids[2]), Before(uids[3]), After(uids[1])):
        assert (await shared_client.queue.move(2, place)).index == 2
    after = await shared_client.status()
    assert (after.revision, after.plan_queue_uid) == (before.revision, before.plan_queue_uid)


#: What an address of an item of the queue abcde leads to; "uid" stands for that of d.
ADDRESSES: list[tuple[int | str | None, str]] = [
    *((index, "abcde"[index]) for index in (0, 1, 4, -1, -2, -5)),
    ("front", "a"),
    ("back", "e"),
    ("uid", "d"),
    (None, "e"),
]


@pytest.mark.parametrize(("address", "label"), ADDRESSES)
async def test_an_item_is_addressed_by_index_from_both_ends_by_uid_or_is_the_last_one(
    shared_client: AsyncClient, address: int | str | None, label: str
) -> None:
    uids = {label: uid for uid, label in (await fill(shared_client)).items()}
    place: Any = uids["d"] if address == "uid" else address
    queue = shared_client.queue
    found = await (queue.get() if place is None else queue.get(place))
    assert (found.item.uid, found.index) == (uids[label], "abcde".index(label))
    if place is not None:
        moved = await queue.move(place, "abcde".index(label))
        assert moved.item.uid == uids[label]
    removed = await queue.remove("back" if place is None else place)
    assert (removed.item.uid, removed.queue_size) == (uids[label], 4)
    assert await labels(shared_client) == "abcde".replace(label, "")


async def test_each_edit_has_a_revision_a_marker_and_an_event_of_its_own(shared_client: AsyncClient) -> None:
    seen: list[object] = []
    async with shared_client.watch([EventKind.QUEUE]) as watch:
        begin = await first(watch, lambda _: True)
        assert isinstance(begin, Snapshot)
        markers = {(await shared_client.status()).plan_queue_uid}
        handle = await shared_client.queue.add(Plan("one_run"))
        markers.add((await shared_client.status()).plan_queue_uid)
        await shared_client.queue.add_batch([Plan("one_run"), Plan("one_run")], position="front")
        markers.add((await shared_client.status()).plan_queue_uid)
        await handle.move(0)
        await handle.remove()
        assert await shared_client.queue.clear() == 2
        assert await shared_client.queue.clear() == 0
        assert await shared_client.queue.add_batch([]) == []
        while len(seen) < 5:
            seen.append(await bounded(watch.__anext__()))
    assert [type(event) for event in seen] == [ItemAdded, ItemsAdded, ItemMoved, ItemRemoved, QueueCleared]
    revisions = [event.revision for event in seen]  # type: ignore[attr-defined] # they are events
    assert revisions == list(range(begin.revision + 1, begin.revision + 6))
    assert (await shared_client.status()).revision == revisions[-1]
    assert len(markers) == 3


async def test_pages_of_one_listing_show_the_same_moment_while_the_queue_is_edited(shared_client: AsyncClient) -> None:
    uids = list(await fill(shared_client, "abcdefghij"))
    page = await shared_client.queue.page(page_size=3)
    found = [item.uid for item in page.items]
    revision = page.revision
    while page.next_page_token:
        await shared_client.queue.move(0, "back")
        await shared_client.queue.remove("back")
        await shared_client.queue.add(Plan("one_run", "X"), position="front")
        page = await shared_client.queue.page(page_size=3, page_token=page.next_page_token)
        found += [item.uid for item in page.items]
        assert (page.revision, page.queue_size) == (revision, 10)
    assert found == uids
    assert (await labels(shared_client))[0] == "X"


async def test_a_view_that_follows_the_events_of_hundreds_of_edits_is_the_queue(shared_client: AsyncClient) -> None:
    choose = random.Random(20)  # noqa: S311 - it only has to be different edits, the same ones each time
    async with shared_client.watch([EventKind.QUEUE]) as watch:
        begin = await first(watch, lambda _: True)
        assert isinstance(begin, Snapshot)
        view = QueueView.from_snapshot(begin)
        for number in range(300):
            size = (await shared_client.status()).items_in_queue
            verb = choose.random()
            if size < 2 or verb < 0.4:
                await shared_client.queue.add(Plan("one_run", str(number)), position=choose.randint(-size, size))
            elif verb < 0.5:
                await shared_client.queue.add_batch([Plan("nothing")] * 3, position=choose.randint(-size, size))
            elif verb < 0.8:
                await shared_client.queue.move(choose.randrange(size), choose.randrange(size))
            else:
                await shared_client.queue.remove(choose.randrange(size))
        last = (await shared_client.status()).revision
        while view.revision < last:
            event = await bounded(watch.__anext__())
            assert isinstance(event, Snapshot) or event.revision == view.revision + 1
            view.apply(event)
    assert [item.uid for item in view.items] == [item.uid async for item in shared_client.queue.list(page_size=7)]
