"""A simulation that dies says so."""

import threading
from collections.abc import Generator
from typing import Any

from bluesky import Msg
from queueserver_environment.messages.frames import FromEnvironment, SimulationAnswer, SimulationQuery
from queueserver_environment.messages.items import Item
from queueserver_environment.messages.simulation import SimulatePlanRequest
from queueserver_environment.simulation.dry_run import DryRun
from queueserver_environment.simulation.findings import Findings
from queueserver_environment.simulation.simulator import Simulator
from queueserver_environment.waiting.texts import MOST_SECONDS

from tests.unit.environment.channel_forms import arrived


class BrokenEngine:
    @property
    def loop(self) -> Any:
        raise SystemExit("no loop")


class BrokenSeat:
    @property
    def engine(self) -> Any:
        raise RuntimeError("no seat")


def plan() -> Generator[Msg, Any, None]:
    yield Msg("null")


def test_a_walk_that_dies_before_the_first_message_is_a_problem_and_no_success() -> None:
    findings, ended = Findings(), threading.Event()
    walk = DryRun(plan, {}, BrokenEngine(), findings, 10, lambda _stream, _text: None)
    walk.start(ended.set)
    assert not walk.wait(60)
    assert ended.wait(60)
    (problem,) = findings.result(truncated=False).problems
    assert problem.message == "The simulation itself failed (SystemExit: no loop)."


def test_a_question_is_answered_whatever_is_raised_before_the_walk() -> None:
    answers: list[FromEnvironment] = []
    told = threading.Event()

    def send(frame: FromEnvironment) -> None:
        answers.append(frame)
        told.set()

    request = SimulatePlanRequest(item=Item(name="plan"))
    Simulator({"plan": plan}, BrokenSeat(), send).ask(SimulationQuery(number=1, request=request))  # type: ignore[arg-type] # as broken as can be
    assert told.wait(60)
    (problem,) = arrived(answers[0]).simulation.simulation.problems
    assert problem.message == "The simulation itself failed (RuntimeError: no seat)."


def test_a_plan_that_would_take_longer_than_a_duration_can_say_takes_the_longest_that_it_can() -> None:
    findings = Findings()
    findings.sleep(1e300)
    answer = SimulationAnswer(1, findings.result(truncated=False))
    assert arrived(FromEnvironment(simulation=answer)).simulation.simulation.duration.seconds == MOST_SECONDS
