"""Long waits of a plan: for devices that were told to do something, for a time, for what the plan itself waits for.

Guarantees: a wait is reported when it has lasted for two seconds, and then at most once a second until it is over;
shorter ones cost next to nothing. A device's report comes from its status, which does not disturb the plan.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final
from weakref import WeakKeyDictionary

from queueserver_environment.clock import nanoseconds, now
from queueserver_environment.messages.waiting import PlanWait
from queueserver_environment.waiting.board import WaitingBoard
from queueserver_environment.waiting.progress import MAX_TEXT, MAX_TOLD, AwaitedStatus, Progress
from queueserver_environment.waiting.texts import name_of, safely, seconds_of

LONG_SECONDS: Final = 2.0
"""How long a wait lasts before it is reported."""

Command = Callable[[Any], Awaitable[Any]]


class PlanWaits:
    """The waits of the plans of one RunEngine. Called in its loop."""

    def __init__(self, engine: Any, board: WaitingBoard) -> None:
        self._loop: asyncio.AbstractEventLoop = engine.loop
        self._board = board
        #: By status: the message that told a device to do something.
        self._causes: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()
        self._for_devices: _Wait | None = None

    async def act(self, process: Command, message: Any) -> Any:
        """Process a message that tells a device to do something; note which status belongs to which device."""
        status = await process(message)
        safely(lambda: self._note_cause(status, message), None)
        return status

    def for_devices(self, statuses: Any) -> None:
        """Note that the plan starts waiting for the devices of these statuses; None: that it no longer does."""
        self.clear()
        if statuses is not None:
            awaited = tuple(statuses)
            self._for_devices = _Wait(self._board, self._loop, lambda: [self._awaited(status) for status in awaited])

    def clear(self) -> None:
        """Forget the devices for which a plan waits."""
        if self._for_devices is not None:
            self._for_devices.end()
            self._for_devices = None

    async def wait_for(self, process: Command, message: Any) -> Any:
        """Process a message `wait_for`: for something that is not a device."""
        with self._waiting():
            return await process(message)

    async def sleep(self, process: Command, message: Any) -> Any:
        """Process a message `sleep`."""
        seconds = seconds_of(lambda: message.args[0])
        with self._waiting(seconds):
            return await process(message)

    def _note_cause(self, status: Any, message: Any) -> None:
        self._causes[status] = message

    def _awaited(self, status: Any) -> AwaitedStatus:
        cause = safely(lambda: self._causes[status], None)
        if cause is None:
            return AwaitedStatus(status)
        return AwaitedStatus(status, name_of(cause.obj, MAX_TEXT), cause.command)

    @contextmanager
    def _waiting(self, sleep: float | None = None) -> Iterator[None]:
        wait = _Wait(self._board, self._loop, list, sleep)
        try:
            yield
        finally:
            wait.end()


class _Wait:
    """One wait."""

    def __init__(
        self,
        board: WaitingBoard,
        loop: asyncio.AbstractEventLoop,
        find_awaited: Callable[[], list[AwaitedStatus]],
        sleep: float | None = None,
    ) -> None:
        self._board = board
        self._loop = loop
        #: Called when the wait has become long: most never do.
        self._find_awaited = find_awaited
        self._awaited: list[AwaitedStatus] = []
        self._sleep = sleep
        self._start_time = now()
        self._progress: Progress | None = None
        self._due = loop.call_later(LONG_SECONDS, self._begin)

    def _begin(self) -> None:
        """It has become long: report it, and follow the devices."""
        self._awaited = self._find_awaited()
        self._progress = Progress(self._awaited, self._loop, self._tell)
        self._tell()

    def end(self) -> None:
        """It is over."""
        self._due.cancel()
        if self._progress is not None:
            self._progress.close()
            self._board.set_plan_wait(None)

    def _tell(self) -> None:
        missing = [awaited for awaited in self._awaited if not awaited.is_done]
        told = PlanWait(start_time=self._start_time, devices=[each.message() for each in missing[:MAX_TOLD]])
        told.more_device_count = len(missing) - len(told.devices)
        if self._sleep is not None:
            told.sleep = nanoseconds(self._sleep)
        self._board.set_plan_wait(told)
