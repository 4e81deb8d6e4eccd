from __future__ import annotations

import asyncio
import logging
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from queueserver_standalone.child import Child, Command, start_announcing
from queueserver_standalone.errors import StandaloneError
from queueserver_standalone.supervisor import ManagedProcess, Supervisor

from tests.harness.process import wait_until_gone
from tests.harness.wait import bounded

_READY = "import os; os.write(int(os.environ['QUEUESERVER_READY_FD']), b'here\\n')"
_SERVICE = f"{_READY}; import signal; signal.pause()"
_DEAF = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {_SERVICE}"
_CRASHING = f"{_READY}; os._exit(3)"


def _python(code: str) -> Command:
    return Command(Path(sys.executable), sys.executable, ["-S", "-c", code])


class _Kept:
    """A part of a supervisor that runs a line of Python, and a queue of the children that were started."""

    def __init__(self, name: str, code: str, grace: float = 20.0, *, dispensable: bool = False) -> None:
        self.started: asyncio.Queue[Child] = asyncio.Queue()
        self.part = ManagedProcess(name, self._start, grace, dispensable)
        self._code = code

    async def _start(self) -> Child:
        child, address = await start_announcing(self.part.name, _python(self._code), 20.0)
        assert address == "here"
        await self.started.put(child)
        return child


async def test_a_part_that_is_killed_is_started_again() -> None:
    kept = _Kept("Service", _SERVICE)
    supervisor = Supervisor([[kept.part]])
    try:
        await supervisor.start()
        first = await bounded(kept.started.get())
        first.send(signal.SIGKILL)
        second = await bounded(kept.started.get())
        assert second.pid != first.pid
    finally:
        await supervisor.end()
    assert (await bounded(second.wait())) == "killed by SIGTERM"


async def test_a_part_that_keeps_ending_stops_everything() -> None:
    crashing, other = _Kept("Crashing", _CRASHING), _Kept("Other", _SERVICE)
    supervisor = Supervisor([[crashing.part, other.part]])
    await supervisor.start()
    await bounded(supervisor.wait())
    assert supervisor.gave_up
    assert crashing.started.qsize() == 5
    await supervisor.end()
    assert (await bounded((await other.started.get()).wait())) == "killed by SIGTERM"


async def test_a_part_without_which_a_plan_can_go_on_is_never_given_up() -> None:
    crashing, other = _Kept("Crashing", _CRASHING, dispensable=True), _Kept("Other", _SERVICE)
    supervisor = Supervisor([[crashing.part, other.part]])
    await supervisor.start()
    try:
        for _ in range(7):
            await bounded(crashing.started.get())
        assert not supervisor.gave_up
        assert (await other.started.get()).process.returncode is None
    finally:
        await supervisor.end()


@pytest.mark.parametrize("dispensable", [True, False])
async def test_it_is_well_without_a_part_only_if_a_plan_can_do_without_it(*, dispensable: bool) -> None:
    kept = _Kept("Service", _SERVICE, dispensable=dispensable)
    news = asyncio.Event()
    supervisor = Supervisor([[kept.part]], news.set)
    start, may_start = kept.part.start, asyncio.Event()

    async def held_up() -> Child:
        await may_start.wait()
        return await start()

    await supervisor.start()
    try:
        assert (supervisor.is_well, supervisor.missing) == (True, [])
        kept.part.start = held_up
        news.clear()
        (await kept.started.get()).send(signal.SIGKILL)
        await bounded(news.wait())
        assert (supervisor.is_well, supervisor.missing) == (dispensable, ["Service"])
        news.clear()
        may_start.set()
        await bounded(news.wait())
        assert (supervisor.is_well, supervisor.missing) == (True, [])
    finally:
        await supervisor.end()


async def test_nobody_waits_for_a_part_that_comes_later_and_it_is_tried_until_it_starts() -> None:
    late, other = _Kept("Late", _SERVICE, dispensable=True), _Kept("Other", _SERVICE)
    late.part.later = True
    start, attempts, may_start = late.part.start, asyncio.Queue[None](), asyncio.Event()

    async def hindered() -> Child:
        attempts.put_nowait(None)
        if not may_start.is_set():
            raise StandaloneError("something is in the way")
        return await start()

    late.part.start = hindered
    supervisor = Supervisor([[other.part], [late.part]])
    try:
        await supervisor.start()
        assert attempts.empty()
        assert (supervisor.is_well, supervisor.missing) == (True, [])
        for _ in range(3):
            await bounded(attempts.get())
        may_start.set()
        child = await bounded(late.started.get())
        assert (supervisor.is_well, supervisor.gave_up) == (True, False)
    finally:
        await supervisor.end()
    assert (await bounded(child.wait())) == "killed by SIGTERM"


async def test_a_part_that_can_not_start_again_is_tried_until_it_can_and_the_reason_is_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    kept = _Kept("Service", _SERVICE, dispensable=True)
    full = [StandaloneError("disk full: 1 MB."), StandaloneError("disk full: 2 MB.")]
    refusals = iter([*full, asyncio.TimeoutError(), OSError("still no room.")])
    start = kept.part.start

    async def refusing() -> Child:
        if kept.started.empty() and (refusal := next(refusals, None)):
            raise refusal
        return await start()

    supervisor = Supervisor([[kept.part]])
    await supervisor.start()
    try:
        kept.part.start = refusing
        (await kept.started.get()).send(signal.SIGKILL)
        assert (await bounded(kept.started.get())).process.returncode is None
    finally:
        await supervisor.end()
    told = [record.getMessage().partition(".")[0] for record in caplog.records if record.levelno == logging.ERROR]
    assert told == ["disk full: 1 MB", "Service could not be started", "still no room"]


async def test_a_part_that_does_not_start_takes_the_others_with_it() -> None:
    failing = _Kept("Failing", "import sys; sys.exit(7)")
    other = _Kept("Other", _SERVICE)
    supervisor = Supervisor([[other.part], [failing.part]])
    with pytest.raises(StandaloneError, match=r"Failing could not start \(exit code 7\)"):
        await supervisor.start()
    await supervisor.end()
    assert (await bounded((await other.started.get()).wait())) == "killed by SIGTERM"


async def test_a_part_that_does_not_listen_to_reason_is_killed() -> None:
    deaf = _Kept("Deaf", _DEAF, grace=0.1)
    supervisor = Supervisor([[deaf.part]])
    await supervisor.start()
    await supervisor.end()
    assert (await bounded((await deaf.started.get()).wait())) == "killed by SIGKILL"


async def test_asked_twice_to_stop_it_does_not_wait_for_anybody() -> None:
    deaf = _Kept("Deaf", _DEAF, grace=3600.0)
    supervisor = Supervisor([[deaf.part]])
    await supervisor.start()
    supervisor.request_stop()
    supervisor.request_stop()
    await bounded(supervisor.end())
    assert (await bounded((await deaf.started.get()).wait())) == "killed by SIGKILL"


async def test_a_service_that_never_becomes_ready_is_killed() -> None:
    with pytest.raises(StandaloneError, match="Slow was not ready within 0 s"):
        await bounded(start_announcing("Slow", _python("import signal; signal.pause()"), 0.2))


def test_a_child_does_not_outlive_a_killed_supervisor() -> None:
    code = f"""
import asyncio, sys
from pathlib import Path
from queueserver_standalone.child import Command, start_announcing
async def main():
    command = Command(Path(sys.executable), "queueserver_child", ["-S", "-c", {_SERVICE!r}])
    child, _ = await start_announcing("Service", command, 20.0)
    print(child.pid, flush=True)
    await child.wait()
asyncio.run(main())
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as supervisor:
        assert supervisor.stdout is not None
        pid = int(supervisor.stdout.readline())
        assert Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"queueserver_child\0")
        supervisor.kill()
    wait_until_gone(pid)
