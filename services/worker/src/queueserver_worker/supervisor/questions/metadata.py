"""Questions for the RunEngine's metadata that wait for the environment's answer.

Guarantees: each question ends with an answer that was read after it was asked, or with an error, in bounded time.
"""

from __future__ import annotations

from collections.abc import Callable

from google.protobuf.struct_pb2 import Struct
from queueserver.worker.v1.environment_channel_pb2 import MetadataAnswer, MetadataQuery, ToEnvironment

from queueserver_worker.supervisor.questions.questions import Questions

PATIENCE = 2.0
"""Seconds to wait for the answer."""


class MetadataQueries:
    """The questions that wait. Its methods are called in the loop."""

    def __init__(self) -> None:
        self._questions: Questions[Struct] = Questions(PATIENCE)

    async def ask(self, send: Callable[[ToEnvironment], None]) -> Struct:
        """Ask and wait. Raises EnvironmentUnresponsiveError, or EnvironmentClosedError if it ends meanwhile."""
        return await self._questions.ask(lambda number: send(ToEnvironment(metadata=MetadataQuery(number=number))))

    def answered(self, answer: MetadataAnswer) -> None:
        """Pass an answer on: it was read after every question with at most its number."""
        self._questions.answer_up_to(answer.number, answer.metadata)

    def closed(self, state: str) -> None:
        """End all questions: there is no environment any more to answer."""
        self._questions.closed(state)
