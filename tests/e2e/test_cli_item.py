"""`qserver item` and `qserver logs`: the whole life of an item, and what items and tasks printed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from queueserver_client import AsyncClient, Item, ManagerState, Plan

from tests.e2e.conftest import Shell
from tests.harness.gate import Gate
from tests.harness.progress import begun, paused, until_state
from tests.harness.wait import bounded

STORIES = {"args": ["x" * 200, "Å µ 光"], "kwargs": {"größe": 1.5}}


@pytest.fixture
def ask(qserver: Shell) -> Any:
    """Run `qserver --json …`, which must succeed; answers its document."""

    def run(*words: str) -> Any:
        done = qserver("--json", *words)
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        return json.loads(done.stdout)

    return run


async def failed_twice(client: AsyncClient) -> tuple[str, str, str]:
    """A plan that fails in each of two attempts; answers the uids of these and of the third."""
    handle = await client.queue.add(Plan("broken"))
    for _ in range(2):
        uid = await client.queue.start()
        assert uid is not None
        async for _status in client.queue.wait(uid):
            pass
        await until_state(client, ManagerState.IDLE)
    page = await client.history.page(newest_first=True)
    return handle.uid, page.entries[0].item.uid, page.entries[0].requeued_as_uid


async def test_a_failed_item_is_told_with_all_attempts_its_runs_and_what_it_printed(
    shared_client: AsyncClient, qserver: Shell, ask: Any
) -> None:
    first, second, third = await failed_twice(shared_client)
    for uid in (first, second, third):
        told = qserver("item", uid).stdout.decode()
        for each in (first, second, third):
            assert each in told
        assert f"{uid}  {'queued' if uid == third else 'failed'}  (this one)" in told
    told = qserver("item", second).stdout.decode()
    run_uid = (await shared_client.queue.get(second)).history_entry.result.runs[0].uid  # type: ignore[union-attr]
    for words in (
        "state      failed",
        "why        the shutter is stuck",
        run_uid,
        "RuntimeError: the shutter is stuck",
    ):
        assert words in told
    document = ask("item", second)
    assert [(each["attempt"], each["item_uid"]) for each in document["attempts"]] == [
        (1, first),
        (2, second),
        (3, third),
    ]
    assert (document["state"], document["runs"][0]["uid"], document["attempts_are_whole"]) == (
        "finished",
        run_uid,
        True,
    )
    assert "Plan failed: the shutter is stuck" in document["printed"]
    await shared_client.history.clear(keep_newest=1)
    assert "of earlier ones nothing is known any more" in qserver("item", third).stdout.decode()
    assert ask("item", third)["attempts_are_whole"] is False


async def test_an_item_that_waits_or_runs_is_told_as_it_is(
    shared_client: AsyncClient, qserver: Shell, ask: Any, gate: Gate
) -> None:
    (running,) = await begun(shared_client, Plan("gated_run", gate.path))
    waiting = await shared_client.queue.add(Plan("take_anything", *STORIES["args"], **STORIES["kwargs"]))
    told = qserver("item", waiting.uid).stdout.decode()
    assert "queued, at 0 in the queue" in told
    assert f"'{'x' * 200}', 'Å µ 光', größe=1.5)" in told
    document = ask("item", running.uid)
    assert (document["state"], document["runs"][0]["is_open"]) == ("running", True)
    assert "running" in qserver("item", running.uid[:8]).stdout.decode()
    gate.open()
    await bounded(running.result())
    await bounded(waiting.result())
    await until_state(shared_client, ManagerState.IDLE)


async def test_an_item_that_is_repeated_in_a_loop_names_its_repetition_and_has_no_attempts(
    shared_client: AsyncClient, qserver: Shell, ask: Any
) -> None:
    await shared_client.queue.set_mode(loop=True)
    handles = await shared_client.queue.add_batch([Plan("one_run"), Item.queue_stop()])
    assert qserver("queue", "start", "--wait").returncode == 0
    again = (await shared_client.queue.get("front")).item.uid
    told = qserver("item", handles[0].uid).stdout.decode()
    assert f"repeated   as {again}" in told
    assert "attempts" not in told
    assert [each["item_uid"] for each in ask("item", handles[0].uid)["attempts"]] == [handles[0].uid]


async def test_who_ended_an_item_is_told(shared_client: AsyncClient, qserver: Shell, gate: Gate) -> None:
    (handle,) = await paused(shared_client, Plan("stepping", gate.path))
    assert qserver("--user", "Jané", "re", "abort", "--wait").returncode == 0
    told = qserver("item", handle.uid).stdout.decode()
    assert "state      aborted" in told
    assert "ended by   Jané" in told


async def test_the_beginning_of_a_uid_must_mean_one_item(shared_client: AsyncClient, qserver: Shell) -> None:
    uids = [handle.uid for handle in await shared_client.queue.add_batch([Plan("nothing")] * 40)]
    assert qserver("item", uids[-1][:13]).returncode == 0
    done = qserver("item", "ffffffffffff")
    assert (done.returncode, b"There is no item" in done.stdout) == (2, True)
    assert qserver("item").returncode == 1
    assert qserver("item", "front").returncode == 1


async def test_logs_have_what_was_printed_and_say_what_is_missing(
    shared_client: AsyncClient, qserver: Shell, ask: Any, gate: Gate
) -> None:
    handle = await shared_client.queue.add(Plan("rows_after", gate.path, 100))
    assert "It has not begun" in qserver("logs", handle.uid).stderr.decode()
    await shared_client.queue.start()
    gate.open()
    entry = await bounded(handle.result())
    done = qserver("logs", handle.uid)
    assert "row 99\n" in done.stdout.decode()
    # The server still has all of it, though the result has only the end.
    assert "row 0\n" in done.stdout.decode()
    assert "row 0\n" not in entry.result.console_excerpt
    assert (done.stderr, ask("logs", handle.uid)["printed_is_whole"]) == (b"", True)
    await until_state(shared_client, ManagerState.IDLE)


async def test_when_newer_text_has_taken_the_place_only_the_end_is_left(
    shared_client: AsyncClient, qserver: Shell, gate: Gate
) -> None:
    handle = await shared_client.queue.add(Plan("rows_after", gate.path, 500))
    await shared_client.queue.start()
    gate.open()
    await bounded(handle.result())
    await until_state(shared_client, ManagerState.IDLE)
    later = await shared_client.tasks.execute_function("print_rows_after", gate.path, 12_000)
    gate.open()
    await bounded(later.wait())
    done = qserver("logs", handle.uid)
    assert "row 499\n" in done.stdout.decode()
    assert "row 0\n" not in done.stdout.decode()
    assert "This is the end of it: at most the last 2,000 characters" in done.stderr.decode()


async def test_logs_of_a_task_and_of_nothing(shared_client: AsyncClient, qserver: Shell, ask: Any, gate: Gate) -> None:
    task = await shared_client.tasks.execute_function("print_rows_after", gate.path, 3)
    gate.open()
    await bounded(task.wait())
    assert "row 2\nthe last line\n" in qserver("logs", task.uid).stdout.decode()
    assert ask("logs", task.uid)["is_over"] is True
    done = qserver("logs", "no-such-item")
    assert (done.returncode, b"qserver task list" in done.stdout) == (2, True)
