"""Questions that plans ask people: the `input` message of bluesky, answered by a client instead of a terminal.

Guarantees: the plan gets the answer to its question and to no other, or continues without one only as it would at a
terminal: when it is paused, suspended or ended. Then the question is withdrawn. A question that has a time limit ends
with QuestionUnansweredError in the plan.
"""

import asyncio
import threading
import uuid
from dataclasses import dataclass
from typing import Any, Final

from queueserver_environment.clock import nanoseconds, now
from queueserver_environment.console.standard_streams import streams
from queueserver_environment.messages.states import ConsoleStream
from queueserver_environment.messages.waiting import Question
from queueserver_environment.plans.failures import shorten
from queueserver_environment.waiting.board import WaitingBoard
from queueserver_environment.waiting.texts import MOST_SECONDS, bounded_text

MAX_PROMPT: Final = 2_000
"""Characters of a question."""
_SHOWN: Final = 200
"""Characters of a question in an error message."""


class QuestionUnansweredError(TimeoutError):
    """No answer to the plan's question came in time."""


@dataclass(frozen=True)
class _Asked:
    """A question that has no answer yet."""

    question_id: str
    answer: "asyncio.Future[str]"


class Questions:
    """The questions of the plans of one RunEngine, which asks one at a time.

    Parameters
    ----------
    board
        Reports what is asked.
    loop
        The RunEngine's event loop.
    time_limit
        Seconds until a question without an answer fails; None for ever.

    """

    def __init__(self, board: WaitingBoard, loop: asyncio.AbstractEventLoop, time_limit: float | None) -> None:
        self._board = board
        self._loop = loop
        self._time_limit = time_limit
        self._changing = threading.Lock()
        self._asked: _Asked | None = None

    async def ask(self, message: Any) -> str:
        """Process a message `Msg('input', None, prompt='…')`; return a person's answer."""
        prompt = bounded_text(lambda: message.kwargs.get("prompt"), MAX_PROMPT)
        asked = _Asked(str(uuid.uuid4()), self._loop.create_future())
        timer = self._limit(prompt, asked)
        with self._changing:
            self._asked = asked
        self._board.set_question(self._question(asked.question_id, prompt))
        # The question is kept wherever the console is kept.
        streams.note(f"{prompt}\n", ConsoleStream.STDOUT)
        try:
            # Not asyncio.wait_for: on older Pythons it can swallow the cancellation by which a pause comes.
            return await asked.answer
        finally:
            with self._changing:
                self._asked = None
            if timer is not None:
                timer.cancel()
            self._board.set_question(None)

    def answer(self, question_id: str, text: str) -> None:
        """Take the answer to a question; any other question is left alone. Called in any thread, does not wait."""
        with self._changing:
            asked = self._asked
        if asked is not None and asked.question_id == question_id:
            self._loop.call_soon_threadsafe(_settle, asked.answer, text)

    def _question(self, question_id: str, prompt: str) -> Question:
        asked = now()
        expires = None if self._time_limit is None else asked + nanoseconds(min(self._time_limit, MOST_SECONDS))
        return Question(question_id=question_id, prompt=prompt, ask_time=asked, expire_time=expires)

    def _limit(self, prompt: str, asked: _Asked) -> asyncio.TimerHandle | None:
        if self._time_limit is None:
            return None
        shown = f' "{shorten(prompt, _SHOWN)}"' if prompt else ""
        error = QuestionUnansweredError(
            f"The question{shown} had no answer within {self._time_limit:g} seconds: "
            "answer in time (AnswerQuestion, or qserver re answer TEXT), or start the server with a longer "
            "--question-timeout."
        )
        return self._loop.call_later(self._time_limit, _fail, asked.answer, error)


def _settle(answer: "asyncio.Future[str]", text: str) -> None:
    if not answer.done():
        answer.set_result(text)


def _fail(answer: "asyncio.Future[str]", error: Exception) -> None:
    if not answer.done():
        answer.set_exception(error)
