"""Streams that a shell has closed, and a disk that is full: the command is carried out, and no traceback is printed."""

from __future__ import annotations

import asyncio
import shlex
import sys

import pytest
from queueserver.manager.v1 import status_service_pb2

from tests.unit.cli.conftest import environment
from tests.unit.client.scripted_manager import ScriptedManager


async def typed(manager: ScriptedManager, line: str) -> tuple[int | None, str, str]:
    """Exit code, standard output and standard error of a line of the shell."""
    manager.answers["GetStatus"] = status_service_pb2.GetStatusResponse()
    process = await asyncio.create_subprocess_shell(
        line.replace("qserver", f"{shlex.quote(sys.executable)} -m queueserver_cli"),
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
    code, _, err = await typed(manager, "qserver status >/dev/full")
    assert code == 2
    assert "Traceback" not in err
    assert err.startswith("The answer can't be written: No space left on device.")
    assert "qserver status" in err
