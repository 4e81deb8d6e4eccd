"""Questions for the RunEngine's metadata that wait for the environment's answer.

Guarantees: each question ends with an answer that was read after it was asked, or with an error, in bounded time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from google.protobuf.struct_pb2 import Struct
from queueserver.worker.v1.environment_channel_pb2 import MetadataAnswer, MetadataQuery, ToEnvironment

from queueserver_worker.supervisor.errors import EnvironmentClosedError, EnvironmentUnresponsiveError

PATIENCE = 2.0
"""Seconds to wait for the answer."""


class MetadataQueries:
    """The questions that wait. Its methods are called in the loop."""

    def __init__(self) -> None:
        self._last = 0
        self._waiting: dict[int, asyncio.Future[Struct]] = {}

    async def ask(self, send: Callable[[ToEnvironment], None]) -> Struct:
        """Ask and wait. Raises EnvironmentUnresponsiveError, or EnvironmentClosedError if it ends meanwhile."""
        self._last += 1
        number = self._last
        answer: asyncio.Future[Struct] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        send(ToEnvironment(metadata=MetadataQuery(number=number)))
        try:
            return await asyncio.wait_for(answer, PATIENCE)
        except asyncio.TimeoutError:
            raise EnvironmentUnresponsiveError(PATIENCE) from None
        finally:
            self._waiting.pop(number, None)

    def answered(self, answer: MetadataAnswer) -> None:
        """Hand an answer on: it was read after every question with at most its number."""
        for number, waiting in self._waiting.items():
            if number <= answer.number and not waiting.done():
                waiting.set_result(answer.metadata)

    def closed(self, state: str) -> None:
        """End all questions: nobody is there any more to answer."""
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(EnvironmentClosedError(state))
