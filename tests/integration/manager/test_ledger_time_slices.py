"""A long change is made in turns: others have theirs meanwhile, and see nothing of it before it is stored."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from queueserver_long_work.time_slice import next_turn
from queueserver_manager.domain.queue.placement import Back
from queueserver_manager.domain.queue.queue_edits import add_items
from queueserver_manager.domain.refusals.errors import NotReady

from tests.unit.manager.samples import ROOM, plan, uids
from tests.unit.manager.scripted_store import SECONDS, ScriptedTerm, scripted_term

#: So many that putting them into the queue takes many turns on any machine.
MANY = 20_000


async def in_the_middle(o: ScriptedTerm) -> asyncio.Task[Any]:
    """Begin to add many items; answers when some of them are in the working copy."""
    items = [plan(f"{number:05d}") for number in range(MANY)]
    adding = o.submit(lambda record: add_items(record, items, Back(), ROOM))

    async def begun() -> None:
        while "00000" not in o.record.queue:
            await next_turn()

    await asyncio.wait_for(begun(), SECONDS)
    assert len(o.record.queue) < MANY
    return adding


async def test_who_reads_in_the_middle_of_a_long_change_waits_until_it_is_stored() -> None:
    async with scripted_term("ab") as o:
        adding = await in_the_middle(o)
        seen = asyncio.create_task(o.seen())
        assert o.ledger.summary.items_in_queue == 2
        await asyncio.wait_for(adding, SECONDS)
        assert len(await asyncio.wait_for(seen, SECONDS)) == MANY + 2


async def test_who_edits_in_the_middle_of_a_long_change_comes_after_it() -> None:
    async with scripted_term() as o:
        adding = await in_the_middle(o)
        after = await asyncio.wait_for(o.submit(lambda record: add_items(record, [plan("z")], Back(), ROOM)), SECONDS)
        assert (adding.done(), after.revision, after.result.index) == (True, 2, MANY)
        assert uids(o.store.stored) == uids(o.record)


async def test_a_ledger_that_is_cancelled_in_the_middle_of_a_long_change_takes_it_back_and_leaves_nobody_waiting() -> (
    None
):
    async with scripted_term("ab") as o:
        adding = await in_the_middle(o)
        other, seen = o.add("z"), asyncio.create_task(o.seen())
        await next_turn()
        o.work.cancel()
        for waiting in (adding, other):
            with pytest.raises(NotReady):
                await asyncio.wait_for(waiting, SECONDS)
        assert await asyncio.wait_for(seen, SECONDS) == ["a", "b"]
        assert o.store.commits == []
