"""Opening the environment: what goes wrong in startup code is told to the client, and what it prints arrives."""

from __future__ import annotations

import re
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from queueserver_client import (
    AsyncClient,
    ConsoleWritten,
    EnvironmentClosed,
    EnvironmentExists,
    EnvironmentOpenFailed,
    EnvironmentState,
    EventKind,
    InvalidState,
    InventoryEmpty,
    ManagerState,
    Plan,
    Snapshot,
)

from tests.harness import expect
from tests.harness.gate import gate_in
from tests.harness.parts import Parts, running_parts
from tests.harness.wait import first

GOOD = "import bluesky.plan_stubs as bps\ndef nothing():\n    yield from bps.null()\n"


@pytest.fixture(scope="module")
def startup(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The startup directory, which tests fill."""
    return tmp_path_factory.mktemp("startup")


@pytest.fixture(scope="module")
def parts(startup: Path) -> Iterator[Parts]:
    """Parts with that startup directory."""
    with running_parts(startup) as running:
        yield running


def _empty(directory: Path) -> None:
    for file in directory.iterdir():
        if file.is_file():
            file.unlink()


@pytest.fixture
async def client(parts: Parts, startup: Path) -> AsyncIterator[AsyncClient]:
    """A client; the environment is closed and the startup directory empty when the test begins."""
    _empty(startup)
    async with AsyncClient(parts.address) as connected:
        if (await connected.status()).environment_exists:
            await connected.environment.destroy()
        yield connected


async def test_items_can_not_be_added_before_any_environment_was_open_and_the_refusal_says_what_to_do(
    client: AsyncClient,
) -> None:
    with pytest.raises(InventoryEmpty, match="or wait until it is open, then add the item"):
        await client.queue.add(Plan("nothing"))


async def test_startup_code_that_raises_is_told_with_place_and_traceback_and_opens_when_it_is_mended(
    client: AsyncClient, startup: Path
) -> None:
    (startup / "00-first.py").write_text(GOOD)
    (startup / "10-devices.py").write_text(
        "# devices\n\ndef connect():\n    raise OSError('no such IOC')\n\nconnect()\n"
    )
    with pytest.raises(EnvironmentOpenFailed) as caught:
        await client.environment.open()
    failure = caught.value.failure
    assert Path(failure.file).name == "10-devices.py"
    assert (failure.line, failure.exception_type) == (4, "OSError")
    assert "no such IOC" in failure.message
    assert "10-devices.py" in failure.traceback
    assert "in connect" in failure.traceback
    assert "queueserver_worker" not in failure.traceback
    status = await client.status()
    assert (status.manager_state, status.environment_exists) == (ManagerState.IDLE, False)
    assert (await client.environment.get()).failure == failure
    (startup / "10-devices.py").write_text("# mended\n")
    environment = await client.environment.open()
    assert (environment.state, environment.failure) == (EnvironmentState.IDLE, None)
    await client.queue.add(Plan("nothing"))
    await client.queue.clear()


async def test_a_syntax_error_is_told_with_its_line(client: AsyncClient, startup: Path) -> None:
    (startup / "plans.py").write_text("a = 1\nb = = 2\n")
    with pytest.raises(EnvironmentOpenFailed) as caught:
        await client.environment.open()
    assert (caught.value.failure.line, caught.value.failure.exception_type) == (2, "SyntaxError")


@pytest.mark.parametrize(
    ("end", "exit_code"),
    [
        ("os._exit(3)", 3),
        ("os.kill(os.getpid(), signal.SIGSEGV)", -signal.SIGSEGV),
        ("os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL),
    ],
)
async def test_the_last_words_of_dying_startup_code_arrive_and_its_exit_code_is_told(
    client: AsyncClient, startup: Path, end: str, exit_code: int
) -> None:
    (startup / "dies.py").write_text(
        "import ctypes, os, signal\nctypes.CDLL(None).write(2, b'segment 7 is gone\\n', 18)\n" + end + "\n"
    )
    async with client.watch([EventKind.CONSOLE]) as watch:
        await first(watch, lambda event: isinstance(event, Snapshot))
        with pytest.raises(EnvironmentOpenFailed) as caught:
            await client.environment.open()
        await first(
            watch, lambda event: isinstance(event, ConsoleWritten) and "segment 7 is gone" in event.console.text
        )
    assert caught.value.failure.exit_code == exit_code
    assert caught.value.failure.message


async def test_an_environment_that_is_open_can_not_be_opened_again(client: AsyncClient, startup: Path) -> None:
    (startup / "plans.py").write_text(GOOD)
    await client.environment.open()
    with pytest.raises(EnvironmentExists) as caught:
        await client.environment.open()
    assert caught.value.message == "RE Worker environment already exists."
    closed = await client.environment.close()
    assert (closed.state, closed.failure) == (EnvironmentState.CLOSED, None)


@pytest.mark.parametrize("verb", ["close", "destroy"])
async def test_what_is_not_open_can_not_be_closed(client: AsyncClient, verb: str) -> None:
    revision = (await client.status()).revision
    with pytest.raises(EnvironmentClosed) as caught:
        await getattr(client.environment, verb)()
    assert caught.value.message == "RE Worker environment does not exist."
    assert (await client.status()).revision == revision


async def test_the_queue_can_not_be_started_without_an_environment(client: AsyncClient) -> None:
    with pytest.raises(EnvironmentClosed, match="open it, then start the queue"):
        await client.queue.start()


async def test_an_environment_on_its_way_in_refuses_what_must_wait_and_can_be_destroyed(
    client: AsyncClient, startup: Path, short_path: Path
) -> None:
    with gate_in(short_path) as gate:
        (startup / "slow.py").write_text(f"open({gate.path!r}, 'rb').read(1)\n")
        opened = await client.environment.open(wait=False)
        async with client.watch([EventKind.STATUS]) as watch:
            await first(watch, expect.status(lambda status: status.environment.progress == "loading slow.py"))
            status = await client.status()
            assert status.manager_state is ManagerState.CREATING_ENVIRONMENT
            assert status.environment.environment_id == opened.environment_id
            for call in (client.environment.open, client.environment.close, client.queue.start):
                with pytest.raises(InvalidState) as caught:
                    await call()
                assert re.search("wait until (the environment|it) is open", str(caught.value))
            destroyed = await client.environment.destroy()
        assert destroyed.state is EnvironmentState.CLOSED
        assert (await client.status()).manager_state is ManagerState.IDLE


async def test_plans_are_known_after_the_environment_is_closed(client: AsyncClient, startup: Path) -> None:
    (startup / "plans.py").write_text(GOOD + "def _hidden():\n    yield from nothing()\n")
    await client.environment.open()
    before = await client.status()
    await client.environment.close()
    allowed = [plan.name for plan in (await client.inventory.plans()).plans]
    existing = [plan.name for plan in (await client.inventory.plans(existing=True)).plans]
    assert (allowed, existing) == (["nothing"], ["_hidden", "nothing"])
    assert (await client.status()).plans_existing_uid == before.plans_existing_uid
    handle = await client.queue.add(Plan("nothing"))
    await handle.remove()
