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

from queueserver_worker.supervisor.errors import EnvironmentClosedError, EnvironmentUnresponsiveError

PATIENCE = 15.0
"""Seconds to wait for an answer: the environment ends each simulation after ten."""
AT_ONCE = 4
"""Questions that are asked at once; more wait."""
MAX_ANSWER_BYTES = 4 * 1024 * 1024
_log = logging.getLogger(__name__)


class SimulationQueries:
    """The questions that wait. Its methods are called in the loop."""

    def __init__(self) -> None:
        self._last = 0
        self._waiting: dict[int, asyncio.Future[Simulation]] = {}
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def ask(self, send: Callable[[ToEnvironment], None], request: SimulatePlanRequest) -> Simulation:
        """Ask and wait. Raises EnvironmentUnresponsiveError, or EnvironmentClosedError if it ends meanwhile."""
        async with self._turns:
            self._last += 1
            number = self._last
            answer: asyncio.Future[Simulation] = asyncio.get_running_loop().create_future()
            self._waiting[number] = answer
            send(ToEnvironment(simulation=SimulationQuery(number=number, request=request)))
            try:
                return await asyncio.wait_for(answer, PATIENCE)
            except asyncio.TimeoutError:
                raise EnvironmentUnresponsiveError(PATIENCE) from None
            finally:
                self._waiting.pop(number, None)

    def answered(self, answer: SimulationAnswer) -> None:
        """Hand an answer on."""
        waiting = self._waiting.get(answer.number)
        if waiting is None or waiting.done():
            return
        if answer.simulation.ByteSize() > MAX_ANSWER_BYTES:
            _log.warning("The environment sent a simulation of more than %d bytes; it is ignored.", MAX_ANSWER_BYTES)
            return
        waiting.set_result(answer.simulation)

    def closed(self, state: str) -> None:
        """End all questions: nobody is there any more to answer."""
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(EnvironmentClosedError(state))
