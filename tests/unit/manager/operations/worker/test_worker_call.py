"""What a failed call of the Worker means: to the client whose request made it, and where no client waits for it."""

from __future__ import annotations

import pytest
from queueserver_manager.domain.refusals.environment_errors import EnvironmentClosed
from queueserver_manager.domain.refusals.errors import EnvironmentUnresponsive, WorkerUnavailable
from queueserver_manager.operations.worker.worker_call import own_call, worker_call
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


@pytest.mark.parametrize("failure", [None, WorkerDown("gone"), WorkerRefused("UNHEARD_OF", "What?"), StaleEpoch()])
async def test_a_call_that_no_client_waits_for_tells_why_it_failed_or_ends_the_term(failure: Exception | None) -> None:
    told: list[object] = []

    async def call() -> None:
        if failure is not None:
            raise failure

    assert await own_call(call(), told.append, lambda: told.append("stale")) == (failure is None)
    assert told == ([] if failure is None else ["stale"] if isinstance(failure, StaleEpoch) else [failure])


async def test_a_defect_in_a_call_that_no_client_waits_for_is_not_hidden() -> None:
    async def call() -> None:
        raise KeyError

    with pytest.raises(KeyError):
        await own_call(call(), lambda _: None, lambda: None)
