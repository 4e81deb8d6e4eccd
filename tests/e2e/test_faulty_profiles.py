"""Startup code with faults that people really write: each does what docs/how-to/startup-code.md says."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from queueserver_client import (
    AsyncClient,
    ConsoleWritten,
    EnvironmentOpenFailed,
    EnvironmentState,
    EventKind,
    ExitStatus,
    Plan,
    RunEngineMissing,
    Snapshot,
)

from tests.harness import expect
from tests.harness.parts import Parts, running_parts
from tests.harness.wait import bounded, first

PLAN = "from bluesky.plan_stubs import null\ndef nothing():\n    yield from null()\n"


@pytest.fixture(scope="module")
def startup(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The startup directory, which tests fill."""
    return tmp_path_factory.mktemp("startup")


@pytest.fixture(scope="module")
def parts(startup: Path) -> Iterator[Parts]:
    """Parts with that startup directory."""
    with running_parts(startup) as running:
        yield running


def _only_a_plan(startup: Path) -> None:
    for file in startup.glob("*.*py"):
        file.unlink()
    (startup / "00-plan.py").write_text(PLAN)


@pytest.fixture
async def client(parts: Parts, startup: Path) -> AsyncIterator[AsyncClient]:
    """A client; the environment is closed, and its startup code has one good plan, when the test begins."""
    _only_a_plan(startup)
    async with AsyncClient(parts.address) as connected:
        if (await connected.status()).environment_exists:
            await connected.environment.destroy()
        yield connected


def printed(text: str) -> expect.Condition:
    """The console shows a text."""
    return lambda event: isinstance(event, ConsoleWritten) and text in event.console.text


@pytest.mark.parametrize(
    ("text", "line", "kind", "message"),
    [
        ("x = (\n", 1, "SyntaxError", "was never closed"),
        ("\nimport epics_of_nowhere\n", 2, "ModuleNotFoundError", "No module named 'epics_of_nowhere'"),
        ("from ophyd import Motorr\n", 1, "ImportError", "cannot import name 'Motorr'"),
        ("\n\n\nraise ConnectionError('IOC is off')\n", 4, "ConnectionError", "IOC is off"),
        ("import sys\nsys.exit()\n", 2, "SystemExit", "remove the call"),
        ("import sys\nsys.exit('bye')\n", 2, "SystemExit", "bye"),
        ("name = input('beamline? ')\n", 1, "EOFError", "EOF"),
        ("raise KeyboardInterrupt\n", 1, "KeyboardInterrupt", "correct it and try again"),
    ],
)
async def test_code_that_fails_is_told_with_its_place(
    client: AsyncClient, startup: Path, text: str, line: int, kind: str, message: str
) -> None:
    (startup / "10-faulty.py").write_text(text)
    with pytest.raises(EnvironmentOpenFailed) as caught:
        await client.environment.open()
    failure = caught.value.failure
    assert (Path(failure.file).name, failure.line, failure.exception_type) == ("10-faulty.py", line, kind)
    assert message in failure.message
    assert failure.traceback.count("File ") == 1


@pytest.mark.parametrize("loop", ["while True: pass", "import re; re.match(r'(a*)*b', 'a' * 60)"])
async def test_an_endless_loop_while_loading_is_ended_by_destroying_at_once(
    client: AsyncClient, startup: Path, loop: str
) -> None:
    (startup / "10-loop.py").write_text(f"print('loops from here', flush=True)\n{loop}\n")
    async with client.watch([EventKind.CONSOLE]) as watch:
        await first(watch, lambda event: isinstance(event, Snapshot))
        await client.environment.open(wait=False)
        await first(watch, printed("loops from here"))
    begin = time.monotonic()
    environment = await client.environment.destroy()
    assert time.monotonic() - begin < 2.0
    assert environment.state is EnvironmentState.CLOSED


async def test_ten_megabytes_on_the_console_all_arrive_in_order(client: AsyncClient, startup: Path) -> None:
    (startup / "10-prints.py").write_text("for number in range(160_000):\n    print(f'{number:060d}')\nprint('END')\n")
    texts: list[str] = []

    async def listen() -> None:
        async with client.watch([EventKind.CONSOLE]) as watch:
            async for event in watch:
                if isinstance(event, ConsoleWritten):
                    texts.append(event.console.text)
                elif isinstance(event, Snapshot):
                    listening.set()
                if texts and "END" in texts[-1]:
                    return

    listening = asyncio.Event()
    task = asyncio.create_task(listen())
    await bounded(listening.wait())
    assert (await client.environment.open()).state is EnvironmentState.IDLE
    await bounded(task, 60)
    printed = "".join(texts)
    numbers = printed[printed.index("0" * 60) : printed.index("END")]
    assert numbers == "".join(f"{number:060d}\n" for number in range(160_000))


@pytest.mark.parametrize("daemon", [True, False])
async def test_threads_that_never_end_do_not_hold_up_closing(client: AsyncClient, startup: Path, daemon: bool) -> None:
    (startup / "10-thread.py").write_text(
        "import threading\n"
        f"threading.Thread(target=threading.Event().wait, name='monitor', daemon={daemon}).start()\n"
        "import atexit\natexit.register(lambda: print('disconnected'))\n"
    )
    await client.environment.open()
    async with client.watch([EventKind.CONSOLE]) as watch:
        await first(watch, lambda event: isinstance(event, Snapshot))
        closed = await client.environment.close()
        assert (closed.state, closed.failure) == (EnvironmentState.CLOSED, None)
        if not daemon:
            await first(watch, printed("monitor"))
        await first(watch, printed("disconnected"))


async def test_no_run_engine_in_startup_code_gives_a_default_one(client: AsyncClient) -> None:
    await client.environment.open()
    handle = await client.queue.add(Plan("nothing"))
    await client.queue.start()
    assert (await handle.result()).result.exit_status is ExitStatus.COMPLETED


async def test_something_else_under_the_name_re_is_kept_and_told(client: AsyncClient, startup: Path) -> None:
    (startup / "10-re.py").write_text("RE = 'reflectivity engine'\ndef check():\n    assert RE.startswith('refl')\n")
    async with client.watch([EventKind.CONSOLE]) as watch:
        await first(watch, lambda event: isinstance(event, Snapshot))
        await client.environment.open()
        await first(watch, printed("RE is of type str and no RunEngine of bluesky"))
    await client.queue.add(Plan("nothing"))
    with pytest.raises(RunEngineMissing):
        await client.queue.start()
    await client.queue.clear()
