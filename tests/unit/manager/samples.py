"""Items, entries, records and how to make random ones: what the tests of the Manager's domain work on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from queueserver_inventory.access import GroupRules
from queueserver_long_work.work import Work
from queueserver_manager.domain import events as ev
from queueserver_manager.domain.changes import Change, Decision
from queueserver_manager.domain.limits import Bound
from queueserver_manager.domain.lock.lock import Claim, KeyDigest, Lock, LockRequest
from queueserver_manager.domain.permissions.permissions import Permissions
from queueserver_manager.domain.queue.item import (
    ExitStatus,
    FailureCause,
    HistoryEntry,
    Item,
    ItemKind,
    ItemResult,
    Outcome,
    RunningItem,
    RunSummary,
)
from queueserver_manager.domain.queue.mode import InterruptedPolicy, QueueMode
from queueserver_manager.domain.queue.queue_run import ClaimContext
from queueserver_manager.domain.record import Record, Undo
from queueserver_manager.domain.refusals.errors import Violation
from queueserver_manager.domain.requests import AnsweredRequest
from queueserver_manager.domain.tasks.tasks import (
    EnvironmentUpdate,
    FunctionCall,
    Script,
    Task,
    TaskKind,
    TaskResult,
    kind_of_work,
)

#: For property tests: the speed of a shared machine is not what they are about.
relaxed = settings(deadline=None, max_examples=40)
#: A bound that is not reached.
ROOM = Bound(10**6, 10**9)
NOW = 1_700_000_000.25


def plan(uid: str, name: str = "count") -> Item:
    return Item(uid, ItemKind.PLAN, name, "jane", "primary", NOW)


def stop_instruction(uid: str) -> Item:
    return Item(uid, ItemKind.INSTRUCTION, "queue_stop", "jane", "primary", NOW)


def running(item: Item, execution_id: str = "x-1", *, immediate: bool = False) -> RunningItem:
    return RunningItem(item, execution_id, NOW, "boot", "environment", immediate)


def request(request_id: str, time: float = NOW, answer: bytes | None = b"done") -> AnsweredRequest:
    return AnsweredRequest(request_id, "fingerprint", answer, time)


def outcome(execution_id: str = "x-1", status: ExitStatus = ExitStatus.COMPLETED) -> Outcome:
    return Outcome(execution_id, ItemResult(status, stop=NOW + 1, start=NOW))


def entry(number: int, uid: str = "") -> HistoryEntry:
    item = plan(uid or f"done-{number}")
    return HistoryEntry(number, item, f"x-{number}", ItemResult(ExitStatus.COMPLETED, stop=NOW))


def task(uid: str, number: int = 1, *, background: bool = False) -> Task:
    work = FunctionCall("function_sleep", [1])
    return Task(number, uid, TaskKind.FUNCTION, work.name, background, "jane", "primary", NOW, "boot", "e", work)


def task_result(*, success: bool = True, stop: float = NOW + 1) -> TaskResult:
    return TaskResult(success, stop=stop, start=NOW)


def record_of(uids: Iterable[str], *, running_uid: str = "", done: int = 0) -> Record:
    """A record with these items queued, maybe one running, and ``done`` history entries."""
    record = Record(store_id="11111111-1111-1111-1111-111111111111")
    for index, uid in enumerate(uids):
        record.queue.put(plan(uid), (index + 1) * 1000)
    if running_uid:
        record.running = running(plan(running_uid))
    for number in range(1, done + 1):
        record.history.add(entry(number))
    return record


def claim_context(
    *, can_execute: bool = True, pause_unresolved: bool = False, end_requested: bool = False
) -> ClaimContext:
    """Ids are id-1, id-2, …"""
    ids = (f"id-{number}" for number in range(1, 1000))
    return ClaimContext(
        "boot", "environment", lambda: next(ids), lambda: NOW, can_execute, pause_unresolved, end_requested
    )


def uids(record: Record) -> list[str]:
    return [item.uid for item in record.queue]


def apply(record: Record, changes: Iterable[Change]) -> list[Undo]:
    return [record.apply(change) for change in changes]


def carry_out(record: Record, decision: Decision[Any]) -> None:
    apply(record, decision.changes)


def state(record: Record) -> tuple[object, ...]:
    """Everything in a record, to be compared."""
    queue, history = record.queue, record.history
    return (
        ([(item, queue.rank_of(item.uid)) for item in queue], queue.size),
        record.running,
        record.queue_activity,
        (history.first_number, history.next_number, history.slice(0, len(history)), history.size),
        record.inventory,
        record.permissions,
        (record.mode, record.autostart, record.worker_boot_id, list(record.requests.items()), record.requests.size),
        (list(record.tasks), record.tasks.running),
        (record.lock, list(record.imports.items())),
    )


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
names = st.text("abcdefgh_", min_size=1, max_size=6)
times = st.floats(0, 4e9, allow_nan=False)
#: Values as they come out of a request: numbers are int below 2**53 and float otherwise, never -0.0 or 1.0.
numbers = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False).filter(
    lambda number: not number.is_integer() or abs(number) >= 2.0**64
)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
problems = st.lists(st.builds(Violation, texts, texts), max_size=2).map(tuple)
objects = st.none() | st.dictionaries(texts, values, max_size=3)
items = st.builds(
    Item,
    uid=texts,
    kind=st.sampled_from(ItemKind),
    name=texts,
    user=texts,
    user_group=texts,
    created=times,
    args=st.none() | st.lists(values, max_size=3),
    kwargs=objects,
    meta=objects,
    properties=objects,
) | st.builds(
    Item,
    uid=texts,
    kind=st.just(ItemKind.PLAN),
    name=texts,
    user=texts,
    user_group=texts,
    created=times,
    attempt=st.integers(2, 99),
    retry_of_uid=names,
    held=st.booleans(),
    problems=problems,
)
runnings = st.builds(RunningItem, items, texts, times, texts, texts, st.booleans())
modes = st.builds(QueueMode, st.booleans(), st.booleans(), st.sampled_from(InterruptedPolicy))
requests = st.builds(AnsweredRequest, texts, texts, st.none() | st.binary(max_size=20), times)
works = (
    st.builds(FunctionCall, texts, st.lists(values, max_size=3), st.dictionaries(texts, values, max_size=3))
    | st.builds(Script, texts, st.booleans(), st.booleans())
    | st.builds(EnvironmentUpdate)
)
tasks = st.builds(
    lambda work, **fields: Task(**fields, kind=kind_of_work(work), work=work),
    works,
    number=st.integers(1, 2**40),
    background=st.booleans(),
    created=times,
    **dict.fromkeys(("uid", "name", "user", "user_group", "boot_id", "environment_id"), texts),
)
task_results = st.builds(
    TaskResult, st.booleans(), times, st.none() | times, texts, texts, st.none() | st.binary(max_size=20), texts
)
runs = st.builds(RunSummary, texts, st.none() | st.integers(0, 2**40), st.booleans(), texts)
results = st.builds(
    ItemResult,
    exit_status=st.sampled_from(ExitStatus),
    stop=times,
    start=st.none() | times,
    failure_cause=st.sampled_from(FailureCause),
    message=texts,
    traceback=texts,
    runs=st.lists(runs, max_size=3).map(tuple),
)
entries = st.builds(HistoryEntry, st.integers(1, 2**40), items, texts, results, texts)
indices = st.integers(0, 2**31 - 1)
rules = st.builds(
    GroupRules,
    **{f"all_{subject}": st.booleans() for subject in ("plans", "devices", "functions")},
    **{
        f"{verb}_{subject}": st.lists(texts, max_size=3).map(tuple)
        for verb in ("allowed", "forbidden")
        for subject in ("plans", "devices", "functions")
    },
)
permissions = st.builds(Permissions, st.dictionaries(texts, rules, max_size=3))
keys = st.builds(KeyDigest, st.binary(min_size=16, max_size=16), st.binary(min_size=32, max_size=32))
claims = st.builds(
    Claim, st.booleans(), st.booleans(), texts, texts, times, st.just(0.0) | st.integers(5, 86400).map(float)
)
lock_requests = st.builds(LockRequest, texts, claims, times, keys)
locks = st.builds(Lock, texts, claims, st.just(0.0) | times, st.none() | lock_requests, keys)
told_locks = st.none() | locks.map(Lock.told)
#: Random events, by type.
EVENTS: dict[type, st.SearchStrategy[Any]] = {
    ev.ItemsAdded: st.builds(ev.ItemsAdded, st.lists(items, min_size=1, max_size=3).map(tuple), indices),
    ev.ItemRemoved: st.builds(ev.ItemRemoved, texts, indices),
    ev.ItemMoved: st.builds(ev.ItemMoved, texts, indices, indices),
    ev.ItemsMoved: st.builds(ev.ItemsMoved, st.lists(texts, max_size=3).map(tuple), indices),
    ev.ItemUpdated: st.builds(ev.ItemUpdated, texts, items, indices),
    ev.QueueModeChanged: st.builds(ev.QueueModeChanged, modes),
    ev.AutostartChanged: st.builds(ev.AutostartChanged, st.booleans()),
    ev.QueueCleared: st.builds(ev.QueueCleared, indices),
    ev.QueueStarted: st.builds(ev.QueueStarted, texts),
    ev.QueueStopRequested: st.builds(ev.QueueStopRequested, texts),
    ev.QueueStopCancelled: st.builds(ev.QueueStopCancelled, texts),
    ev.QueueStopped: st.builds(ev.QueueStopped, st.sampled_from(ev.StopReason)),
    ev.ItemStarted: st.builds(ev.ItemStarted, runnings),
    ev.ItemFinished: st.builds(ev.ItemFinished, texts, texts, st.sampled_from(ExitStatus), texts),
    ev.HistoryAdded: st.builds(ev.HistoryAdded, entries),
    ev.HistoryCleared: st.builds(ev.HistoryCleared, indices, indices),
    ev.InventoryReplaced: st.builds(ev.InventoryReplaced, indices, indices),
    ev.ItemsChecked: st.builds(ev.ItemsChecked, st.lists(st.tuples(texts, problems), max_size=3).map(tuple)),
    ev.PermissionsReplaced: st.builds(ev.PermissionsReplaced, permissions),
    ev.LockChanged: st.builds(
        ev.LockChanged,
        st.sampled_from(ev.LockChange),
        told_locks,
        told_locks,
        texts,
        texts,
        st.none() | lock_requests.map(lambda one: replace(one, key=None)),
        st.booleans(),
    ),
    # The log has neither what a task is to do nor what a function returned.
    ev.TaskStarted: tasks.map(lambda one: ev.TaskStarted(replace(one, work=None))),
    ev.TaskFinished: st.builds(
        lambda one, result: ev.TaskFinished(replace(one, work=None), replace(result, return_value=None)),
        tasks,
        task_results,
    ),
}


def whole(page: Sequence[Any]) -> Work[int]:
    """A page that has room for everything."""
    yield
    return len(page)
