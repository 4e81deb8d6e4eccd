"""The commands of a RunEngine by which it waits, reported and, for questions, carried out.

They precede the previous commands in the RunEngine's registry. A command that the startup code has put
into the registry is called as it would be without us; its own `input` stays its own. Guarantees: installed repeatedly,
they are there once; when they are removed, the previous commands are there again.
"""

from collections.abc import Awaitable, Callable, Generator, Iterable, Mapping
from functools import wraps
from typing import Any, Final

from queueserver_environment.hooks.plan_hooks import PlanHooks
from queueserver_environment.messages.frames import FromEnvironment
from queueserver_environment.waiting.asking_again import asking_again
from queueserver_environment.waiting.board import WaitingBoard
from queueserver_environment.waiting.plan_waits import PlanWaits
from queueserver_environment.waiting.questions import Questions
from queueserver_environment.waiting.suspensions import Suspensions

Command = Callable[[Any], Awaitable[Any]]
Through = Callable[[Command, Any], Awaitable[Any]]
"""Processes a message by the command that was there before."""
_ACTIONS: Final = ("set", "trigger", "kickoff", "complete", "prepare")
_INPUT: Final = "input"
_ACTIVE_STATES: Final = frozenset({"running", "suspending", "pausing", "paused"})
"""States of a RunEngine whose plan has not ended."""


class WaitingCommands:
    """Reports what the plans of one RunEngine wait for.

    Parameters
    ----------
    engine
        The bluesky.RunEngine.
    hooks
        Where what is to be established for each plan is noted.
    send
        Takes the frames.
    question_time_limit
        Seconds until a question without an answer fails; None for ever.

    """

    def __init__(
        self,
        engine: Any,
        hooks: PlanHooks,
        send: Callable[[FromEnvironment], None],
        question_time_limit: float | None,
    ) -> None:
        self._engine = engine
        self._board = WaitingBoard(engine.loop, send)
        self._questions = Questions(self._board, engine.loop, question_time_limit)
        self._suspensions = Suspensions(engine, self._board, self._asking_again)
        self._waits = PlanWaits(engine, self._board)
        #: The commands in the registry before ours.
        self._before: dict[str, Any] = {}
        self._ours: dict[str, Any] = {}
        #: The message that one of our commands is processing.
        self._present: Any = None
        self._released = False
        hooks.also(lambda _: self.establish())
        self._hooks = hooks.engine_hooks
        self._hooks.waits += (self._waits.for_devices,)
        self._hooks.states += (self._state_changed,)
        self._hooks.plans += (self._asking_again,)
        self.establish()

    @property
    def asks(self) -> bool:
        """Whether we process `input`, not the startup code."""
        return _INPUT in self._ours and self._registry.get(_INPUT) is self._ours[_INPUT]

    def establish(self) -> None:
        """Install the commands where they are missing. Called when no message is being processed."""
        if self._released:
            return
        registry = self._registry
        for name, through in self._table().items():
            present = registry.get(name)
            if present is not None and present is not self._ours.get(name):
                self._put(name, present, self._passing(present, through))
        present = registry.get(_INPUT)
        if present is not None and _is_of_bluesky(self._engine, present):
            self._put(_INPUT, present, self._ask)
        self._keep_questions_out_of_the_rewind()

    def release(self) -> None:
        """Remove the commands, and report nothing any more."""
        self._released = True
        self._hooks.waits = tuple(listener for listener in self._hooks.waits if listener != self._waits.for_devices)
        self._hooks.states = tuple(listener for listener in self._hooks.states if listener != self._state_changed)
        self._hooks.plans = tuple(around for around in self._hooks.plans if around != self._asking_again)
        self._board.silence()
        for name, ours in self._ours.items():
            if self._registry.get(name) is ours:
                self._engine.register_command(name, self._before[name])
        self._ours.clear()

    def plan_ended(self) -> None:
        """Forget what an ended plan was waiting for."""
        self._suspensions.clear()
        self._waits.clear()
        self._board.clear()

    def answer(self, question_id: str, text: str) -> None:
        """Take the answer to a question. Called in any thread, does not wait."""
        self._questions.answer(question_id, text)

    @property
    def _registry(self) -> dict[str, Any]:
        registry: dict[str, Any] = self._engine._command_registry  # noqa: SLF001 - bluesky tells only the names
        return registry

    def _table(self) -> Mapping[str, Through]:
        return {
            **dict.fromkeys(_ACTIONS, self._waits.act),
            "sleep": self._waits.sleep,
            "wait_for": self._wait_for,
            "_start_suspender": self._suspensions.start,
            "_resume_from_suspender": self._suspensions.end,
        }

    def _put(self, name: str, before: Any, ours: Any) -> None:
        self._before[name], self._ours[name] = before, ours
        self._engine.register_command(name, ours)

    def _passing(self, before: Command, through: Through) -> Command:
        @wraps(before)
        async def process(message: Any) -> Any:
            if self._present is message:
                # A command of the startup code is in front of ours and behind it.
                return await before(message)
            self._present = message
            try:
                return await through(before, message)
            finally:
                self._present = None

        return process

    def _asking_again(self, plan: Iterable[Any]) -> Generator[Any, Any, Any]:
        return asking_again(plan, lambda: self.asks)

    async def _ask(self, message: Any) -> Any:
        """Ask a person: Msg('input', None, prompt='…')."""
        return await self._questions.ask(message)

    async def _wait_for(self, process: Command, message: Any) -> Any:
        if not self._suspensions.holds(message):
            return await self._waits.wait_for(process, message)
        if self._suspensions.suspended:
            return await process(message)
        return await self._suspensions.hold_back(process, message)

    def _state_changed(self, new: Any, _old: Any) -> None:
        if str(new) not in _ACTIVE_STATES:
            # It ends: nothing that it waited for holds it any more.
            self.plan_ended()

    def _keep_questions_out_of_the_rewind(self) -> None:
        """Keep the RunEngine from repeating questions after a pause: the answers would go nowhere.

        A question that was cut off is sent again by the wrapper of the plan, which passes on the answer.
        """
        kept_out: list[str] = self._engine._UNCACHEABLE_COMMANDS  # noqa: SLF001 - bluesky has no public name for it
        if self.asks and _INPUT not in kept_out:
            self._engine._UNCACHEABLE_COMMANDS = [*kept_out, _INPUT]  # noqa: SLF001 - as above
        elif not self.asks and _INPUT in kept_out and "_UNCACHEABLE_COMMANDS" in vars(self._engine):
            self._engine._UNCACHEABLE_COMMANDS = [name for name in kept_out if name != _INPUT]  # noqa: SLF001 - as above


def _is_of_bluesky(engine: Any, command: Any) -> bool:
    """Whether a command is bluesky's own, not one of the startup code or of its own kind of RunEngine."""
    from bluesky import RunEngine  # noqa: PLC0415 - imported with the startup code

    own = getattr(RunEngine, "_input", None)
    return getattr(command, "__self__", None) is engine and getattr(command, "__func__", None) is own
