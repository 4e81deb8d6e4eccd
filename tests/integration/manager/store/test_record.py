"""Whatever is committed is loaded again exactly as the working copy has it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
import redis as blocking
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from queueserver_inventory.access import GroupRules
from queueserver_long_work.time_slice import next_turn
from queueserver_manager.domain import changes as ch
from queueserver_manager.domain import events as ev
from queueserver_manager.domain.inventory import Inventory
from queueserver_manager.domain.limits import Bound
from queueserver_manager.domain.lock.lock import Claim, LockKey
from queueserver_manager.domain.lock.locking import Identity, acquire, ask, release
from queueserver_manager.domain.permissions.permissions import BUILT_IN, Permissions
from queueserver_manager.domain.queue import placement as pl
from queueserver_manager.domain.queue.item import ExitStatus, HistoryEntry, ItemResult, Outcome, RunSummary
from queueserver_manager.domain.queue.queue_edits import add_items, clear_history, clear_queue, move_item, remove_item
from queueserver_manager.domain.queue.queue_run import ClaimContext, finish_item, start_queue, stop_queue
from queueserver_manager.domain.record import Record
from queueserver_manager.domain.requests import AnsweredRequest
from queueserver_manager.store import reading
from queueserver_manager.store.loading import Loader
from queueserver_manager.store.reading import read_all

from tests.harness.redis import RedisProcess
from tests.integration.manager.store.owner import NOW, Owner, decode_inventory, owner, plan, state

EDITS = [
    "add",
    "add",
    "move",
    "move",
    "remove",
    "clear",
    "start",
    "stop",
    "finish",
    "fail",
    "forget",
    "inventory",
    "permit",
    "lock",
    "unlock",
]
edits = st.lists(st.tuples(st.sampled_from(EDITS), st.integers(0, 9), st.integers(0, 99)), min_size=1, max_size=25)
Decide = Callable[[Record, int, int, str], ch.Decision[Any] | None]


def claim_context(prefix: str) -> ClaimContext:
    ids = (f"{prefix}-{number}" for number in range(9))
    return ClaimContext("boot", "environment", lambda: next(ids), lambda: NOW)


def finish(record: Record, status: ExitStatus, name: str) -> ch.Decision[Any] | None:
    if record.running is None:
        return None
    runs = (RunSummary("run", 7, is_open=False, exit_status="success"), RunSummary("open", None, True, ""))
    result = ItemResult(status, NOW + 1, NOW, message="why \N{SNOWMAN}", traceback="where", runs=runs)
    return finish_item(record, Outcome(record.running.execution_id, result), claim_context(name), Bound(4, 10**9))


def set_inventory(name: str, which: int) -> ch.Decision[None]:
    inventory: Inventory = decode_inventory(name.encode())
    change = ch.SetInventory(inventory, plans_changed=which > 0, devices_changed=which != 1)
    return ch.Decision(None, [change], [])


def permit(name: str) -> ch.Decision[None]:
    rules = GroupRules(all_plans=True, forbidden_plans=(name, ":\N{SNOWMAN}"))
    permissions = Permissions({"root": rules, name: GroupRules()})
    return ch.Decision(None, [ch.SetPermissions(permissions)], [ev.PermissionsReplaced(permissions)])


def lock(record: Record, which: int, name: str) -> ch.Decision[Any]:
    """Lock, or ask for the lock."""
    claim = Claim(which > 0, which != 1, name, "why \N{SNOWMAN}", NOW, lease=float(which and 60))
    if record.lock is None or which % 2:
        return acquire(record, claim, LockKey("key"), Identity(name, b"s" * 16))
    return ask(record, claim, LockKey("another"), Identity(name, b"t" * 16), 60.0)


ROOM = Bound(999, 10**9)
DECIDE: dict[str, Decide] = {
    "add": lambda r, a, b, n: add_items(r, [plan(f"{n}-{i}") for i in range(a % 4)], pl.AtIndex(b % 9 - 4), ROOM),
    "move": lambda r, a, b, _: (
        move_item(r, pl.AtIndex(a % len(r.queue)), pl.AtIndex(b % len(r.queue))) if len(r.queue) else None
    ),
    "remove": lambda r, a, _b, _: remove_item(r, pl.AtIndex(a % len(r.queue))) if len(r.queue) else None,
    "clear": lambda r, a, _b, _: clear_queue(r) if a < 2 else None,
    "start": lambda r, _a, _b, n: start_queue(r, "jane", claim_context(n)) if r.running is None else None,
    "stop": lambda r, _a, _b, _: stop_queue(r, "jane"),
    "finish": lambda r, _a, _b, n: finish(r, ExitStatus.COMPLETED, n),
    "fail": lambda r, _a, _b, n: finish(r, ExitStatus.FAILED, n),
    "forget": lambda r, a, _b, _: clear_history(r, keep_newest=a % 4),
    "permit": lambda _r, _a, _b, n: permit(n),
    "inventory": lambda _, a, _b, n: set_inventory(n, a % 3),
    "lock": lambda r, a, _b, n: lock(r, a, n),
    "unlock": lambda r, _a, _b, _: release(r, LockKey("key"), "jane", NOW),
}


async def carry_out(owning: Owner, chosen: Sequence[tuple[str, int, int]]) -> None:
    for number, (what, first, second) in enumerate(chosen):
        decision = DECIDE[what](owning.record, first, second, f"{number}")
        if decision is not None and decision.changes:
            await owning.commit((decision.changes, decision.events))


@settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(edits)
async def test_after_any_edits_the_store_gives_back_the_working_copy(
    shared_redis: RedisProcess, chosen: list[tuple[str, int, int]]
) -> None:
    async with owner(shared_redis.url) as owning:
        await carry_out(owning, chosen)
        loaded = await owning.store.load()
        assert state(loaded) == state(owning.record)
        events = await owning.events(0, loaded.revisions.last)
        assert all(event.time.seconds + event.time.nanos / 1e9 == NOW for event in events)


async def test_every_kind_of_edit_survives_a_crash_of_redis(redis_server: RedisProcess) -> None:
    script = [("add", 3, 0), ("start", 0, 0), ("finish", 0, 0), ("fail", 0, 0), ("inventory", 0, 0), ("permit", 0, 0)]
    script += [("lock", 1, 0), ("lock", 2, 0), ("add", 2, 1), ("move", 0, 2), ("start", 0, 0), ("stop", 0, 0)]
    async with owner(redis_server.url) as before:
        await carry_out(before, script)
        assert before.record.running is not None
        assert (len(before.record.history), before.record.queue_activity.stop_pending) == (2, True)
        await asyncio.to_thread(redis_server.kill)
    # Processes are started on pytest's own thread, which the kernel watches.
    redis_server.start()
    async with owner(redis_server.url, before.prefix) as after:
        assert state(after.record) == state(before.record)
        assert after.epoch > before.epoch


async def test_numbers_of_the_history_go_on_after_it_was_cleared_and_loaded(shared_redis: RedisProcess) -> None:
    script = [("add", 3, 0), ("start", 0, 0), ("finish", 0, 0), ("finish", 0, 0), ("forget", 0, 0)]
    async with owner(shared_redis.url) as owning:
        await carry_out(owning, script)
        loaded = await owning.store.load()
        assert (len(loaded.history), loaded.history.next_number) == (0, 3)


async def test_an_item_is_loaded_with_everything_it_had(shared_redis: RedisProcess) -> None:
    async with owner(shared_redis.url) as owning:
        await owning.put("a")
        (loaded,) = (await owning.store.load()).queue
        assert loaded == plan("a")
        assert [type(value) for value in (loaded.kwargs or {}).values()] == [int, float]


async def test_others_have_many_turns_while_a_long_queue_is_loaded(shared_redis: RedisProcess) -> None:
    async with owner(shared_redis.url) as owning:
        await owning.put(*(f"{number:05d}" for number in range(10_000)))
        stored = await read_all(owning.redis, owning.keys)
        loading = asyncio.create_task(Loader(owning.keys, decode_inventory, BUILT_IN).record(stored))
        turns = 0
        while not loading.done():
            await next_turn()
            turns += 1
        assert state(await loading) == state(owning.record)
        assert turns > 10


async def test_sizes_are_those_of_what_is_stored_when_it_is_loaded(new: Owner, client: blocking.Redis) -> None:
    result = ItemResult(ExitStatus.COMPLETED, stop=NOW)
    answers = [AnsweredRequest(f"{number}", "print", b"x" * (60 + number), NOW) for number in range(9)]
    changes = [
        *(ch.PutItem(plan(f"{number}" * number), number) for number in range(1, 9)),
        *(ch.AddHistory(HistoryEntry(number, plan("done"), f"x {number}", result)) for number in (1, 2)),
        *map(ch.RememberRequest, answers),
    ]
    await new.commit((changes, []))
    loaded = await new.store.load()

    def stored(key: str) -> int:
        values: Any = client.hvals(key)
        return sum(map(len, values))

    assert (loaded.queue.size, loaded.history.size) == (stored(new.keys.items), stored(new.keys.history))
    assert loaded.requests.size == 65 + 66 + 67 + 68


async def test_what_is_read_is_of_one_moment_although_a_commit_arrives_late(
    new: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    await new.put("a")
    read, late = reading._hash, ["b", "c"]

    async def read_slowly(redis: Any, key: str) -> dict[bytes, bytes]:
        found = await read(redis, key)
        if key == new.keys.items and late:
            await new.put(late.pop(0))
        return found

    monkeypatch.setattr(reading, "_hash", read_slowly)
    loaded = await new.store.load()
    assert [item.uid for item in loaded.queue] == ["a", "b", "c"]
    assert loaded.revisions == new.record.revisions


async def test_items_of_any_length_are_read_whatever_their_order(new: Owner) -> None:
    sizes = [10, 3_000_000, 10, 10, 1_000_000, *[10] * 3000, 2_500_000, *[50_000] * 100, 10]
    items = [replace(plan(f"{number}"), meta={"text": "x" * size}) for number, size in enumerate(sizes)]
    await new.commit(([ch.PutItem(item, number) for number, item in enumerate(items)], []))
    assert [item.meta for item in (await new.store.load()).queue] == [item.meta for item in items]
