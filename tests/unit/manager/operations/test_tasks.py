"""Requests about tasks: their bounds, and that nobody waits for ever."""

from __future__ import annotations

import asyncio

import pytest
from queueserver.common.v1.task_pb2 import FunctionCall
from queueserver_long_work.work import at_once
from queueserver_manager.domain.refusals.errors import FieldInvalid, ItemTooLarge, NotReady
from queueserver_manager.domain.tasks.tasks import KeptTask, Tasks
from queueserver_manager.operations.tasks import TaskOperations
from queueserver_manager.operations.watch.item_watches import ItemWatches
from queueserver_manager.wire.tasks import MAX_CALL_BYTES, MAX_FUNCTION_NAME, read_function

from tests.unit.manager.samples import NOW, record_of, task
from tests.unit.manager.scripted_store import SECONDS, scripted_term
from tests.unit.manager.scripted_worker import RUNNING, view_of


def test_a_call_that_could_not_reach_the_environment_is_refused() -> None:
    call = FunctionCall(name="f")
    call.args.values.add(string_value="x" * (MAX_CALL_BYTES - 100))
    assert at_once(read_function(call)).name == "f"
    call.args.values.add(string_value="x" * 100)
    with pytest.raises(ItemTooLarge, match="put large data") as refused:
        at_once(read_function(call))
    assert refused.value.violations[0].field == "function"


def test_a_name_of_a_function_has_a_bound() -> None:
    assert at_once(read_function(FunctionCall(name="f" * MAX_FUNCTION_NAME))).args == []
    with pytest.raises(FieldInvalid, match="255"):
        at_once(read_function(FunctionCall(name="f" * (MAX_FUNCTION_NAME + 1))))


async def test_who_begins_to_wait_for_a_task_when_the_term_has_ended_is_sent_away() -> None:
    record = record_of("")
    record.tasks = Tasks([KeptTask(task("t"))])
    async with scripted_term(record=record) as o:
        tasks = TaskOperations(o.ledger, view_of(RUNNING), lambda: NOW, lambda: "new", scripts_enabled=True)
        tasks.end_with(NotReady())
        waiting = tasks.wait("t").__aiter__()
        assert (await waiting.__anext__()).result is None
        with pytest.raises(NotReady):
            await asyncio.wait_for(waiting.__anext__(), SECONDS)


async def test_who_begins_to_wait_for_an_item_when_the_term_has_ended_is_sent_away() -> None:
    async with scripted_term("a") as o:
        following = ItemWatches(o.ledger, view_of(RUNNING))
        following.end_with(NotReady())
        waiting = following.follow("a").__aiter__()
        assert (await waiting.__anext__()).item.uid == "a"
        with pytest.raises(NotReady):
            await asyncio.wait_for(waiting.__anext__(), SECONDS)
