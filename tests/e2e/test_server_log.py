"""The log of the server, as a person reads it who was called at night: what was done, by whom, and how it ended."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from queueserver_client import AsyncClient, EventKind, ManagerState, Plan, QueueServerError

from tests.e2e.conftest import STARTUP
from tests.harness import expect
from tests.harness.gate import Gate
from tests.harness.process import ProcessError
from tests.harness.stack import Stack, running_stack
from tests.harness.wait import first

LINE = re.compile(r"\[[DIWEC] \d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} [\w.]+\] .*")


@pytest.fixture(scope="module")
def logged() -> Iterator[Stack]:
    """A stack whose lines about single edits are logged too."""
    with running_stack("--verbose", startup=STARTUP) as running:
        yield running


@pytest.fixture
async def alice(logged: Stack) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(logged.address, user="alice") as connected:
        if not (await connected.status()).environment_exists:
            await connected.environment.open()
        await connected.queue.clear()
        yield connected


def told(stack: Stack, sentence: str, *, level: str = "I") -> str:
    """Wait for a line of what people did that contains this."""
    return stack.supervisor.output.wait_for(
        # In front of it may stand what the plan prints without a line break.
        lambda line: sentence in line and f"[{level} 20" in line and "queueserver_manager.activity]" in line
    )


async def paused(client: AsyncClient, watch: AsyncIterator[object]) -> None:
    await first(watch, expect.status(lambda status: status.manager_state is ManagerState.PAUSED))
    assert (await client.status()).manager_state is ManagerState.PAUSED


async def test_a_queue_tells_who_started_it_and_how_each_plan_ended(logged: Stack, alice: AsyncClient) -> None:
    good, bad = await alice.queue.add_batch([Plan("one_run"), Plan("broken")])
    async with alice.watch([EventKind.QUEUE]) as watch:
        await first(watch, lambda _: True)
        async with AsyncClient(logged.address, user="bob") as bob:
            await bob.queue.start()
        await first(watch, expect.queue_stopped)
    told(logged, "alice added 2 items to the queue at 0: one_run, broken", level="D")
    told(logged, "bob started the queue")
    told(logged, f"Plan one_run of alice started: item {good.uid}")
    assert re.search(r"Plan one_run of alice completed after \d+\.\d s", told(logged, f"s: item {good.uid}, 1 run"))
    failed = told(logged, f": item {bad.uid}", level="W")
    assert re.search(r"Plan broken of alice failed after \d+\.\d s", failed)
    assert "It is in the queue again as item" in failed
    told(logged, "The queue stopped: its plan did not succeed")


async def test_what_is_asked_of_a_running_plan_is_told_with_who(logged: Stack, alice: AsyncClient, gate: Gate) -> None:
    item = await alice.queue.add(Plan("gated_run", gate.path))
    async with alice.watch([EventKind.DOCUMENT, EventKind.QUEUE, EventKind.STATUS]) as watch:
        await first(watch, lambda _: True)
        await alice.queue.start()
        await first(watch, expect.document("event"))
        await alice.queue.stop()
        await alice.queue.cancel_stop()
        await alice.run_engine.pause(immediate=True)
        await paused(alice, watch)
        async with AsyncClient(logged.address, user="bob") as bob:
            await bob.run_engine.abort("no beam\n[I forged line")
        await first(watch, expect.queue_stopped)
    plan = f"plan gated_run (item {item.uid})"
    told(logged, "alice asked the queue to stop after the running item")
    told(logged, "alice cancelled the stop of the queue")
    told(logged, f"alice asked to pause {plan} at once")
    told(logged, "The plan is paused")
    told(logged, f"bob asked to abort {plan}: no beam\\n[I forged line")
    told(logged, "Plan gated_run of alice was aborted by bob after")


async def test_the_environment_tasks_and_settings_are_told_with_who(logged: Stack, alice: AsyncClient) -> None:
    await (await alice.tasks.execute_function("add", 1, 2)).wait()
    await alice.queue.set_mode(loop=True)
    await alice.queue.set_mode(reset=True)
    await alice.queue.set_autostart(True)
    await alice.queue.set_autostart(False)
    await alice.permissions.set((await alice.permissions.get()).user_group_permissions)
    await alice.environment.destroy()
    told(logged, "alice opens the environment")
    told(logged, "The environment is open: process")
    told(logged, "alice started function add: task")
    told(logged, "Function add of alice completed after")
    told(logged, "alice set the queue mode: loop on, ignore_failures off, interrupted requeue")
    told(logged, "alice switched autostart on")
    told(logged, "alice switched autostart off")
    told(logged, "alice replaced the permissions: ")
    told(logged, "alice destroys the environment")
    told(logged, "The environment is closed")


async def test_what_is_taken_away_is_told_and_a_batch_is_one_line(logged: Stack, alice: AsyncClient) -> None:
    added = await alice.queue.add_batch([Plan("one_run")] * 5)
    await alice.queue.remove_batch([item.uid for item in added[:4]])
    await alice.queue.clear()
    told(logged, f"alice removed 4 items from the queue: {added[0].uid}, {added[1].uid}, {added[2].uid}, …")
    told(logged, "alice cleared the queue: 1 item")
    await alice.history.clear()


async def test_a_refused_request_is_a_detail(logged: Stack, alice: AsyncClient) -> None:
    with pytest.raises(QueueServerError):
        await alice.run_engine.resume()
    logged.supervisor.output.wait_for(lambda line: line.startswith("[D ") and "ResumePlan was refused" in line)


def test_the_first_lines_tell_what_starts_and_where_it_waits(logged: Stack) -> None:
    wanted = [
        f"Starting Queue Server on {logged.address}",
        "Encryption disabled",
        "Starting Redis",
        "Starting the Manager",
        "Loading the lists of allowed plans and devices",
        f"Manager listens on {logged.address}",
        f"The Manager waits for requests on {logged.address}",
    ]
    lines = logged.supervisor.output.lines()
    assert all(LINE.fullmatch(line) for line in lines[:8])
    places = [next(number for number, line in enumerate(lines) if text in line) for text in wanted]
    assert places[:4] == sorted(places[:4])
    assert places[-1] > places[3]


async def test_as_json_each_line_is_an_object_with_fields() -> None:
    with running_stack("--log-format", "json", startup=STARTUP) as stack:
        async with AsyncClient(stack.address, user="alice") as client:
            await client.queue.set_autostart(True)
        stack.supervisor.output.wait_for("switched autostart on")
        assert stack.stop() == 0
        objects = [json.loads(line) for line in stack.supervisor.output.lines()]
    (found,) = [one for one in objects if one.get("event") == "autostart_changed"]
    assert (found["user"], found["enabled"], found["level"]) == ("alice", True, "INFO")
    assert {one["logger"].partition(".")[0] for one in objects} >= {
        "queueserver_standalone",
        "queueserver_manager",
        "queueserver_worker",
    }


async def test_silent_says_nothing_but_why_it_ends(short_path: Path) -> None:
    with running_stack("--silent", startup=STARTUP) as stack:
        second = Stack(short_path, "--silent", startup=STARTUP)
        second.data_directory = stack.data_directory
        process = second.launch()
        with pytest.raises(ProcessError):
            process.wait_ready()
        (line,) = process.output.lines()
        assert line.startswith("[C ")
        process.close()
        assert stack.stop() == 0
        assert stack.supervisor.output.lines() == []
