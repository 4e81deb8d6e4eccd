"""Items that were right when they were added are checked again when plans, devices or permissions change."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from queueserver_manager.domain.changes import DropItem, PutItem
from queueserver_manager.domain.events import ItemsChecked
from queueserver_manager.domain.inventory import Inventory, Plan
from queueserver_manager.domain.permissions.permission_errors import GroupNotFound
from queueserver_manager.domain.record import Record
from queueserver_manager.domain.refusals.errors import Violation
from queueserver_manager.domain.validation.allowed import AllowedInventory
from queueserver_manager.domain.validation.revalidation import flag_items, problems_of
from queueserver_manager.operations.validation.revalidation import QueueCheck
from queueserver_rpc.message_sizes import EVENT_BYTES

from tests.unit.manager.samples import apply, plan, record_of, stop_instruction
from tests.unit.manager.scripted_store import SECONDS, scripted_term

COUNT = AllowedInventory(Inventory({"count": Plan("count", ())}))
EMPTY = AllowedInventory(Inventory())
GONE = (Violation("item.name", "no plan 'count' that you may use: list the plans to see which exist."),)


def missing_group(group: str) -> AllowedInventory:
    raise GroupNotFound(f"There is no user group {group!r}.")


def test_an_item_whose_plan_is_gone_has_a_problem_and_an_instruction_never_has() -> None:
    assert problems_of(plan("a"), lambda _group: COUNT) == ()
    assert problems_of(plan("a"), lambda _group: EMPTY) == GONE
    assert problems_of(stop_instruction("a"), lambda _group: EMPTY) == ()


def test_an_item_whose_group_is_gone_has_a_problem() -> None:
    found = problems_of(plan("a"), missing_group)
    assert found == (Violation("item.user_group", "There is no user group 'primary'."),)


def test_only_differences_are_noted_and_items_keep_their_place() -> None:
    record = record_of("abc")
    findings = [(record.queue.at(0), ()), (record.queue.at(1), GONE), (record.queue.at(2), ())]
    decision = flag_items(record, findings)
    assert (decision.result, decision.events) == (1, [ItemsChecked((("b", GONE),))])
    apply(record, decision.changes)
    assert [(item.uid, item.problems) for item in record.queue] == [("a", ()), ("b", GONE), ("c", ())]
    assert record.queue.invalid == 1
    again = flag_items(record, [(record.queue.at(1), ())])
    apply(record, again.changes)
    assert (record.queue.at(1).problems, record.queue.invalid) == ((), 0)


def test_what_was_found_about_many_items_is_told_in_several_events_of_bounded_length() -> None:
    uids = [f"{number}" for number in range(200)]
    record = record_of(uids)
    long = tuple(Violation("item.args[0]", "x" * 500) for _ in range(10))
    decision = flag_items(record, [(item, long) for item in record.queue])
    events = [event for event in decision.events if isinstance(event, ItemsChecked)]
    assert [uid for event in events for uid, _ in event.items] == uids
    assert len(events) > 1
    assert all(sum(len(p.description) for _, found in e.items for p in found) <= EVENT_BYTES for e in events)


def test_a_problem_is_kept_with_an_item_in_a_form_that_is_not_long() -> None:
    (problem,) = problems_of(plan("a"), lambda _group: missing_group("x" * 100_000))
    assert len(problem.description) == 500


def test_an_item_that_changed_or_went_since_it_was_looked_at_is_left_alone() -> None:
    record = record_of("ab")
    old = list(record.queue)
    apply(record, [PutItem(plan("a", name="scan"), record.queue.rank_of("a")), DropItem("b")])
    decision = flag_items(record, [(item, GONE) for item in old])
    assert (decision.result, list(decision.changes), list(decision.events)) == (0, [], [])


def test_an_item_that_was_moved_meanwhile_is_the_same_item() -> None:
    record = record_of("")
    held = replace(plan("a"), held=True, kwargs={"num": 1})
    record.queue.put(held, 1000)
    apply(record, [PutItem(held.released(), 2000)])
    apply(record, flag_items(record, [(held, GONE)]).changes)
    assert (record.queue.at(0).problems, record.queue.at(0).held) == (GONE, False)


async def test_a_check_that_is_asked_for_while_one_ends_is_not_forgotten() -> None:
    async with scripted_term("abc") as o:
        allowed = [COUNT]
        check = QueueCheck(o.ledger, lambda _group: allowed[0])

        def change() -> None:
            allowed[0] = EMPTY
            check.look()

        check.look()
        # The check finds nothing and so ends in its first step; this comes next, before its end is noticed.
        asyncio.get_running_loop().call_soon(change)
        await asyncio.wait_for(check.settled(), SECONDS)
        assert o.ledger.summary.invalid_items == 3


async def test_findings_about_long_items_are_stored_in_several_steps() -> None:
    record = record_of("")
    for number in range(6):
        record.queue.put(replace(plan(f"{number}"), size=100 * 1024), number)
    async with scripted_term(record=record) as o:
        check = QueueCheck(o.ledger, lambda _group: EMPTY)
        check.look()
        await asyncio.wait_for(check.settled(), SECONDS)
        assert (o.ledger.summary.invalid_items, len(o.store.commits)) == (6, 2)


async def test_a_check_that_is_asked_for_meanwhile_begins_anew_and_sees_the_last_state() -> None:
    async with scripted_term("abc") as o:
        allowed = [COUNT]
        check = QueueCheck(o.ledger, lambda _group: allowed[0])
        check.look()
        allowed[0] = EMPTY
        check.look()

        def problems(record: Record) -> list[int]:
            return [len(item.problems) for item in record.queue]

        await asyncio.wait_for(check.settled(), SECONDS)
        assert await o.ledger.read(problems) == [1, 1, 1]
        assert o.ledger.summary.invalid_items == 3
        await check.close()
