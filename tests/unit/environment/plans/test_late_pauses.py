"""A pause that is on its way to the RunEngine as its plan ends is for that plan, and for no other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from bluesky import Msg, RunEngine
from queueserver_environment.messages.states import ExitStatus, RunEngineAction
from queueserver_environment.plans.interruptions import Interruptions
from queueserver_environment.plans.plan_run import PlanRun
from queueserver_environment.plans.run_engine import PausePurpose, WatchedRunEngine

SECONDS = 10.0
#: For something that must not happen.
MOMENT = 0.3


class SlowLine(WatchedRunEngine):
    """A RunEngine that hears of a pause only when it may."""

    def __init__(self, engine: Any) -> None:
        super().__init__(engine, lambda _: None)
        self.on_its_way = threading.Event()
        self.may_arrive = threading.Event()
        self.arrived = threading.Event()

    def request_pause(self, *, defer: bool, purpose: Callable[[], PausePurpose | None]) -> bool:
        self.on_its_way.set()
        assert self.may_arrive.wait(SECONDS)
        try:
            return super().request_pause(defer=defer, purpose=purpose)
        finally:
            self.arrived.set()


@pytest.fixture
def line() -> SlowLine:
    return SlowLine(RunEngine({}, context_managers=[]))


@pytest.mark.parametrize("verb", [RunEngineAction.PAUSE_DEFERRED, RunEngineAction.PAUSE_IMMEDIATE])
def test_a_pause_that_arrives_late_does_not_pause_the_next_plan(line: SlowLine, verb: RunEngineAction) -> None:
    control = Interruptions(line)
    begun, over = threading.Event(), threading.Event()

    def first() -> Iterator[Msg]:
        yield Msg("null")
        control.ask(verb, "")
        assert line.on_its_way.wait(SECONDS)

    def second() -> Iterator[Msg]:
        yield Msg("checkpoint")
        begun.set()
        while not line.arrived.is_set():
            yield Msg("sleep", None, 0.001)
        yield Msg("checkpoint")

    def help_out() -> None:
        begun.wait(MOMENT)
        line.may_arrive.set()
        if not over.wait(SECONDS):
            control.ask(RunEngineAction.ABORT_NOW, "")

    threading.Thread(target=help_out, daemon=True).start()
    try:
        for plan in (first, second):
            control.plan_accepted()
            result = PlanRun(line, control).to_its_end(plan, {})
            control.plan_ended()
            assert result.exit_status == ExitStatus.COMPLETED
    finally:
        over.set()
        control.retire()


def test_who_wants_to_abort_a_plan_need_not_wait_for_a_pause_of_the_one_before(line: SlowLine) -> None:
    control = Interruptions(line)

    def first() -> Iterator[Msg]:
        yield Msg("null")
        control.ask(RunEngineAction.PAUSE_IMMEDIATE, "")
        assert line.on_its_way.wait(SECONDS)

    control.plan_accepted()
    assert PlanRun(line, control).to_its_end(first, {}).exit_status == ExitStatus.COMPLETED
    control.plan_ended()
    control.plan_accepted()
    control.ask(RunEngineAction.ABORT_NOW, "")
    result = PlanRun(line, control).to_its_end(lambda: [Msg("null")], {})
    assert result.exit_status == ExitStatus.ABORTED
    line.may_arrive.set()
    assert line.arrived.wait(SECONDS)
    control.retire()
