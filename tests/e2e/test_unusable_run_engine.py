"""Environments whose RunEngine is missing, or was left unusable by a plan: nothing starts, and it is said why."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from queueserver_client import (
    AsyncClient,
    BlockerKind,
    EventKind,
    ExitStatus,
    InvalidState,
    ManagerState,
    Plan,
    QueueStopReason,
    RunEngineBusy,
    RunEngineMissing,
    RunEnginePanicked,
    RunEngineState,
)

from tests.e2e.conftest import Shell
from tests.harness import expect
from tests.harness.gate import Gate
from tests.harness.progress import history, queue, run_to_its_end, until
from tests.harness.stack import Stack, running_stack
from tests.harness.wait import bounded, first

K = BlockerKind
PLANS = """
import bluesky.plan_stubs as bps
import signal, threading

def nothing():
    yield from bps.null()

def panicking(gate):
    # A framework that runs in the main thread has given Ctrl-C its meaning back, and the plan lets go of nothing.
    yield from bps.null()
    waiting.wait()
    try:
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        open(gate, "rb", buffering=0).read(1)
    except BaseException:
        open(gate, "rb", buffering=0).read(1)
"""
ENGINE = """
import signal, threading
from bluesky import RunEngine
from bluesky.utils import DuringTask

waiting = threading.Event()

class Telling(DuringTask):
    def block(self, event):
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, signal.default_int_handler)
        waiting.set()
        # A signal that comes just before a wait without end begins is not handled until that wait ends.
        while not event.wait(0.1):
            pass

RE = RunEngine({}, context_managers=[], during_task=Telling())
"""
BUSY = """
import bluesky.plan_stubs as bps
threading.Thread(target=lambda: RE(bps.sleep(1e6)), daemon=True).start()
"""
#: Startup code, the state of its RunEngine, the refusal, and what is said about it with the way out.
UNUSABLE = {
    "missing": ("", RunEngineState.UNSPECIFIED, RunEngineMissing, K.RUN_ENGINE_MISSING, "qserver environment close"),
    "deleted": (
        ENGINE + "del RE\n",
        RunEngineState.UNSPECIFIED,
        RunEngineMissing,
        K.RUN_ENGINE_MISSING,
        "qserver environment close",
    ),
    "panicked": (
        ENGINE + "RE._state = 'panicked'\n",
        *(RunEngineState.PANICKED, RunEnginePanicked, K.RUN_ENGINE_PANICKED, "qserver environment destroy"),
    ),
    "busy": (
        ENGINE + BUSY,
        *(RunEngineState.RUNNING, RunEngineBusy, K.RUN_ENGINE_BUSY, "qserver environment destroy"),
    ),
}


@pytest.fixture(scope="module")
def startup(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Startup code without a RunEngine, to which tests add one."""
    directory = tmp_path_factory.mktemp("startup")
    (directory / "plans.py").write_text(PLANS)
    return directory


@pytest.fixture(scope="module")
def shared_stack(startup: Path) -> Iterator[Stack]:
    """A stack that makes no RunEngine by itself."""
    with running_stack("--keep-re", startup=startup) as running:
        yield running


@pytest.fixture
async def client(shared_stack: Stack) -> AsyncIterator[AsyncClient]:
    """A client; there is no environment, and the queue is empty."""
    async with AsyncClient(shared_stack.address) as connected:
        if (await connected.status()).environment_exists:
            await connected.environment.destroy()
        await connected.queue.set_mode(reset=True)
        await connected.queue.set_autostart(enabled=False)
        await connected.queue.clear()
        await connected.history.clear()
        yield connected


async def open_with(client: AsyncClient, startup: Path, code: str) -> None:
    (startup / "engine.py").write_text(code)
    await client.environment.open()


@pytest.mark.parametrize("what", UNUSABLE)
async def test_nothing_starts_without_a_usable_run_engine_and_the_refusal_and_the_explanation_say_so(
    client: AsyncClient, startup: Path, qserver: Shell, what: str
) -> None:
    code, engine_state, refusal, kind, remedy = UNUSABLE[what]
    await open_with(client, startup, code)
    await until(client, lambda now: now.environment.run_engine_state is engine_state)
    await client.queue.add(Plan("nothing"))
    before = await client.status()
    for call in (client.queue.start, lambda: client.queue.execute(Plan("nothing"))):
        with pytest.raises(refusal) as caught:
            await call()
        assert caught.value.reason == kind.name
    assert [blocker.kind for blocker in await client.explain_idle()] == [kind, K.NOT_STARTED]
    told = qserver("why").stdout.decode()
    assert told.index(remedy) < told.index("qserver queue start")
    # With autostart on it waits, and starts when it can.
    await client.queue.set_autostart(enabled=True)
    assert [blocker.kind for blocker in await client.explain_idle()] == [kind]
    after = await client.status()
    assert (after.manager_state, after.items_in_queue, after.items_in_history) == (ManagerState.IDLE, 1, 0)
    assert (after.plan_queue_uid, after.plan_history_uid) == (before.plan_queue_uid, before.plan_history_uid)
    assert after.queue_autostart_enabled
    await client.environment.destroy()
    await open_with(client, startup, ENGINE)
    await until(client, lambda now: (now.items_in_history, now.manager_state) == (1, ManagerState.IDLE))


async def test_without_a_run_engine_all_verbs_say_so(client: AsyncClient, startup: Path) -> None:
    await open_with(client, startup, "")
    for verb in ("pause", "resume", "stop", "abort", "halt", "abort_now", "metadata"):
        with pytest.raises(RunEngineMissing):
            await getattr(client.run_engine, verb)()
    assert (await client.run_engine.runs()).runs == ()


async def test_a_plan_that_leaves_the_run_engine_unusable_stops_the_queue_even_if_failures_are_ignored(
    client: AsyncClient, startup: Path, gate: Gate
) -> None:
    await open_with(client, startup, ENGINE)
    await client.queue.set_mode(ignore_failures=True)
    await client.queue.add_batch([Plan("panicking", gate.path), Plan("nothing"), Plan("nothing")])
    async with client.watch([EventKind.QUEUE]) as watch:
        await first(watch, lambda _: True)
        await client.queue.set_autostart(enabled=True)
        stopped = await first(watch, expect.queue_stopped)
    assert getattr(stopped, "reason", None) is QueueStopReason.ENVIRONMENT
    assert not (await client.status()).queue_autostart_enabled
    (entry,) = await history(client)
    assert (entry.item.name, entry.result.exit_status) == ("panicking", ExitStatus.FAILED)
    assert "panicked" in entry.result.message
    assert [item.name for item in await queue(client)] == ["nothing", "nothing"]
    with pytest.raises(RunEnginePanicked):
        await client.queue.start()
    with pytest.raises(InvalidState):
        await client.run_engine.resume()
    await client.environment.destroy()
    await client.environment.open()
    assert await bounded(run_to_its_end(client)) is QueueStopReason.EMPTY
