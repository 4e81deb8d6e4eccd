"""Streams that a shell has closed, and a disk that is full: the command is carried out, and no traceback is printed."""

from __future__ import annotations

import asyncio
import re
import shlex
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest
from queueserver.common.v1 import console_pb2, inventory_pb2
from queueserver.manager.v1 import (
    event_pb2,
    event_service_pb2,
    inventory_service_pb2,
    status_pb2,
    status_service_pb2,
)

from tests.integration.cli.conftest import environment
from tests.integration.client.scripted_manager import ScriptedManager, until_cancelled


async def typed(manager: ScriptedManager, line: str) -> tuple[int | None, str, str]:
    """Exit code, standard output and standard error of a line of the shell."""
    manager.answers["GetStatus"] = status_service_pb2.GetStatusResponse()
    process = await asyncio.create_subprocess_shell(
        re.sub(r"\bqserver\b", f"{shlex.quote(sys.executable)} -m queueserver_cli", line),
        env=environment(manager.address),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 60.0)
    return process.returncode, out.decode(), err.decode()


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize(("words", "code"), [("status", 0), ("queue edit front", 1), ("watch nothing", 1)])
async def test_closed_streams_change_nothing(manager: ScriptedManager, words: str, code: int, closed: str) -> None:
    ended, out, err = await typed(manager, f"qserver {words} {closed}")
    assert ended == code, err
    assert "Traceback" not in out + err
    if closed == "<&-":
        assert ("MESSAGE" if code == 0 else "Invalid command") in out + err


async def test_without_output_a_watch_ends_as_usual(manager: ScriptedManager) -> None:
    code, _, err = await typed(manager, "qserver -a 127.0.0.1:1 watch >&-")
    assert (code, err) == (3, "")


async def test_a_full_disk_is_told_and_is_no_wrong_command(manager: ScriptedManager) -> None:
    code, _, err = await typed(manager, "qserver --json status >/dev/full")
    assert code == 2
    assert "Traceback" not in err
    assert err.startswith("The answer can't be written: No space left on device.")
    assert "qserver status" in err


async def test_where_the_first_line_has_no_room_nothing_is_sent(manager: ScriptedManager) -> None:
    code, _, err = await typed(manager, "qserver queue clear >/dev/full")
    assert (code, err) == (2, FULL)
    assert manager.calls == []


@pytest.mark.parametrize(("words", "code"), [("plans", 0), ("watch nothing", 1), ("", 2)])
async def test_a_full_disk_below_standard_error_changes_neither_the_answer_nor_the_exit_code(
    manager: ScriptedManager, words: str, code: int
) -> None:
    described = inventory_pb2.PlanDescription(name="count")
    manager.answers["ListPlans"] = inventory_service_pb2.ListPlansResponse(plans=[described])
    ended, out, _ = await typed(manager, f"qserver {words} 2>/dev/full")
    assert ended == code, out
    assert ("count" in out) == (words == "plans")


FULL = "The output can't be written: No space left on device. Make room, or write it elsewhere, and start again.\n"
MONITOR = "from queueserver_cli.entries import console_monitor; console_monitor()"


@pytest.mark.parametrize(
    "line",
    [
        f"{shlex.quote(sys.executable)} -c {shlex.quote(MONITOR)}",
        *("qserver watch", "qserver --json watch", "qserver monitor"),
    ],
)
async def test_what_follows_the_server_tells_of_a_full_disk_in_a_sentence(manager: ScriptedManager, line: str) -> None:
    async def follow(_: Any) -> AsyncIterator[event_service_pb2.WatchEventsResponse]:
        status = status_pb2.ManagerStatus(manager_state=status_pb2.MANAGER_STATE_IDLE)
        snapshot = event_service_pb2.WatchSnapshot(complete=True, status=status)
        yield event_service_pb2.WatchEventsResponse(snapshot=snapshot, resume_token="t")
        text = event_pb2.WatchEvent(console=console_pb2.ConsoleOutput(text="printed\n"))
        yield event_service_pb2.WatchEventsResponse(batch=event_service_pb2.EventBatch(events=[text]), resume_token="u")
        await until_cancelled()

    manager.answers["WatchEvents"] = follow
    code, _, err = await typed(manager, f"{line} >/dev/full")
    assert code == 2, err
    assert "Traceback" not in err
    assert err.endswith(FULL)
