"""Who suspends the plan: the suspenders of bluesky, as they hold and release it.

bluesky has no state for it: the RunEngine is suspending for a moment, and running while it waits. So reports come
from the commands by which it waits. Guarantees: a plan that is held by a suspender is reported as suspended, from the
moment it is held until it is released, also before its first message; it is not released before, though bluesky forgets
what it waits for when a second suspender trips meanwhile, and when the plan is paused and resumed. Does not decide when
a suspender releases it.
"""

from collections.abc import Awaitable, Callable, Generator, Iterable
from dataclasses import dataclass
from typing import Any, Final

from bluesky import Msg
from bluesky.utils import ensure_generator

from queueserver_environment.clock import nanoseconds, now
from queueserver_environment.messages.waiting import Suspension
from queueserver_environment.waiting.board import WaitingBoard
from queueserver_environment.waiting.texts import bounded_text, name_of, safely, seconds_of

MAX_TEXT: Final = 500
"""Characters of one text."""
MAX_TOLD: Final = 20
"""Suspensions that are reported at once."""
_ARGUMENTS: Final = 4
"""Of the message by which bluesky begins a suspension. It is internal to bluesky, and might have others one day."""

Command = Callable[[Any], Awaitable[Any]]


@dataclass
class _Begun:
    """A suspension that began in the middle of a plan."""

    told: Suspension
    #: What bluesky gave us to wait for.
    _released: Callable[[], Awaitable[Any]]
    _is_over: bool = False

    async def wait_until_released(self) -> None:
        """Wait until the suspender releases the plan; return at once if it has. It can be awaited repeatedly."""
        if not self._is_over:
            await self._released()
            self._is_over = True

    def held(self, pre_plan: Any) -> Generator[Any, Any, None]:
        """Make the plan that bluesky runs before it waits itself: that of the suspender, then the waiting.

        A pause and another suspension cut a wait off, and the waiting plan continues; so it checks whether it may.
        """
        if pre_plan is not None:
            yield from _plan_of(pre_plan)
        while not self._is_over:
            yield Msg("wait_for", None, [self.wait_until_released])  # type: ignore[no-untyped-call] # as above


class Suspensions:
    """The suspensions of one RunEngine. All but :meth:`clear` is called in its loop."""

    def __init__(self, engine: Any, board: WaitingBoard, around_plan: Callable[[Iterable[Any]], Any]) -> None:
        self._engine = engine
        self._board = board
        #: The wrapper of the plans of suspenders.
        self._around_plan = around_plan
        #: Those that began in the middle of a plan, oldest first.
        self._begun: list[_Begun] = []

    async def start(self, process: Command, message: Any) -> Any:
        """Process a message `_start_suspender`: it inserts a plan that waits until the suspender releases the plan."""
        if len(message.args) != _ARGUMENTS:
            return await process(message)
        pre_plan, post_plan, justification, released = message.args
        begun = _Begun(self._describe(released, justification), released)
        self._begun.append(begun)
        self._tell()
        after = None if post_plan is None else lambda: self._around_plan(_plan_of(post_plan))
        held = (lambda: self._around_plan(begun.held(pre_plan)), after, justification, begun.wait_until_released)
        return await process(message._replace(args=held))

    async def end(self, process: Command, message: Any) -> Any:
        """Process a message `_resume_from_suspender`: the one that began last is over."""
        if self._begun:
            self._begun.pop()
        self._tell()
        return await process(message)

    async def hold_back(self, process: Command, message: Any) -> Any:
        """Process a message `wait_for` by which the RunEngine waits for suspenders before the plan begins."""
        (awaited,) = message.args
        self._tell(self._describe(released, None, before_plan=True) for released in awaited)
        try:
            return await process(message)
        finally:
            self._tell()

    def holds(self, message: Any) -> bool:
        """Whether a message `wait_for` waits for suspenders, and for nothing else."""
        awaited: tuple[Any, ...] = safely(lambda: tuple(message.args[0]), ())
        return bool(awaited) and all(self._is_of_suspender(released) for released in awaited)

    @property
    def suspended(self) -> bool:
        """Whether a suspension has begun in the middle of a plan and is not over."""
        return bool(self._begun)

    def clear(self) -> None:
        """Forget what a plan left behind that ended while it was suspended. Called between two plans."""
        self._begun.clear()

    def _tell(self, before_plan: Iterable[Suspension] = ()) -> None:
        self._board.set_suspensions([*(begun.told for begun in self._begun), *before_plan][:MAX_TOLD])

    def _is_of_suspender(self, released: Any) -> bool:
        owner = safely(lambda: released.__self__, None)
        return any(owner is begun for begun in self._begun) or self._suspender_of(released) is not None

    def _suspender_of(self, released: Any) -> Any:
        """Find the suspender that releases the plan by this event; None if it is none of them."""
        event = safely(lambda: released.__self__, None)
        if event is None:
            return None
        suspenders: tuple[Any, ...] = safely(lambda: tuple(self._engine.suspenders), ())
        return next((suspender for suspender in suspenders if _lets_go_by(suspender, event)), None)

    def _describe(self, released: Any, justification: Any, *, before_plan: bool = False) -> Suspension:
        suspender = self._suspender_of(released)
        told = Suspension(start_time=now(), before_plan=before_plan)
        told.justification = bounded_text(lambda: justification, MAX_TEXT)
        if suspender is None:
            return told
        told.suspender = bounded_text(lambda: type(suspender).__name__, MAX_TEXT)
        told.justification = told.justification or bounded_text(suspender._get_justification, MAX_TEXT)  # noqa: SLF001 - as above
        signal = safely(lambda: suspender._sig, None)  # noqa: SLF001 - as above
        if signal is not None:
            told.signal = name_of(signal, MAX_TEXT)
            told.device = _device_of(signal)
        delay = seconds_of(lambda: suspender._sleep)  # noqa: SLF001 - as above
        if delay is not None:
            told.resume_delay = nanoseconds(delay)
        return told


def _plan_of(plan: Any) -> Any:
    """Make the messages of a suspender's plan, which may be a function."""
    return ensure_generator(plan() if callable(plan) else plan)  # type: ignore[no-untyped-call] # bluesky does not tell its types


def _lets_go_by(suspender: Any, event: Any) -> bool:
    return safely(lambda: suspender._ev is event, otherwise=False)  # noqa: SLF001 - bluesky has no public name for it


def _device_of(signal: Any) -> str:
    """Name the device at the top of the tree to which a signal belongs; empty if it stands alone."""
    device, found = safely(lambda: signal.parent, None), ""
    for _ in range(20):
        if device is None:
            break
        found = name_of(device, MAX_TEXT)
        device = safely(lambda device=device: device.parent, None)  # type: ignore[misc]
    return found
