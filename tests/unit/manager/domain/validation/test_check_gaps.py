"""No item slips between two checks of the queue: however it comes into it, its problems are those of the present."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from queueserver_long_work.time_slice import next_turn
from queueserver_long_work.work import Work
from queueserver_manager.domain.inventory import Inventory, Plan
from queueserver_manager.domain.queue.item import ExitStatus, ItemKind
from queueserver_manager.domain.queue.placement import Back
from queueserver_manager.domain.queue.submission import Submission
from queueserver_manager.domain.record import Record
from queueserver_manager.domain.refusals.errors import PlanNotFound, Violation
from queueserver_manager.operations.caller import Caller
from queueserver_manager.operations.commit.reply import NO_REPLY
from queueserver_manager.operations.permissions import replace_inventory
from queueserver_manager.operations.queue import QueueOperations
from queueserver_manager.operations.validation.allowed_inventory_cache import AllowedInventoryCache
from queueserver_manager.operations.validation.submissions import Prepared, Submissions
from queueserver_manager.operations.watch.item_watches import ItemWatches

from tests.integration.manager.test_protocol_model import Machine
from tests.unit.manager.samples import NOW, record_of
from tests.unit.manager.scripted_store import SECONDS, ScriptedTerm, scripted_term
from tests.unit.manager.scripted_worker import RUNNING, view_of
from tests.unit.manager.simulated_worker import Fate

GONE = (Violation("item.name", "no such plan"),)
WITH_COUNT = Inventory({"count": Plan("count", ())}, wire=b"count")
WITHOUT_COUNT = Inventory({"scan": Plan("scan", ())}, wire=b"scan")


@pytest.fixture
def machine() -> Iterator[Machine]:
    made = Machine()
    try:
        made.add(index=0, count=2)
        yield made
    finally:
        made.teardown()


def spoil(record: Record) -> None:
    """Leave the item at the head with a problem that it does not have, as an end amid a check does."""
    item = record.queue.at(0)
    record.queue.put(item.checked(GONE), record.queue.rank_of(item.uid))


def problems(record: Record) -> list[bool]:
    return [bool(item.problems) for item in record.queue]


def test_a_manager_that_begins_checks_what_the_one_before_left_unchecked(machine: Machine) -> None:
    machine.loop.run_until_complete(machine._manager_dies())
    spoil(machine.record)
    machine.loop.run_until_complete(machine._manager_starts())
    assert problems(machine.record) == [False, False]


def test_the_queue_is_checked_when_redis_is_back(machine: Machine) -> None:
    machine.the_next_commit_fails(fate_known=True, writes=False, back=False)
    machine.add(index=0, count=1)
    spoil(machine.record)
    machine.the_store_comes_back()
    machine.settle()
    assert not any(problems(machine.record))


def test_an_item_that_comes_back_is_checked_with_what_changed_while_it_was_executed(machine: Machine) -> None:
    machine.start(fate=Fate.ACCEPTED)

    async def change() -> bytes:
        return (await machine.term.ledger.submit(lambda record: replace_inventory(record, WITHOUT_COUNT))).answer

    machine.do(change())
    machine.finish(status=ExitStatus.FAILED, twice=False)
    machine.settle()
    assert problems(machine.record) == [True, True]
    assert machine.record.queue.at(0).attempt == 2


def operations(o: ScriptedTerm, checks: list[int]) -> QueueOperations:
    numbers = iter(range(100))
    nothing = Prepared(0, 0)
    made = Submissions(
        AllowedInventoryCache(o.ledger), lambda: NOW, lambda: f"n-{next(numbers)}", lambda _item, _message: nothing
    )
    return QueueOperations(o.ledger, made, ItemWatches(o.ledger, view_of(RUNNING)), lambda: checks.append(1))


def as_it_is(submission: Submission, _path: str) -> Work[Submission]:
    yield
    return submission


@pytest.mark.parametrize("call", ["add", "batch", "update"])
@pytest.mark.parametrize("changes", [True, False])
async def test_items_that_were_checked_before_a_change_and_come_after_it_are_checked_again(
    call: str, changes: bool
) -> None:
    record = record_of("a")
    record.inventory = WITH_COUNT
    async with scripted_term(record=record) as o:
        checks: list[int] = []
        queue, jane, reply = operations(o, checks), Caller("jane", "primary"), NO_REPLY
        submission = Submission(ItemKind.PLAN, "count")
        held = await o.hold_commit("b")
        waiting = [held, o.submit(lambda record: replace_inventory(record, WITHOUT_COUNT))] if changes else [held]
        await next_turn()
        answer = {
            "add": lambda: queue.add(jane, submission, Back(), reply),
            "batch": lambda: queue.add_batch(jane, [submission], as_it_is, Back(), reply),
            "update": lambda: queue.update(jane, "a", submission, {"name"}, reply, new_uid=True),
        }[call]()
        edit = asyncio.create_task(answer)
        await next_turn()
        o.store.may_go_on.set()
        (*_, fate) = await asyncio.wait_for(asyncio.gather(*waiting, edit, return_exceptions=True), SECONDS)
        # An update is checked when it is decided, because it may keep what the item has then.
        late = changes and call == "update"
        assert isinstance(fate, PlanNotFound) == late
        assert checks == [1] * (changes and not late)
