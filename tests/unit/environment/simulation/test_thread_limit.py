"""Questions to a process that can't start threads any more: the reader of commands has to survive them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from queueserver_environment.messages.frames import FromEnvironment, SimulationQuery
from queueserver_environment.messages.items import Item
from queueserver_environment.messages.simulation import SimulatePlanRequest
from queueserver_environment.plans.metadata import MetadataReader
from queueserver_environment.plans.run_engine_holder import RunEngineHolder
from queueserver_environment.simulation.simulator import MAX_PLANS, Simulator

from tests.unit.environment.channel_forms import arrived

SECONDS = 10.0


def plan() -> Iterator[Any]:
    yield from ()


def refuse_thread(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """The system refuses one thread, and has room for others later."""
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name != name:
            start(thread)
            return
        monkeypatch.setattr(threading.Thread, "start", start)
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)


@pytest.mark.parametrize("name", ["simulation", "simulated plan"])
def test_simulations_without_a_thread_have_a_problem_and_take_no_place(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    answers: queue.Queue[FromEnvironment] = queue.Queue()
    simulator = Simulator({"p": plan}, RunEngineHolder(answers.put), answers.put)
    for number in range(2 * MAX_PLANS):
        refuse_thread(monkeypatch, name)
        simulator.ask(SimulationQuery(number=number, request=SimulatePlanRequest(item=Item(name="p"))))
        answer = arrived(answers.get(timeout=SECONDS)).simulation
        assert answer.number == number
        assert "can't start new thread" in answer.simulation.problems[0].message


def test_metadata_that_could_not_be_read_for_lack_of_a_thread_are_read_at_the_next_question(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answered = threading.Event()
    sent: list[FromEnvironment] = []

    def send(frame: FromEnvironment) -> None:
        sent.append(frame)
        answered.set()

    reader = MetadataReader(lambda: {"a": 1}, send)
    refuse_thread(monkeypatch, "metadata")
    reader.ask(1)
    reader.ask(2)
    assert answered.wait(SECONDS)
    assert [arrived(frame).metadata.number for frame in sent] == [2]
