"""Following an item from the queue to the history: each state once, and an end in every case."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from queueserver_long_work.time_slice import next_turn
from queueserver_long_work.work import Work, at_once
from queueserver_manager.domain.changes import Decision
from queueserver_manager.domain.events import Announcement
from queueserver_manager.domain.lifecycle import Environment, EnvironmentState
from queueserver_manager.domain.queue import batches, queue_edits
from queueserver_manager.domain.queue.item import ExitStatus
from queueserver_manager.domain.queue.placement import Back, ByUid
from queueserver_manager.domain.queue.queue_run import finish_item, start_queue
from queueserver_manager.domain.record import Record
from queueserver_manager.domain.refusals.errors import ItemNotFound, NotReady
from queueserver_manager.operations.watch.item_watches import ItemState, ItemStatus, ItemWatches

from tests.unit.manager.samples import ROOM, outcome, plan, record_of
from tests.unit.manager.scripted_store import SECONDS, ScriptedTerm, scripted_term
from tests.unit.manager.scripted_worker import ABORTING, CLOSED, PAUSED, RUNNING, view_of

_S = ItemState


class Desk:
    """A ledger whose commits wake the followers, as in a term."""

    def __init__(self, o: ScriptedTerm) -> None:
        self.current_term = o
        self.view = view_of(RUNNING)
        self.following = ItemWatches(o.ledger, self.view)
        o.ledger._on_commit = self._committed

    async def _committed(self, announcements: list[Announcement]) -> None:
        for announcement in announcements:
            self.following.note(announcement.event)

    async def carry_out(self, decide: Any) -> None:
        def certainly(record: Record) -> Decision[Any]:
            made: Decision[Any] | Work[Decision[Any]] | None = decide(record)
            decision = at_once(made) if isinstance(made, Generator) else made
            assert decision is not None
            return decision

        await asyncio.wait_for(self.current_term.submit(certainly), SECONDS)

    async def start(self) -> None:
        await self.carry_out(lambda record: start_queue(record, "jane", self.view.claim_context()))

    async def finish(self, status: ExitStatus = ExitStatus.COMPLETED) -> None:
        def decide(record: Record) -> Any:
            assert record.running is not None
            return finish_item(record, outcome(record.running.execution_id, status), self.view.claim_context(), ROOM)

        await self.carry_out(decide)


@asynccontextmanager
async def desk(record: Record | None = None) -> AsyncIterator[Desk]:
    async with scripted_term(record=record or record_of("ab", done=1)) as o:
        yield Desk(o)


async def following(d: Desk, uid: str) -> tuple[ItemStatus, AsyncIterator[ItemStatus]]:
    stream = d.following.follow(uid).__aiter__()
    return await told(stream), stream


async def told(stream: AsyncIterator[ItemStatus]) -> ItemStatus:
    return await asyncio.wait_for(anext(stream), SECONDS)


async def ends(stream: AsyncIterator[ItemStatus]) -> None:
    with pytest.raises(StopAsyncIteration):
        await told(stream)


async def test_an_item_is_followed_from_the_queue_to_the_history() -> None:
    async with desk() as d:
        first, stream = await following(d, "a")
        assert (first.state, first.index, first.item.uid, first.revision) == (_S.QUEUED, 0, "a", 0)
        await d.start()
        second = await told(stream)
        assert (second.state, second.index, second.revision) == (_S.RUNNING, None, 1)
        assert second.running == d.current_term.record.running
        for environment, state in ((PAUSED, _S.PAUSED), (RUNNING, _S.RUNNING)):
            d.view.set_environment(environment)
            d.following.wake(["a"])
            assert (await told(stream)).state is state
        await d.finish()
        last = await told(stream)
        assert (last.state, last.is_final, last.running) == (_S.FINISHED, True, None)
        assert last.entry == d.current_term.record.history.newest(1)[0]
        await ends(stream)
        assert not d.following._followers


@pytest.mark.parametrize("end", [CLOSED, replace(PAUSED, state=EnvironmentState.DESTROYING)], ids=["died", "destroyed"])
@pytest.mark.parametrize("told_to_go_on", [False, True])
async def test_a_paused_item_whose_environment_goes_away_is_not_told_to_run(
    end: Environment, told_to_go_on: bool
) -> None:
    async with desk() as d:
        _, stream = await following(d, "a")
        await d.start()
        d.view.set_environment(PAUSED)
        assert (await told(stream)).state is _S.PAUSED
        if told_to_go_on:
            d.view.leave_pause()
            d.following.wake(["a"])
            assert (await told(stream)).state is _S.RUNNING
        next_one = asyncio.create_task(told(stream))
        for environment in (end, CLOSED):
            d.view.set_environment(environment)
            d.following.wake(["a"])
            await d.carry_out(lambda _: Decision(None))
        assert not next_one.done()
        await d.finish(ExitStatus.FAILED)
        assert (await next_one).state is _S.FINISHED


async def test_an_item_that_is_aborted_at_once_is_not_told_to_be_paused() -> None:
    async with desk() as d:
        _, stream = await following(d, "a")
        await d.start()
        assert (await told(stream)).state is _S.RUNNING
        next_one = asyncio.create_task(told(stream))
        d.view.set_environment(ABORTING)
        d.following.wake(["a"])
        await d.carry_out(lambda _: Decision(None))
        assert not next_one.done()
        await d.finish(ExitStatus.ABORTED)
        assert (await next_one).state is _S.FINISHED


async def test_a_failed_item_is_finished_and_names_its_new_attempt() -> None:
    async with desk() as d:
        _, stream = await following(d, "a")
        await d.start()
        assert (await told(stream)).state is _S.RUNNING
        await d.finish(ExitStatus.FAILED)
        last = await told(stream)
        assert last.entry is not None
        assert last.entry.requeued_as_uid == d.current_term.record.queue.at(0).uid
        await ends(stream)


async def test_an_item_that_finished_is_told_so_though_its_entry_is_gone_from_the_history() -> None:
    async with desk() as d:
        _, stream = await following(d, "a")
        await d.start()
        await d.finish()
        entry = d.current_term.record.history.newest(1)[0]
        await d.carry_out(queue_edits.clear_history)
        last = await told(stream)
        assert (last.state, last.entry, last.item) == (_S.FINISHED, entry, entry.item)
        assert last.revision == d.current_term.record.revisions.last
        await ends(stream)


async def test_whoever_begins_to_follow_while_the_end_is_stored_and_cleared_in_one_step_is_told_the_end() -> None:
    async with desk(record_of("b", running_uid="a")) as d:
        store = d.current_term.store
        store.may_go_on.clear()
        both = [asyncio.create_task(d.finish()), asyncio.create_task(d.carry_out(queue_edits.clear_history))]
        await asyncio.wait_for(store.begun.wait(), SECONDS)
        beginning = asyncio.create_task(following(d, "a"))
        await next_turn()
        store.may_go_on.set()
        first, stream = await asyncio.wait_for(beginning, SECONDS)
        await asyncio.gather(*both)
        assert (len(store.commits), len(d.current_term.record.history)) == (1, 0)
        assert (first.state, first.item.uid) == (_S.FINISHED, "a")
        await ends(stream)


async def test_states_that_passed_unseen_are_not_told() -> None:
    async with desk() as d:
        _, stream = await following(d, "a")
        await d.start()
        await d.finish()
        assert (await told(stream)).state is _S.FINISHED


@pytest.mark.parametrize("how", ["remove", "batch", "clear", "update"])
async def test_an_item_that_is_taken_out_is_removed_and_that_is_the_end(how: str) -> None:
    async with desk() as d:
        _, stream = await following(d, "a")
        decide: dict[str, Any] = {
            "remove": lambda record: queue_edits.remove_item(record, ByUid("a")),
            "batch": lambda record: batches.remove_items(record, ["b", "a"], strict=True),
            "clear": queue_edits.clear_queue,
            "update": lambda record: queue_edits.update_item(record, "a", plan("new"), ROOM),
        }
        await d.carry_out(decide[how])
        last = await told(stream)
        assert (last.state, last.item, last.index, last.entry) == (_S.REMOVED, plan("a"), None, None)
        await ends(stream)


async def test_edits_of_others_and_moves_are_no_news() -> None:
    async with desk() as d:
        _, stream = await following(d, "a")
        await d.carry_out(lambda record: queue_edits.move_item(record, ByUid("a"), Back()))
        await d.carry_out(lambda record: queue_edits.update_item(record, "a", plan("a", name="scan"), ROOM))
        await d.carry_out(lambda record: queue_edits.remove_item(record, ByUid("b")))
        await d.start()
        second = await told(stream)
        assert (second.state, second.item.name) == (_S.RUNNING, "scan")


@pytest.mark.parametrize("how", ["move", "batch", "update"])
async def test_an_item_that_is_released_is_queued_again(how: str) -> None:
    record = record_of("ab")
    record.queue.put(replace(plan("a"), held=True), record.queue.rank_of("a"))
    async with desk(record) as d:
        first, stream = await following(d, "a")
        assert (first.state, first.item.held) == (_S.HELD, True)
        decide: dict[str, Any] = {
            "move": lambda record: queue_edits.move_item(record, ByUid("a"), Back()),
            "batch": lambda record: batches.move_items(record, ["a"], Back(), keep_queue_order=True),
            "update": lambda record: queue_edits.update_item(record, "a", plan("a"), ROOM),
        }
        await d.carry_out(decide[how])
        second = await told(stream)
        assert (second.state, second.item.held) == (_S.QUEUED, False)


async def test_a_finished_item_is_told_once_and_an_unknown_one_refused() -> None:
    async with desk() as d:
        first, stream = await following(d, "done-1")
        assert (first.state, first.entry) == (_S.FINISHED, d.current_term.record.history.newest(1)[0])
        await ends(stream)
        with pytest.raises(ItemNotFound, match="'x' in the queue or the history"):
            await following(d, "x")
        assert not d.following._followers


async def test_several_follow_one_item_and_one_may_leave() -> None:
    async with desk() as d:
        streams = [(await following(d, "a"))[1] for _ in range(3)]
        waiting = asyncio.create_task(told(streams[2]))
        await d.carry_out(lambda _: Decision(None))
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await d.start()
        assert [(await told(stream)).state for stream in streams[:2]] == [_S.RUNNING] * 2
        assert len(d.following._followers._followers["a"]) == 2
        await d.finish()
        for stream in streams[:2]:
            assert (await told(stream)).state is _S.FINISHED
            await ends(stream)
        assert not d.following._followers


async def test_at_the_end_of_a_term_followers_are_sent_away() -> None:
    async with desk() as d:
        _, stream = await following(d, "a")
        waiting = asyncio.create_task(told(stream))
        await d.carry_out(lambda _: Decision(None))
        d.following.end_with(NotReady())
        with pytest.raises(NotReady):
            await asyncio.wait_for(waiting, SECONDS)
        assert not d.following._followers


async def test_an_item_is_looked_at_wherever_it_is() -> None:
    record = record_of("ab", running_uid="r", done=1)
    async with desk(record) as d:
        for uid, state, index in (("b", _S.QUEUED, 1), ("r", _S.RUNNING, None), ("done-1", _S.FINISHED, None)):
            found = await d.following.look(uid)
            assert (found.state, found.index, found.item.uid) == (state, index, uid)
        d.view.set_environment(PAUSED)
        assert (await d.following.look("r")).state is _S.PAUSED
