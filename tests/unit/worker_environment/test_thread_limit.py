"""Questions to a process that can't start threads any more: the reader of commands has to survive them."""

from __future__ import annotations

import threading

import pytest
from queueserver.worker.v1.environment_channel_pb2 import FromEnvironment, SimulationQuery
from queueserver_worker.environment.engine_seat import EngineSeat
from queueserver_worker.environment.metadata import MetadataReader
from queueserver_worker.environment.simulation.simulator import Simulator

SECONDS = 10.0


def refuse_next_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system refuses one thread, and has room for others later."""
    start = threading.Thread.start

    def refuse(_thread: threading.Thread) -> None:
        monkeypatch.setattr(threading.Thread, "start", start)
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)


def test_a_simulation_without_a_thread_has_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[FromEnvironment] = []
    simulator = Simulator({}, EngineSeat(sent.append), sent.append)
    refuse_next_thread(monkeypatch)
    simulator.ask(SimulationQuery(number=7))
    assert [frame.simulation.number for frame in sent] == [7]
    assert "can't start new thread" in sent[0].simulation.simulation.problems[0].message


def test_metadata_that_could_not_be_read_for_lack_of_a_thread_are_read_at_the_next_question(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answered = threading.Event()
    sent: list[FromEnvironment] = []

    def send(frame: FromEnvironment) -> None:
        sent.append(frame)
        answered.set()

    reader = MetadataReader(lambda: {"a": 1}, send)
    refuse_next_thread(monkeypatch)
    reader.ask(1)
    reader.ask(2)
    assert answered.wait(SECONDS)
    assert [frame.metadata.number for frame in sent] == [2]
