"""The ledger when all is well: decisions one after another, few commits, readers that see what is stored."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from queueserver_long_work.time_slice import next_turn
from queueserver_manager.domain.changes import Decision
from queueserver_manager.domain.events import ItemsAdded
from queueserver_manager.domain.lifecycle import ManagerState
from queueserver_manager.domain.queue.placement import ByUid
from queueserver_manager.domain.queue.queue_edits import clear_queue, remove_item
from queueserver_manager.domain.record import Record
from queueserver_manager.domain.refusals.errors import (
    InvalidState,
    ItemNotFound,
    NotReady,
    RevisionMismatch,
    StorageUnavailable,
)

from tests.unit.manager.samples import state, uids
from tests.unit.manager.scripted_store import SECONDS, scripted_term


async def test_a_change_is_stored_announced_and_answered_with_its_revision() -> None:
    async with scripted_term("ab") as o:
        committed = await asyncio.wait_for(o.add("c"), SECONDS)
        assert (committed.revision, committed.result.index) == (1, 2)
        assert uids(o.store.stored) == uids(o.record) == list("abc")
        (announcement,) = o.announced
        assert (announcement.revision, type(announcement.event)) == (1, ItemsAdded)
        assert (o.ledger.summary.revisions.last, o.ledger.summary.items_in_queue) == (1, 3)


async def test_many_who_wait_share_one_commit_and_each_has_a_revision_of_its_own() -> None:
    async with scripted_term() as o:
        first = await o.hold_commit("first")
        others = [o.add(f"{number}") for number in range(100)]
        await next_turn()
        o.store.may_go_on.set()
        committed = await asyncio.wait_for(asyncio.gather(first, *others), SECONDS)
        assert [one.revision for one in committed] == list(range(1, 102))
        assert o.store.commits == [[1], list(range(2, 102))]
        assert uids(o.store.stored) == ["first", *(f"{number}" for number in range(100))]
        assert [announcement.revision for announcement in o.announced] == list(range(1, 102))


async def test_each_decision_sees_those_before_it() -> None:
    sizes: list[int] = []

    def count(record: Record) -> Decision[int]:
        sizes.append(len(record.queue))
        return Decision(len(record.queue))

    async with scripted_term() as o:
        tasks = [o.submit(count), o.add("a"), o.submit(count), o.add("b", "c"), o.submit(count), o.submit(clear_queue)]
        committed = await asyncio.wait_for(asyncio.gather(*tasks), SECONDS)
        assert sizes == [0, 1, 3]
        assert [one.revision for one in committed] == [0, 1, 1, 2, 2, 3]
        assert len(o.store.commits) == 1


async def test_of_edits_that_expect_the_same_revision_at_the_same_time_one_is_accepted() -> None:
    async with scripted_term("a") as o:
        await asyncio.wait_for(o.add("b"), SECONDS)
        edits = [o.add(name, expected=1) for name in "cde"]
        first, *others = await asyncio.wait_for(asyncio.gather(*edits, return_exceptions=True), SECONDS)
        assert first.revision == 2
        assert [type(other) for other in others] == [RevisionMismatch, RevisionMismatch]
        assert uids(o.store.stored) == uids(o.record) == list("abc")


async def test_an_expected_revision_holds_again_when_the_change_before_could_not_be_stored() -> None:
    async with scripted_term("a") as o:
        await asyncio.wait_for(o.add("b"), SECONDS)
        o.store.fail(fate_known=True)
        with pytest.raises(StorageUnavailable):
            await asyncio.wait_for(o.add("c"), SECONDS)
        await asyncio.wait_for(o.ledger.storage_back.wait(), SECONDS)
        assert (await asyncio.wait_for(o.add("d", expected=1), SECONDS)).revision == 2


async def test_no_refusal_names_a_revision_that_was_taken_back() -> None:
    async with scripted_term("a") as o:
        await asyncio.wait_for(o.add("b"), SECONDS)
        o.store.fail(fate_known=True)
        answers = await asyncio.gather(o.add("c", expected=1), o.add("d", expected=1), return_exceptions=True)
        assert [type(answer) for answer in answers] == [StorageUnavailable, StorageUnavailable]


async def test_no_refusal_names_a_state_that_was_taken_back() -> None:
    def refuse_after_an_edit(record: Record) -> Decision[None]:
        if len(record.queue) > 1:
            raise InvalidState("There is more than one item.", ManagerState.IDLE, frozenset())
        return Decision(None)

    async with scripted_term("a") as o:
        o.store.fail(fate_known=True)
        answers = await asyncio.gather(o.add("b"), o.submit(refuse_after_an_edit), return_exceptions=True)
        assert [type(answer) for answer in answers] == [StorageUnavailable, StorageUnavailable]


async def test_the_refusal_of_one_does_not_touch_the_others() -> None:
    def defect(_: Record) -> Decision[None]:
        raise ZeroDivisionError

    async with scripted_term("a") as o:
        tasks = [
            o.add("b"),
            o.submit(lambda record: remove_item(record, ByUid("unknown"))),
            o.submit(defect),
            o.submit(lambda record: remove_item(record, ByUid("a"))),
        ]
        answers = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), SECONDS)
        assert [type(answer) for answer in answers[1:3]] == [ItemNotFound, ZeroDivisionError]
        assert (answers[0].revision, answers[3].revision) == (1, 2)
        assert uids(o.store.stored) == ["b"]
        assert o.store.commits == [[1, 2]]


async def test_a_decision_that_changes_nothing_costs_no_commit() -> None:
    async with scripted_term() as o:
        committed = await asyncio.wait_for(o.submit(clear_queue), SECONDS)
        assert (committed.result, committed.revision) == (0, 0)
        assert (o.store.commits, o.announced) == ([], [])


async def test_a_flood_is_committed_in_portions() -> None:
    async with scripted_term() as o:
        first = await o.hold_commit("first")
        others = [o.add(*(f"{number}-{i}" for i in range(900))) for number in range(5)]
        await next_turn()
        o.store.may_go_on.set()
        answers = await asyncio.wait_for(asyncio.gather(first, *others, return_exceptions=True), SECONDS)
        assert o.store.commits[0] == [1]
        assert [type(answer).__name__ for answer in answers].count("QueueFull") == 4
        assert len(uids(o.store.stored)) == 901


async def test_a_reader_waits_while_a_commit_is_under_way_and_sees_what_was_stored() -> None:
    async with scripted_term("a") as o:
        adding = await o.hold_commit("b")
        reading = asyncio.create_task(o.seen())
        await next_turn()
        assert not reading.done()
        o.store.may_go_on.set()
        assert await asyncio.wait_for(reading, SECONDS) == ["a", "b"]
        await adding


async def test_the_summary_shows_what_is_stored_and_nothing_that_is_under_way() -> None:
    async with scripted_term("a") as o:
        adding = await o.hold_commit("b")
        assert (o.ledger.summary.items_in_queue, o.ledger.summary.revisions.last) == (1, 0)
        o.store.may_go_on.set()
        await asyncio.wait_for(adding, SECONDS)
        assert (o.ledger.summary.items_in_queue, o.ledger.summary.revisions.last) == (2, 1)


async def test_what_a_reader_raises_is_its_own_business() -> None:
    def look(_: Record) -> None:
        raise ItemNotFound("There is no such item.")

    async with scripted_term("a") as o:
        with pytest.raises(ItemNotFound):
            await o.ledger.read(look)
        adding = await o.hold_commit("b")
        wrong, right = asyncio.create_task(o.ledger.read(look)), asyncio.create_task(o.seen())
        await next_turn()
        o.store.may_go_on.set()
        with pytest.raises(ItemNotFound):
            await asyncio.wait_for(wrong, SECONDS)
        assert await right == ["a", "b"]
        await adding


async def test_a_change_whose_caller_has_gone_is_committed_nevertheless() -> None:
    async with scripted_term() as o:
        first = await o.hold_commit("first")
        second = o.add("second")
        await next_turn()
        for caller in (first, second):
            caller.cancel()
        await next_turn()
        o.store.may_go_on.set()
        await asyncio.wait_for(o.add("third"), SECONDS)
        assert (first.cancelled(), second.cancelled()) == (True, True)
        assert uids(o.store.stored) == ["first", "second", "third"]


async def test_a_reader_who_has_gone_does_not_disturb_the_others() -> None:
    async with scripted_term("a") as o:
        adding = await o.hold_commit("b")
        gone, stays = asyncio.create_task(o.seen()), asyncio.create_task(o.seen())
        await next_turn()
        gone.cancel()
        await next_turn()
        o.store.may_go_on.set()
        assert await asyncio.wait_for(stays, SECONDS) == ["a", "b"]
        await adding


async def test_a_closed_ledger_takes_nothing_more() -> None:
    async with scripted_term("a") as o:
        await next_turn()
        o.work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await o.work
        with pytest.raises(NotReady):
            await o.add("b")
        assert await o.seen() == ["a"]


@settings(deadline=None, max_examples=25)
@given(st.lists(st.lists(st.sampled_from(["add", "clear", "wrong"]), min_size=1, max_size=6), max_size=6))
async def test_store_and_working_copy_stay_the_same_whatever_comes(waves: list[list[str]]) -> None:
    async with scripted_term("ab") as o:
        for number, wave in enumerate(waves):
            tasks = []
            for index, what in enumerate(wave):
                if what == "add":
                    tasks.append(o.add(f"{number}-{index}"))
                elif what == "clear":
                    tasks.append(o.submit(clear_queue))
                else:
                    tasks.append(o.submit(lambda record: remove_item(record, ByUid("unknown"))))
            await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), SECONDS)
            assert state(o.record) == state(o.store.stored)
            assert o.record.revisions == o.store.stored.revisions
