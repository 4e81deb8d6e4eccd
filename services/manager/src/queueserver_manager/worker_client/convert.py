"""From the Worker's messages to what the operations understand, and back.

Console text and documents are not taken apart: they are put into the form in which watchers get them.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from queueserver.common.v1 import environment_pb2, inventory_pb2, item_pb2
from queueserver.manager.v1 import event_service_pb2 as events_pb2
from queueserver.worker.v1 import event_pb2
from queueserver_inventory.patterns import Traits

from queueserver_manager.domain import inventory as inv
from queueserver_manager.domain.item import ExitStatus, FailureCause, ItemResult, Outcome, RunSummary
from queueserver_manager.domain.lifecycle import (
    Environment,
    EnvironmentFailure,
    EnvironmentState,
    RunEngineState,
)
from queueserver_manager.wire.tasks import outcome_from_proto as task_outcome
from queueserver_manager.worker_client import port

#: Longer texts of outcomes are cut: they are kept in memory, in Redis, and sent whole.
_MAX_MESSAGE = 4_000
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
    "descriptor": port.DocumentRole.DESCRIPTOR,
    "stop": port.DocumentRole.STOP,
}


def snapshot_from_proto(message: event_pb2.WorkerSnapshot) -> port.WorkerSnapshot:
    """The Worker's snapshot."""
    return port.WorkerSnapshot(
        boot_id=message.boot_id,
        last_sequence=message.last_sequence,
        first_kept_sequence=message.first_kept_sequence,
        environment=environment_from_proto(message.environment),
        inventory=inventory_from_proto(message.inventory) if message.HasField("inventory") else None,
        execution=execution_from_proto(message.execution) if message.HasField("execution") else None,
        outcomes=tuple(map(outcome_from_proto, message.outcomes)),
        running_tasks=frozenset(message.running_tasks),
        task_outcomes=tuple(task_outcome(one.task_uid, one.result) for one in message.task_outcomes),
    )


def event_from_proto(message: event_pb2.WorkerEvent) -> port.WorkerEvent | None:
    """One event; None if this release does not know it."""
    kind = message.WhichOneof("event")
    event: port.Event
    if kind == "console":
        wire = events_pb2.WatchEvent(time=message.time, console=message.console).SerializeToString()
        event = port.ConsoleWritten(wire)
    elif kind == "document":
        event = _document(message)
    elif kind == "execution_changed":
        event = port.ExecutionChanged(execution_from_proto(message.execution_changed))
    elif kind == "execution_finished":
        event = port.ExecutionFinished(outcome_from_proto(message.execution_finished))
    elif kind == "task_finished":
        event = port.TaskEnded(task_outcome(message.task_finished.task_uid, message.task_finished.result))
    elif kind == "environment_changed":
        event = port.EnvironmentChanged(environment_from_proto(message.environment_changed))
    elif kind == "inventory_changed":
        event = port.InventoryReported(inventory_from_proto(message.inventory_changed))
    else:
        return None
    return port.WorkerEvent(message.sequence, event)


def _document(message: event_pb2.WorkerEvent) -> port.DocumentWritten:
    emitted = message.document
    document = events_pb2.RunDocument(item_uid=emitted.item_uid, run_uid=emitted.run_uid, document=emitted.document)
    role = _ROLES.get(emitted.document.WhichOneof("kind") or "", port.DocumentRole.OTHER)
    wire = events_pb2.WatchEvent(time=message.time, document=document).SerializeToString()
    return port.DocumentWritten(wire, emitted.run_uid, role)


def execution_from_proto(message: event_pb2.Execution) -> port.Execution:
    """An execution that is going on."""
    return port.Execution(message.execution_id, message.item_uid, _runs(message.runs))


def outcome_from_proto(message: event_pb2.ExecutionOutcome) -> Outcome:
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
            runs=_runs(result.runs),
            start=_seconds(result.start_time) if result.HasField("start_time") else None,
            stop=_seconds(result.stop_time),
        ),
    )


def _runs(messages: Any) -> tuple[RunSummary, ...]:
    return tuple(
        RunSummary(run.uid, run.scan_id if run.HasField("scan_id") else None, run.is_open, run.exit_status)
        for run in messages
    )


def _seconds(time: Timestamp) -> float:
    return time.seconds + time.nanos / 1e9


def environment_from_proto(message: environment_pb2.Environment) -> Environment:
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
        background_tasks=message.background_tasks,
    )


def inventory_from_proto(message: inventory_pb2.Inventory) -> inv.Inventory:
    """Plans and devices, by name in alphabetical order."""
    plans = sorted(message.plans, key=lambda plan: plan.name)
    devices = sorted(message.devices, key=lambda device: device.name)
    types = _Types()
    return inv.Inventory(
        plans={plan.name: _plan(plan, types) for plan in plans},
        devices={device.name: _device(device) for device in devices},
        issues=tuple(issue.SerializeToString() for issue in sorted(message.issues, key=lambda issue: issue.name)),
        wire=message.SerializeToString(deterministic=True),
    )


def inventory_from_bytes(data: bytes) -> inv.Inventory:
    """Plans and devices, as they were stored."""
    return inventory_from_proto(inventory_pb2.Inventory.FromString(data))


def _plan(message: inventory_pb2.PlanDescription, types: _Types) -> inv.Plan:
    parameters = tuple(
        inv.Parameter(
            name=parameter.name,
            kind=_PARAMETER_KINDS.get(int(parameter.kind), inv.ParameterKind.POSITIONAL_OR_KEYWORD),
            required=not parameter.HasField("default_text") and int(parameter.kind) not in _NEVER_REQUIRED,
            type=types.of(parameter.type),
            minimum=parameter.minimum if parameter.HasField("minimum") else None,
            maximum=parameter.maximum if parameter.HasField("maximum") else None,
        )
        for parameter in message.parameters
    )
    return inv.Plan(message.name, parameters, message.SerializeToString(deterministic=True))


#: One that is not said, or that only a newer Worker knows, counts as an ordinary parameter.
_PARAMETER_KINDS = {kind.value: kind for kind in inv.ParameterKind}
_NEVER_REQUIRED = frozenset({inv.ParameterKind.VAR_POSITIONAL.value, inv.ParameterKind.VAR_KEYWORD.value})


class _Types:
    """Types of parameters: those that read the same are one object. The same long list of devices is in many plans."""

    def __init__(self) -> None:
        self._known: dict[bytes, inv.ParameterType] = {}

    def of(self, message: inventory_pb2.ParameterType) -> inv.ParameterType:
        """A type; one that only a newer Worker knows takes any value."""
        wire = message.SerializeToString(deterministic=True)
        known = self._known.get(wire)
        if known is None:
            known = self._known[wire] = self._read(message)
        return known

    def _read(self, message: inventory_pb2.ParameterType) -> inv.ParameterType:
        return inv.ParameterType(
            # Of a kind that only a newer Worker knows any value will do; what it names is cut as of the others.
            inv.TypeKind(int(message.kind)) if int(message.kind) in _TYPE_KINDS else inv.TypeKind.ANY,
            tuple(map(self.of, message.arguments)),
            tuple(message.choices),
            listed=message.listed,
            protocol=message.device_protocol,
        )


_TYPE_KINDS = frozenset(kind.value for kind in inv.TypeKind)
#: One object for each combination, because there can be very many devices and components.
_TRAITS = {flags: Traits(*flags) for flags in itertools.product((False, True), repeat=3)}


def _device(message: inventory_pb2.DeviceDescription) -> inv.Device:
    """A device. Its components are taken apart when somebody asks for one."""
    wire = message.SerializeToString(deterministic=True)
    traits = _TRAITS[message.is_readable, message.is_movable, message.is_flyable]
    return inv.Device(message.name, _Components(wire) if message.components else {}, wire, traits)


class _Components(Mapping[str, inv.Device]):
    """Components of one device by name.

    A large beamline has tens of thousands of them, which would hold up everybody for a tenth of a second, and most of
    them are never named.
    """

    __slots__ = ("_known", "_wire")

    def __init__(self, wire: bytes) -> None:
        self._wire = wire
        self._known: dict[str, inv.Device] | None = None

    def _devices(self) -> dict[str, inv.Device]:
        if self._known is None:
            self._known = _components(inventory_pb2.DeviceDescription.FromString(self._wire))
        return self._known

    def __getitem__(self, name: str) -> inv.Device:
        return self._devices()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._devices())

    def __len__(self) -> int:
        return len(self._devices())


def _components(message: inventory_pb2.DeviceDescription) -> dict[str, inv.Device]:
    """All of them, to any depth, without descriptions of their own."""
    return {
        each.name: inv.Device(
            each.name, _components(each), traits=_TRAITS[each.is_readable, each.is_movable, each.is_flyable]
        )
        for each in message.components
    }
