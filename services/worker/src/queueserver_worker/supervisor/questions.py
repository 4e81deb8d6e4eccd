"""Questions to the environment that wait for its answer: for the RunEngine's metadata, and what a plan would do.

Guarantees: each question ends with its answer or with an error, in bounded time once it is the environment's turn to
answer, and none is left behind. Metadata was read after it was asked for. Only a few simulations are asked for at once,
so that a crowd of them does not slow down the plan that runs.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Generic, TypeVar

from async_timeout import timeout
from google.protobuf.struct_pb2 import Struct
from queueserver.common.v1.simulation_pb2 import Simulation
from queueserver.worker.v1.environment_channel_pb2 import (
    MetadataAnswer,
    MetadataQuery,
    SimulationAnswer,
    SimulationQuery,
    ToEnvironment,
)
from queueserver.worker.v1.worker_service_pb2 import SimulatePlanRequest

from queueserver_worker.supervisor.errors import EnvironmentClosedError, EnvironmentUnresponsiveError

METADATA_PATIENCE = 2.0
"""Seconds to wait for metadata."""
SIMULATION_PATIENCE = 15.0
"""Seconds to wait for a simulation: the environment ends each after ten."""
SIMULATIONS_AT_ONCE = 4
"""Simulations that are asked for at once; more wait."""
MAX_SIMULATION_BYTES = 2 * 1024 * 1024
"""Longest simulation that is passed on: every gRPC client accepts it. Those of our own environment are shorter."""
_log = logging.getLogger(__name__)
AnswerT = TypeVar("AnswerT")


class Questions(Generic[AnswerT]):
    """The questions of one kind, each with a number: a later one has a greater one. Called in the loop.

    Parameters
    ----------
    patience
        Seconds to wait for an answer.

    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._last = 0
        self._waiting: dict[int, asyncio.Future[AnswerT]] = {}

    async def ask(self, send: Callable[[int], None]) -> AnswerT:
        """Send the question, which gets its number, and wait for the answer.

        Raises EnvironmentUnresponsiveError, or EnvironmentClosedError if the environment ends meanwhile.
        """
        self._last += 1
        number = self._last
        answer: asyncio.Future[AnswerT] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            send(number)
            async with timeout(self._patience):
                return await answer
        except asyncio.TimeoutError:
            raise EnvironmentUnresponsiveError(self._patience) from None
        finally:
            self._waiting.pop(number, None)

    def is_waiting(self, number: int) -> bool:
        """Whether that question still has no answer."""
        waiting = self._waiting.get(number)
        return waiting is not None and not waiting.done()

    @property
    def are_waiting(self) -> bool:
        """Whether any question still has no answer."""
        return any(not waiting.done() for waiting in self._waiting.values())

    def answer(self, number: int, answer: AnswerT) -> None:
        """Pass an answer on; does nothing if no caller waits for it."""
        if self.is_waiting(number):
            self._waiting[number].set_result(answer)

    def answer_up_to(self, number: int, answer: AnswerT) -> None:
        """Pass on an answer that was found after every question with at most that number was asked."""
        for asked in self._waiting:
            if asked <= number:
                self.answer(asked, answer)

    def closed(self, state: str, why: str = "") -> None:
        """End all questions, because the environment is gone; `why` is a sentence if it did not end in good order."""
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(EnvironmentClosedError(state, why))


class MetadataQueries:
    """The questions for metadata. Its methods are called in the loop."""

    def __init__(self) -> None:
        self._questions: Questions[Struct] = Questions(METADATA_PATIENCE)

    async def ask(self, send: Callable[[ToEnvironment], None]) -> Struct:
        """Ask and wait. Raises EnvironmentUnresponsiveError, or EnvironmentClosedError if it ends meanwhile."""
        return await self._questions.ask(lambda number: send(ToEnvironment(metadata=MetadataQuery(number=number))))

    def answered(self, answer: MetadataAnswer) -> None:
        """Pass an answer on: it was read after every question with at most its number."""
        self._questions.answer_up_to(answer.number, answer.metadata)

    def closed(self, state: str) -> None:
        """End all questions: there is no environment any more to answer."""
        self._questions.closed(state)


class SimulationQueries:
    """The questions what a plan would do. Its methods are called in the loop."""

    def __init__(self) -> None:
        self._questions: Questions[Simulation] = Questions(SIMULATION_PATIENCE)
        self._turns = asyncio.Semaphore(SIMULATIONS_AT_ONCE)

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
        if answer.simulation.ByteSize() > MAX_SIMULATION_BYTES:
            _log.warning(
                "The environment sent a simulation of more than %d bytes; it is ignored.", MAX_SIMULATION_BYTES
            )
            return
        self._questions.answer(answer.number, answer.simulation)

    @property
    def are_waiting(self) -> bool:
        """Whether any question has no answer yet."""
        return self._questions.are_waiting

    def closed(self, state: str, why: str = "") -> None:
        """End all questions, because the environment is gone; `why` is a sentence if it did not end in good order."""
        self._questions.closed(state, why)
