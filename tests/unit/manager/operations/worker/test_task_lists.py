"""Plans and devices that a task made are stored before the task is called done, whatever becomes of Redis meanwhile."""

from __future__ import annotations

import asyncio

import pytest
from queueserver_manager.domain.events import InventoryReplaced, TaskFinished
from queueserver_manager.domain.inventory import Inventory, Plan
from queueserver_manager.domain.tasks.tasks import TaskOutcome
from queueserver_manager.worker_client import port

from tests.unit.manager.samples import task_result
from tests.unit.manager.scripted_store import SECONDS, ScriptedStore
from tests.unit.manager.task_worker import UID, TaskWorker, record_with_a_task, term_with

OLD = Inventory({"count": Plan("count", ())}, {}, b"old")
NEW = Inventory({"count": Plan("count", ()), "made": Plan("made", ())}, {}, b"new")


def order(store: ScriptedStore) -> list[type]:
    """What was stored of lists and results, in order."""
    return [type(one.event) for one in store.log if isinstance(one.event, InventoryReplaced | TaskFinished)]


@pytest.mark.parametrize("written", [False, True], ids=["not written", "written, but nobody was told"])
async def test_a_script_whose_end_meets_an_outage_of_redis_is_done_when_its_plans_are_known(written: bool) -> None:
    store, worker = ScriptedStore(record_with_a_task()), TaskWorker(OLD)
    worker.running.add(UID)
    async with term_with(store, worker) as term:
        await asyncio.wait_for(term.link.met.wait(), SECONDS)
        store.log.clear()
        store.up.clear()
        store.fail(fate_known=not written, writes=written)
        worker.inventory = NEW
        worker.events.put_nowait(port.InventoryReported(NEW))
        # Whether it is heard of while Redis is away or by the next snapshot, which has it too.
        worker.outcomes.append(TaskOutcome(UID, task_result()))
        worker.running.clear()
        worker.events.put_nowait(port.TaskEnded(worker.outcomes[0]))
        await asyncio.wait_for(worker.events.join(), SECONDS)
        store.up.set()
        assert await asyncio.wait_for(worker.acknowledged.get(), SECONDS) == UID
    assert order(store) == [InventoryReplaced, TaskFinished]
    assert store.stored.inventory == NEW


async def test_plans_that_could_not_be_stored_are_stored_later_though_the_environment_has_none_any_more() -> None:
    store, worker = ScriptedStore(record_with_a_task()), TaskWorker(OLD)
    async with term_with(store, worker) as term:
        await asyncio.wait_for(term.link.met.wait(), SECONDS)
        store.log.clear()
        store.up.clear()
        store.fail(fate_known=True)
        worker.inventory = None
        worker.events.put_nowait(port.InventoryReported(NEW))
        await asyncio.wait_for(worker.events.join(), SECONDS)
        worker.outcomes.append(TaskOutcome(UID, task_result()))
        store.up.set()
        assert await asyncio.wait_for(worker.acknowledged.get(), SECONDS) == UID
    assert order(store) == [InventoryReplaced, TaskFinished]
    assert store.stored.inventory == NEW
