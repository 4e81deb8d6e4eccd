"""Questions what a plan would do, which wait for the environment's answer.

Guarantees: each question ends with its answer or with an error, in bounded time once it is the environment's turn to
answer; only a few are asked at once, so that a crowd of them does not slow down the plan that runs.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from queueserver.common.v1.simulation_pb2 import Simulation
from queueserver.worker.v1.environment_channel_pb2 import SimulationAnswer, SimulationQuery, ToEnvironment
from queueserver.worker.v1.worker_service_pb2 import SimulatePlanRequest

from queueserver_worker.supervisor.questions.questions import Questions

PATIENCE = 15.0
"""Seconds to wait for an answer: the environment ends each simulation after ten."""
AT_ONCE = 4
"""Questions that are asked at once; more wait."""
MAX_ANSWER_BYTES = 2 * 1024 * 1024
"""Longest answer that is passed on: every gRPC client accepts it. Those of our own environment are shorter."""
_log = logging.getLogger(__name__)


class SimulationQueries:
    """The questions that wait. Its methods are called in the loop."""

    def __init__(self) -> None:
        self._questions: Questions[Simulation] = Questions(PATIENCE)
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def ask(self, send: Callable[[ToEnvironment], None], request: SimulatePlanRequest) -> Simulation:
        """Ask and wait. Raises EnvironmentUnresponsiveError, or EnvironmentClosedError if it ends meanwhile."""

        def send_question(number: int) -> None:
            send(ToEnvironment(simulation=SimulationQuery(number=number, request=request)))

        async with self._turns:
            return await self._questions.ask(send_question)

    def answered(self, answer: SimulationAnswer) -> None:
        """Pass an answer on."""
        if not self._questions.is_waiting(answer.number):
            return
        if answer.simulation.ByteSize() > MAX_ANSWER_BYTES:
            _log.warning("The environment sent a simulation of more than %d bytes; it is ignored.", MAX_ANSWER_BYTES)
            return
        self._questions.answer(answer.number, answer.simulation)

    @property
    def are_waiting(self) -> bool:
        """Whether any question has no answer yet."""
        return self._questions.are_waiting

    def closed(self, state: str, why: str = "") -> None:
        """End all questions, because the environment is gone; `why` is a sentence if it did not end in good order."""
        self._questions.closed(state, why)
