"""Questions to the environment that wait for its answer.

Guarantees: each question ends with its answer or with an error, in bounded time, and none is left behind.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

from async_timeout import timeout

from queueserver_worker.supervisor.errors import EnvironmentClosedError, EnvironmentUnresponsiveError

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
