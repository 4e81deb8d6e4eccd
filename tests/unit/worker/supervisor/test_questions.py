"""Questions to the environment that wait for its answer."""

from __future__ import annotations

import asyncio

import pytest
from queueserver_worker.supervisor.errors import EnvironmentClosedError, EnvironmentUnresponsiveError
from queueserver_worker.supervisor.questions import Questions


async def asked(questions: Questions[str], how_many: int) -> list[asyncio.Task[str]]:
    """Ask; answers when all are sent."""
    sent: asyncio.Queue[int] = asyncio.Queue()
    tasks = [asyncio.create_task(questions.ask(sent.put_nowait)) for _ in range(how_many)]
    assert [await sent.get() for _ in tasks] == list(range(1, how_many + 1))
    return tasks


async def test_an_answer_goes_to_its_question_and_to_no_other() -> None:
    questions: Questions[str] = Questions(30.0)
    first, second = await asked(questions, 2)
    questions.answer(2, "b")
    questions.answer(7, "nobody's")
    assert await second == "b"
    assert questions.is_waiting(1)
    questions.answer(1, "a")
    questions.answer(1, "again")
    assert await first == "a"


async def test_an_answer_up_to_a_number_leaves_later_questions_waiting() -> None:
    questions: Questions[str] = Questions(30.0)
    *answered, later = await asked(questions, 3)
    questions.answer_up_to(2, "both")
    assert await asyncio.gather(*answered) == ["both", "both"]
    questions.closed("closed")
    with pytest.raises(EnvironmentClosedError):
        await later


async def test_a_question_that_is_not_answered_or_not_even_sent_is_forgotten() -> None:
    questions: Questions[str] = Questions(0.01)
    with pytest.raises(EnvironmentUnresponsiveError):
        await questions.ask(lambda _: None)

    def fail(_number: int) -> None:
        raise EnvironmentClosedError("closed")

    with pytest.raises(EnvironmentClosedError):
        await questions.ask(fail)
    assert not questions.is_waiting(1)
    assert not questions.is_waiting(2)
