"""The table from the supervisor's errors to what a client is told."""

from __future__ import annotations

from collections.abc import Iterator

import grpc
import pytest
from queueserver_worker.rpc.errors import REFUSALS, translate
from queueserver_worker.supervisor import errors


def leaves(base: type[errors.WorkerError]) -> Iterator[type[errors.WorkerError]]:
    below = base.__subclasses__()
    if not below:
        yield base
    for kind in below:
        yield from leaves(kind)


EXAMPLES = [
    errors.InvalidRequestError("execution_id", "it must have 1 to 200 characters"),
    errors.StaleEpochError(1, 2),
    errors.WorkerStoppingError(),
    errors.EnvironmentExistsError("e", "idle"),
    errors.EnvironmentClosedError("closed"),
    errors.EnvironmentBusyError(execution_id="x"),
    errors.RunEngineMissingError(),
    errors.ExecutionEndedError("x"),
    errors.NotRunningError("idle"),
    errors.NotPausedError("running"),
    errors.QuestionNotFoundError("another"),
    errors.EnvironmentUnresponsiveError(2.0),
    errors.WatcherTooSlowError(1, 2),
]


def test_the_table_is_total() -> None:
    assert set(REFUSALS) == set(leaves(errors.WorkerError))
    assert {type(example) for example in EXAMPLES} == set(REFUSALS)


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_a_refusal_is_a_sentence_with_a_reason(error: errors.WorkerError) -> None:
    refusal = translate(error)
    assert refusal is not None
    assert refusal.message == str(error)
    assert refusal.message.endswith(".")
    assert refusal.reason.isupper()


def test_the_reasons_of_the_contract_have_the_codes_of_the_contract() -> None:
    refusals = [refusal for error in EXAMPLES if (refusal := translate(error)) is not None]
    codes = {refusal.reason: refusal.code for refusal in refusals}
    for reason in ("STALE_EPOCH", "ENVIRONMENT_EXISTS", "ENVIRONMENT_CLOSED", "ENVIRONMENT_BUSY", "RUN_ENGINE_MISSING"):
        assert codes[reason] is grpc.StatusCode.FAILED_PRECONDITION
    for reason in ("NOT_RUNNING", "NOT_PAUSED"):
        assert codes[reason] is grpc.StatusCode.FAILED_PRECONDITION
    assert codes["ENVIRONMENT_UNRESPONSIVE"] is grpc.StatusCode.DEADLINE_EXCEEDED
    assert codes["WATCHER_TOO_SLOW"] is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_an_error_that_is_not_of_the_supervisor_is_a_defect() -> None:
    assert translate(ValueError("x")) is None
