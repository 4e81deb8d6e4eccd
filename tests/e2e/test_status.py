"""The status: what it shows, and that each of its change markers moves with what it stands for, and with that alone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib.metadata import version
from typing import Any

import pytest
from queueserver_client import (
    AsyncClient,
    ConnectionState,
    EnvironmentState,
    Item,
    ItemHandle,
    ManagerRole,
    ManagerState,
    Plan,
    RunEngineState,
    Status,
)

from tests.harness.gate import Gate
from tests.harness.progress import begun, until_state

MARKERS = (
    "plan_queue_uid",
    "plan_history_uid",
    "plans_existing_uid",
    "devices_existing_uid",
    "plans_allowed_uid",
    "devices_allowed_uid",
    "run_list_uid",
)


async def test_the_status_of_an_idle_server_shows_what_it_is_and_has(shared_client: AsyncClient) -> None:
    handle = await shared_client.queue.execute(Plan("one_run"))
    await handle.result()
    await until_state(shared_client, ManagerState.IDLE)
    added = await shared_client.queue.add(Plan("nothing"))
    status = await shared_client.status()
    assert (status.product, status.version) == ("RE Manager", version("queueserver-manager"))
    assert (status.manager_state, status.revision) == (ManagerState.IDLE, added.revision)
    assert (status.items_in_queue, status.items_in_history, status.running_item_uid) == (1, 1, None)
    assert (status.queue_stop_pending, status.pause_pending, status.queue_autostart_enabled) == (False, False, False)
    assert (status.queue_mode.loop, status.queue_mode.ignore_failures) == (False, False)
    assert (status.storage, status.worker) == (ConnectionState.UP, ConnectionState.UP)
    assert (status.role, status.owner_address) == (ManagerRole.OWNER, shared_client.address)
    assert status.epoch >= 1
    environment = status.environment
    assert (status.environment_exists, environment.state) == (True, EnvironmentState.IDLE)
    assert (environment.run_engine_state, environment.responsive) == (RunEngineState.IDLE, True)
    assert environment.pid > 0
    assert environment.open_time is not None
    assert environment.open_time < status.time


async def test_the_status_of_an_executing_server_shows_what_runs(shared_client: AsyncClient, gate: Gate) -> None:
    handle, *_ = await begun(shared_client, Plan("stepping", gate.path), Plan("nothing"), Plan("nothing"))
    status = await shared_client.status()
    assert (status.manager_state, status.running_item_uid) == (ManagerState.EXECUTING_QUEUE, handle.uid)
    assert status.items_in_queue == 2
    assert status.environment.state is EnvironmentState.EXECUTING_PLAN
    assert status.environment.run_engine_state is RunEngineState.RUNNING
    await shared_client.queue.stop()
    assert (await shared_client.status()).queue_stop_pending is True
    gate.open()
    await until_state(shared_client, ManagerState.IDLE)
    status = await shared_client.status()
    assert (status.queue_stop_pending, status.items_in_queue, status.items_in_history) == (False, 2, 1)


Change = Callable[[AsyncClient, ItemHandle], Awaitable[Any]]
QUEUE = {"plan_queue_uid"}
#: What is done to a queue of an item and another one, and which markers it moves.
CHANGES: dict[str, tuple[Change, set[str]]] = {
    "add": (lambda c, _: c.queue.add(Plan("nothing")), QUEUE),
    "add a batch": (lambda c, _: c.queue.add_batch([Plan("nothing")] * 2), QUEUE),
    "add an empty batch": (lambda c, _: c.queue.add_batch([]), set()),
    "update": (lambda c, item: c.queue.update(item.uid, Plan("one_run", "b")), QUEUE),
    "update with the same": (lambda c, item: c.queue.update(item.uid, Plan("one_run", "a")), set()),
    "replace with the same": (lambda c, item: c.queue.update(item.uid, Plan("one_run", "a"), new_uid=True), QUEUE),
    "move": (lambda _, item: item.move("back"), QUEUE),
    "move to where it is": (lambda _, item: item.move("front"), set()),
    "move a batch": (lambda c, item: c.queue.move_batch([item.uid], "back"), QUEUE),
    "move a batch to where it is": (lambda c, item: c.queue.move_batch([item.uid], "front"), set()),
    "remove": (lambda _, item: item.remove(), QUEUE),
    "remove a batch": (lambda c, item: c.queue.remove_batch([item.uid]), QUEUE),
    "remove a batch of nothing": (lambda c, _: c.queue.remove_batch(["no such item"]), set()),
    "clear": (lambda c, _: c.queue.clear(), QUEUE),
    "set the mode": (lambda c, _: c.queue.set_mode(ignore_failures=True), set()),
    "take back a stop": (lambda c, _: c.queue.cancel_stop(), set()),
    "clear the history": (lambda c, _: c.history.clear(), {"plan_history_uid"}),
    "trim the history to more than it has": (lambda c, _: c.history.clear(keep_newest=5), set()),
    "execute a plan that opens no run": (lambda c, _: execute(c, "nothing"), QUEUE | {"plan_history_uid"}),
    "execute a plan that opens a run": (
        lambda c, _: execute(c, "one_run"),
        QUEUE | {"plan_history_uid", "run_list_uid"},
    ),
}


async def execute(client: AsyncClient, name: str) -> None:
    await (await client.queue.execute(Plan(name))).result()
    await until_state(client, ManagerState.IDLE)


def moved(before: Status, after: Status) -> set[str]:
    """Names of the markers that moved."""
    return {name for name in MARKERS if getattr(before, name) != getattr(after, name)}


@pytest.mark.parametrize("name", CHANGES)
async def test_a_marker_moves_with_what_it_stands_for_and_with_nothing_else(
    shared_client: AsyncClient, name: str
) -> None:
    change, expected = CHANGES[name]
    await shared_client.queue.add(Item.queue_stop())
    await execute(shared_client, "nothing")
    handle = await shared_client.queue.add(Plan("one_run", "a"), position="front")
    before = await shared_client.status()
    await change(shared_client, handle)
    after = await shared_client.status()
    assert moved(before, after) == expected
    assert all(getattr(after, marker) for marker in MARKERS)
    if not expected and name != "set the mode":
        assert after.revision == before.revision


async def test_starting_and_ending_an_item_move_the_marker_of_the_queue(shared_client: AsyncClient, gate: Gate) -> None:
    waiting = await shared_client.queue.add(Plan("stepping", gate.path))
    markers = [(await shared_client.status()).plan_queue_uid]
    await begun(shared_client)
    markers.append((await shared_client.status()).plan_queue_uid)
    gate.open()
    await waiting.result()
    await until_state(shared_client, ManagerState.IDLE)
    markers.append((await shared_client.status()).plan_queue_uid)
    assert len(set(markers)) == 3
