"""A Worker that can't do what it is asked is met again and again, and each time after a longer rest."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from tests.unit.manager.leaping_clock import run_leaping
from tests.unit.manager.scripted_store import ScriptedStore
from tests.unit.manager.task_worker import TaskWorker, record_with_a_task, term_with

#: Rests grow by this much, in seconds, up to the longest one.
STEP, LONGEST = 0.05, 1.0
ATTEMPTS = 40


def rests(worker: TaskWorker) -> list[float]:
    """What lies between one meeting and the next."""
    return [later - earlier for earlier, later in itertools.pairwise(worker.watched_at)]


def test_the_rest_grows_up_to_the_longest() -> None:
    worker = TaskWorker()

    async def fail_again_and_again() -> None:
        worker.answers_from = ATTEMPTS
        async with term_with(ScriptedStore(record_with_a_task()), worker):
            await worker.answered.wait()

    run_leaping(fail_again_and_again())
    assert rests(worker) == pytest.approx([min(n * STEP, LONGEST) for n in range(1, ATTEMPTS)])


@pytest.mark.parametrize(("calm", "rest"), [(1.0, 3 * STEP), (2.5, 0.0)], ids=["too short", "long enough"])
def test_after_a_calm_time_the_rest_begins_to_grow_anew(calm: float, rest: float) -> None:
    worker = TaskWorker()

    async def fail_and_fail_later() -> None:
        worker.answers_from = 3
        async with term_with(ScriptedStore(record_with_a_task()), worker) as term:
            await worker.answered.wait()
            calm_is_over = asyncio.Event()
            asyncio.get_running_loop().call_later(calm, calm_is_over.set)
            await calm_is_over.wait()
            worker.forget()
            worker.answers_from = 5
            term.link.resync()
            await worker.answered.wait()

    run_leaping(fail_and_fail_later())
    assert rests(worker) == pytest.approx([STEP, 2 * STEP, calm + rest, rest + STEP])
