"""Questions what a plan would do: each is answered or refused in bounded time, a few at once."""

from __future__ import annotations

import asyncio

import pytest
from queueserver.common.v1.simulation_pb2 import Simulation
from queueserver.worker.v1.environment_channel_pb2 import SimulationAnswer, ToEnvironment
from queueserver.worker.v1.worker_service_pb2 import SimulatePlanRequest
from queueserver_long_work.time_slice import next_turn
from queueserver_worker.supervisor import questions
from queueserver_worker.supervisor.errors import EnvironmentClosedError, EnvironmentUnresponsiveError
from queueserver_worker.supervisor.questions import SIMULATIONS_AT_ONCE, SimulationQueries


class Asked:
    """Takes what is sent."""

    def __init__(self) -> None:
        self.numbers: list[int] = []

    def send(self, frame: ToEnvironment) -> None:
        self.numbers.append(frame.simulation.number)


async def settled(*tasks: asyncio.Task[Simulation]) -> None:
    """Let tasks get as far as they get without an answer: each needs a few turns, and no time."""
    for _ in range(10 * len(tasks)):
        await next_turn()


async def test_answers_find_their_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "SIMULATION_PATIENCE", 30.0)
    queries, asked = SimulationQueries(), Asked()
    tasks = [asyncio.create_task(queries.ask(asked.send, SimulatePlanRequest())) for _ in range(2)]
    await settled(*tasks)
    for number in reversed(asked.numbers):
        queries.answered(SimulationAnswer(number=number, simulation=Simulation(text=str(number))))
    assert [(await task).text for task in tasks] == [str(number) for number in asked.numbers]


async def test_only_a_few_are_asked_at_once() -> None:
    queries, asked = SimulationQueries(), Asked()
    tasks = [
        asyncio.create_task(queries.ask(asked.send, SimulatePlanRequest())) for _ in range(SIMULATIONS_AT_ONCE + 1)
    ]
    await settled(*tasks)
    assert len(asked.numbers) == SIMULATIONS_AT_ONCE
    queries.answered(SimulationAnswer(number=asked.numbers[0]))
    await settled(*tasks[1:])
    assert len(asked.numbers) == SIMULATIONS_AT_ONCE + 1
    queries.closed("closed")
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(result) for result in results[1:]] == [EnvironmentClosedError] * SIMULATIONS_AT_ONCE


async def test_silence_and_answers_that_are_too_long_are_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "SIMULATION_PATIENCE", 0.1)
    queries, asked = SimulationQueries(), Asked()
    task = asyncio.create_task(queries.ask(asked.send, SimulatePlanRequest()))
    await settled(task)
    queries.answered(SimulationAnswer(number=asked.numbers[0], simulation=Simulation(text="x" * 5_000_000)))
    queries.answered(SimulationAnswer(number=17))
    with pytest.raises(EnvironmentUnresponsiveError):
        await task
