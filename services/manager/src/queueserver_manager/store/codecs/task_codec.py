"""Tasks as JSON that a person can read with redis-cli; what a function returned is base64 of its message."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from queueserver_manager.domain.tasks.tasks import (
    EnvironmentUpdate,
    FunctionCall,
    KeptTask,
    Script,
    Task,
    TaskFailureCause,
    TaskKind,
    TaskResult,
    Work,
)
from queueserver_manager.store.codecs import codec

_WORKS: Mapping[str, type[FunctionCall | Script | EnvironmentUpdate]] = {
    "function": FunctionCall,
    "script": Script,
    "environment_update": EnvironmentUpdate,
}


def encode_kept(kept: KeptTask) -> bytes:
    """JSON of a task, and of its result if it has one."""
    return codec.encode({"task": task_fields(kept.task), "result": result_fields(kept.result) if kept.result else None})


def decode_kept(data: bytes) -> KeptTask:
    """A task, and its result if it has one."""
    fields = codec.decode(data)
    result = fields["result"]
    return KeptTask(task_of(fields["task"]), result_of(result) if result else None)


def task_fields(task: Task) -> dict[str, Any]:
    """A task as plain data."""
    fields = {name: getattr(task, name) for name in Task.__dataclass_fields__}
    fields["kind"] = task.kind.value
    work = task.work
    # As it is: arguments may have thousands of values, and copying them takes long.
    fields["work"] = {name: getattr(work, name) for name in work.__dataclass_fields__} if work is not None else None
    return fields


def task_of(fields: Mapping[str, Any]) -> Task:
    """A task from its fields."""
    kind = TaskKind(fields["kind"])
    work: Work | None = _WORKS[kind.value](**fields["work"]) if fields["work"] is not None else None
    return Task(**{**fields, "kind": kind, "work": work})


def result_fields(result: TaskResult) -> dict[str, Any]:
    """A result as plain data."""
    fields = {name: getattr(result, name) for name in TaskResult.__dataclass_fields__}
    value = result.return_value
    fields["failure_cause"] = result.failure_cause.value
    fields["return_value"] = base64.b64encode(value).decode() if value is not None else None
    return fields


def result_of(fields: Mapping[str, Any]) -> TaskResult:
    """A result from its fields."""
    value = fields["return_value"]
    cause = TaskFailureCause(fields.get("failure_cause", ""))
    decoded = base64.b64decode(value) if value is not None else None
    return TaskResult(**{**fields, "return_value": decoded, "failure_cause": cause})
