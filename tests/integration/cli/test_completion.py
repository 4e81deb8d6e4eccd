"""What a real bash offers when Tab is pressed."""

from __future__ import annotations

import asyncio
import shutil
import sys
from pathlib import Path

import pytest
from queueserver.common.v1 import inventory_pb2, item_pb2
from queueserver.manager.v1 import inventory_service_pb2, queue_items_pb2

from tests.integration.cli.conftest import Qserver, environment
from tests.integration.client.scripted_manager import ScriptedManager

COMPLETE = """
eval "$(qserver completion bash)"
COMP_WORDS=(qserver "$@"); COMP_CWORD=$#
_qserver_completion qserver
printf '%s\\n' "${COMPREPLY[@]}"
"""


async def offered(address: str, *words: str) -> list[str]:
    """What bash offers for the last of some words."""
    bash = shutil.which("bash")
    assert bash is not None
    variables = environment(address)
    variables["PATH"] = f"{Path(sys.executable).parent}:{variables['PATH']}"
    process = await asyncio.create_subprocess_exec(
        *(bash, "--norc", "-c", COMPLETE, "bash", *words),
        env=variables,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 60.0)
    assert err == b""
    return out.decode().split()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["qu"], ["queue"]),
        (["queue", "mo"], ["mode"]),
        (["queue", "item", ""], ["get", "remove", "move"]),
        (["queue", "add", "plan", ""], ["front", "back", "before", "after"]),
        (["re", "pause", ""], ["deferred", "immediate"]),
        (["script", "upload", "file.py", ""], ["background", "update-re", "keep-lists"]),
        (["queue", "mode", "set", "i"], ["ignore_failures", "interrupted"]),
        (["environment", "open", "--w"], ["--wait"]),
        (["status", "--w"], []),
        (["--js"], ["--json"]),
        (["--json", "hist"], ["history"]),
        (["no", "such", ""], []),
    ],
)
async def test_words_and_options_come_from_the_table(words: list[str], expected: list[str]) -> None:
    assert await offered("127.0.0.1:1", *words) == expected


async def test_uids_and_names_come_from_the_server(manager: ScriptedManager) -> None:
    items = [item_pb2.Item(name="count", item_uid="u-1"), item_pb2.Item(name="scan", item_uid="v-2")]
    manager.answers["ListItems"] = queue_items_pb2.ListItemsResponse(items=items)
    plans = [inventory_pb2.PlanDescription(name=name) for name in ("count", "scan", "scan_nd")]
    manager.answers["ListPlans"] = inventory_service_pb2.ListPlansResponse(plans=plans)
    assert await offered(manager.address, "queue", "item", "get", "") == ["front", "back", "u-1", "v-2"]
    assert await offered(manager.address, "queue", "add", "plan", "before", "u") == ["u-1"]
    assert await offered(manager.address, "allowed", "plans", "sc") == ["scan", "scan_nd"]


async def test_a_server_that_is_away_or_does_not_answer_delays_nothing(manager: ScriptedManager) -> None:
    async def never(_: object) -> None:
        await asyncio.Event().wait()

    manager.answers["ListItems"] = never
    assert await offered(manager.address, "queue", "item", "get", "") == ["front", "back"]
    assert await offered("127.0.0.1:1", "queue", "item", "get", "") == ["front", "back"]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
async def test_other_shells_have_a_script_too(qserver: Qserver, shell: str) -> None:
    ended = await qserver("completion", shell)
    assert (ended.code, ended.err) == (0, "")
    assert f"_QSERVER_COMPLETE={shell}_complete" in ended.out
    assert "Arguments" not in ended.out


async def test_a_shell_that_is_not_known_is_refused_with_those_that_are(qserver: Qserver) -> None:
    ended = await qserver("completion", "tcsh")
    assert ended.code == 1
    assert "bash, zsh, fish" in ended.err
