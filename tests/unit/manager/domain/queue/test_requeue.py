"""What becomes of an item that has ended: every row of the table, in every mode."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from queueserver_manager.domain.queue.item import INTERRUPTIONS, ExitStatus, FailureCause, Item, ItemResult, Outcome
from queueserver_manager.domain.queue.mode import InterruptedPolicy, QueueMode
from queueserver_manager.domain.queue.requeue import Requeue, requeue_after

from tests.unit.manager.samples import NOW, plan, running

_P = InterruptedPolicy
#: An item that was tried before.
TRIED = replace(plan("r"), attempt=3, retry_of_uid="q", encoded={"json": b"old"})
REPETITION = replace(TRIED, uid="new", created=NOW + 5, attempt=1, retry_of_uid="")
ATTEMPT = replace(TRIED, uid="new", created=NOW + 5, attempt=4, retry_of_uid="r")


def ended(status: ExitStatus, cause: FailureCause = FailureCause.NONE, *, refused: bool = False) -> Outcome:
    return Outcome("x-1", ItemResult(status, stop=NOW + 1, failure_cause=cause), refused=refused)


COMPLETED, STOPPED = ended(ExitStatus.COMPLETED), ended(ExitStatus.STOPPED)
FAILED = ended(ExitStatus.FAILED, FailureCause.PLAN_ERROR)
REFUSED = ended(ExitStatus.FAILED, FailureCause.NOT_STARTED, refused=True)
INTERRUPTED = [ended(ExitStatus.ABORTED), ended(ExitStatus.HALTED)]
INTERRUPTED += [ended(ExitStatus.FAILED, cause) for cause in sorted(INTERRUPTIONS, key=lambda cause: cause.name)]
MODES = [QueueMode(*parts) for parts in itertools.product((False, True), (False, True), _P)]


def requeued(outcome: Outcome, mode: QueueMode, item: Item = TRIED, *, immediate: bool = False) -> Requeue:
    return requeue_after(running(item, immediate=immediate), outcome, mode, lambda: "new", lambda: NOW + 5)


def test_what_interrupts_a_plan_lies_outside_of_it() -> None:
    assert {cause.name for cause in INTERRUPTIONS} == {
        *("ENVIRONMENT_LOST", "ENVIRONMENT_DESTROYED", "WORKER_LOST", "SHUTDOWN"),
    }


@pytest.mark.parametrize("mode", MODES, ids=repr)
def test_a_completed_item_leaves_the_queue_or_is_repeated_and_the_queue_goes_on(mode: QueueMode) -> None:
    expected = Requeue(REPETITION if mode.loop else None, at_front=False, queue_continues=True)
    assert requeued(COMPLETED, mode) == expected


@pytest.mark.parametrize("mode", MODES, ids=repr)
def test_a_stopped_item_is_treated_as_a_completed_one_but_the_queue_stops(mode: QueueMode) -> None:
    expected = Requeue(REPETITION if mode.loop else None, at_front=False, queue_continues=False)
    assert requeued(STOPPED, mode) == expected


@pytest.mark.parametrize("mode", [mode for mode in MODES if not mode.ignore_failures], ids=repr)
def test_a_failed_item_is_tried_again_at_the_front_and_the_queue_stops(mode: QueueMode) -> None:
    assert requeued(FAILED, mode) == Requeue(ATTEMPT, at_front=True, queue_continues=False)


@pytest.mark.parametrize("mode", [mode for mode in MODES if mode.ignore_failures], ids=repr)
def test_a_failure_that_is_ignored_counts_as_completion(mode: QueueMode) -> None:
    assert requeued(FAILED, mode) == requeued(COMPLETED, mode)


@pytest.mark.parametrize("mode", MODES, ids=repr)
def test_an_item_that_was_never_started_goes_back_to_the_front_in_every_mode(mode: QueueMode) -> None:
    assert requeued(REFUSED, mode) == Requeue(ATTEMPT, at_front=True, queue_continues=False)


@pytest.mark.parametrize("outcome", INTERRUPTED, ids=repr)
@pytest.mark.parametrize("mode", MODES, ids=repr)
def test_the_policy_alone_decides_about_an_interrupted_item_and_the_queue_stops(
    outcome: Outcome, mode: QueueMode
) -> None:
    again = {_P.REQUEUE: ATTEMPT, _P.HOLD: replace(ATTEMPT, held=True), _P.DROP: None}[mode.interrupted]
    assert requeued(outcome, mode) == Requeue(again, at_front=True, queue_continues=False)


@pytest.mark.parametrize("outcome", [COMPLETED, STOPPED, FAILED, REFUSED, *INTERRUPTED], ids=repr)
@pytest.mark.parametrize("mode", MODES, ids=repr)
def test_an_item_executed_immediately_never_enters_the_queue(outcome: Outcome, mode: QueueMode) -> None:
    well = outcome is COMPLETED or (outcome is FAILED and mode.ignore_failures)
    assert requeued(outcome, mode, immediate=True) == Requeue(None, at_front=False, queue_continues=well)


@pytest.mark.parametrize("policy", _P)
def test_an_item_that_was_held_is_not_held_any_more_unless_it_is_interrupted_again(policy: InterruptedPolicy) -> None:
    held = replace(TRIED, held=True)
    for outcome, mode in ((COMPLETED, QueueMode(loop=True)), (FAILED, QueueMode()), (REFUSED, QueueMode())):
        back = requeued(outcome, replace(mode, interrupted=policy), held).item
        assert back is not None
        assert not back.held
    again = requeued(INTERRUPTED[0], QueueMode(interrupted=policy), held).item
    assert (again is not None and again.held) == (policy is _P.HOLD)


@pytest.mark.parametrize("outcome", [COMPLETED, FAILED, *INTERRUPTED], ids=repr)
def test_an_item_that_goes_back_is_encoded_anew(outcome: Outcome) -> None:
    back = requeued(outcome, QueueMode(loop=True)).item
    assert back is not None
    assert back.encoded == {}
