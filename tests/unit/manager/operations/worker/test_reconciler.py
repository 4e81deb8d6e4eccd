"""What is stored compared with what the Worker says: each row of the reconciler's table."""

from __future__ import annotations

import pytest
from queueserver_manager.domain.lifecycle import Environment, EnvironmentState
from queueserver_manager.domain.queue.item import ExitStatus, FailureCause, Outcome, RunningItem
from queueserver_manager.operations.worker.reconciler import Reconciliation, reconcile
from queueserver_manager.worker_client.port import Execution, WorkerSnapshot

from tests.unit.manager.samples import outcome, plan, running

#: Claimed as x-1 for the process "boot" and its environment "environment".
CLAIMED = running(plan("a"))
OURS, FOREIGN, OTHER = outcome("x-1"), outcome("x-0"), outcome("x-7", ExitStatus.FAILED)
OPEN = Environment("environment", EnvironmentState.IDLE)


def snapshot(
    *outcomes: Outcome, boot_id: str = "boot", environment: Environment = OPEN, executes: str = ""
) -> WorkerSnapshot:
    execution = Execution(executes, "a") if executes else None
    return WorkerSnapshot(boot_id, 9, 1, environment, None, execution, outcomes)


@pytest.mark.parametrize(
    ("item", "worker", "expected"),
    [
        pytest.param(None, snapshot(), Reconciliation(), id="nothing on either side"),
        pytest.param(
            None, snapshot(FOREIGN, OTHER), Reconciliation(acknowledge=("x-0", "x-7")), id="old outcomes are known"
        ),
        pytest.param(CLAIMED, snapshot(OURS), Reconciliation(account=OURS), id="its outcome waits"),
        pytest.param(
            CLAIMED,
            snapshot(FOREIGN, OURS, OTHER),
            Reconciliation(account=OURS, acknowledge=("x-0", "x-7")),
            id="its outcome waits among others",
        ),
        pytest.param(
            CLAIMED,
            snapshot(OURS, boot_id="another", environment=Environment()),
            Reconciliation(account=OURS),
            id="its outcome survived the Worker",
        ),
        pytest.param(CLAIMED, snapshot(executes="x-1"), Reconciliation(), id="it goes on"),
        pytest.param(
            CLAIMED,
            snapshot(FOREIGN, executes="x-1"),
            Reconciliation(acknowledge=("x-0",)),
            id="it goes on, others ended",
        ),
        pytest.param(CLAIMED, snapshot(), Reconciliation(dispatch=True), id="the command got lost"),
        pytest.param(
            CLAIMED, snapshot(FOREIGN), Reconciliation(dispatch=True, acknowledge=("x-0",)), id="lost, others ended"
        ),
    ],
)
def test_both_sides_agree_again(item: RunningItem | None, worker: WorkerSnapshot, expected: Reconciliation) -> None:
    assert reconcile(item, worker) == expected


@pytest.mark.parametrize(
    "environment",
    [
        Environment(),
        Environment("", EnvironmentState.CLOSED),
        Environment("environment", EnvironmentState.CLOSED),
        Environment("environment", EnvironmentState.CLOSING),
        Environment("environment", EnvironmentState.DESTROYING),
        Environment("another", EnvironmentState.IDLE),
    ],
)
def test_an_item_whose_environment_is_gone_was_never_started(environment: Environment) -> None:
    found = reconcile(CLAIMED, snapshot(FOREIGN, environment=environment))
    assert found.lost is not None
    cause, sentence = found.lost
    assert (cause, found.dispatch, found.account) == (FailureCause.NOT_STARTED, False, None)
    assert found.acknowledge == ("x-0",)
    assert sentence.startswith("The environment was gone")


def test_an_item_whose_worker_was_restarted_is_lost_with_it() -> None:
    found = reconcile(CLAIMED, snapshot(OTHER, boot_id="another"))
    assert found.lost is not None
    cause, sentence = found.lost
    assert (cause, found.dispatch, found.account) == (FailureCause.WORKER_LOST, False, None)
    assert found.acknowledge == ("x-7",)
    assert "restarted" in sentence


def test_nothing_is_handed_to_a_restarted_worker_even_if_its_environment_looks_the_same() -> None:
    found = reconcile(CLAIMED, snapshot(boot_id="another", environment=OPEN))
    assert not found.dispatch
    assert found.lost is not None
