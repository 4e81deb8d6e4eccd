"""The status as a message."""

from __future__ import annotations

import uuid
from functools import lru_cache
from importlib.metadata import version

from queueserver.common.v1 import environment_pb2
from queueserver.manager.v1 import event_pb2 as events_pb2
from queueserver.manager.v1 import status_pb2 as pb

from queueserver_manager.domain.lifecycle import Environment, EnvironmentState, RunEngineState
from queueserver_manager.operations.status import StatusFacts
from queueserver_manager.wire.items import set_time
from queueserver_manager.wire.locks import lock_to_proto
from queueserver_manager.wire.modes import mode_to_proto
from queueserver_manager.wire.states import MANAGER_STATES
from queueserver_manager.wire.storage import storage_to_proto
from queueserver_manager.wire.waiting import fill_waiting

_ENVIRONMENT_STATES = {
    state: environment_pb2.EnvironmentState.Value(environment_pb2.EnvironmentState.keys()[state.value])
    for state in EnvironmentState
}
_RUN_ENGINE_STATES = {
    state: environment_pb2.RunEngineState.Value(environment_pb2.RunEngineState.keys()[state.value])
    for state in RunEngineState
}
_PRODUCT = "RE Manager"
_VERSION = version("queueserver-manager")


@lru_cache(maxsize=64)
def marker(store_id: str, part: str, number: int | str) -> str:
    """Change marker of a part: a UUID that follows from its revision, so it survives restarts."""
    return str(uuid.uuid5(uuid.UUID(store_id), f"{part}:{number}")) if store_id else ""


def environment_to_proto(environment: Environment) -> environment_pb2.EnvironmentStatus:
    """The environment."""
    message = environment_pb2.EnvironmentStatus(
        environment_id=environment.environment_id,
        state=_ENVIRONMENT_STATES[environment.state],
        run_engine_state=_RUN_ENGINE_STATES[environment.run_engine],
        pid=environment.pid,
        progress=environment.progress,
        python=environment.python,
        bluesky_version=environment.bluesky_version,
        responsive=environment.responsive,
        pause_pending=environment.pause_pending,
        background_task_count=environment.background_tasks,
    )
    if environment.opened is not None:
        set_time(message.open_time, environment.opened)
    fill_waiting(message, environment)
    failure = environment.failure
    if failure is not None:
        message.failure.CopyFrom(
            environment_pb2.EnvironmentFailure(
                message=failure.message,
                exception_type=failure.exception_type,
                file=failure.file,
                line=failure.line,
                traceback=failure.traceback,
                exit_code=failure.exit_code,
            )
        )
    return message


def status_to_proto(facts: StatusFacts) -> pb.ManagerStatus:
    """The status."""
    store, revisions = facts.store_id, facts.revisions
    status = pb.ManagerStatus(
        product=_PRODUCT,
        version=_VERSION,
        manager_state=MANAGER_STATES[facts.state],
        revision=revisions.last,
        items_in_queue=facts.items_in_queue,
        items_in_history=facts.items_in_history,
        running_item_uid=facts.running_item_uid,
        queue_stop_pending=facts.stop_pending,
        environment_exists=facts.environment.exists,
        environment=environment_to_proto(facts.environment),
        storage=_connection(up=facts.storage.is_up),
        worker=_connection(up=facts.worker_up),
        role=pb.MANAGER_ROLE_OWNER if facts.is_owner else pb.MANAGER_ROLE_STANDBY,
        redis_storage=storage_to_proto(facts.storage),
        worker_storage=storage_to_proto(facts.worker_storage),
        owner_address=facts.owner_address,
        epoch=facts.epoch,
        plan_queue_uid=marker(store, "queue", revisions.queue),
        plan_history_uid=marker(store, "history", revisions.history),
        plans_existing_uid=marker(store, "plans_existing", revisions.plans),
        devices_existing_uid=marker(store, "devices_existing", revisions.devices),
        plans_allowed_uid=marker(store, "plans_allowed", revisions.plans_allowed),
        devices_allowed_uid=marker(store, "devices_allowed", revisions.devices_allowed),
        queue_mode=mode_to_proto(facts.mode),
        queue_autostart_enabled=facts.autostart,
        pause_pending=facts.pause_pending,
        invalid_item_count=facts.invalid_items,
        insecure_listen=facts.insecure_listen,
        worker_insecure_listen=facts.worker_insecure_listen,
        task_results_uid=marker(store, "tasks", revisions.tasks),
        lock_info=lock_to_proto(facts.lock, emergency_key_is_set=facts.emergency_key_is_set),
        lock_info_uid=marker(store, "lock", revisions.lock),
        run_list_uid=marker(store, "runs", facts.runs_revision),
    )
    set_time(status.time, facts.time)
    return status


def _connection(*, up: bool) -> pb.ConnectionState.ValueType:
    return pb.CONNECTION_STATE_UP if up else pb.CONNECTION_STATE_DOWN


def status_event_bytes(facts: StatusFacts) -> bytes:
    """A serialized WatchEvent with the status."""
    event = events_pb2.WatchEvent(status=status_to_proto(facts))
    set_time(event.time, facts.time)
    return event.SerializeToString()
