"""Keeps the parts running: starts them in order, restarts one that ends, stops them in order.

A part that ends by itself is restarted at once; one that keeps ending is restarted after a pause that grows. A part
that a plan can do without is restarted for as long as it takes, because giving up would end the plan. With any other
part the supervisor gives up after the fifth end within ten seconds and stops everything, because a person has to look
at it.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field

from async_timeout import timeout

from queueserver_standalone.child import Child
from queueserver_standalone.errors import StandaloneError
from queueserver_standalone.log import logger

_CRASHES = 5
_CRASH_SECONDS = 10.0
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 10.0
#: When a part has run for so long, a later end has a new cause.
_WELL_SECONDS = 30.0
_FIGURE = re.compile(r"\d+(\.\d+)?")


@dataclass
class ManagedProcess:
    """One kept process: how to start it, and how long it may take to end when asked."""

    name: str
    start: Callable[[], Awaitable[Child]]
    grace: float
    #: Whether a plan continues without it.
    dispensable: bool = False
    #: Whether it is started when everything else runs, without being waited for.
    later: bool = False
    child: Child | None = None
    #: When it was started last, when it ended or did not start, and how often in a row that was.
    started: float = 0.0
    crashes: deque[float] = field(default_factory=lambda: deque(maxlen=_CRASHES))
    failures: int = 0
    #: The last message about why it does not start, without the figures in it.
    trouble: str = ""

    @property
    def runs(self) -> bool:
        """Whether its process lives."""
        return self.child is not None and self.child.process.returncode is None


class Supervisor:
    """Runs parts until it is told to stop, or until one of them can't be kept alive."""

    def __init__(self, stages: Sequence[Sequence[ManagedProcess]], changed: Callable[[], None] = lambda: None) -> None:
        """``stages`` are started one after the other, the parts of a stage at the same time.

        ``changed`` is called when a part has started or ended.
        """
        self._stages = stages
        self._changed = changed
        self._keepers: list[asyncio.Task[None]] = []
        self._stop = asyncio.Event()
        self._hurry = asyncio.Event()
        self.gave_up = False

    async def start(self) -> None:
        """Start everything. Raises StandaloneError if a part does not start; call :meth:`end` in any case."""
        for stage in self._stages:
            await _together([self._start(part) for part in stage if not part.later])
        self._keepers = [asyncio.create_task(self._keep(part), name=f"keep {part.name}") for part in self._parts]

    async def wait(self) -> None:
        """Wait until :meth:`request_stop` was called or a part can't be kept alive."""
        await self._stop.wait()

    @property
    def is_stopping(self) -> bool:
        """Whether the end was requested, or a part can't be kept alive."""
        return self._stop.is_set()

    @property
    def missing(self) -> list[str]:
        """The names of the parts that do not run, apart from those that are not waited for."""
        return [part.name for part in self._parts if not part.runs and not part.later]

    @property
    def is_well(self) -> bool:
        """Whether a plan can run, or everything starts or ends, which has bounds of its own.

        The parts that a plan needs have to run. One that a plan can do without may be starting again.
        """
        if self.is_stopping or not self._keepers:
            return True
        return not any(keeper.done() for keeper in self._keepers) and all(
            part.runs or part.dispensable for part in self._parts
        )

    def request_stop(self) -> None:
        """Request an orderly end; at the second request, everything ends at once."""
        if self._stop.is_set():
            self._hurry.set()
        self._stop.set()

    async def end(self) -> None:
        """Stop everything: the parts that depend on others first, each with its time to end in good order."""
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        orderly = asyncio.create_task(self._end_in_order())
        hurry = asyncio.create_task(self._hurry.wait())
        await asyncio.wait([orderly, hurry], return_when=asyncio.FIRST_COMPLETED)
        for task in (orderly, hurry):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await asyncio.gather(*(part.child.kill() for part in self._parts if part.child))

    @property
    def _parts(self) -> list[ManagedProcess]:
        return [part for stage in self._stages for part in stage]

    async def _start(self, part: ManagedProcess) -> None:
        part.child = await part.start()
        part.started = asyncio.get_running_loop().time()
        self._changed()

    async def _keep(self, part: ManagedProcess) -> None:
        if part.later and not await self._started(part):
            while not await self._restart(part, "it did not start"):
                pass
        while part.child is not None:
            reason = await part.child.wait()
            self._changed()
            logger.warning("%s ended (%s); starting it again.", part.name, reason)
            if asyncio.get_running_loop().time() - part.started >= _WELL_SECONDS:
                part.failures = 0
            while not await self._restart(part, reason):
                if self.gave_up:
                    return
                reason = "it did not start"

    async def _restart(self, part: ManagedProcess, reason: str) -> bool:
        """Start a part that has ended; False if it did not start."""
        part.crashes.append(asyncio.get_running_loop().time())
        part.failures += 1
        if not part.dispensable and self._keeps_ending(part):
            logger.critical(
                "%s ended (%s) for the %dth time within %.0f s. Giving up: its log above says why it can't run.",
                *(part.name, reason, _CRASHES, _CRASH_SECONDS),
            )
            self.gave_up = True
            self._stop.set()
            return False
        if part.failures > 1:
            await self._pause(min(_FIRST_PAUSE * 2 ** min(part.failures - 2, 10), _LONGEST_PAUSE))
        if not await self._started(part):
            return False
        logger.info("%s runs again (process %d).", part.name, part.child.pid if part.child else 0)
        return True

    async def _started(self, part: ManagedProcess) -> bool:
        """Start a part, or say why that is not possible."""
        try:
            await self._start(part)
        except (StandaloneError, OSError, asyncio.TimeoutError) as error:
            # Killing it may have taken too long, too: on a disk that does not respond it does not end.
            self._tell_trouble(part, str(error) or f"{part.name} could not be started.")
            return False
        part.trouble = ""
        return True

    @staticmethod
    def _keeps_ending(part: ManagedProcess) -> bool:
        return len(part.crashes) == _CRASHES and part.crashes[-1] - part.crashes[0] < _CRASH_SECONDS

    @staticmethod
    def _tell_trouble(part: ManagedProcess, trouble: str) -> None:
        """Say why a part does not start: once, not at each of the attempts, which may continue for days."""
        gist = _FIGURE.sub("", trouble)
        if gist != part.trouble:
            part.trouble = gist
            further = " It is tried again until it starts; a plan that runs continues." if part.dispensable else ""
            logger.error("%s%s", trouble, further)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(asyncio.TimeoutError):
            async with timeout(seconds):
                await self._stop.wait()

    async def _end_in_order(self) -> None:
        for stage in reversed(self._stages):
            for part in stage:
                if part.child is not None:
                    await part.child.stop(part.grace)


async def _together(starts: Sequence[Coroutine[None, None, None]]) -> None:
    """Await all of them; when one fails, or when this is cancelled, cancel the others and await their ends."""
    tasks = [asyncio.ensure_future(start) for start in starts]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
