"""Startup code that starts processes: they are none of the environment's business, and it is none of theirs."""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from queueserver_client import (
    AsyncClient,
    ConsoleWritten,
    EnvironmentState,
    Event,
    EventKind,
    ExitStatus,
    Plan,
    Snapshot,
)

from tests.harness.parts import Parts, running_parts
from tests.harness.process import ProcessError, kill_process, wait_until_gone
from tests.harness.wait import first

#: Three children that never end by themselves; each tells its process id, the last ones through inherited streams.
CHILDREN = """
import multiprocessing, os, subprocess, sys, threading
if (pid := os.fork()) == 0:
    os.write(1, f"child {os.getpid()} forked\\n".encode())
    threading.Event().wait()
forever = "import os, threading; print(f'child {os.getpid()} started', flush=True); threading.Event().wait()"
subprocess.Popen([sys.executable, "-c", forever])
def work():
    print(f"child {os.getpid()} works", flush=True)
    threading.Event().wait()
multiprocessing.get_context("fork").Process(target=work).start()
"""
PLAN = """
import os
from bluesky.plan_stubs import null
def tell():
    print(f"plan in {os.getpid()}")
    yield from null()
"""
CHILD = re.compile(r"child (\d+) (?:forked|started|works)")


@pytest.fixture(scope="module")
def startup(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The startup directory, which tests fill."""
    folder = tmp_path_factory.mktemp("startup")
    (folder / "00-plan.py").write_text(PLAN)
    return folder


@pytest.fixture(scope="module")
def parts(startup: Path) -> Iterator[Parts]:
    """Parts with that startup directory."""
    with running_parts(startup) as running:
        yield running


@pytest.fixture
async def client(parts: Parts) -> AsyncIterator[AsyncClient]:
    """A client; the environment is closed when the test begins."""
    async with AsyncClient(parts.address) as connected:
        if (await connected.status()).environment_exists:
            await connected.environment.destroy()
        yield connected


class Console:
    """What a watch has shown of the console."""

    def __init__(self) -> None:
        self.text = ""

    def has(self, wanted: str, times: int = 1) -> object:
        """A condition on events: a pattern was printed so many times."""

        def look(event: Event | Snapshot) -> bool:
            if isinstance(event, ConsoleWritten):
                self.text += event.console.text
            return len(re.findall(wanted, self.text)) >= times

        return look


async def _children(client: AsyncClient) -> list[int]:
    """Open the environment and wait until its three children have told who they are."""
    console = Console()
    async with client.watch([EventKind.CONSOLE]) as watch:
        await first(watch, lambda event: isinstance(event, Snapshot))
        assert (await client.environment.open()).state is EnvironmentState.IDLE
        await first(watch, console.has(CHILD.pattern, 3))
    return [int(pid) for pid in CHILD.findall(console.text)]


async def test_children_that_never_end_do_not_hold_up_closing_and_outlive_it(
    client: AsyncClient, startup: Path
) -> None:
    (startup / "10-forks.py").write_text(CHILDREN)
    children = await _children(client)
    try:
        closed = await client.environment.close()
        assert (closed.state, closed.failure) == (EnvironmentState.CLOSED, None)
        with pytest.raises(ProcessError, match="still runs"):
            wait_until_gone(children[0], within=0)
    finally:
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                kill_process(child)


async def test_destroying_ends_the_children_too(client: AsyncClient, startup: Path) -> None:
    (startup / "10-forks.py").write_text(CHILDREN)
    children = await _children(client)
    await client.environment.destroy()
    for child in children:
        wait_until_gone(child)


async def test_a_forked_process_that_comes_to_the_end_of_the_code_is_no_second_environment(
    client: AsyncClient, startup: Path
) -> None:
    (startup / "10-forks.py").write_text("os.fork()\n")
    (startup / "20-goes-on.py").write_text("print(f'code goes on in {os.getpid()}', flush=True)\n")
    console = Console()
    async with client.watch([EventKind.CONSOLE]) as watch:
        await first(watch, lambda event: isinstance(event, Snapshot))
        environment = await client.environment.open()
        handle = await client.queue.add(Plan("tell"))
        await client.queue.start()
        assert (await handle.result()).result.exit_status is ExitStatus.COMPLETED
        await first(watch, console.has(rf"(?s)plan in {environment.pid}\b"))
    await client.environment.close()
    pids = {int(pid) for pid in re.findall(r"code goes on in (\d+)", console.text)}
    assert len(pids) == 2
    (other,) = pids - {environment.pid}
    wait_until_gone(other)
    assert console.text.count("plan in") == 1
    (startup / "20-goes-on.py").unlink()
