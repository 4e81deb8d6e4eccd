"""The working copy: each change can be taken back, and says which parts it touched."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from queueserver_manager.domain import changes as ch
from queueserver_manager.domain.history import History
from queueserver_manager.domain.import_progress import Import
from queueserver_manager.domain.inventory import Inventory, Plan
from queueserver_manager.domain.limits import Bound
from queueserver_manager.domain.lock.lock import Claim, Lock
from queueserver_manager.domain.permissions.permissions import no_access
from queueserver_manager.domain.queue.mode import QueueMode
from queueserver_manager.domain.record import Record, Revisions, parts_of
from queueserver_manager.domain.tasks.tasks import KeptTask

from tests.unit.manager.samples import (
    apply,
    entry,
    plan,
    record_of,
    relaxed,
    request,
    running,
    state,
    task,
    task_result,
)

INVENTORY = Inventory({"count": Plan("count", ())}, {}, b"wire")
#: Each kind of change, as it fits a record with the queue a b c, one running, and entries 1 to 3.
SAMPLES: list[ch.Change] = [
    ch.PutItem(plan("new"), 1500),
    ch.PutItem(plan("b"), 9000),
    ch.PutItem(replace(plan("b", name="scan"), size=9), 2000),
    ch.SetRank("a", 2500),
    ch.MoveItem("a", 2500),
    ch.DropItem("b"),
    ch.DropAllItems(),
    ch.SetRunning(None),
    ch.SetRunning(running(plan("other"), "x-2")),
    ch.MarkRunning(replace(running(plan("r")), end_requested=True)),
    ch.SetQueueActivity(ch.QueueActivity(active=True, stop_pending=True)),
    ch.AddHistory(entry(4)),
    ch.DropHistory(1, 3),
    ch.DropHistory(1, 4),
    ch.SetInventory(INVENTORY, plans_changed=True, devices_changed=False),
    ch.SetPermissions(no_access("they are being mended")),
    ch.SetMode(QueueMode(loop=True)),
    ch.SetAutostart(enabled=True),
    ch.PutTask(KeptTask(task("new", 9))),
    ch.PutTask(KeptTask(task("t-1", 1), task_result())),
    ch.DropTasks(("t-1", "t-3")),
    ch.SetWorker("another boot"),
    ch.SetLock(Lock("uid", Claim(True, False, "anna", "", 1.0))),
    ch.SetLock(None),
    ch.PutImport(Import("new", "elsewhere", 1, 2, 3.0)),
    ch.PutImport(Import("new", "elsewhere", 1, 2, 3.0), forgotten="old"),
    ch.RememberRequest(request("new")),
    ch.ForgetRequests(("first", "second")),
    ch.ForgetAnswers((request("first", answer=None), request("second", answer=None))),
]


def sample_record() -> Record:
    record = record_of("abc", running_uid="r", done=3)
    apply(record, [ch.RememberRequest(request(name, answer=b"done" * 99)) for name in ("first", "second", "third")])
    apply(record, [ch.PutTask(KeptTask(task(f"t-{number}", number))) for number in (1, 2, 3)])
    apply(record, [ch.PutTask(KeptTask(task("t-2", 2), task_result()))])
    apply(record, [ch.SetLock(Lock("held", Claim(False, True, "bob", "", 2.0)))])
    apply(record, [ch.PutImport(Import("old", "elsewhere", 1, 1, 1.0))])
    return record


def test_there_is_a_sample_of_every_kind_of_change() -> None:
    # An order is in the store alone.
    assert {type(change) for change in SAMPLES} | {ch.SettleClearOrder} == set(get_args(ch.Change))


def test_an_order_that_is_settled_changes_nothing_in_memory() -> None:
    record = sample_record()
    before = state(record)
    record.apply(ch.SettleClearOrder("1-0", cleared=True))()
    assert state(record) == before


@pytest.mark.parametrize("change", SAMPLES, ids=repr)
def test_a_change_is_taken_back_without_a_trace(change: ch.Change) -> None:
    record = sample_record()
    before = state(record)
    undo = record.apply(change)
    assert state(record) != before
    undo()
    assert state(record) == before


def random_change(record: Record, data: st.DataObject, number: int) -> ch.Change:
    """A change that fits the record as it is."""
    there = [item.uid for item in record.queue]
    rank = data.draw(st.integers(-5000, 5000))
    options: list[ch.Change] = [
        ch.PutItem(replace(plan(f"new-{number}"), size=number), rank),
        ch.DropAllItems(),
        ch.SetRunning(None),
        ch.SetRunning(running(plan(f"r-{number}"))),
        ch.SetQueueActivity(ch.QueueActivity(active=bool(rank % 2))),
        ch.AddHistory(replace(entry(record.history.next_number), size=number)),
        ch.DropHistory(record.history.first_number, record.history.first_number + rank % 3),
        ch.SetInventory(INVENTORY, plans_changed=True, devices_changed=True),
        ch.SetPermissions(no_access(str(rank))),
        ch.SetMode(QueueMode(ignore_failures=bool(rank % 2))),
        ch.SetAutostart(enabled=bool(rank % 2)),
        ch.SetWorker(f"boot-{number}"),
        ch.SetLock(Lock(f"lock-{number}", Claim(True, False, "anna", "", 1.0)) if rank % 2 else None),
        ch.RememberRequest(request(f"id-{number}", answer=b"done" * (abs(rank) % 99))),
        ch.PutTask(KeptTask(task(f"task-{number}", record.tasks.next_number))),
        *(ch.PutTask(KeptTask(running, task_result())) for running in record.tasks.running[:1]),
        ch.DropTasks(tuple(kept.task.uid for kept in record.tasks)[: rank % 3]),
        ch.PutImport(Import(f"import-{number % 3}", "elsewhere", 1, 1, 1.0), next(iter(record.imports), "")),
        ch.ForgetRequests(tuple(record.requests)[: rank % 3]),
        ch.ForgetAnswers(
            tuple(one.without_answer() for one in record.requests.overlong(Bound(10, abs(rank)), request("added")))
        ),
    ]
    if there:
        uid = data.draw(st.sampled_from(there))
        options += [ch.PutItem(plan(uid), rank), ch.SetRank(uid, rank), ch.MoveItem(uid, rank), ch.DropItem(uid)]
    return data.draw(st.sampled_from(options))


@relaxed
@given(st.data(), st.integers(0, 25))
def test_any_row_of_changes_is_taken_back_newest_first(data: st.DataObject, length: int) -> None:
    record = sample_record()
    states, undos = [], []
    for number in range(length):
        states.append(state(record))
        undos.append(record.apply(random_change(record, data, number)))
    while undos:
        undos.pop()()
        assert state(record) == states.pop()


@pytest.mark.parametrize("change", [ch.SetRank("z", 1), ch.MoveItem("z", 1), ch.DropItem("z")])
def test_a_change_of_an_item_that_is_not_there_is_a_defect(change: ch.Change) -> None:
    with pytest.raises(KeyError):
        sample_record().apply(change)


def test_a_history_entry_out_of_turn_is_a_defect() -> None:
    with pytest.raises(ValueError, match="history entry 7 where 4 was due"):
        sample_record().apply(ch.AddHistory(entry(7)))


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        (ch.PutItem(plan("x"), 1), ("queue",)),
        (ch.DropItem("x"), ("queue",)),
        (ch.DropAllItems(), ("queue",)),
        (ch.SetRunning(None), ("queue",)),
        (ch.MarkRunning(running(plan("x"))), ()),
        (ch.SetRank("x", 1), ()),
        (ch.MoveItem("x", 1), ("queue",)),
        (ch.SetQueueActivity(ch.QueueActivity()), ()),
        (ch.SetMode(QueueMode()), ("mode",)),
        (ch.SetAutostart(enabled=True), ()),
        (ch.RememberRequest(request("x")), ()),
        (ch.ForgetRequests(("x",)), ()),
        (ch.ForgetAnswers(()), ()),
        (ch.AddHistory(entry(1)), ("history",)),
        (ch.DropHistory(1, 2), ("history",)),
        (ch.SetInventory(INVENTORY, plans_changed=True, devices_changed=False), ("plans",)),
        (ch.SetInventory(INVENTORY, plans_changed=False, devices_changed=True), ("devices",)),
        (ch.SetInventory(INVENTORY, plans_changed=True, devices_changed=True), ("plans", "devices")),
        (ch.SetPermissions(no_access("")), ("permissions",)),
    ],
    ids=repr,
)
def test_a_change_touches_these_parts(change: ch.Change, parts: tuple[str, ...]) -> None:
    assert parts_of(change) == parts
    before = Revisions(7, queue=1, history=2, plans=3, devices=4, mode=5)
    after = before.after(8, [change])
    assert after.last == 8
    for part in ("queue", "history", "plans", "devices", "permissions", "mode"):
        assert getattr(after, part) == (8 if part in parts else getattr(before, part))


def test_a_change_of_the_mode_is_decided_by_queue_and_mode() -> None:
    before = Revisions(7, queue=3, mode=5)
    assert before.queue_and_mode == 5
    assert before.after(8, [ch.AddHistory(entry(1))]).queue_and_mode == 5
    assert before.after(8, [ch.DropAllItems()]).queue_and_mode == 8
    assert before.after(8, [ch.SetMode(QueueMode(loop=True))]).after(9, [ch.SetAutostart(True)]).queue_and_mode == 8


@relaxed
@given(st.integers(1, 50), st.integers(0, 30), st.integers(0, 90), st.integers(-3, 40))
def test_a_slice_of_the_history_is_found_by_number(first: int, size: int, start: int, count: int) -> None:
    history = History(first)
    for number in range(first, first + size):
        history.add(entry(number))
    expected = [number for number in range(first, first + size) if number >= start][: max(0, count)]
    assert [found.number for found in history.slice(start, count)] == expected
    newest = [found.number for found in history.newest(max(0, count))]
    assert newest == list(range(first, first + size))[max(0, size - max(0, count)) :]


def test_an_entry_is_found_by_its_item_and_the_newest_counts() -> None:
    record = record_of([], done=2)
    apply(record, [ch.AddHistory(entry(3, uid="again")), ch.AddHistory(entry(4, uid="again"))])
    assert record.history.number_of_item("again") == 4
    assert record.history.number_of_item("never") is None
