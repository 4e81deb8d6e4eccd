"""What the server needs of a RunEngine while a plan runs: established before each plan and before it is resumed.

`hooks_of` holds what user code can't take away. What it can take away or spoil is put right here, each time.
"""

from collections.abc import Callable
from typing import Any

from queueserver_worker.environment.hooks.engine_hooks import EngineHooks, hooks_of


class PlanHooks:
    """The hooks of one RunEngine, plan by plan."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine
        #: What else is to be established, in the order in which it was added.
        self._more: tuple[Callable[[Any], None], ...] = ()

    @property
    def engine_hooks(self) -> EngineHooks:
        """What is called when something happens."""
        return hooks_of(self._engine)

    def also(self, establish: Callable[[Any], None]) -> None:
        """Call a function with the RunEngine each time, for example to register a command."""
        self._more = (*self._more, establish)

    def establish(self) -> None:
        """Put everything in its place. Called in the main thread, before a plan begins and before it is resumed."""
        hooks_of(self._engine)
        for establish in self._more:
            establish(self._engine)


def command_of_user(engine: Any, name: str) -> Callable[..., Any] | None:
    """Return what user code has registered for a command of bluesky; None while it is bluesky's own, or nothing."""
    registered = engine._command_registry.get(name)  # noqa: SLF001 - bluesky tells the names only
    owner = getattr(registered, "__self__", None)
    return None if owner is engine else registered
