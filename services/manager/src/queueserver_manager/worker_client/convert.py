"""From the Worker's messages to what the operations understand, and back.

Console text and documents are not decoded: they are put into the form in which watchers get them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from queueserver.common.v1 import environment_pb2, item_pb2
from queueserver.manager.v1 import event_pb2 as events_pb2
from queueserver.worker.v1 import event_pb2
from queueserver_long_work.time_slice import TimeSlice, in_time_slices
from queueserver_long_work.work import Work

from queueserver_manager.domain.lifecycle import (
    Environment,
    EnvironmentFailure,
    EnvironmentState,
    RunEngineState,
)
from queueserver_manager.domain.queue.item import ExitStatus, FailureCause, ItemResult, Outcome, RunSummary
from queueserver_manager.wire.storage import storage_from_proto
from queueserver_manager.wire.tasks import outcome_from_proto as task_outcome
from queueserver_manager.wire.waiting import plan_wait_from_proto, question_from_proto, suspensions_from_proto
from queueserver_manager.worker_client import port
from queueserver_manager.worker_client.inventory import take_inventory_apart

#: Longer texts of outcomes are cut: they are kept in memory, in Redis, and sent whole.
_MAX_MESSAGE = 4_000
_MAX_NOTICES = 10
_MAX_USER = 200
_MAX_TRACEBACK = 64_000

#: A state that only a newer Worker knows reads as unknown.
_ENVIRONMENT = {state.value: state for state in EnvironmentState}
_RUN_ENGINE = {state.value: state for state in RunEngineState}
_EXIT = {
    item_pb2.EXIT_STATUS_COMPLETED: ExitStatus.COMPLETED,
    item_pb2.EXIT_STATUS_FAILED: ExitStatus.FAILED,
    item_pb2.EXIT_STATUS_STOPPED: ExitStatus.STOPPED,
    item_pb2.EXIT_STATUS_ABORTED: ExitStatus.ABORTED,
    item_pb2.EXIT_STATUS_HALTED: ExitStatus.HALTED,
}
_CAUSE = {
    item_pb2.FAILURE_CAUSE_PLAN_ERROR: FailureCause.PLAN_ERROR,
    item_pb2.FAILURE_CAUSE_NOT_STARTED: FailureCause.NOT_STARTED,
    item_pb2.FAILURE_CAUSE_ENVIRONMENT_LOST: FailureCause.ENVIRONMENT_LOST,
    item_pb2.FAILURE_CAUSE_ENVIRONMENT_DESTROYED: FailureCause.ENVIRONMENT_DESTROYED,
    item_pb2.FAILURE_CAUSE_WORKER_LOST: FailureCause.WORKER_LOST,
    item_pb2.FAILURE_CAUSE_SHUTDOWN: FailureCause.SHUTDOWN,
}
_ROLES = {
    "start": port.DocumentRole.START,
    "event_descriptor": port.DocumentRole.DESCRIPTOR,
    "stop": port.DocumentRole.STOP,
}


async def snapshot_from_proto(message: event_pb2.WorkerSnapshot) -> port.WorkerSnapshot:
    """The Worker's snapshot."""
    has_inventory = message.HasField("inventory")
    return port.WorkerSnapshot(
        boot_id=message.boot_id,
        last_sequence=message.last_sequence,
        first_kept_sequence=message.first_kept_sequence,
        environment=environment_from_proto(message.environment),
        inventory=await in_time_slices(take_inventory_apart(message.inventory)) if has_inventory else None,
        execution=await execution_from_proto(message.execution) if message.HasField("execution") else None,
        outcomes=tuple([await outcome_from_proto(outcome) for outcome in message.outcomes]),
        running_tasks=frozenset(message.running_task_uids),
        task_outcomes=tuple(task_outcome(one.task_uid, one.result) for one in message.task_outcomes),
        storage=storage_from_proto(message.storage),
        insecure_listen=message.insecure_listen,
    )


async def events_from_proto(messages: Iterable[event_pb2.WorkerEvent]) -> list[port.WorkerEvent]:
    """Events in order, including those that this release does not know: they count, too."""
    time_slice, events = TimeSlice(), []
    for message in messages:
        events.append(await _event(message))
        await time_slice.yield_if_due()
    return events


async def _event(message: event_pb2.WorkerEvent) -> port.WorkerEvent:
    kind = message.WhichOneof("event")
    event: port.Event
    if kind == "console":
        wire = events_pb2.WatchEvent(time=message.time, console=message.console).SerializeToString()
        event = port.ConsoleWritten(wire)
    elif kind == "document":
        event = _document(message)
    elif kind == "run_opened":
        event = port.RunOpened(_run(message.run_opened.run))
    elif kind == "run_closed":
        event = port.RunClosed(message.run_closed.run_uid, message.run_closed.exit_status)
    elif kind == "execution_finished":
        event = port.ExecutionFinished(await outcome_from_proto(message.execution_finished))
    elif kind == "task_finished":
        event = port.TaskEnded(task_outcome(message.task_finished.task_uid, message.task_finished.result))
    elif kind == "storage_changed":
        event = port.StorageChanged(storage_from_proto(message.storage_changed))
    elif kind == "environment_changed":
        event = port.EnvironmentChanged(environment_from_proto(message.environment_changed))
    elif kind == "inventory_changed":
        event = port.InventoryReported(await in_time_slices(take_inventory_apart(message.inventory_changed)))
    else:
        event = port.Other()
    return port.WorkerEvent(message.sequence, event)


def _document(message: event_pb2.WorkerEvent) -> port.DocumentWritten:
    emitted = message.document
    document = events_pb2.DocumentEmitted(item_uid=emitted.item_uid, run_uid=emitted.run_uid, document=emitted.document)
    role = _ROLES.get(emitted.document.WhichOneof("kind") or "", port.DocumentRole.OTHER)
    wire = events_pb2.WatchEvent(time=message.time, document=document).SerializeToString()
    return port.DocumentWritten(wire, emitted.run_uid, role)


async def execution_from_proto(message: event_pb2.PlanExecution) -> port.Execution:
    """A running execution."""
    return port.Execution(message.execution_id, message.item_uid, await in_time_slices(_runs(message.runs)))


async def outcome_from_proto(message: event_pb2.ExecutionOutcome) -> Outcome:
    """An outcome. An exit status that this release does not know counts as failed."""
    result = message.result
    return Outcome(
        execution_id=message.execution_id,
        result=ItemResult(
            exit_status=_EXIT.get(result.exit_status, ExitStatus.FAILED),
            failure_cause=_CAUSE.get(result.failure_cause, FailureCause.NONE),
            message=result.message[:_MAX_MESSAGE],
            traceback=result.traceback[-_MAX_TRACEBACK:],
            console=result.console_excerpt[-_MAX_MESSAGE:],
            ended_by=result.ended_by[:_MAX_USER],
            notices=tuple(notice[:_MAX_MESSAGE] for notice in result.notices[:_MAX_NOTICES]),
            runs=await in_time_slices(_runs(result.runs)),
            start=_seconds(result.start_time) if result.HasField("start_time") else None,
            stop=_seconds(result.stop_time),
        ),
        pause_pending=message.pause_pending,
        end_requested=message.end_requested,
    )


def _runs(messages: Any) -> Work[tuple[RunSummary, ...]]:
    runs = []
    for message in messages:
        runs.append(_run(message))
        yield
    return tuple(runs)


def _run(message: item_pb2.RunSummary) -> RunSummary:
    scan_id = message.scan_id if message.HasField("scan_id") else None
    return RunSummary(message.run_uid, scan_id, message.open, message.exit_status)


def _seconds(time: Timestamp) -> float:
    return time.seconds + time.nanos / 1e9


def environment_from_proto(message: environment_pb2.EnvironmentStatus) -> Environment:
    """The environment."""
    failure = None
    if message.HasField("failure"):
        why = message.failure
        failure = EnvironmentFailure(
            message=why.message[:_MAX_MESSAGE],
            exception_type=why.exception_type,
            file=why.file,
            line=why.line,
            traceback=why.traceback[-_MAX_TRACEBACK:],
            exit_code=why.exit_code if why.HasField("exit_code") else None,
        )
    return Environment(
        environment_id=message.environment_id,
        state=_ENVIRONMENT.get(int(message.state), EnvironmentState.UNKNOWN),
        run_engine=_RUN_ENGINE.get(int(message.run_engine_state), RunEngineState.NONE),
        pid=message.pid,
        opened=_seconds(message.open_time) if message.HasField("open_time") else None,
        progress=message.progress,
        failure=failure,
        responsive=message.responsive,
        pause_pending=message.pause_pending,
        background_tasks=message.background_task_count,
        question=question_from_proto(message),
        suspensions=suspensions_from_proto(message),
        plan_wait=plan_wait_from_proto(message),
        python=message.python,
        bluesky_version=message.bluesky_version,
    )
