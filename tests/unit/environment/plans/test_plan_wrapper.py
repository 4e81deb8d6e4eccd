"""A deferred pause that the guard puts before a checkpoint: what the RunEngine does then is still for the plan."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from typing import Any

import pytest
from bluesky import Msg
from queueserver_environment.messages.states import RunEngineAction, RunEngineState
from queueserver_environment.plans.interruptions import Interruptions
from queueserver_environment.plans.plan_wrapper import PlanWrapper
from queueserver_environment.plans.run_engine import PausePurpose


class DeafEngine:
    """A RunEngine in a state of the test's choice that hears of no pause, because a plan holds up its loop."""

    def __init__(self) -> None:
        self.state = RunEngineState.RUNNING
        self.listener: Any = None
        self._forever = threading.Event()

    def request_pause(self, *, defer: bool, purpose: Callable[[], PausePurpose | None]) -> bool:
        del defer, purpose
        self._forever.wait()
        return False

    def carry_out_next_pause(self) -> None:
        pass

    def enter(self, state: RunEngineState) -> None:
        self.listener(state)

    def let_go(self) -> None:
        self._forever.set()


@pytest.fixture
def engine() -> Iterator[DeafEngine]:
    made = DeafEngine()
    yield made
    made.let_go()


@pytest.fixture
def control(engine: DeafEngine) -> Iterator[Interruptions]:
    made = Interruptions(engine)  # type: ignore[arg-type] # has what the control uses
    made.plan_accepted()
    yield made
    made.retire()


def ask(control: Interruptions) -> None:
    control.ask(RunEngineAction.PAUSE_DEFERRED, "")


def plan(heard: list[Any]) -> Generator[Msg, Any, str]:
    try:
        heard.append((yield Msg("null")))
        heard.append((yield Msg("checkpoint")))
        heard.append((yield Msg("null")))
    except ValueError as error:
        heard.append(error)
        yield Msg("null", None, "tidying up")
        raise
    return "done"


def test_the_checkpoint_comes_right_after_the_pause_and_the_plan_gets_its_own_responses(control: Interruptions) -> None:
    heard: list[Any] = []
    messages = PlanWrapper(plan(heard), control).messages()
    assert next(messages).command == "null"
    ask(control)
    pause = messages.send("first")
    assert (pause.command, pause.kwargs) == ("pause", {"defer": True})
    assert messages.send("of the pause").command == "checkpoint"
    assert messages.send("second").command == "null"
    with pytest.raises(StopIteration):
        messages.send("third")
    assert heard == ["first", "second", "third"]


def test_an_error_that_comes_with_the_pause_reaches_the_plan_which_tidies_up(control: Interruptions) -> None:
    heard: list[Any] = []
    messages = PlanWrapper(plan(heard), control).messages()
    next(messages)
    ask(control)
    assert messages.send("first").command == "pause"
    error = ValueError("a motor failed")
    assert messages.throw(error).args == ("tidying up",)
    assert heard == ["first", error]
    with pytest.raises(ValueError, match="a motor failed"):
        messages.send(None)


@pytest.mark.parametrize("state", [RunEngineState.STOPPING, RunEngineState.ABORTING, RunEngineState.PAUSING])
def test_a_plan_that_is_ending_is_not_paused_at_a_checkpoint_of_its_tidying_up(
    control: Interruptions, engine: DeafEngine, state: RunEngineState
) -> None:
    messages = PlanWrapper(plan([]), control).messages()
    next(messages)
    ask(control)
    engine.enter(state)
    assert messages.send(None).command == "checkpoint"


@pytest.mark.parametrize("verb", [RunEngineAction.PAUSE_IMMEDIATE, RunEngineAction.ABORT_NOW])
def test_what_is_asked_of_another_execution_is_ignored(engine: DeafEngine, verb: RunEngineAction) -> None:
    control = Interruptions(engine)  # type: ignore[arg-type] # has what the control uses
    control.plan_accepted("x-2")
    control.ask(verb, "", execution_id="x-1")
    assert (control.take_first_pause(), control.wanted_abort) == (None, None)
    control.ask(RunEngineAction.ABORT_NOW, "", execution_id="x-2")
    assert control.wanted_abort is not None
    control.retire()
