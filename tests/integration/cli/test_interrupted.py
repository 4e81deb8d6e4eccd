"""Ctrl-C while something is followed to its end: the server goes on with it, and that is said."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest
from queueserver.common.v1 import environment_pb2, task_pb2
from queueserver.manager.v1 import environment_service_pb2 as environments
from queueserver.manager.v1 import task_service_pb2, task_status_pb2

from tests.integration.cli.conftest import environment
from tests.integration.client.scripted_manager import ScriptedManager, until_cancelled

TASK = task_pb2.SubmittedTask(task_uid="t-1")
CALL = ("function", "execute", '{"name": "f"}')


async def interrupted(manager: ScriptedManager, followed: asyncio.Event, *words: str) -> tuple[int, str]:
    """Send Ctrl-C as soon as the server is asked to be followed; answers exit code and output."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "queueserver_cli", *words),
        env=environment(manager.address),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    lines = []
    await asyncio.wait_for(followed.wait(), 60.0)
    if "open" in words:
        while "loading" not in "".join(lines):
            lines.append((await asyncio.wait_for(process.stdout.readline(), 60.0)).decode())
    process.send_signal(signal.SIGINT)
    rest, _ = await asyncio.wait_for(process.communicate(), 60.0)
    assert process.returncode is not None
    return process.returncode, "".join(lines) + rest.decode()


@pytest.mark.parametrize(("options", "said"), [((), True), (("--json",), False)])
async def test_a_task_goes_on_and_can_be_waited_for(
    manager: ScriptedManager, options: tuple[str, ...], said: bool
) -> None:
    followed = asyncio.Event()

    async def follow(_: Any) -> AsyncIterator[task_service_pb2.WaitTaskResponse]:
        yield task_service_pb2.WaitTaskResponse(
            status=task_status_pb2.TaskStatus(task=TASK, state=task_status_pb2.TASK_STATE_RUNNING)
        )
        followed.set()
        await until_cancelled()

    manager.answers["ExecuteFunction"] = task_service_pb2.ExecuteFunctionResponse(task=TASK)
    manager.answers["WaitTask"] = follow
    code, printed = await interrupted(manager, followed, *options, *CALL, "--wait")
    assert code == 130
    assert ("qserver task wait t-1" in printed) is said
    assert "Traceback" not in printed


async def test_an_environment_goes_on_opening_and_can_be_destroyed(manager: ScriptedManager) -> None:
    followed = asyncio.Event()

    async def follow(_: Any) -> AsyncIterator[environments.WaitEnvironmentResponse]:
        state = environment_pb2.ENVIRONMENT_STATE_INITIALIZING
        loading = environment_pb2.EnvironmentStatus(state=state, progress="loading 10.py")
        yield environments.WaitEnvironmentResponse(environment=loading)
        followed.set()
        await until_cancelled()

    manager.answers["OpenEnvironment"] = environments.OpenEnvironmentResponse()
    manager.answers["WaitEnvironment"] = follow
    code, printed = await interrupted(manager, followed, "environment", "open", "--wait")
    assert code == 130
    assert "qserver environment destroy" in printed
    assert "Traceback" not in printed


@pytest.mark.parametrize(
    ("words", "method", "doubt"), [(("queue", "clear"), "ClearQueue", True), (("status",), "GetStatus", False)]
)
async def test_a_change_whose_answer_was_not_waited_for_is_in_doubt(
    manager: ScriptedManager, words: tuple[str, ...], method: str, doubt: bool
) -> None:
    asked = asyncio.Event()

    async def never(_: Any) -> None:
        asked.set()
        await until_cancelled()

    manager.answers[method] = never
    code, printed = await interrupted(manager, asked, *words)
    assert code == 130
    assert ("the change may or may not have been made" in printed) is doubt
    assert "Traceback" not in printed


async def test_ctrl_c_is_quiet_while_the_command_is_still_loaded(manager: ScriptedManager) -> None:
    program = "import queueserver_cli.program, os, signal; queueserver_cli.program.main = lambda: %s"
    program = program % "[os.kill(os.getpid(), signal.SIGINT), signal.pause()]"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", f"{program}; import queueserver_cli.__main__ as m; m.main()"),
        env=environment(manager.address),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    printed, _ = await asyncio.wait_for(process.communicate(), 60.0)
    assert (process.returncode, printed) == (130, b"")
