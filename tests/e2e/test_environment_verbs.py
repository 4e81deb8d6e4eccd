"""Opening, closing and destroying the environment, as those see it who watch the status."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from itertools import groupby
from pathlib import Path

import pytest
from queueserver_client import (
    AsyncClient,
    EnvironmentClosed,
    EnvironmentOpenFailed,
    EnvironmentState,
    EventKind,
    ExitStatus,
    FailureCause,
    ManagerState,
    Plan,
    RunEngineState,
    Snapshot,
    Status,
    StatusChanged,
)

from tests.e2e.conftest import STARTUP, shell
from tests.harness.gate import Gate
from tests.harness.parts import Parts, running_parts
from tests.harness.progress import begun, history, paused, queue, until, until_state
from tests.harness.qserver import waiting_qserver
from tests.harness.wait import bounded, first

M, E, R = ManagerState, EnvironmentState, RunEngineState
Seen = tuple[ManagerState, EnvironmentState, bool]


@pytest.fixture(scope="module")
def startup(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the startup code, to which a test may add."""
    return Path(shutil.copytree(STARTUP, tmp_path_factory.mktemp("startup") / "code"))


@pytest.fixture(scope="module")
def parts(startup: Path) -> Iterator[Parts]:
    """Parts with that startup code."""
    with running_parts(startup) as running:
        yield running


@pytest.fixture
async def added(startup: Path) -> AsyncIterator[Path]:
    """A file of the startup code, loaded last, which the test writes."""
    file = startup / "zz_added.py"
    yield file
    file.unlink(missing_ok=True)


def write(file: Path, code: str) -> None:
    file.write_text(code)


def seen(status: Status) -> Seen:
    return status.manager_state, status.environment.state, status.environment_exists


@contextlib.asynccontextmanager
async def watched(client: AsyncClient, last: Seen) -> AsyncIterator[list[Seen]]:
    """What the status shows while something is done, each thing once, up to ``last`` after it."""
    found: list[Seen] = []
    async with client.watch([EventKind.STATUS]) as watch:
        begin = await first(watch, lambda _: True)
        assert isinstance(begin, Snapshot)
        assert begin.status is not None
        told = [seen(begin.status)]
        yield found

        def note(event: object) -> bool:
            assert isinstance(event, StatusChanged)
            told.append(seen(event.status))
            return told[-1] == last

        await first(watch, note)
    found += [one for one, _ in groupby(told)]


def manager_states(steps: list[Seen]) -> list[ManagerState]:
    return [state for state, _ in groupby(step[0] for step in steps)]


async def test_a_close_goes_over_closing_and_an_open_over_creating_to_idle(parts_client: AsyncClient) -> None:
    there, gone = (M.IDLE, E.IDLE, True), (M.IDLE, E.CLOSED, False)
    async with watched(parts_client, gone) as steps:
        closed = await parts_client.environment.close()
    assert (closed.state, closed.failure, closed.pid) == (E.CLOSED, None, 0)
    assert manager_states(steps) == [M.IDLE, M.CLOSING_ENVIRONMENT, M.IDLE]
    assert (M.CLOSING_ENVIRONMENT, E.CLOSING, True) in steps
    async with watched(parts_client, there) as steps:
        opened = await parts_client.environment.open()
    assert (opened.state, opened.run_engine_state, opened.failure) == (E.IDLE, R.IDLE, None)
    assert opened.environment_id not in ("", closed.environment_id)
    assert manager_states(steps) == [M.IDLE, M.CREATING_ENVIRONMENT, M.IDLE]
    assert (M.CREATING_ENVIRONMENT, E.INITIALIZING, True) in steps


async def test_an_open_that_fails_goes_over_creating_back_to_idle_and_says_why(
    parts_client: AsyncClient, added: Path
) -> None:
    await parts_client.environment.close()
    write(added, "raise OSError('no such IOC')\n")
    async with watched(parts_client, (M.IDLE, E.CLOSED, False)) as steps:
        with pytest.raises(EnvironmentOpenFailed) as caught:
            await parts_client.environment.open()
    assert manager_states(steps) == [M.IDLE, M.CREATING_ENVIRONMENT, M.IDLE]
    environment = (await parts_client.status()).environment
    assert environment.failure == caught.value.failure
    assert (environment.state, environment.run_engine_state) == (E.CLOSED, R.UNSPECIFIED)


async def test_progress_names_the_file_that_is_being_loaded(parts_client: AsyncClient, added: Path, gate: Gate) -> None:
    await parts_client.environment.close()
    write(added, f"open({gate.path!r}, 'rb').read(1)\n")
    opening = asyncio.create_task(parts_client.environment.open())
    await until(parts_client, lambda status: status.environment.progress == f"loading {added.name}")
    gate.open()
    assert (await bounded(opening)).progress == ""


async def idle(client: AsyncClient, added: Path, gate: Gate) -> None:
    del client, added, gate


async def creating(client: AsyncClient, added: Path, gate: Gate) -> None:
    await client.environment.close()
    write(added, f"open({gate.path!r}, 'rb').read(1)\n")
    await client.environment.open(wait=False)
    await until(client, lambda status: status.environment.progress == f"loading {added.name}")


async def executing(client: AsyncClient, added: Path, gate: Gate) -> None:
    del added
    await begun(client, Plan("stepping", gate.path), Plan("nothing"))


async def pausing(client: AsyncClient, added: Path, gate: Gate) -> None:
    del added
    await paused(client, Plan("stepping", gate.path), Plan("nothing"))


async def closing(client: AsyncClient, added: Path, gate: Gate) -> None:
    del added, gate
    os.kill((await client.environment.get()).pid, signal.SIGSTOP)
    await client.environment.close(wait=False)


STATES: dict[str, tuple[Callable[[AsyncClient, Path, Gate], Awaitable[None]], ManagerState]] = {
    "idle": (idle, M.IDLE),
    "creating": (creating, M.CREATING_ENVIRONMENT),
    "executing": (executing, M.EXECUTING_QUEUE),
    "paused": (pausing, M.PAUSED),
    "closing": (closing, M.CLOSING_ENVIRONMENT),
}


@pytest.mark.parametrize("situation", STATES)
async def test_an_environment_is_destroyed_in_every_state_in_which_there_is_one(
    parts_client: AsyncClient, added: Path, gate: Gate, situation: str
) -> None:
    bring, state = STATES[situation]
    await bring(parts_client, added, gate)
    async with watched(parts_client, (M.IDLE, E.CLOSED, False)) as steps:
        destroyed = await parts_client.environment.destroy()
    assert (destroyed.state, destroyed.pid) == (E.CLOSED, 0)
    assert manager_states(steps) == [state, M.DESTROYING_ENVIRONMENT, M.IDLE]
    entries, left = await history(parts_client), await queue(parts_client)
    if situation not in ("executing", "paused"):
        assert (entries, left) == ([], [])
        return
    (entry,) = entries
    assert (entry.result.exit_status, entry.result.failure_cause) == (
        ExitStatus.FAILED,
        FailureCause.ENVIRONMENT_DESTROYED,
    )
    assert "destroyed" in entry.result.message
    assert [item.name for item in left] == ["stepping", "nothing"]
    assert (left[0].uid, left[0].attempt) == (entry.requeued_as_uid, 2)
    with pytest.raises(EnvironmentClosed):
        await parts_client.environment.destroy()


async def test_a_manager_that_is_killed_while_the_environment_opens_follows_it_to_its_end(
    parts: Parts, parts_client: AsyncClient, added: Path, gate: Gate
) -> None:
    await creating(parts_client, added, gate)
    with parts.manager_killed():
        pass
    assert (await parts_client.status()).manager_state is M.CREATING_ENVIRONMENT
    gate.open()
    assert (await bounded(parts_client.environment.wait())).state is E.IDLE
    assert (await parts_client.status()).manager_state is M.IDLE


async def test_a_pause_that_was_pending_is_forgotten_with_the_environment(
    parts_client: AsyncClient, gate: Gate
) -> None:
    await begun(parts_client, Plan("stepping", gate.path))
    await parts_client.run_engine.pause()
    assert (await parts_client.status()).pause_pending is True
    await parts_client.environment.destroy()
    await until_state(parts_client, M.IDLE)
    await parts_client.environment.open()
    assert (await parts_client.status()).pause_pending is False
    gate.open()
    await parts_client.queue.start()
    await until_state(parts_client, M.IDLE)
    assert [entry.result.exit_status for entry in await history(parts_client)] == [
        ExitStatus.FAILED,
        ExitStatus.COMPLETED,
    ]


async def test_qserver_waits_for_an_opening_that_another_client_began(
    parts: Parts, parts_client: AsyncClient, added: Path, gate: Gate
) -> None:
    await creating(parts_client, added, gate)
    refused = await asyncio.to_thread(shell(parts.address), "environment", "open")
    assert refused.returncode == 2
    async with waiting_qserver(parts.address, "environment", "open", "--wait") as waiting:
        await waiting.tells("The environment is being opened already: waiting for that.")
        gate.open()
        code, out = await waiting.ends()
    assert (code, (await parts_client.status()).environment.state) == (0, E.IDLE)
    assert "The environment was being opened already, and is open now." in out
    assert (await asyncio.to_thread(shell(parts.address), "environment", "open", "--wait")).returncode == 2


async def test_qserver_tells_why_an_opening_that_another_client_began_failed(
    parts: Parts, parts_client: AsyncClient, added: Path, gate: Gate
) -> None:
    await parts_client.environment.close()
    write(added, f"open({gate.path!r}, 'rb').read(1)\nraise OSError('no such IOC')\n")
    await parts_client.environment.open(wait=False)
    async with waiting_qserver(parts.address, "environment", "open", "--wait") as waiting:
        await waiting.tells("waiting for that")
        gate.open()
        code, out = await waiting.ends()
    assert (code, "no such IOC" in out) == (2, True)


async def test_qserver_waits_for_a_closing_that_another_client_began(
    parts: Parts, parts_client: AsyncClient, added: Path, gate: Gate
) -> None:
    pid = (await parts_client.environment.get()).pid
    await closing(parts_client, added, gate)
    assert (await asyncio.to_thread(shell(parts.address), "environment", "close")).returncode == 2
    async with waiting_qserver(parts.address, "environment", "close", "--wait") as waiting:
        await waiting.tells("The environment is being closed already: waiting for that.")
        os.kill(pid, signal.SIGCONT)
        code, out = await waiting.ends()
    assert (code, (await parts_client.status()).environment_exists) == (0, False)
    assert "The environment was being closed already." in out
