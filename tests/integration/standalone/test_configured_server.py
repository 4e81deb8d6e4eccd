"""A server that is told everything by a configuration file, and one that is started as an older server was."""

from __future__ import annotations

from pathlib import Path

import psutil  # type: ignore[import-untyped]  # it has no type information
import pytest
from queueserver_client import AsyncClient, ConsoleWritten, EventKind, Plan, Snapshot
from queueserver_client.errors import QueueServerError
from queueserver_standalone.configuration.option_table import LISTS_NAME

from tests.harness.stack import running_stack
from tests.harness.wait import bounded, first

KEY = "open sesame"
VARIABLE = "QSERVER_EMERGENCY_LOCK_KEY_FOR_SERVER"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "queueserver.yml"
    file.write_text(
        "network: {key_prefix: bl7}\n"
        "worker: {permitted_re_metadata_keys: [/versions/bluesky]}\n"
        f"operation: {{scripts: false, default_user_group: primary, emergency_lock_key: {KEY}}}\n"
    )
    return file


async def test_what_the_file_says_holds(config: Path) -> None:
    with running_stack("--config", str(config)) as stack:
        async with AsyncClient(stack.address) as client:
            assert (await bounded(client.queue.add(Plan("count", ["det1"])))).item.user_group == "primary"
            await bounded(client.environment.open())
            metadata = await client.run_engine.metadata()
            assert [list(metadata), list(metadata["versions"])] == [["versions"], ["bluesky"]]
            with pytest.raises(QueueServerError, match="scripts"):
                await client.tasks.upload_script("x = 1")


@pytest.mark.parametrize("place", ["file", "variable"])
def test_the_emergency_key_is_told_to_the_manager_alone_and_never_shown(
    config: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if place == "variable":
        monkeypatch.setenv(VARIABLE, KEY)
        options: list[str] = []
    else:
        options = ["--config", str(config)]
    with running_stack(*options) as stack:
        manager = psutil.Process(stack.pid("manager"))
        assert manager.environ()[VARIABLE] == KEY
        others = [psutil.Process(pid) for pid in stack.pids() if pid != manager.pid]
        assert len(others) == 2
        assert not [one for one in others if KEY in str(one.environ())]
        everyone = [*others, manager, psutil.Process(stack.supervisor.pid)]
        assert not [one for one in everyone if KEY in " ".join(one.cmdline())]
        assert KEY not in stack.log()


@pytest.mark.parametrize("shown", ["ON", "OFF"])
async def test_a_command_line_of_an_older_server_publishes_what_startup_code_prints(shown: str, tmp_path: Path) -> None:
    (tmp_path / "startup.py").write_text("print('hello from', 'my own code')\n")
    with running_stack("--zmq-publish-console", "ON", "--console-output", shown, startup=tmp_path) as stack:
        log = stack.supervisor.output
        async with AsyncClient(stack.address) as client, client.watch([EventKind.CONSOLE]) as watch:
            await first(watch, lambda event: isinstance(event, Snapshot))
            await bounded(client.environment.open())
            await first(watch, lambda event: isinstance(event, ConsoleWritten) and "hello from" in event.console.text)
            if shown == "ON":
                log.wait_for("hello from my own code")
        assert stack.stop() == 0
        log.wait_until_ended()
        assert ("hello from my own code" in stack.log()) is (shown == "ON")


async def test_without_console_output_the_terminal_stays_empty(tmp_path: Path) -> None:
    (tmp_path / "startup.py").write_text(
        "print('hello from', 'my own code')\ndef quiet_plan():\n    print('hello from', 'my plan')\n    yield from ()\n"
    )
    (tmp_path / LISTS_NAME).write_text("{existing_plans: {}, existing_devices: {}}\n")
    with running_stack("--console-output", "OFF", startup=tmp_path) as stack:
        async with AsyncClient(stack.address) as client:
            await bounded(client.environment.open())
            handle = await bounded(client.queue.execute(Plan("quiet_plan")))
            await bounded(handle.result())
        assert stack.stop() == 0
        stack.supervisor.output.wait_until_ended()
        assert stack.supervisor.output.lines() == []
