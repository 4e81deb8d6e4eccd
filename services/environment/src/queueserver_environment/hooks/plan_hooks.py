"""What the server needs of a RunEngine while a plan runs: established before each plan and before it is resumed.

`hooks_of` holds what user code can't remove. What it can remove or damage is repaired here, each time.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from queueserver_environment.console.standard_streams import streams
from queueserver_environment.hooks.changes import Before
from queueserver_environment.hooks.engine_hooks import EngineHooks, hooks_of
from queueserver_environment.plans.failures import error_text


class PlanHooks:
    """The hooks of one RunEngine, plan by plan."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine
        #: Further functions to call, in the order in which they were added.
        self._more: tuple[Callable[[Any], None], ...] = ()
        self._before: Before | None = None

    @property
    def engine_hooks(self) -> EngineHooks:
        """What is called when something happens."""
        return hooks_of(self._engine)

    def also(self, establish: Callable[[Any], None]) -> None:
        """Call a function with the RunEngine each time, for example to register a command."""
        self._more = (*self._more, establish)

    def plan_begins(self) -> None:
        """Establish everything for a plan, and note how the RunEngine is before it. Called in the main thread."""
        self.establish()
        self._before = None
        with suppress(Exception):  # as in notices
            self._before = Before(self._engine)

    def notices(self) -> list[str]:
        """Report what the plan that has ended removed or changed for later plans, one sentence each."""
        try:
            return list(self._before.notices()) if self._before is not None else []
        except Exception as error:  # noqa: BLE001 - user code may have put anything in the place of anything
            return [f"The RunEngine is no longer as bluesky made it: {error_text(error)}"]

    def establish(self) -> None:
        """Put everything in its place. Called in the main thread, before a plan begins and before it is resumed."""
        streams.repair()
        for establish in (hooks_of, _keep_pause_text, *self._more):
            try:
                establish(self._engine)
            except Exception as error:  # noqa: BLE001 - protects the plan from what user code made of its RunEngine
                streams.note(f"{establish.__qualname__} failed: {error_text(error)}\n")


def _keep_pause_text(engine: Any) -> None:
    """Without its text the RunEngine fails when it pauses."""
    if not isinstance(getattr(engine, "pause_msg", None), str):
        engine.pause_msg = "The plan is paused."
