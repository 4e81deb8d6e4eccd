"""One table: what the supervisor refuses, and how a client is told. A test proves it total."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from queueserver_rpc.reasons import ErrorReason, refused
from queueserver_rpc.status import Refusal, Violation

from queueserver_worker.supervisor import errors

_R = ErrorReason
# A Worker that is being stopped is normally started again at once.
_RESTART_SECONDS = 2.0


def _invalid(error: errors.InvalidRequestError) -> Refusal:
    violation = Violation(error.field, error.description)
    return refused(_R.ERROR_REASON_FIELD_INVALID, str(error), violations=(violation,))


def _stale(error: errors.StaleEpochError) -> Refusal:
    return refused(_R.ERROR_REASON_STALE_EPOCH, str(error), metadata={"highest_epoch": str(error.highest)})


def _stopping(error: errors.WorkerStoppingError) -> Refusal:
    return refused(_R.ERROR_REASON_WORKER_STOPPING, str(error), retry_after=_RESTART_SECONDS)


def _exists(error: errors.EnvironmentExistsError) -> Refusal:
    metadata = {"environment_id": error.environment_id, "state": error.state}
    return refused(_R.ERROR_REASON_ENVIRONMENT_EXISTS, str(error), metadata=metadata)


def _closed(error: errors.EnvironmentClosedError) -> Refusal:
    return refused(_R.ERROR_REASON_ENVIRONMENT_CLOSED, str(error), metadata={"state": error.state})


def _busy(error: errors.EnvironmentBusyError) -> Refusal:
    metadata = {"execution_id": error.execution_id, "task_uid": error.task_uid}
    return refused(_R.ERROR_REASON_ENVIRONMENT_BUSY, str(error), metadata={k: v for k, v in metadata.items() if v})


def _no_run_engine(error: errors.RunEngineMissingError) -> Refusal:
    return refused(_R.ERROR_REASON_RUN_ENGINE_MISSING, str(error))


def _ended(error: errors.ExecutionEndedError) -> Refusal:
    return refused(_R.ERROR_REASON_EXECUTION_ENDED, str(error), metadata={"execution_id": error.execution_id})


def _not_running(error: errors.NotRunningError) -> Refusal:
    return refused(_R.ERROR_REASON_NOT_RUNNING, str(error), metadata={"state": error.state})


def _not_paused(error: errors.NotPausedError) -> Refusal:
    return refused(_R.ERROR_REASON_NOT_PAUSED, str(error), metadata={"state": error.state})


def _no_question(error: errors.QuestionNotFoundError) -> Refusal:
    metadata = {"question_id": error.question_id} if error.question_id else {}
    return refused(_R.ERROR_REASON_QUESTION_NOT_FOUND, str(error), metadata=metadata)


def _unresponsive(error: errors.EnvironmentUnresponsiveError) -> Refusal:
    return refused(_R.ERROR_REASON_ENVIRONMENT_UNRESPONSIVE, str(error))


def _too_slow(error: errors.WatcherTooSlowError) -> Refusal:
    return refused(_R.ERROR_REASON_WATCHER_TOO_SLOW, str(error))


REFUSALS: dict[type[errors.WorkerError], Callable[[Any], Refusal]] = {
    errors.InvalidRequestError: _invalid,
    errors.StaleEpochError: _stale,
    errors.WorkerStoppingError: _stopping,
    errors.EnvironmentExistsError: _exists,
    errors.EnvironmentClosedError: _closed,
    errors.EnvironmentBusyError: _busy,
    errors.RunEngineMissingError: _no_run_engine,
    errors.ExecutionEndedError: _ended,
    errors.NotRunningError: _not_running,
    errors.NotPausedError: _not_paused,
    errors.QuestionNotFoundError: _no_question,
    errors.EnvironmentUnresponsiveError: _unresponsive,
    errors.WatcherTooSlowError: _too_slow,
}


def translate(error: Exception) -> Refusal | None:
    """The refusal for an error of the supervisor; None for anything else, which is a defect."""
    if not isinstance(error, errors.WorkerError):
        return None
    build = REFUSALS.get(type(error))
    return build(error) if build is not None else None
