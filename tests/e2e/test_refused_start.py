"""Items that were claimed and could not be started, because the environment changed meanwhile.

It died between the claim and the start, which the wire between Manager and Worker stretches; or it was opened with
other startup code than the item was checked against.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from queueserver_client import (
    AsyncClient,
    EnvironmentState,
    EventKind,
    ExitStatus,
    FailureCause,
    ManagerState,
    Plan,
    QueueStopReason,
)

from tests.e2e.conftest import open_and_empty
from tests.harness import expect
from tests.harness.process import kill_process
from tests.harness.progress import history, queue, run_to_its_end, until, until_state
from tests.harness.wait import bounded, first
from tests.harness.wire import Wired, running_wired

MODES: dict[str, dict[str, Any]] = {
    "plain": {},
    "loop": {"loop": True},
    "ignore": {"ignore_failures": True},
    "drop": {"loop": True, "ignore_failures": True, "interrupted": "drop"},
}
#: Startup code at the time of adding; then a plan is gone, one has another signature, and a device is gone.
BEFORE = """
import bluesky.plan_stubs as bps

class Shutter:
    name, parent = "shutter", None
    def read(self): return {}
    def describe(self): return {}
    def read_configuration(self): return {}
    def describe_configuration(self): return {}

shutter = Shutter()

def nothing(): yield from bps.null()
def short_lived(): yield from bps.null()
def renamed(*, to=1): yield from bps.null()
def move(what: Shutter): yield from bps.null()
"""
AFTER = BEFORE.replace("def short_lived", "def other").replace("to=1", "by=1").replace("shutter = ", "lid = ")
ITEMS = [Plan("short_lived"), Plan("renamed", to=2), Plan("move", "shutter"), Plan("nothing")]
MESSAGES = ["no such plan", "do not fit its signature", "'shutter'; name an existing device", ""]


@pytest.fixture(scope="module")
def wired(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wired]:
    """Processes with a wire between Manager and Worker, and startup code that tests may change."""
    startup = tmp_path_factory.mktemp("startup")
    (startup / "plans.py").write_text(BEFORE)
    with running_wired(startup) as running:
        yield running


@pytest.fixture
async def client(wired: Wired) -> AsyncIterator[AsyncClient]:
    """A client; everything is idle, open and empty when the test begins."""
    async with open_and_empty(wired.manager.address) as connected:
        yield connected


async def lose_environment(client: AsyncClient) -> None:
    """Kill the environment while the item that was claimed is on its way to it."""
    status = await client.status()
    assert (status.manager_state, status.items_in_history) == (ManagerState.STARTING_QUEUE, 0)
    kill_process(status.environment.pid)
    await until(client, lambda now: now.environment.state is EnvironmentState.CLOSED)
    assert (await client.status()).manager_state is ManagerState.STARTING_QUEUE


@pytest.mark.parametrize("mode", MODES)
async def test_an_item_that_the_worker_does_not_start_is_failed_and_stands_at_the_head_again_in_every_mode(
    wired: Wired, client: AsyncClient, mode: str
) -> None:
    await client.queue.set_mode(**MODES[mode])
    handle, behind = await client.queue.add_batch([Plan("move", "shutter"), Plan("nothing")])
    before = await client.status()
    async with client.watch([EventKind.QUEUE]) as watch:
        await first(watch, lambda _: True)
        with wired.wire.held():
            await client.queue.set_autostart(enabled=True)
            await until(client, lambda now: now.running_item_uid == handle.uid)
            claimed = await client.status()
            assert (claimed.items_in_queue, claimed.plan_queue_uid != before.plan_queue_uid) == (1, True)
            await lose_environment(client)
        stopped = await first(watch, expect.queue_stopped)
    assert getattr(stopped, "reason", None) is QueueStopReason.FAILURE
    (entry,) = await history(client)
    result = entry.result
    assert (entry.item.uid, result.exit_status, result.failure_cause) == (
        *(handle.uid, ExitStatus.FAILED),
        FailureCause.NOT_STARTED,
    )
    assert result.message.startswith("The plan was not started: ")
    assert (result.runs, result.start_time) == ((), None)
    retry, other = await queue(client)
    assert (retry.uid, retry.retry_of_uid, retry.attempt, retry.held) == (entry.requeued_as_uid, handle.uid, 2, False)
    assert other.uid == behind.uid
    await until_state(client, ManagerState.IDLE)
    assert not (await client.status()).queue_autostart_enabled


async def test_an_item_executed_now_that_the_worker_does_not_start_is_in_the_history_only(
    wired: Wired, client: AsyncClient
) -> None:
    with wired.wire.held():
        handle = await client.queue.execute(Plan("nothing"))
        await lose_environment(client)
    entry = await bounded(handle.result())
    assert (entry.result.failure_cause, entry.requeued_as_uid) == (FailureCause.NOT_STARTED, "")
    await until_state(client, ManagerState.IDLE)
    assert await queue(client) == []


async def reopened(wired: Wired, client: AsyncClient, code: str) -> None:
    await client.environment.close()
    (wired.startup / "plans.py").write_text(code)
    await client.environment.open()


async def test_an_item_that_fits_no_longer_when_it_begins_has_failed_as_one_that_raised(
    wired: Wired, client: AsyncClient
) -> None:
    handles = await client.queue.add_batch(ITEMS)
    await reopened(wired, client, AFTER)
    try:
        assert await run_to_its_end(client) is QueueStopReason.FAILURE
        (entry,) = await history(client)
        retry, *others = await queue(client)
        assert (entry.result.failure_cause, entry.result.start_time) == (FailureCause.NOT_STARTED, None)
        assert (retry.uid, retry.retry_of_uid) == (entry.requeued_as_uid, handles[0].uid)
        assert [item.uid for item in others] == [handle.uid for handle in handles[1:]]
        # With failures ignored the queue goes on, and nothing is put back.
        await client.queue.set_mode(ignore_failures=True)
        assert await run_to_its_end(client) is QueueStopReason.EMPTY
        _, *entries = await history(client)
        assert [entry.result.exit_status for entry in entries] == [ExitStatus.FAILED] * 3 + [ExitStatus.COMPLETED]
        for entry, words in zip(entries, MESSAGES, strict=True):
            assert words in entry.result.message
            assert entry.requeued_as_uid == ""
        assert await queue(client) == []
    finally:
        await reopened(wired, client, BEFORE)
