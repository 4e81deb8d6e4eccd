"""`qserver … --wait`: what is told meanwhile, how it ends, and with which exit code."""

from __future__ import annotations

import ast
import asyncio
import json
from typing import Any

import pytest
from queueserver_client import AsyncClient, ExitStatus, Item, ItemState, ManagerState, Plan

from tests.e2e.conftest import Shell
from tests.harness.gate import Gate
from tests.harness.progress import begun, paused, until, until_state
from tests.harness.qserver import waiting_qserver
from tests.harness.stack import Stack
from tests.harness.wait import bounded


def printed(out: str | bytes) -> Any:
    """The one JSON document on standard output."""
    return json.loads(out)


def message(out: str | bytes) -> str:
    """The sentence in the dictionary that people see."""
    text = out.decode() if isinstance(out, bytes) else out
    return str(ast.literal_eval(text.partition("MESSAGE: \n")[2])["msg"])


async def test_starting_the_queue_waits_until_it_is_empty(shared_client: AsyncClient, qserver: Shell) -> None:
    uids = [(await shared_client.queue.add(Plan("one_run"))).uid for _ in range(3)]
    done = qserver("queue", "start", "--wait")
    assert done.returncode == 0, done
    assert message(done.stdout) == "The queue stopped because it is empty. 3 plans completed, 0 left in the queue."
    assert done.stderr.decode().count("started: one_run()") == 3
    await shared_client.queue.add(Plan("nothing"))
    told = printed(qserver("--json", "queue", "start", "--wait").stdout)
    assert (told["success"], told["stop_reason"], told["items_in_queue"]) == (True, "empty", 0)
    assert [each["name"] for each in told["executed"]] == ["nothing"]
    assert told["item_uid"] == told["executed"][0]["item_uid"]
    assert told["item_uid"] not in uids


async def test_a_plan_that_fails_is_named_and_gives_exit_code_2(shared_client: AsyncClient, qserver: Shell) -> None:
    await shared_client.queue.add(Plan("one_run"))
    handle = await shared_client.queue.add(Plan("broken"))
    await shared_client.queue.add(Plan("one_run"))
    done = qserver("queue", "start", "--wait")
    assert done.returncode == 2
    words = message(done.stdout)
    assert "'broken' failed after" in words
    assert "the shutter is stuck" in words
    assert "1 plan completed, 2 left in the queue" in words
    assert f"All about it: qserver item {handle.uid}" in words
    await shared_client.queue.remove("front")
    told = printed(qserver("--json", "queue", "start", "--wait").stdout)
    assert (told["success"], told["stop_reason"], told["not_completed"]) == (True, "empty", [])


async def test_a_queue_that_ignores_failures_still_tells_of_them(shared_client: AsyncClient, qserver: Shell) -> None:
    await shared_client.queue.set_mode(ignore_failures=True)
    for name in ("broken", "one_run", "broken"):
        await shared_client.queue.add(Plan(name))
    done = qserver("--json", "queue", "start", "--wait")
    told = printed(done.stdout)
    assert (done.returncode, told["stop_reason"], len(told["not_completed"])) == (2, "empty", 2)
    assert "(and 1 more)" in told["msg"]


@pytest.mark.parametrize(("items", "code", "reason"), [(1, 0, "instruction"), (0, 0, "empty")])
async def test_a_queue_that_stops_as_planned_is_no_failure(
    shared_client: AsyncClient, qserver: Shell, items: int, code: int, reason: str
) -> None:
    for _ in range(items):
        await shared_client.queue.add(Item.queue_stop())
        await shared_client.queue.add(Plan("one_run"))
    done = qserver("--json", "queue", "start", "--wait")
    told = printed(done.stdout)
    assert (done.returncode, told["stop_reason"], told["executed"]) == (code, reason, [])


async def test_a_queue_that_was_asked_to_stop_before_its_end_gives_exit_code_2(
    shared_client: AsyncClient, shared_stack: Stack, gate: Gate
) -> None:
    await shared_client.queue.add(Plan("gated_run", gate.path))
    await shared_client.queue.add(Plan("one_run"))
    async with waiting_qserver(shared_stack.address, "--json", "queue", "start", "--wait") as waiting:
        await until_state(shared_client, ManagerState.EXECUTING_QUEUE)
        await shared_client.queue.stop()
        gate.open()
        code, out = await waiting.ends()
    told = printed(out)
    assert (code, told["stop_reason"], told["items_in_queue"], len(told["executed"])) == (2, "requested", 1, 1)


async def test_what_keeps_the_plan_from_going_on_is_told_and_ctrl_c_says_what_goes_on(
    shared_client: AsyncClient, shared_stack: Stack, gate: Gate
) -> None:
    handle = await shared_client.queue.add(Plan("stepping", gate.path))
    async with waiting_qserver(shared_stack.address, "queue", "start", "--wait") as waiting:
        await waiting.tells("started: stepping(")
        await shared_client.run_engine.pause(immediate=True)
        await waiting.tells("the plan is paused (continue it: qserver re resume)")
        await shared_client.run_engine.resume()
        await waiting.tells("the plan continues")
        waiting.interrupt()
        code, out = await waiting.ends()
    assert code == 130
    assert "MESSAGE" not in out
    assert "The queue continues. Follow it: qserver watch" in "".join(waiting.told)
    gate.open()
    assert (await bounded(handle.result())).result.exit_status is ExitStatus.COMPLETED
    await until_state(shared_client, ManagerState.IDLE)


async def test_a_restart_of_the_manager_meanwhile_is_told_and_waited_for(
    shared_client: AsyncClient, shared_stack: Stack, gate: Gate
) -> None:
    handles = await shared_client.queue.add_batch([Plan("gated_run", gate.path), Plan("one_run")])
    async with waiting_qserver(shared_stack.address, "--json", "queue", "start", "--wait") as queue:
        # Where the item stands is told once: by then it must be at the front.
        await until(shared_client, lambda status: status.running_item_uid == handles[0].uid)
        async with waiting_qserver(shared_stack.address, "item", "wait", handles[1].uid) as item:
            await item.tells("waits at the front of the queue")
            shared_stack.kill("manager")
            await item.tells("Trying again.")
            gate.open()
            assert (await item.ends())[0] == 0
        code, out = await queue.ends()
    told = printed(out)
    assert (code, told["stop_reason"], [each["name"] for each in told["executed"]]) == (
        0,
        "empty",
        ["gated_run", "one_run"],
    )


async def test_ctrl_c_ends_the_waiting_for_an_item_and_for_a_pause_and_nothing_else(
    shared_client: AsyncClient, shared_stack: Stack, gate: Gate
) -> None:
    running, handle = await begun(shared_client, Plan("last_stretch", gate.path), Plan("one_run"))
    for words, sign, follow in (
        (("item", "wait", handle.uid), "waits at the front", "The item stays as it is. Follow it: qserver item wait"),
        (("re", "pause", "--wait"), "has not taken effect yet", "The request stays in force. Follow it:"),
    ):
        async with waiting_qserver(shared_stack.address, *words) as waiting:
            await waiting.tells(sign)
            waiting.interrupt()
            code, out = await waiting.ends()
        assert (code, "MESSAGE" in out, "Traceback" in "".join(waiting.told)) == (130, False, False)
        assert follow in "".join(waiting.told)
    assert (await running.status()).state is ItemState.RUNNING
    gate.open()
    await bounded(running.result())
    await until_state(shared_client, ManagerState.IDLE)


async def test_executing_waits_for_the_end_of_the_plan(
    shared_client: AsyncClient, shared_stack: Stack, qserver: Shell, gate: Gate
) -> None:
    await shared_client.queue.add(Plan("nothing"))
    plan = json.dumps({"name": "one_run", "args": ["x"]})
    done = qserver("--json", "queue", "execute", "plan", plan, "--wait")
    told = printed(done.stdout)
    assert (done.returncode, told["success"], told["state"]) == (0, True, "finished")
    assert told["item"]["result"]["exit_status"] == "completed"
    done = qserver("queue", "execute", "plan", json.dumps({"name": "broken"}), "--wait")
    assert done.returncode == 2
    assert b"the shutter is stuck" in done.stdout
    async with waiting_qserver(
        shared_stack.address,
        "queue",
        "execute",
        "plan",
        json.dumps({"name": "gated_run", "args": [gate.path]}),
        "--wait",
    ) as waiting:
        await waiting.tells("started: gated_run(")
        gate.open()
        assert (await waiting.ends())[0] == 0
    assert qserver("queue", "execute", "instruction", "queue-stop", "--wait").returncode == 0
    assert (await shared_client.status()).items_in_queue == 1


async def test_pausing_and_resuming_wait_until_they_have_taken_effect(
    shared_client: AsyncClient, qserver: Shell, gate: Gate
) -> None:
    (handle,) = await begun(shared_client, Plan("stepping", gate.path))
    done = qserver("re", "pause", "immediate", "--wait")
    assert (done.returncode, b"The plan is paused." in done.stdout) == (0, True), done
    assert b"has not taken effect yet (at once" not in done.stderr
    assert (await shared_client.status()).manager_state is ManagerState.PAUSED
    done = qserver("re", "resume", "--wait")
    assert (done.returncode, b"The plan continues." in done.stdout) == (0, True), done
    assert b"Waiting until the plan continues." in done.stderr
    gate.open()
    await bounded(handle.result())
    await until_state(shared_client, ManagerState.IDLE)


async def test_an_immediate_pause_without_effect_proposes_what_helps(
    shared_client: AsyncClient, shared_stack: Stack, qserver: Shell, gate: Gate
) -> None:
    await shared_client.queue.add(Plan("looping_forever", gate.path))
    await shared_client.queue.start()
    gate.wait_until_told()
    async with waiting_qserver(shared_stack.address, "re", "pause", "immediate", "--wait") as waiting:
        told = await waiting.tells("has not taken effect yet")
        assert "qserver re abort now" in told
        assert "environment destroy" in told
        assert "qserver re pause" not in told
        why = await asyncio.to_thread(qserver, "why")
        assert b"qserver re abort now" in why.stdout
        assert b"qserver re pause" not in why.stdout
        await shared_client.environment.destroy()
        assert (await waiting.ends())[0] == 2
    await shared_client.environment.open()


@pytest.mark.parametrize(
    ("words", "status"), [("stop", "stopped"), ("abort", "aborted"), ("halt", "halted"), ("abort now", "aborted")]
)
async def test_ending_a_paused_plan_waits_until_it_has_ended(
    shared_client: AsyncClient, qserver: Shell, gate: Gate, words: str, status: str
) -> None:
    (handle,) = await paused(shared_client, Plan("stepping", gate.path))
    done = qserver("--json", "re", *words.split(), "--wait")
    told = printed(done.stdout)
    assert (done.returncode, told["success"], told["item_uid"]) == (0, True, handle.uid), told
    assert told["item"]["exit_status"] == status
    assert f"'stepping' was {status} after" in told["msg"]
    assert (await handle.status()).history_entry is not None


async def test_a_plan_that_completes_instead_of_pausing_gives_exit_code_2(
    shared_client: AsyncClient, shared_stack: Stack, gate: Gate
) -> None:
    await begun(shared_client, Plan("last_stretch", gate.path))
    async with waiting_qserver(shared_stack.address, "re", "pause", "--wait") as waiting:
        await waiting.tells("a pause was requested and has not taken effect yet")
        gate.open()
        code, out = await waiting.ends()
    assert code == 2
    assert message(out).startswith("The plan was not paused. 'last_stretch' completed after")
    await until_state(shared_client, ManagerState.IDLE)


async def test_what_can_not_be_paused_is_refused_at_once(shared_client: AsyncClient, qserver: Shell) -> None:
    del shared_client
    done = qserver("--json", "re", "pause", "--wait")
    assert (done.returncode, printed(done.stdout)["reason"]) == (2, "INVALID_STATE")


async def test_an_item_is_waited_for_from_the_queue_to_its_end(
    shared_client: AsyncClient, shared_stack: Stack, gate: Gate
) -> None:
    await begun(shared_client, Plan("gated_run", gate.path))
    handle = await shared_client.queue.add(Plan("broken"))
    async with waiting_qserver(shared_stack.address, "item", "wait", handle.uid[:8]) as waiting:
        await waiting.tells("broken() waits at the front of the queue")
        gate.open()
        await waiting.tells("started: broken()")
        code, out = await waiting.ends()
    assert code == 2
    assert "A new attempt stands in the queue" in message(out)
    (again,) = [item async for item in shared_client.queue.list()]
    async with waiting_qserver(shared_stack.address, "--json", "item", "wait", again.uid) as waiting:
        await shared_client.queue.clear()
        code, out = await waiting.ends()
    assert (code, printed(out)["success"]) == (2, False)


def test_waiting_for_a_server_that_is_away_ends_with_exit_code_3(qserver: Shell) -> None:
    for words in (["queue", "start"], ["item", "u-1"], ["re", "abort", "now"]):
        rest = ["--wait"] if words[0] != "item" else []
        done = qserver("--timeout", "1", *words, *rest, QSERVER_ADDRESS="127.0.0.1:9")
        assert (done.returncode, b"Traceback" in done.stderr) == (3, False), done
        assert b"start-re-manager" in done.stdout + done.stderr
