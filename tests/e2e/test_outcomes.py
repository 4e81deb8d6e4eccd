"""What becomes of an item that has ended: each way to end, in each mode."""

from __future__ import annotations

import getpass
from typing import Any

import pytest
from queueserver_client import (
    AsyncClient,
    BlockerKind,
    EventKind,
    ExitStatus,
    FailureCause,
    HistoryEntry,
    InterruptedPolicy,
    Item,
    ItemHandle,
    ItemHeld,
    ItemState,
    ManagerState,
    Plan,
    QueueStopped,
    QueueStopReason,
)

from tests.harness import expect
from tests.harness.gate import Gate
from tests.harness.progress import begun, history, paused, queue, run_to_its_end, until, until_state
from tests.harness.stack import Stack
from tests.harness.wait import bounded, first

MODES: dict[str, dict[str, Any]] = {
    "plain": {},
    "loop": {"loop": True},
    "ignore": {"ignore_failures": True},
    "both": {"loop": True, "ignore_failures": True},
}
#: The queue is X, a queue_stop S and another plan T; how it stops, and what it is then.
GOES_ON, GOES_ROUND = (QueueStopReason.INSTRUCTION, "T"), (QueueStopReason.INSTRUCTION, "TXS")
FAILS = (QueueStopReason.FAILURE, "XST")
TABLE = {
    "completed": {"plain": GOES_ON, "loop": GOES_ROUND, "ignore": GOES_ON, "both": GOES_ROUND},
    "failed": {"plain": FAILS, "loop": FAILS, "ignore": GOES_ON, "both": GOES_ROUND},
    "stopped": {mode: (QueueStopReason.REQUESTED, "STX" if mode in {"loop", "both"} else "ST") for mode in MODES},
    "aborted": dict.fromkeys(MODES, FAILS),
    "halted": dict.fromkeys(MODES, FAILS),
}
VERBS = {"stopped": "stop", "aborted": "abort", "halted": "halt"}


async def ended(client: AsyncClient, way: str, gate: Gate) -> tuple[ItemHandle, QueueStopReason]:
    """Execute X of the queue X, S, T so that it ends in this way; answers it, and why the queue stopped."""
    rest = [Item.queue_stop(), Plan("nothing")]
    if way not in VERBS:
        (handle, *_) = await client.queue.add_batch([Plan("broken" if way == "failed" else "one_run"), *rest])
        return handle, await run_to_its_end(client)
    handle, *_ = await paused(client, Plan("stepping", gate.path), *rest)
    async with client.watch([EventKind.QUEUE]) as watch:
        await first(watch, lambda _: True)
        await getattr(client.run_engine, VERBS[way])()
        stopped = await first(watch, expect.queue_stopped)
    assert isinstance(stopped, QueueStopped)
    return handle, stopped.reason


def letter(item: Item) -> str:
    return {"queue_stop": "S", "nothing": "T"}.get(item.name, "X")


@pytest.mark.parametrize(("way", "mode"), [(way, mode) for way, modes in TABLE.items() for mode in modes])
async def test_an_ended_item_goes_where_the_mode_says_and_the_queue_goes_on_or_stops(
    shared_client: AsyncClient, gate: Gate, way: str, mode: str
) -> None:
    await shared_client.queue.set_mode(**MODES[mode])
    handle, reason = await ended(shared_client, way, gate)
    left = await queue(shared_client)
    assert (reason, "".join(map(letter, left))) == TABLE[way][mode]
    (entry,) = await history(shared_client)
    assert (entry.item.uid, entry.result.exit_status) == (handle.uid, ExitStatus(way))
    said = {"completed": "", "failed": "Plan failed: "}.get(way, f"Plan {way} by {getpass.getuser()}.")
    assert entry.result.message.startswith(said)
    assert bool(entry.result.message) is (way != "completed")
    assert entry.result.ended_by == ("" if way in {"completed", "failed"} else getpass.getuser())
    put_back = [item for item in left if letter(item) == "X"]
    assert [item.uid for item in put_back] == ([entry.requeued_as_uid] if entry.requeued_as_uid else [])
    assert handle.uid not in [item.uid for item in left]
    for item in put_back:
        # Only another attempt at what did not succeed counts as one.
        again = item is left[0]
        assert (item.attempt, item.retry_of_uid) == ((2, handle.uid) if again else (1, ""))
    assert (await shared_client.status()).manager_state is ManagerState.IDLE


@pytest.mark.parametrize("mode", MODES)
async def test_a_plan_that_completes_in_spite_of_a_pause_goes_where_the_mode_says_and_the_queue_stops(
    shared_client: AsyncClient, gate: Gate, mode: str
) -> None:
    await shared_client.queue.set_mode(**MODES[mode])
    handle, *_ = await begun(shared_client, Plan("last_stretch", gate.path), Plan("nothing"))
    async with shared_client.watch([EventKind.QUEUE]) as watch:
        await first(watch, lambda _: True)
        await shared_client.run_engine.pause()
        gate.open()
        stopped = await first(watch, expect.queue_stopped)
    assert isinstance(stopped, QueueStopped)
    left = "".join(map(letter, await queue(shared_client)))
    assert (stopped.reason, left) == (QueueStopReason.PAUSE, "TX" if MODES[mode].get("loop") else "T")
    (entry,) = await history(shared_client)
    assert (entry.item.uid, entry.result.exit_status) == (handle.uid, ExitStatus.COMPLETED)


@pytest.mark.parametrize("loop", [False, True])
async def test_an_instruction_leaves_no_entry_and_in_loop_mode_goes_to_the_back_under_a_new_uid(
    shared_client: AsyncClient, loop: bool
) -> None:
    await shared_client.queue.set_mode(loop=loop)
    stop, behind = await shared_client.queue.add_batch([Item.queue_stop(), Plan("nothing")])
    assert await run_to_its_end(shared_client) is QueueStopReason.INSTRUCTION
    assert await history(shared_client) == []
    left = await queue(shared_client)
    assert "".join(map(letter, left)) == ("TS" if loop else "T")
    assert left[0].uid == behind.uid
    assert stop.uid not in [item.uid for item in left]


async def interrupted_by_abort(client: AsyncClient, stack: Stack, gate: Gate) -> ItemHandle:
    del stack
    handle, *_ = await begun(client, Plan("stepping", gate.path), Plan("nothing"))
    await client.run_engine.abort_now()
    return handle


async def interrupted_by_destruction(client: AsyncClient, stack: Stack, gate: Gate) -> ItemHandle:
    del stack
    handle, *_ = await begun(client, Plan("stepping", gate.path), Plan("nothing"))
    await client.environment.destroy()
    return handle


async def interrupted_by_a_crash(client: AsyncClient, stack: Stack, gate: Gate) -> ItemHandle:
    handle, *_ = await begun(client, Plan("stepping", gate.path), Plan("nothing"))
    stack.kill("environment")
    return handle


INTERRUPTIONS = {
    "abort": (interrupted_by_abort, ExitStatus.ABORTED, FailureCause.UNSPECIFIED),
    "destroy": (interrupted_by_destruction, ExitStatus.FAILED, FailureCause.ENVIRONMENT_DESTROYED),
    "kill": (interrupted_by_a_crash, ExitStatus.FAILED, FailureCause.ENVIRONMENT_LOST),
}


async def settled(client: AsyncClient, handle: ItemHandle) -> HistoryEntry:
    """Wait until the item has its line in the history and nothing is going on."""
    entry = await bounded(handle.result())
    await until(client, lambda status: status.manager_state is ManagerState.IDLE)
    return entry


@pytest.mark.parametrize("policy", ["requeue", "hold", "drop"])
@pytest.mark.parametrize("how", INTERRUPTIONS)
async def test_an_interrupted_item_is_put_back_held_or_dropped_as_the_policy_says(
    shared_stack: Stack, shared_client: AsyncClient, gate: Gate, how: str, policy: str
) -> None:
    interrupt, exit_status, cause = INTERRUPTIONS[how]
    mode = await shared_client.queue.set_mode(interrupted=policy, loop=True, ignore_failures=True)
    assert mode.interrupted is InterruptedPolicy(policy)
    handle = await interrupt(shared_client, shared_stack, gate)
    entry = await settled(shared_client, handle)
    assert (entry.result.exit_status, entry.result.failure_cause) == (exit_status, cause)
    left = await queue(shared_client)
    assert [item.name for item in left] == (["nothing"] if policy == "drop" else ["stepping", "nothing"])
    if policy == "drop":
        assert entry.requeued_as_uid == ""
    else:
        retry = left[0]
        assert (retry.uid, retry.retry_of_uid, retry.attempt) == (entry.requeued_as_uid, handle.uid, 2)
        assert retry.held is (policy == "hold")


async def held(client: AsyncClient, gate: Gate) -> Item:
    """A queue of a held item and another one; answers the held one."""
    await client.queue.set_mode(interrupted="hold")
    handle, _ = await paused(client, Plan("stepping", gate.path), Plan("nothing"))
    await client.run_engine.abort()
    await settled(client, handle)
    return (await queue(client))[0]


@pytest.mark.parametrize("way_out", ["update", "move", "remove"])
async def test_a_held_item_keeps_the_queue_from_starting_until_somebody_decides(
    shared_client: AsyncClient, gate: Gate, way_out: str
) -> None:
    item = await held(shared_client, gate)
    before = await shared_client.status()
    with pytest.raises(ItemHeld) as caught:
        await shared_client.queue.start()
    assert caught.value.reason == "ITEM_HELD"
    assert (await shared_client.queue.get(item.uid)).state is ItemState.HELD
    kinds = [blocker.kind for blocker in await shared_client.explain_idle()]
    assert kinds == [BlockerKind.ITEM_HELD, BlockerKind.NOT_STARTED]
    after = await shared_client.status()
    assert (after.revision, after.manager_state) == (before.revision, ManagerState.IDLE)
    if way_out == "update":
        await shared_client.queue.update(item, Plan("one_run"))
    elif way_out == "move":
        await shared_client.queue.move(item.uid, "back")
        gate.open()
    else:
        await shared_client.queue.remove(item.uid)
    assert not any(left.held for left in await queue(shared_client))
    assert await run_to_its_end(shared_client) is QueueStopReason.EMPTY


async def test_autostart_does_not_start_a_held_item_and_starts_it_when_it_is_released(
    shared_client: AsyncClient, gate: Gate
) -> None:
    item = await held(shared_client, gate)
    await shared_client.queue.set_autostart(enabled=True)
    assert (await shared_client.queue.get(item.uid)).state is ItemState.HELD
    released = await shared_client.queue.update(item, Plan("one_run"))
    assert (await bounded(released.result())).result.exit_status is ExitStatus.COMPLETED
    await until(shared_client, lambda status: status.items_in_queue == 0)
    await until_state(shared_client, ManagerState.IDLE)


async def test_the_mode_takes_effect_for_the_item_that_runs_when_it_is_set(
    shared_client: AsyncClient, gate: Gate
) -> None:
    (handle,) = await begun(shared_client, Plan("stepping", gate.path))
    await shared_client.queue.set_mode(loop=True)
    await shared_client.queue.stop()
    gate.open()
    entry = await settled(shared_client, handle)
    (again,) = await queue(shared_client)
    assert (entry.result.exit_status, entry.requeued_as_uid) == (ExitStatus.COMPLETED, again.uid)
    assert (await shared_client.status()).queue_mode.loop is True
