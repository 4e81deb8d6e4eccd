"""``qserver config``, ``ping`` and ``manager stop`` beside a real server."""

from __future__ import annotations

import ast
import asyncio
import json
from typing import Any

import pytest
from queueserver_client import AsyncClient, EventKind, Plan

from tests.e2e.conftest import shell
from tests.harness import expect
from tests.harness.gate import Gate
from tests.harness.stack import Stack
from tests.harness.wait import first

SECONDS = 45.0


def printed(output: bytes) -> Any:
    """The dictionary that a command printed."""
    return ast.literal_eval(output.decode().partition("MESSAGE: \n")[2])


async def test_config_and_ping_print_what_the_server_tells(stack: Stack, client: AsyncClient) -> None:
    del client
    qserver = shell(stack.address)
    done = await asyncio.to_thread(qserver, "config")
    assert done.returncode == 0
    answer = printed(done.stdout)
    assert (answer["success"], answer["msg"]) == (True, "")
    config = answer["config"]
    assert list(config) == sorted(config)
    assert config["address"] == stack.address
    assert config["limits"]["history"]["max_count"] == 10_000
    assert (config["environment"], config["unknown"]) == (None, [])
    done = await asyncio.to_thread(qserver, "--json", "config")
    assert json.loads(done.stdout)["config"]["data_directory"] == str(stack.data_directory)
    done = await asyncio.to_thread(qserver, "ping")
    assert printed(done.stdout)["manager_state"] == "idle"


@pytest.mark.parametrize("words", [("safe", "off", "--wait"), ("safe_off", "--wait")])
async def test_manager_stop_is_refused_while_a_plan_runs_and_with_safe_off_ends_the_server(
    stack: Stack, client: AsyncClient, gate: Gate, words: tuple[str, ...]
) -> None:
    qserver = shell(stack.address)
    await client.environment.open()
    await client.queue.add(Plan("gated_run", gate.path))
    async with client.watch([EventKind.DOCUMENT]) as watch:
        await first(watch, lambda _: True)
        await client.queue.start()
        await first(watch, expect.document("event"))
    done = await asyncio.to_thread(qserver, "manager", "stop")
    assert done.returncode == 2
    assert "or stop the server at once" in printed(done.stdout)["msg"]
    done = await asyncio.to_thread(qserver, "manager", "stop", *words)
    assert (done.returncode, printed(done.stdout)) == (0, {"success": True, "msg": ""})
    assert b"The server has ended. To start it again: start-re-manager" in done.stderr
    assert stack.supervisor.wait(SECONDS) == 0


async def test_manager_stop_ends_an_idle_server_and_says_that_the_connection_ends(stack: Stack) -> None:
    qserver = shell(stack.address)
    wrong = await asyncio.to_thread(qserver, "manager", "stop", "now")
    assert (wrong.returncode, b"'safe off' stops it" in wrong.stderr) == (1, True)
    done = await asyncio.to_thread(qserver, "manager", "stop", "safe", "on")
    assert (done.returncode, printed(done.stdout)) == (0, {"success": True, "msg": ""})
    assert b"The server ends now, and the connections to it." in done.stderr
    assert b"Traceback" not in done.stderr
    assert stack.supervisor.wait(SECONDS) == 0
    away = await asyncio.to_thread(qserver, "status")
    assert away.returncode == 3
