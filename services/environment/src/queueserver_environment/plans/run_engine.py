"""The RunEngine of the environment: the startup code's own, or one made here, watched from the first moment.

Guarantees: every change of state and every document of every run is reported, also of runs that were not started
by the queue; a document that can't be reported never disturbs the run. Code that raises SystemExit or
KeyboardInterrupt in the RunEngine's thread does not leave the RunEngine dead.
"""

import asyncio
import sys
from collections.abc import Callable
from enum import Enum, auto
from typing import Any, Final

from queueserver_inventory.descriptions import InventoryIssue, InventoryIssueKind

from queueserver_environment.console.standard_streams import streams
from queueserver_environment.documents.documents import DocumentConverter, without_content, without_large_values
from queueserver_environment.documents.live_table import LiveTable
from queueserver_environment.hooks.engine_hooks import hooks_of
from queueserver_environment.hooks.loop_thread import loop_keeper
from queueserver_environment.hooks.plan_hooks import PlanHooks
from queueserver_environment.messages.frames import FromEnvironment, RunDocumentEmitted, RunEngineChanged
from queueserver_environment.messages.states import RunEngineState
from queueserver_environment.plans.failures import error_text
from queueserver_environment.process import device_libraries
from queueserver_environment.process.channel import FrameTooLargeError
from queueserver_environment.waiting.commands import WaitingCommands

_STATES: Final = {
    "idle": RunEngineState.IDLE,
    "running": RunEngineState.RUNNING,
    "pausing": RunEngineState.PAUSING,
    "paused": RunEngineState.PAUSED,
    "stopping": RunEngineState.STOPPING,
    "aborting": RunEngineState.ABORTING,
    "halting": RunEngineState.HALTING,
    "suspending": RunEngineState.SUSPENDING,
    "panicked": RunEngineState.PANICKED,
}
_CHANGES: Final = {state: FromEnvironment(run_engine=RunEngineChanged(state=state)) for state in RunEngineState}
"""Frames that report a state."""

Send = Callable[[FromEnvironment], None]


class PausePurpose(Enum):
    """What happens to a plan that is paused."""

    #: A person decides.
    DECIDE = auto()
    #: It is aborted at once.
    END = auto()


class WatchedRunEngine:
    """A RunEngine whose states and documents are reported.

    Parameters
    ----------
    engine
        The bluesky.RunEngine.
    send
        Takes the frames; may wait for room, which then slows the run down.
    question_timeout
        Seconds until an unanswered question of a plan fails; None for ever.

    """

    def __init__(self, engine: Any, send: Send, question_timeout: float | None = None) -> None:
        self.engine = engine
        self._send = send
        #: Called with each state, in the thread in which it changed and before anything else. Must not block.
        self.listener: Callable[[RunEngineState], None] | None = None
        self._converter = DocumentConverter()
        #: What is established for each plan.
        self.hooks = PlanHooks(engine)
        hooks = self.hooks.engine_hooks
        hooks.states += (self._on_state,)
        hooks.documents += (self._on_document,)
        #: Reports what plans wait for.
        self.waiting = WaitingCommands(engine, self.hooks, send, question_timeout)
        loop_keeper(engine)

    def release(self) -> None:
        """Report nothing about it any more."""
        self.waiting.release()
        hooks = self.hooks.engine_hooks
        hooks.states = tuple(function for function in hooks.states if function != self._on_state)
        hooks.documents = tuple(function for function in hooks.documents if function != self._on_document)
        self._send = _say_nothing

    @property
    def state(self) -> RunEngineState:
        """State of the RunEngine now."""
        return _state_of(self.engine.state)

    def carry_out_next_pause(self) -> None:
        """Let the RunEngine carry out the next `pause` message, whatever user code has made of that command."""
        commands = self.engine._command_registry  # noqa: SLF001 - bluesky has no public way to a command
        registered = commands.get("pause")

        async def pause(message: Any) -> None:
            if registered is None:
                commands.pop("pause", None)
            else:
                commands["pause"] = registered
            await self.engine._pause(message)  # noqa: SLF001 - as above

        commands["pause"] = pause

    def request_pause(self, *, defer: bool, purpose: Callable[[], PausePurpose | None]) -> bool:
        """Pause the plan at its next checkpoint or at once; tell whether the RunEngine took the request.

        Waits until the RunEngine's loop is free, which a plan may delay for any time, and only then determines what the
        pause is for, None for nothing any more. Raises what the RunEngine does.
        """
        asked = asyncio.run_coroutine_threadsafe(self._pause(defer, purpose), self.engine.loop)
        return asked.result()

    async def _pause(self, defer: bool, purpose: Callable[[], PausePurpose | None]) -> bool:
        # Imported with the startup code; bluesky raises this error and has no public home for it.
        from bluesky.run_engine import TransitionError  # type: ignore[attr-defined] # noqa: PLC0415

        wanted = purpose()
        if wanted is None:
            return False
        if wanted is PausePurpose.END and self.state == RunEngineState.RUNNING:
            # Motors are stopped, as in each pause. Devices are not asked to pause, as they are not by `RE.abort()`:
            # one that refused would keep the plan from its clean-up.
            self.engine._objs_seen = set()  # noqa: SLF001 - used to tell devices of pauses, and for nothing else
        # It prints before it pauses, and fails where it can't.
        streams.repair()
        try:
            await self.engine._request_pause_coro(defer)  # noqa: SLF001 - what RE.request_pause() does in the loop
        except TransitionError:
            return False
        except BaseException:
            self._finish_pause()
            raise
        return True

    def _finish_pause(self) -> None:
        """Let a pause complete: a callback that fails during it keeps the RunEngine from continuing with it."""
        task = self.engine._task  # noqa: SLF001 - as above
        if self.state == RunEngineState.PAUSING and task is not None:
            task.cancel()

    def _on_state(self, new: Any, _old: Any) -> None:
        state = _state_of(new)
        if self.listener is not None:
            self.listener(state)
        self._send(_CHANGES[state])

    def _on_document(self, name: str, document: dict[str, Any]) -> None:
        try:
            for message in self._converter.convert(name, document):
                self._send_document(message)
        except BaseException as error:  # noqa: BLE001 - protects the running plan from an unforeseen document
            note = (
                f'A "{name}" document could not be sent to the clients: {type(error).__name__}: {error_text(error)}\n'
            )
            streams.note(note)

    def _send_document(self, message: RunDocumentEmitted) -> None:
        try:
            self._send(FromEnvironment(document=message))
        except FrameTooLargeError as error:
            streams.note(f"A document is sent to the clients without its large values: {error}.\n")
            self._send_shortened(message)

    def _send_shortened(self, message: RunDocumentEmitted) -> None:
        try:
            self._send(FromEnvironment(document=without_large_values(message)))
        except FrameTooLargeError:
            # Many values that are not large, or long in another way: watchers at least learn that there is one.
            self._send(FromEnvironment(document=without_content(message)))


def _say_nothing(_: FromEnvironment) -> None:
    """Discard a frame of a RunEngine that is watched no longer."""


def run_engine_of(namespace: dict[str, Any]) -> Any | None:
    """Return the RunEngine that the namespace has under the name RE, if it has one."""
    from bluesky import RunEngine  # noqa: PLC0415 - imported with the startup code

    engine = namespace.get("RE")
    try:
        return engine if isinstance(engine, RunEngine) else None
    except BaseException:  # noqa: BLE001 - protects the environment from an object whose attributes raise
        return None


def run_engine_issues(namespace: dict[str, Any]) -> tuple[InventoryIssue, ...]:
    """Return what is wrong if the namespace has something else under the name RE; it is not replaced."""
    found = namespace.get("RE")
    if found is None or run_engine_of(namespace) is not None:
        return ()
    message = (
        f"RE is of type {type(found).__name__} and no RunEngine of bluesky, so no plan can run; give it another name, "
        "and the name RE to the RunEngine."
    )
    return (InventoryIssue("RE", message, InventoryIssueKind.STARTUP_CODE),)


def make_run_engine() -> Any:
    """Make a RunEngine.

    It is made before the startup code runs, because ophyd-async devices connect in the RunEngine's event loop, and
    it is not used if the startup code makes its own.
    """
    from bluesky import RunEngine  # noqa: PLC0415 - imported with the startup code

    with device_libraries.set_aside():
        engine = RunEngine({}, context_managers=[])
    device_libraries.note_versions(engine.md)
    return engine


def print_table(engine: Any) -> LiveTable:
    """Let a RunEngine print what it measures; return the table that prints."""
    table = LiveTable(sys.stdout)
    hooks_of(engine).documents += (table.put,)
    return table


def state_name(state: RunEngineState) -> str:
    """Name a state as bluesky does."""
    return next((name for name, value in _STATES.items() if value == state), "unknown")


def _state_of(name: object) -> RunEngineState:
    return _STATES.get(str(name), RunEngineState.UNSPECIFIED)
