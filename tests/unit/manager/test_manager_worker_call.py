"""What a failed call of the Worker means to the client whose request made it."""

from __future__ import annotations

import pytest
from queueserver_manager.domain.refusals.environment_errors import EnvironmentClosed
from queueserver_manager.domain.refusals.errors import EnvironmentUnresponsive, WorkerUnavailable
from queueserver_manager.operations.worker.worker_call import worker_call
from queueserver_manager.worker_client.port import StaleEpoch, WorkerDown, WorkerOutdated, WorkerRefused, WorkerStopped


def closed(error: WorkerRefused) -> Exception:
    return EnvironmentClosed(error.message)


@pytest.mark.parametrize(
    ("failure", "refusal"),
    [
        (WorkerRefused("ENVIRONMENT_CLOSED", "It is closed."), EnvironmentClosed),
        (WorkerOutdated("no simulation"), WorkerUnavailable),
        (TimeoutError(), EnvironmentUnresponsive),
        (StaleEpoch(), WorkerUnavailable),
        (WorkerDown("gone"), WorkerUnavailable),
        (WorkerStopped("stopped"), WorkerUnavailable),
    ],
)
def test_a_failed_call_becomes_a_refusal_that_names_its_cause(failure: Exception, refusal: type[Exception]) -> None:
    with pytest.raises(refusal) as raised, worker_call(closed):
        raise failure
    assert raised.value.__cause__ is failure


def test_a_refusal_that_means_nothing_to_the_client_stays_what_it_is() -> None:
    defect = WorkerRefused("UNHEARD_OF", "What?")
    with pytest.raises(WorkerRefused) as raised, worker_call(lambda error: error):
        raise defect
    assert (raised.value, raised.value.__cause__) == (defect, None)


def test_a_call_with_an_old_epoch_ends_the_term() -> None:
    ended: list[bool] = []
    with pytest.raises(WorkerUnavailable), worker_call(closed, lambda: ended.append(True)):
        raise StaleEpoch
    assert ended == [True]


def test_an_outdated_worker_is_told_with_what_it_lacks() -> None:
    with pytest.raises(WorkerUnavailable, match="no simulation"), worker_call(closed):
        raise WorkerOutdated("no simulation")
