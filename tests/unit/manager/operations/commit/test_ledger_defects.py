"""The ledger when our own code is wrong: nobody waits for ever, nothing is half made, and the term ends if it must."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from queueserver_long_work.time_slice import next_turn
from queueserver_manager.domain.changes import AddHistory, Decision, DropItem, ForgetRequests, PutItem, RememberRequest
from queueserver_manager.domain.events import ItemRemoved
from queueserver_manager.domain.refusals.errors import NotReady
from queueserver_manager.store.port import OwnershipLost

from tests.unit.manager.samples import entry, plan, record_of, request, state, uids
from tests.unit.manager.scripted_store import SECONDS, ScriptedTerm, scripted_term

WRONG = [
    pytest.param([DropItem("a"), DropItem("unknown")], KeyError, id="an item that is not there"),
    pytest.param([PutItem(plan("x"), 5), AddHistory(entry(7))], ValueError, id="an entry out of turn"),
    pytest.param([DropItem("a"), ForgetRequests(("known", "unknown"))], KeyError, id="a request that is not there"),
]


async def answers(*tasks: asyncio.Task[Any]) -> list[Any]:
    return await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), SECONDS)


@pytest.mark.parametrize(("changes", "error"), WRONG)
async def test_changes_that_do_not_fit_the_record_are_refused_alone_and_leave_no_trace(
    changes: list[Any], error: type[Exception]
) -> None:
    record = record_of("ab", done=1)
    record.apply(RememberRequest(request("known")))
    async with scripted_term(record=record) as o:
        wrong = Decision(None, changes, [ItemRemoved("a", 0)])
        first, refused, last = await answers(o.add("c"), o.submit(lambda _: wrong), o.add("d"))
        assert (first.revision, type(refused), last.revision) == (1, error, 2)
        assert (uids(o.record), list(o.record.requests)) == (list("abcd"), ["known"])
        assert state(o.record) == state(o.store.stored)
        assert [announcement.revision for announcement in o.announced] == [1, 2]
        assert not o.work.done()


async def test_a_decision_that_stops_an_iteration_by_mistake_is_a_defect_like_any_other() -> None:
    async with scripted_term("ab") as o:
        empty: list[Decision[None]] = []
        refused, added = await answers(o.submit(lambda _: next(iter(empty))), o.add("c"))
        assert (type(refused), added.revision) == (RuntimeError, 1)
        adding = await o.hold_commit("d")
        reading = asyncio.create_task(o.ledger.read(lambda _: next(iter(empty))))
        await next_turn()
        o.store.may_go_on.set()
        assert [type(answer) for answer in await answers(reading)] == [RuntimeError]
        await answers(adding)


async def ended(o: ScriptedTerm, *, waiting: asyncio.Task[Any], error: type[Exception]) -> None:
    """The ledger ended with an error, and whoever came too late was sent away."""
    assert [type(answer) for answer in await answers(o.work, waiting)] == [error, NotReady]
    assert [type(answer) for answer in await answers(o.add("late"))] == [NotReady]
    assert await o.seen() == uids(o.record)


async def test_a_commit_that_fails_by_a_defect_is_taken_back_told_and_ends_the_ledger() -> None:
    async with scripted_term("ab") as o:
        before = state(o.record)
        o.store.faults.append((ZeroDivisionError(), False))
        first = await o.hold_commit("c")
        waiting = o.add("d")
        await next_turn()
        o.store.may_go_on.set()
        assert [type(answer) for answer in await answers(first)] == [ZeroDivisionError]
        await ended(o, waiting=waiting, error=ZeroDivisionError)
        assert (state(o.record), o.announced) == (before, [])


async def test_what_is_stored_is_answered_though_telling_it_fails_and_the_ledger_ends() -> None:
    async def tell(_: object) -> None:
        raise ZeroDivisionError

    async with scripted_term("ab") as o:
        o.ledger._on_commit = tell
        first = await o.hold_commit("c")
        waiting, reading = o.add("d"), asyncio.create_task(o.seen())
        await next_turn()
        o.store.may_go_on.set()
        committed, seen = await answers(first, reading)
        assert (committed.revision, seen, uids(o.store.stored)) == (1, list("abc"), list("abc"))
        await ended(o, waiting=waiting, error=ZeroDivisionError)


async def test_a_store_that_can_not_be_read_when_it_is_back_ends_the_ledger_and_nobody_waits_for_it() -> None:
    async with scripted_term("ab") as o:
        o.store.load_faults.append(ZeroDivisionError())
        o.store.fail(fate_known=True)
        first = await o.hold_commit("c")
        back = asyncio.create_task(o.ledger.storage_back.wait())
        o.store.may_go_on.set()
        assert [type(answer).__name__ for answer in await answers(first)] == ["StorageUnavailable"]
        assert [type(answer) for answer in await answers(o.work)] == [ZeroDivisionError]
        assert await answers(back) == [True]


async def test_lost_ownership_is_no_defect_and_callers_may_come_again() -> None:
    async with scripted_term("ab") as o:
        o.store.faults.append((OwnershipLost(), False))
        assert [type(answer) for answer in await answers(o.add("c"), o.work)] == [NotReady, OwnershipLost]
