"""The wrapper between a plan and the RunEngine.

Guarantees: a plan that was to be aborted before its first message never sends it, and one that was to be paused
begins with the pause; a deferred pause that came before a checkpoint is taken there, also when the plan has kept
the RunEngine from seeing it; a plan that would end the process raises an ordinary error instead, so that its run
is marked as failed; when a reason for the end was given, the stop document of a run that the plan closes then says it
too (the RunEngine adds it only to runs that it has to close itself). It knows how the plan ended: whether
its generator returned, what it raised, what the RunEngine raised in it. A plan that fails when it is closed harms only
itself, not the RunEngine, which would otherwise never recover.
"""

from collections.abc import Generator, Iterable
from functools import partial
from typing import Any

from bluesky import Msg
from bluesky.utils import FailedPause

from queueserver_environment.console.standard_streams import streams
from queueserver_environment.plans.failures import error_text
from queueserver_environment.plans.interruptions import Interruptions


class PlanExitError(Exception):
    """The plan tried to end the process, or raised what only the keyboard should."""


class PlanWrapper:
    """Lets one plan run once.

    Parameters
    ----------
    plan
        The messages of the plan; nothing is taken from it before it begins.
    control
        What was asked for.

    """

    def __init__(self, plan: Iterable[Any], control: Interruptions) -> None:
        self._plan: Any = plan
        self._control = control
        #: It was kept from starting.
        self.kept_out = False
        #: It ended by itself: it returned, and not because it was told to end.
        self.completed = False
        #: What it raised, if it did.
        self.raised: BaseException | None = None
        #: What the RunEngine raised in it last: an error of a device, or the request to end.
        self.thrown: BaseException | None = None
        #: The message that it had sent last then.
        self.thrown_at: Any = None
        #: The RunEngine could not pause or suspend it, and raised this in it.
        self.failed_pause: BaseException | None = None
        self._last_message: Any = None

    def messages(self) -> Generator[Any, Any, Any]:
        """Make the plan for the RunEngine, under the name of the wrapped one."""
        wrapper = self._messages()
        # The RunEngine writes the generator's name into the start document as the plan's name.
        name = getattr(self._plan, "__name__", "") or "plan"
        setattr(wrapper, "__name__", name)  # noqa: B010 - generators have it, their type does not tell
        return wrapper

    def _messages(self) -> Generator[Any, Any, Any]:
        if self._control.wanted_abort is not None:
            self.kept_out = True
            return None
        defer = self._control.take_first_pause()
        if defer is not None:
            yield _pause(defer=defer)
        try:
            result = yield from self._explained()
        except (SystemExit, KeyboardInterrupt) as error:
            raise PlanExitError(f"it raised {type(error).__name__} ({error_text(error)})") from error
        finally:
            # The RunEngine prints when a plan ends, and would not end it properly if it could not.
            streams.repair()
            self._control.plan_over()
        self.completed = not self._control.is_ending
        return result

    def _explained(self) -> Generator[Any, Any, Any]:
        """As `yield from`, with the reason of the plan's end in messages that close a run, and with deferred pauses."""
        plan = self._plan if isinstance(self._plan, Generator) else _relay(self._plan)
        step = partial(plan.send, None)
        #: A checkpoint of the plan that is sent after its pause.
        waiting: Any = None
        while True:
            if waiting is None:
                try:
                    message = self._last_message = step()
                except StopIteration as end:
                    return end.value
                except BaseException as error:
                    self.raised = error
                    raise
                if _command(message) == "close_run":
                    message = self._with_reason(message)
                elif _command(message) == "checkpoint" and self._control.take_deferred_pause():
                    message, waiting = _pause(defer=True), message
            else:
                message, waiting = waiting, None
            try:
                response = yield message
            except GeneratorExit as error:
                self._thrown(error)
                self._close(plan)
                raise
            except BaseException as error:  # noqa: BLE001 - whatever the RunEngine throws is for the plan
                self._thrown(error)
                step, waiting = partial(plan.throw, error), None
            else:
                step = partial(plan.send, response)

    def _thrown(self, error: BaseException) -> None:
        self.thrown, self.thrown_at = error, self._last_message
        if isinstance(error, FailedPause):
            self.failed_pause = self.failed_pause or error

    def _close(self, plan: Any) -> None:
        try:
            plan.close()
        except BaseException as error:  # noqa: BLE001 - protects the RunEngine, which takes no error of a plan that it closes
            self.raised = error

    def _with_reason(self, message: Any) -> Any:
        note = self._control.note
        if not note or message.kwargs.get("reason"):
            return message
        return message._replace(kwargs={**message.kwargs, "reason": note})


def _command(message: Any) -> str:
    return str(getattr(message, "command", ""))


def _pause(*, defer: bool) -> Any:
    return Msg("pause", None, defer=defer)  # type: ignore[no-untyped-call] # bluesky does not tell its types


def _relay(messages: Iterable[Any]) -> Generator[Any, Any, Any]:
    return (yield from messages)
