"""Why nothing is being executed: each obstacle, with the call that clears it."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest
from google.protobuf import json_format
from google.protobuf.message_factory import GetMessageClass
from queueserver.manager.v1 import (
    environment_service_pb2,
    queue_service_pb2,
    run_engine_service_pb2,
    status_service_pb2,
    task_service_pb2,
)
from queueserver_manager.domain.blockers import Blocker, BlockerKind, Circumstances, blockers
from queueserver_manager.domain.lifecycle import (
    Environment,
    EnvironmentFailure,
    EnvironmentState,
    ManagerState,
    RunEngineState,
)
from queueserver_manager.domain.lock.lock import Claim, Lock
from queueserver_manager.domain.queue.item import ExitStatus
from queueserver_manager.domain.queue.setback import Setback
from queueserver_manager.domain.refusals.errors import Violation
from queueserver_manager.domain.storage import Storage, StorageState
from queueserver_manager.domain.waiting import PlanWait, Question, Suspension

DOWN = Storage(StorageState.DISK_FULL, "Redis can't run, disk full: make room.")
_K, _S, _E, _R = BlockerKind, ManagerState, EnvironmentState, RunEngineState
OPEN = Environment("environment", _E.IDLE, _R.IDLE)
RUNNING = Environment("environment", _E.EXECUTING_PLAN, _R.RUNNING)
#: Nothing is in the way: the queue has an item and starts by itself.
CLEAR = Circumstances(
    is_owner=True,
    owner_address="here:1",
    storage=Storage(),
    worker_up=True,
    state=_S.IDLE,
    environment=OPEN,
    items_in_queue=1,
    head_held=False,
    head_problems=(),
    head_uid="u-1",
    autostart=True,
)
METHODS = {
    f"{service.name}.{method.name}": GetMessageClass(method.input_type)
    for module in (
        queue_service_pb2,
        run_engine_service_pb2,
        status_service_pb2,
        environment_service_pb2,
        task_service_pb2,
    )
    for service in module.DESCRIPTOR.services_by_name.values()
    for method in service.methods
}
#: What is sent to a method, where that is not the empty request.
REQUESTS = {
    _K.ITEM_HELD: '{"item_uid": "u-1"}',
    _K.ITEM_INVALID: '{"item_uid": "u-1"}',
    _K.QUESTION_ASKED: '{"question_id": "q"}',
    _K.PAUSE_PENDING: '{"option": "PAUSE_OPTION_IMMEDIATE"}',
}
REDIS = Blocker(_K.STORAGE_DOWN, DOWN.message)
#: Each obstacle alone: what is different, its kind, and what clears it.
ALONE: list[tuple[dict[str, Any], BlockerKind, str, str]] = [
    ({"is_owner": False}, _K.STANDBY, "", ""),
    ({"storage": DOWN}, _K.STORAGE_DOWN, "", ""),
    ({"worker_up": False}, _K.WORKER_UNREACHABLE, "", ""),
    (
        {"environment": Environment()},
        _K.ENVIRONMENT_CLOSED,
        "EnvironmentService.OpenEnvironment",
        "qserver environment open",
    ),
    (
        {"environment": Environment("e", _E.CLOSED)},
        *(_K.ENVIRONMENT_CLOSED, "EnvironmentService.OpenEnvironment", "qserver environment open"),
    ),
    (
        {"state": _S.CREATING_ENVIRONMENT, "environment": Environment("e", _E.INITIALIZING)},
        *(_K.ENVIRONMENT_CHANGING, "EnvironmentService.WaitEnvironment", "qserver environment open --wait"),
    ),
    (
        {"state": _S.CLOSING_ENVIRONMENT, "environment": replace(OPEN, state=_E.CLOSING)},
        *(_K.ENVIRONMENT_CHANGING, "EnvironmentService.WaitEnvironment", ""),
    ),
    (
        {"state": _S.DESTROYING_ENVIRONMENT, "environment": replace(OPEN, state=_E.DESTROYING)},
        *(_K.ENVIRONMENT_CHANGING, "EnvironmentService.WaitEnvironment", ""),
    ),
    ({"state": _S.EXECUTING_TASK}, _K.TASK_RUNNING, "TaskService.ListTasks", "qserver task list"),
    (
        {"environment": replace(OPEN, responsive=False)},
        *(_K.ENVIRONMENT_UNRESPONSIVE, "EnvironmentService.DestroyEnvironment", "qserver environment destroy"),
    ),
    (
        {"environment": replace(OPEN, run_engine=_R.NONE)},
        *(_K.RUN_ENGINE_MISSING, "EnvironmentService.CloseEnvironment", "qserver environment close"),
    ),
    (
        {"environment": replace(OPEN, run_engine=_R.PANICKED)},
        *(_K.RUN_ENGINE_PANICKED, "EnvironmentService.DestroyEnvironment", "qserver environment destroy"),
    ),
    (
        {"environment": replace(OPEN, run_engine=_R.RUNNING)},
        *(_K.RUN_ENGINE_BUSY, "EnvironmentService.DestroyEnvironment", "qserver environment destroy"),
    ),
    ({"state": _S.PAUSED}, _K.PLAN_PAUSED, "RunEngineService.ResumePlan", "qserver re resume"),
    ({"items_in_queue": 0}, _K.QUEUE_EMPTY, "QueueService.AddItem", "qserver queue add plan '{\"name\": …}'"),
    ({"head_held": True}, _K.ITEM_HELD, "QueueService.UpdateItem", "qserver queue edit front"),
    (
        {"head_problems": [Violation("item.name", "no such plan; list the plans to see which exist.")]},
        *(_K.ITEM_INVALID, "QueueService.UpdateItem", "qserver queue edit front"),
    ),
    ({"autostart": False}, _K.NOT_STARTED, "QueueService.StartQueue", "qserver queue start"),
    (
        {"state": _S.EXECUTING_QUEUE, "environment": replace(RUNNING, question=Question("q", "Ready?", 1e9))},
        *(_K.QUESTION_ASKED, "RunEngineService.AnswerQuestion", "qserver re answer TEXT"),
    ),
    (
        {"state": _S.EXECUTING_QUEUE, "environment": replace(RUNNING, suspensions=(Suspension(1e9),))},
        *(_K.PLAN_SUSPENDED, "", ""),
    ),
    ({"state": _S.EXECUTING_QUEUE, "environment": replace(RUNNING, plan_wait=PlanWait(1e9))}, _K.PLAN_WAITS, "", ""),
    (
        {"state": _S.EXECUTING_QUEUE, "environment": RUNNING, "pause_pending": True},
        *(_K.PAUSE_PENDING, "RunEngineService.PausePlan", "qserver re pause immediate"),
    ),
    (
        {"state": _S.EXECUTING_QUEUE, "environment": RUNNING, "stop_pending": True},
        *(_K.STOP_PENDING, "QueueService.CancelStopQueue", "qserver queue stop cancel"),
    ),
]


def test_why_the_worker_can_not_be_reached_is_told_if_that_is_known() -> None:
    now = replace(CLEAR, worker_up=False)
    assert blockers(now)[0].message == "The Worker can't be reached: make sure that it runs."
    assert blockers(replace(now, worker_unreachable_because="TLS: do this."))[0].message == "TLS: do this."


def kinds(now: Circumstances) -> list[BlockerKind]:
    return [blocker.kind for blocker in blockers(now)]


def test_when_nothing_is_in_the_way_nothing_is_listed() -> None:
    assert blockers(CLEAR) == []


def test_every_kind_of_obstacle_has_a_sample_and_its_name_in_the_contract() -> None:
    # A lock alone keeps nothing from being executed.
    assert {kind for _, kind, _, _ in ALONE} | {_K.LOCKED} == set(BlockerKind)
    contract = {name: number for name, number in status_service_pb2.BlockerKind.items() if number}
    assert contract == {f"BLOCKER_KIND_{kind.name}": kind.value for kind in BlockerKind}


@pytest.mark.parametrize(("difference", "kind", "method", "command"), ALONE, ids=repr)
def test_an_obstacle_is_listed_with_what_clears_it(
    difference: dict[str, Any], kind: BlockerKind, method: str, command: str
) -> None:
    (found,) = blockers(replace(CLEAR, **difference))
    assert (found.kind, found.method, found.command) == (kind, method, command)
    assert found.message.endswith(".")
    assert found.request == REQUESTS.get(kind, "")
    if method:
        json_format.Parse(found.request or "{}", METHODS[method]())


@pytest.mark.parametrize(
    ("claim", "names", "word", "asked"),
    [
        (Claim(True, False, "anna", "hutch", 1e9), "The environment is", "environment", '{"environment": true}'),
        (Claim(False, True, "anna", "hutch", 1e9), "The queue is", "queue", '{"queue": true}'),
        (
            Claim(True, True, "anna", "hutch", 1e9),
            *("The environment and queue are", "all", '{"environment": true, "queue": true}'),
        ),
    ],
)
def test_a_lock_is_listed_with_its_holder_and_note_beside_what_it_keeps_others_from_clearing(
    claim: Claim, names: str, word: str, asked: str
) -> None:
    lock = Lock("uid", claim)
    assert blockers(replace(CLEAR, lock=lock)) == []
    locked, start = blockers(replace(CLEAR, lock=lock, autostart=False))
    assert (locked.kind, start.kind) == (_K.LOCKED, _K.NOT_STARTED)
    assert locked.message.startswith(f"{names} locked by anna since 2001-09-")
    assert "(hutch)" in locked.message
    assert locked.method == "LockService.RequestLock"
    assert locked.command == f"qserver --lock-key KEY lock request {word} NOTE"
    assert locked.request == asked
    assert kinds(replace(CLEAR, lock=lock, state=_S.PAUSED)) == [_K.LOCKED, _K.PLAN_PAUSED]
    executing = replace(CLEAR, lock=lock, state=_S.EXECUTING_QUEUE, environment=RUNNING)
    assert blockers(executing) == []


@pytest.mark.parametrize("state", [_S.STARTING_QUEUE, _S.EXECUTING_QUEUE])
def test_while_something_is_executed_only_a_redis_that_takes_no_changes_is_in_the_way_of_the_next_item(
    state: ManagerState,
) -> None:
    for items, held, autostart, up in itertools.product((0, 1), (False, True), (False, True), (DOWN, Storage())):
        problems = [Violation("item.name", "no such plan")]
        now = replace(CLEAR, state=state, environment=RUNNING, items_in_queue=items, head_held=held)
        now = replace(now, head_problems=problems)
        assert blockers(replace(now, autostart=autostart, storage=up)) == ([] if up.is_up else [REDIS])


def test_the_first_problem_of_the_head_is_told_in_short_and_the_others_are_counted() -> None:
    problems = [Violation("item.args[0]", "x" * 1000), Violation("item.args[1]", "y")]
    (found,) = blockers(replace(CLEAR, head_problems=problems))
    assert "item.args[0]: xxx" in found.message
    assert "and 1 more" in found.message
    assert len(found.message) < 400
    assert kinds(replace(CLEAR, head_problems=problems, head_held=True)) == [_K.ITEM_HELD, _K.ITEM_INVALID]


def test_an_execution_that_gives_no_sign_of_life_may_be_stuck() -> None:
    stuck = Environment("environment", _E.EXECUTING_PLAN, _R.RUNNING, responsive=False)
    assert kinds(replace(CLEAR, state=_S.EXECUTING_QUEUE, environment=stuck)) == [_K.ENVIRONMENT_UNRESPONSIVE]


def test_of_an_execution_whose_worker_is_silent_only_that_is_told() -> None:
    now = replace(CLEAR, state=_S.EXECUTING_QUEUE, worker_up=False, items_in_queue=0, autostart=False)
    assert kinds(now) == [_K.WORKER_UNREACHABLE]


def test_a_standby_says_where_the_owner_is_and_knows_no_more() -> None:
    now = replace(CLEAR, is_owner=False, owner_address="there:2", worker_up=False, items_in_queue=0)
    (found,) = blockers(now)
    assert found == Blocker(_K.STANDBY, "This Manager does not own the queue; the owner is at there:2.")
    assert blockers(replace(now, owner_address=""))[0].message == "This Manager does not own the queue."


def test_a_manager_that_waits_for_redis_is_no_standby_but_says_what_is_wrong_with_redis() -> None:
    now = replace(CLEAR, is_owner=False, owner_address="", storage=DOWN, worker_up=False)
    assert blockers(now) == [REDIS]
    assert kinds(replace(now, owner_address="there:2")) == [_K.STANDBY]


def test_a_closed_environment_says_what_became_of_the_last_one() -> None:
    failed = Environment("e", _E.CLOSED, failure=EnvironmentFailure("The startup code raised NameError."))
    (found,) = blockers(replace(CLEAR, environment=failed))
    assert found.message == "There is no environment. The last one: The startup code raised NameError."


def test_everything_that_is_in_the_way_is_listed_the_most_fundamental_first() -> None:
    now = replace(CLEAR, storage=DOWN, items_in_queue=0, autostart=False, environment=Environment())
    assert kinds(now) == [_K.STORAGE_DOWN, _K.ENVIRONMENT_CLOSED, _K.QUEUE_EMPTY, _K.NOT_STARTED]
    stuck = replace(OPEN, responsive=False, run_engine=_R.PANICKED)
    now = replace(CLEAR, environment=stuck, head_held=True, autostart=False)
    expected = [_K.ENVIRONMENT_UNRESPONSIVE, _K.RUN_ENGINE_PANICKED, _K.ITEM_HELD, _K.NOT_STARTED]
    assert kinds(now) == expected


def test_whatever_the_circumstances_kinds_come_in_order_and_once() -> None:
    for up, worker, state, environment, engine, size in itertools.product(
        (DOWN, Storage()), (False, True), _S, _E, (_R.NONE, _R.IDLE, _R.PANICKED), (0, 1)
    ):
        now = replace(CLEAR, storage=up, worker_up=worker, state=state, items_in_queue=size, autostart=False)
        found = [kind.value for kind in kinds(replace(now, environment=Environment("e", environment, engine)))]
        assert found == sorted(set(found))


@pytest.mark.parametrize(
    ("setback", "told"),
    [
        (
            Setback("count", 3, "u-3", "u-2", ExitStatus.FAILED, "Plan failed: the shutter is stuck."),
            "The first item is attempt 3 of 'count', which failed: the shutter is stuck.",
        ),
        (Setback("count", 2, "u-2"), "The first item is attempt 2 of 'count', which did not end well."),
        (
            Setback("count", 0, "", "u-1", ExitStatus.ABORTED, "Aborted by jane"),
            "The plan that was executed last, 'count', was aborted: Aborted by jane.",
        ),
        (
            Setback("count", 0, "", "u-1", ExitStatus.FAILED, "x" * 5000),
            f"The plan that was executed last, 'count', failed: {'x' * 300}….",
        ),
    ],
)
def test_what_did_not_end_well_is_told_before_the_queue_is_started(setback: Setback, told: str) -> None:
    stopped = replace(CLEAR, autostart=False)
    (first,), (again,) = blockers(stopped), blockers(replace(stopped, setback=setback))
    assert again.message == f"{first.message} {told}"
    assert again.command == first.command == "qserver queue start"


def test_what_holds_up_a_plan_that_the_queue_did_not_start_is_told_too() -> None:
    asking = replace(OPEN, run_engine=_R.RUNNING, question=Question("q", "Ready?", 1e9))
    kinds = [blocker.kind for blocker in blockers(replace(CLEAR, environment=asking))]
    assert kinds == [_K.RUN_ENGINE_BUSY, _K.QUESTION_ASKED]


def test_for_an_immediate_pause_that_has_no_effect_another_one_is_not_proposed() -> None:
    now = replace(CLEAR, state=_S.EXECUTING_QUEUE, environment=RUNNING, pause_pending=True, pause_at_once=True)
    (found,) = blockers(now)
    assert (found.kind, found.method, found.command) == (
        _K.PAUSE_PENDING,
        "RunEngineService.AbortPlanNow",
        "qserver re abort now",
    )
    assert "destroy the environment" in found.message
