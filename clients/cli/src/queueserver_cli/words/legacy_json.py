"""Answers in the words that users of the Queue Server know: the keys of the reference, beside ours."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any

from queueserver_cli.words.lock_words import lock_dict, request_dict
from queueserver_cli.words.waiting_words import waiting_dict

if TYPE_CHECKING:
    from queueserver_client import (
        HistoryEntry,
        Item,
        ItemResult,
        QueueMode,
        RunningItem,
        RunSummary,
        Status,
        TaskResult,
        TaskStatus,
    )


def item_dict(item: Item) -> dict[str, Any]:
    """A queue item; keys that were not given when it was submitted are left out."""
    body: dict[str, Any] = {"name": item.name, "item_type": item.item_type.value, "item_uid": item.uid}
    body |= {"user": item.user, "user_group": item.user_group}
    for key in ("args", "kwargs", "meta", "properties"):
        value = getattr(item, key)
        if value is not None:
            body[key] = value
    if item.retry_of_uid:
        body |= {"attempt": item.attempt, "retry_of_uid": item.retry_of_uid}
    if item.held:
        body["held"] = True
    if item.problems:
        body["problems"] = [f"{problem.field}: {problem.description}" for problem in item.problems]
    return body


def running_dict(running: RunningItem | None) -> dict[str, Any]:
    """The running item; empty if there is none."""
    return item_dict(running.item) if running is not None else {}


def entry_dict(entry: HistoryEntry) -> dict[str, Any]:
    """A history entry: the item and its result."""
    body = item_dict(entry.item) | {"result": _result_dict(entry.result)}
    if entry.requeued_as_uid:
        body["requeued_as_uid"] = entry.requeued_as_uid
    return body


def _result_dict(result: ItemResult) -> dict[str, Any]:
    body: dict[str, Any] = {
        "exit_status": result.exit_status.value,
        "msg": result.message,
        "traceback": result.traceback,
        "run_uids": [run.uid for run in result.runs],
        "scan_ids": [run.scan_id for run in result.runs],
        "time_start": _seconds(result.start_time),
        "time_stop": _seconds(result.stop_time),
    }
    if result.console_excerpt:
        body["console_excerpt"] = result.console_excerpt
    if result.notices:
        body["notices"] = list(result.notices)
    if result.ended_by:
        body["ended_by"] = result.ended_by
    if result.failure_cause.number:
        body["failure_cause"] = result.failure_cause.value
    return body


def task_dict(found: TaskStatus) -> dict[str, Any]:
    """A task and its result, under the names of the reference and beside them what is new."""
    task = found.task
    body: dict[str, Any] = {
        "task_uid": task.uid,
        "kind": task.kind.value,
        "run_in_background": task.run_in_background,
        "user": task.user,
        "user_group": task.user_group,
        "state": state_word(found),
    }
    if task.name:
        body["name"] = task.name
    return body | (
        result_words(found.result) if found.result is not None else {"time_start": _seconds(task.create_time)}
    )


def state_word(found: TaskStatus) -> str:
    """The state of a task; one that has ended is called completed, whether it ended well or not."""
    return "completed" if found.state.value == "finished" else found.state.value


def result_words(result: TaskResult) -> dict[str, Any]:
    """How a task ended."""
    body = {
        "success": result.success,
        "msg": result.message,
        "traceback": result.traceback,
        "return_value": result.return_value,
        "time_start": _seconds(result.start_time),
        "time_stop": _seconds(result.stop_time),
        "console_excerpt": result.console_excerpt,
    }
    if result.failure_cause.number:
        body["failure_cause"] = result.failure_cause.value
    return body


def run_dict(run: RunSummary) -> dict[str, Any]:
    """A run of the running plan."""
    return {"uid": run.uid, "scan_id": run.scan_id, "is_open": run.is_open, "exit_status": run.exit_status or None}


def mode_dict(mode: QueueMode) -> dict[str, Any]:
    """The mode of the queue."""
    return {"loop": mode.loop, "ignore_failures": mode.ignore_failures, "interrupted": mode.interrupted.value}


def status_dict(status: Status) -> dict[str, Any]:
    """The status under the names of the reference, and what is new."""
    environment = status.environment
    body: dict[str, Any] = {
        "msg": f"{status.product} v{status.version}",  # one text under the reference's name, which scripts look for
        "time": status.time.isoformat(),
        "manager_state": status.manager_state.value,
        "items_in_queue": status.items_in_queue,
        "items_in_history": status.items_in_history,
        "running_item_uid": status.running_item_uid,
        "queue_stop_pending": status.queue_stop_pending,
        "worker_environment_exists": status.environment_exists,
        "worker_environment_state": known(environment.state),
        "re_state": environment.run_engine_state.value if environment.run_engine_state.number else None,
        # There is no IPython kernel yet: in an open environment, plans and tasks have the interpreter to themselves.
        "ip_kernel_state": "disabled" if status.environment_exists else None,
        "ip_kernel_captured": True if status.environment_exists else None,
        "pause_pending": status.pause_pending,
        "plan_queue_mode": mode_dict(status.queue_mode),
        "queue_autostart_enabled": status.queue_autostart_enabled,
    }  # fmt: skip
    for name in ("plan_queue", "plan_history", "plans_existing", "devices_existing", "plans_allowed"):
        body[f"{name}_uid"] = getattr(status, f"{name}_uid")
    body |= {"devices_allowed_uid": status.devices_allowed_uid, "run_list_uid": status.run_list_uid}
    body["lock"] = {"environment": status.lock.environment, "queue": status.lock.queue}
    body["lock_info_uid"] = status.lock_info_uid
    body |= {"task_results_uid": status.task_results_uid, "invalid_items": status.invalid_items}
    body["worker_background_tasks"] = environment.background_tasks
    body |= {"revision": status.revision, "epoch": status.epoch, "role": status.role.value}
    body |= {"owner_address": status.owner_address, "storage": status.storage.value, "worker": status.worker.value}
    body |= {"insecure_listen": status.insecure_listen, "worker_insecure_listen": status.worker_insecure_listen}
    body |= {"redis_storage": plain(status.redis_storage), "worker_storage": plain(status.worker_storage)}
    body |= plain(waiting_dict(environment))
    body["worker_environment"] = {
        "environment_id": environment.environment_id,
        "pid": environment.pid,
        "progress": environment.progress,
        "responsive": environment.responsive,
        "python": environment.python,
        "bluesky_version": environment.bluesky_version,
        "failure": plain(environment.failure),
    }
    # A new one whenever anything but the time is different.
    told = {key: value for key, value in body.items() if key != "time"}
    return body | {"status_uid": str(uuid.uuid5(uuid.NAMESPACE_OID, repr(told)))}


def known(word: Enum) -> str:
    """A word; "unknown" if the server does not say it, or says what only a newer client knows."""
    return "unknown" if word.value == "unspecified" else str(word.value)


def _seconds(time: datetime | None) -> float | None:
    return time.timestamp() if time is not None else None


#: By name, so that the status needs nothing else of the client.
_WORDS: dict[str, Any] = {
    "Item": item_dict,
    "LockInfo": lock_dict,
    "LockRequest": request_dict,
    "RunningItem": running_dict,
    "HistoryEntry": entry_dict,
    "Status": status_dict,
    "TaskStatus": task_dict,
}


def plain(value: Any) -> Any:
    """Anything the client returns, as dictionaries, lists, texts and numbers. Times are seconds since 1970."""
    kind = type(value)
    if kind.__name__ in _WORDS and kind.__module__.startswith("queueserver_client."):
        return plain(_WORDS[kind.__name__](value))
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.timestamp()
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {key: plain(entry) for key, entry in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return [plain(entry) for entry in value]
    return value
