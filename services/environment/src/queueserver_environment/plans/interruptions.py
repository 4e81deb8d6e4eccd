"""Requests for the running plan: kept between the threads that receive them and those that can carry them out.

Requests come in the channel's thread, at any moment from the plan's acceptance on. A separate thread passes a pause
on to the RunEngine, because the RunEngine takes it only when its loop is free: a plan that blocks the
loop delays its own pause and nothing else. The main thread gets the decision about a paused plan, because it is the
one that has to carry it out.

Guarantees: nothing here makes the channel's thread wait; a pause applies to the plan that it was requested for, and
to no other; each pause is ended by one answer, the first; a request to end the plan is never forgotten and comes before
everything else; a plan that is to end before its first message sends none.
Does not guarantee that a plan can be interrupted: code that blocks the RunEngine's loop, or the main thread while the
plan is made, has to return first. If it never does, the way out is to destroy the environment.
"""

import threading
from dataclasses import dataclass
from functools import partial
from typing import Final

from queueserver_environment.console.standard_streams import streams
from queueserver_environment.messages.states import RunEngineAction, RunEngineState
from queueserver_environment.plans.failures import error_text
from queueserver_environment.plans.run_engine import PausePurpose, WatchedRunEngine

_DEFERRED: Final = {RunEngineAction.PAUSE_DEFERRED: True, RunEngineAction.PAUSE_IMMEDIATE: False}
_ANSWERS: Final = frozenset(
    {
        RunEngineAction.RESUME,
        RunEngineAction.STOP,
        RunEngineAction.ABORT,
        RunEngineAction.HALT,
    }
)
_ENDING: Final = frozenset({RunEngineState.STOPPING, RunEngineState.ABORTING, RunEngineState.HALTING})
_WORDS: Final[dict[RunEngineAction, str]] = {
    RunEngineAction.STOP: "stopped",
    RunEngineAction.ABORT: "aborted",
    RunEngineAction.HALT: "halted",
}
_NEVER: Final = -1


@dataclass(frozen=True)
class Answer:
    """How a pause ends."""

    #: RESUME, STOP, ABORT or HALT.
    action: RunEngineAction
    #: For the stop document of the run.
    note: str = ""
    #: For the result of the plan.
    message: str = ""
    #: Who asked for it, if known.
    user: str = ""


@dataclass
class _Pause:
    """A pause that the RunEngine has not taken yet."""

    defer: bool
    #: Number of the change of state after which it was last passed on.
    passed_on: int = _NEVER


@dataclass
class _Asked:
    """What was requested during one execution and is not carried out yet."""

    execution_id: str = ""
    pause: _Pause | None = None
    abort: Answer | None = None
    #: It is paused, and it is not decided how to continue.
    is_open: bool = False
    answer: Answer | None = None
    #: Why the plan is ending, if a reason was given.
    note: str = ""
    #: The plan has sent its last message.
    over: bool = False


class Interruptions:
    """The requests for the plans of one RunEngine, which run one after the other."""

    def __init__(self, engine: WatchedRunEngine) -> None:
        self._engine = engine
        self._changed = threading.Condition()
        self._asked: _Asked | None = None
        self._changes = 0
        self._retired = False
        #: A pause is on its way to the RunEngine.
        self._passing_on = False
        self._state = engine.state
        engine.listener = self._state_changed
        threading.Thread(target=self._pass_on_pauses, name="plan-control", daemon=True).start()

    def retire(self) -> None:
        """Do nothing any more: the RunEngine gets no more plans."""
        with self._changed:
            self._engine.listener = None
            self._retired = True
            self._changed.notify_all()

    def plan_accepted(self, execution_id: str = "") -> None:
        """Take requests for this execution from now on."""
        with self._changed:
            self._asked = _Asked(execution_id)

    def plan_ended(self) -> None:
        """Ignore requests until the next plan, and forget what was not done."""
        with self._changed:
            self._asked = None

    def ask(self, action: RunEngineAction, note: str, user: str = "", execution_id: str = "") -> None:
        """Request something, on behalf of a user; without an execution_id, of whichever plan runs.

        Returns at once; what can't be done now is ignored, and so is a request for another execution.
        """
        with self._changed:
            asked = self._asked
            if asked is None or execution_id not in {"", asked.execution_id}:
                return
            if action in _DEFERRED:
                _ask_for_pause(asked, defer=_DEFERRED[action])
            elif action == RunEngineAction.ABORT_NOW:
                _ask_for_abort(asked, _answer_of(RunEngineAction.ABORT, note, user))
            elif action in _ANSWERS and asked.is_open:
                asked.is_open = False
                asked.answer = _answer_of(action, note, user)
            self._changed.notify_all()

    def abort(self, reason: str) -> None:
        """Abort the plan for a reason that its result contains. Returns at once."""
        with self._changed:
            if self._asked is not None:
                message = f"Plan aborted: {reason}"
                _ask_for_abort(self._asked, Answer(RunEngineAction.ABORT, reason, message))
                self._changed.notify_all()

    @property
    def wanted_abort(self) -> Answer | None:
        """The request to end the plan, if there is one."""
        with self._changed:
            return self._asked.abort if self._asked is not None else None

    @property
    def is_ending(self) -> bool:
        """The RunEngine has told the plan to end."""
        with self._changed:
            return self._state in _ENDING

    @property
    def note(self) -> str:
        """Why the plan is ending, in the words of the request that ended it."""
        with self._changed:
            if self._asked is None:
                return ""
            return self._asked.abort.note if self._asked.abort is not None else self._asked.note

    def take_first_pause(self) -> bool | None:
        """Take the pause that was requested before the plan's first message: whether it is deferred, None for none."""
        with self._changed:
            asked = self._asked
            if asked is None or asked.pause is None:
                return None
            defer = asked.pause.defer
            asked.pause = None
            self._engine.carry_out_next_pause()
            return defer

    def take_deferred_pause(self) -> bool:
        """Take the deferred pause that the RunEngine has not taken yet, if there is one; tell whether there was."""
        with self._changed:
            asked = self._asked
            if asked is None or asked.pause is None or not asked.pause.defer or self._state != RunEngineState.RUNNING:
                return False
            asked.pause = None
            self._engine.carry_out_next_pause()
            return True

    def wait_until_free(self) -> None:
        """Wait until no pause of the previous plan is on its way any more: it would pause this one.

        It needs only the RunEngine's loop, as this plan does. A plan that is to be aborted is not kept waiting.
        """
        with self._changed:
            self._changed.wait_for(lambda: not self._passing_on or (self._asked is not None and self._asked.abort))

    def plan_over(self) -> None:
        """Pass on no more pauses: one that came while the RunEngine cleans up would leave it unusable."""
        with self._changed:
            if self._asked is not None:
                self._asked.over = True

    def wait_for_answer(self) -> Answer:
        """Wait until it is decided how the present pause ends. That may take days: people decide it."""
        with self._changed:
            self._changed.wait_for(lambda: self._answer() is not None)
            answer = self._answer()
            if answer is None or self._asked is None:
                raise AssertionError("only the waiting thread ends the execution")
            self._asked.answer = None
            self._asked.note = "" if answer.action == RunEngineAction.RESUME else answer.note
            return answer

    def _answer(self) -> Answer | None:
        return None if self._asked is None else self._asked.abort or self._asked.answer

    def _state_changed(self, state: RunEngineState) -> None:
        with self._changed:
            self._changes += 1
            self._state = state
            asked = self._asked
            if asked is not None and state == RunEngineState.PAUSED:
                asked.pause = asked.answer = None
                asked.is_open = True
            self._changed.notify_all()

    def _due_pause(self) -> _Pause | None:
        if self._asked is None or self._asked.over or self._state != RunEngineState.RUNNING:
            return None
        pause = self._asked.pause
        # One that was refused is tried again after the next change of state, not before.
        return pause if pause is not None and pause.passed_on != self._changes else None

    def _pass_on_pauses(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._retired or self._due_pause() is not None)
                pause = self._due_pause()
                if self._retired or pause is None:
                    return
                pause.passed_on = self._changes
                self._passing_on = True
            taken = self._request(pause)
            with self._changed:
                self._passing_on = False
                if taken and self._asked is not None and self._asked.pause is pause:
                    self._asked.pause = None
                self._changed.notify_all()

    def _purpose(self, pause: _Pause) -> PausePurpose | None:
        with self._changed:
            asked = self._asked
            if asked is None or asked.pause is not pause or asked.over:
                return None
            return PausePurpose.DECIDE if asked.abort is None else PausePurpose.END

    def _request(self, pause: _Pause) -> bool:
        try:
            return self._engine.request_pause(defer=pause.defer, purpose=partial(self._purpose, pause))
        except BaseException as error:  # noqa: BLE001 - protects later pauses from what a device or a callback raised
            streams.note(f"The RunEngine could not be asked to pause: {error_text(error)}\n")
            return False


def _answer_of(action: RunEngineAction, note: str, user: str) -> Answer:
    word = _WORDS.get(action)
    if word is None:
        return Answer(action, note)
    by, why = f" by {user}" if user else "", f": {note}" if note else ""
    return Answer(action, note, f"Plan {word}{by}{why}", user)


def _ask_for_pause(asked: _Asked, *, defer: bool) -> None:
    if asked.is_open or asked.abort is not None:
        return
    if asked.pause is None or (asked.pause.defer and not defer):
        asked.pause = _Pause(defer)


def _ask_for_abort(asked: _Asked, answer: Answer) -> None:
    if asked.abort is None:
        asked.abort = answer
        asked.pause = None if asked.is_open else _Pause(defer=False)
