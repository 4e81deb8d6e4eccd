"""The words of `qserver` for modes, autostart, updates, immediate execution and the RunEngine, one after another."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from queueserver_client import AsyncClient, EventKind, ManagerState

from tests.e2e.conftest import Shell
from tests.harness import expect
from tests.harness.gate import Gate
from tests.harness.progress import until, until_state
from tests.harness.wait import first

Ask = Callable[..., Any]


@pytest.fixture
def ask(qserver: Shell) -> Ask:
    """Run `qserver --json …`, which must succeed; answers its document."""

    def run(*words: str) -> Any:
        done = qserver("--json", *words)
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        answer = json.loads(done.stdout)
        assert answer["success"] is True
        return answer

    return run


async def executing(client: AsyncClient, ask: Ask, gate: Gate) -> str:
    """Execute a plan now and wait until it has opened its run; answers its uid."""
    async with client.watch([EventKind.DOCUMENT]) as watch:
        await first(watch, lambda _: True)
        uid = str(ask("queue", "execute", "plan", plan("stepping", gate.path))["item"]["item_uid"])
        await first(watch, expect.document("start"))
    return uid


def plan(name: str, *args: str) -> str:
    return json.dumps({"name": name, "args": list(args)})


async def test_the_words_for_editing(ask: Ask, qserver: Shell, shared_client: AsyncClient) -> None:
    uid = ask("queue", "add", "plan", plan("one_run", "a"))["item"]["item_uid"]
    check = ask("--validate-only", "queue", "add", "plan", plan("one_run", "b"))
    assert "nothing was changed" in check["msg"]
    assert qserver("--validate-only", "queue", "add", "plan", plan("no_such_plan")).returncode == 2
    ask("--validate-only", "queue", "update", "plan", uid, plan("one_run", "b"))
    assert [item["args"] for item in ask("queue", "get")["items"]] == [["a"]]
    updated = ask("queue", "update", "plan", uid, plan("one_run", "c"))["item"]
    assert (updated["item_uid"], updated["args"]) == (uid, ["c"])
    replaced = ask("queue", "replace", "plan", uid, plan("one_run", "d"))["item"]
    assert replaced["item_uid"] != uid
    assert ask("queue", "item", "get", replaced["item_uid"])["state"] == "queued"
    stop = ask("queue", "replace", "instruction", replaced["item_uid"], "queue-stop")["item"]
    assert (stop["item_type"], stop["name"]) == ("instruction", "queue_stop")
    assert (await shared_client.status()).items_in_queue == 1


async def test_the_words_for_modes_and_autostart(ask: Ask, qserver: Shell, shared_client: AsyncClient) -> None:
    mode = ask("queue", "mode", "set", "loop", "true", "interrupted", "hold")["plan_queue_mode"]
    assert mode == {"loop": True, "ignore_failures": False, "interrupted": "hold"}
    mode = ask("queue", "mode", "set", "ignore_failures", "true")["plan_queue_mode"]
    assert mode == {"loop": True, "ignore_failures": True, "interrupted": "hold"}
    mode = ask("queue", "mode", "set", "default")["plan_queue_mode"]
    assert mode == {"loop": False, "ignore_failures": False, "interrupted": "requeue"}
    for wrong in (["loop"], ["loop", "perhaps"], ["speed", "true"], ["interrupted", "forget"]):
        assert qserver("queue", "mode", "set", *wrong).returncode == 1
    ask("queue", "autostart", "enable")
    ask("queue", "add", "plan", plan("one_run"))
    await until(shared_client, lambda status: status.items_in_history == 1)
    await until_state(shared_client, ManagerState.IDLE)
    assert (await shared_client.status()).queue_autostart_enabled is True
    ask("queue", "autostart", "disable")
    assert (await shared_client.status()).queue_autostart_enabled is False


async def test_the_words_for_the_run_engine(ask: Ask, shared_client: AsyncClient, gate: Gate) -> None:
    uid = await executing(shared_client, ask, gate)
    ask("re", "pause", "immediate")
    await until_state(shared_client, ManagerState.PAUSED)
    (run,) = ask("re", "runs")["run_list"]
    assert (run["is_open"], run["exit_status"]) == (True, None)
    assert ask("re", "runs", "open")["run_list"] == [run]
    assert ask("re", "runs", "closed")["run_list"] == []
    assert ask("re", "metadata")["re_metadata"]["scan_id"] == run["scan_id"]
    assert ask("queue", "item", "get", uid)["state"] == "paused"
    ask("re", "resume")
    await until_state(shared_client, ManagerState.EXECUTING_QUEUE)
    ask("re", "pause")
    gate.open()
    await until_state(shared_client, ManagerState.PAUSED)
    ask("re", "resume")
    await until_state(shared_client, ManagerState.IDLE)
    assert ask("queue", "item", "get", uid)["item"]["result"]["exit_status"] == "completed"


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["stop"], "stopped"),
        (["abort"], "aborted"),
        (["halt"], "halted"),
        (["abort", "now"], "aborted"),
    ],
)
async def test_the_words_that_end_a_plan(
    ask: Ask, qserver: Shell, shared_client: AsyncClient, gate: Gate, words: list[str], status: str
) -> None:
    await executing(shared_client, ask, gate)
    if words != ["abort", "now"]:
        refused = qserver("re", *words)
        assert refused.returncode == 2
        assert b"EXECUTING_QUEUE" in (refused.stdout + refused.stderr).upper().replace(b" ", b"_")
        ask("re", "pause", "immediate")
        await until_state(shared_client, ManagerState.PAUSED)
    ask("re", *words)
    await until(shared_client, lambda now: now.items_in_history == 1)
    await until_state(shared_client, ManagerState.IDLE)
    (line,) = ask("history", "get")["items"]
    assert line["result"]["exit_status"] == status


async def test_the_word_for_why(ask: Ask, qserver: Shell, shared_client: AsyncClient) -> None:
    del shared_client
    assert [blocker["kind"] for blocker in ask("why")["blockers"]] == ["queue_empty", "not_started"]
    told = qserver("why").stdout.decode()
    assert "The queue is empty." in told
    assert "qserver queue start" in told
    assert qserver("why", "not").returncode == 1
