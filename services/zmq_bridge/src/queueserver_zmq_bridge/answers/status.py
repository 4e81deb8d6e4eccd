"""The status: the fields that bluesky-queueserver 0.0.25 has."""

from __future__ import annotations

import itertools
import uuid
from typing import Any, Final

from queueserver.manager.v1 import status_pb2
from queueserver_client.models.status import EnvironmentState, ManagerState, RunEngineState
from queueserver_client.models.wire_enum import to_datetime

#: The release whose API is spoken; clients read it in the field ``msg``.
API_VERSION: Final = "0.0.25"
#: States that have another name there.
_ENVIRONMENT_STATES: Final = {EnvironmentState.DESTROYING: "closing", EnvironmentState.UNSPECIFIED: "closed"}


class StatusView:
    """Makes the object, with a ``status_uid`` and a ``time`` that change exactly when something else in it does.

    There is one for all who read or get the status, so that they see the same ``status_uid``.
    """

    def __init__(self) -> None:
        self._fields: dict[str, Any] = {}
        self._mark: dict[str, str] = {}
        self._asked = itertools.count(1)
        self._shown = 0

    def ask(self) -> int:
        """To be called when the Manager is asked for the status: gives the number of the question."""
        return next(self._asked)

    def fields(self, status: status_pb2.ManagerStatus, question: int) -> dict[str, Any]:
        """The object for the answer to a question, or to a later one that was answered before."""
        if question < self._shown:
            return self.last
        self._shown = question
        fields = _fields(status)
        if fields != self._fields:
            self._fields = fields
            self._mark = {"time": _local_time(status), "status_uid": str(uuid.uuid4())}
        return self.last

    @property
    def last(self) -> dict[str, Any]:
        """The object that was made last."""
        return {**self._fields, **self._mark}


def state_of(status: status_pb2.ManagerStatus) -> str:
    """The state of the Manager as a word."""
    return ManagerState.from_number(status.manager_state).value


def _local_time(status: status_pb2.ManagerStatus) -> str:
    return to_datetime(status.time).astimezone().replace(tzinfo=None).isoformat()


def _fields(status: status_pb2.ManagerStatus) -> dict[str, Any]:
    environment, exists = status.environment, status.environment_exists
    engine = RunEngineState.from_number(environment.run_engine_state)
    state = EnvironmentState.from_number(environment.state)
    return {
        "msg": f"RE Manager v{API_VERSION}",
        "items_in_queue": status.items_in_queue,
        "items_in_history": status.items_in_history,
        "running_item_uid": status.running_item_uid or None,
        "manager_state": state_of(status),
        "queue_stop_pending": status.queue_stop_pending,
        "queue_autostart_enabled": status.queue_autostart_enabled,
        "worker_environment_exists": exists,
        "worker_environment_state": _ENVIRONMENT_STATES.get(state, state.value),
        "worker_background_tasks": environment.background_task_count,
        "re_state": engine.value if exists and engine is not RunEngineState.UNSPECIFIED else None,
        "ip_kernel_state": "disabled" if exists else None,
        "ip_kernel_captured": True if exists else None,
        "pause_pending": status.pause_pending,
        "run_list_uid": status.run_list_uid,
        "plan_queue_uid": status.plan_queue_uid,
        "plan_history_uid": status.plan_history_uid,
        "devices_existing_uid": status.devices_existing_uid,
        "plans_existing_uid": status.plans_existing_uid,
        "devices_allowed_uid": status.devices_allowed_uid,
        "plans_allowed_uid": status.plans_allowed_uid,
        "plan_queue_mode": {"loop": status.queue_mode.loop, "ignore_failures": status.queue_mode.ignore_failures},
        "task_results_uid": status.task_results_uid,
        "lock_info_uid": status.lock_info_uid,
        "lock": {"environment": status.lock_info.environment, "queue": status.lock_info.queue},
    }
