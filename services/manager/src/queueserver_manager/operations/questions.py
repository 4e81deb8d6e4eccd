"""Answer the question that the running plan asks.

Like other requests for the running plan, it goes straight to the Worker, which knows what is asked at this moment: it
waits for no commit and for no other client.
"""

from __future__ import annotations

from collections.abc import Callable

from queueserver_manager.domain.refusals.environment_errors import EnvironmentClosed, RunEngineMissing
from queueserver_manager.domain.refusals.errors import Refused
from queueserver_manager.domain.refusals.question_errors import QuestionNotFound
from queueserver_manager.operations.commit.idempotent_commands import CommandLogEntry, IdempotentCommands
from queueserver_manager.operations.commit.ledger import Ledger
from queueserver_manager.operations.commit.reply import ReplySpec
from queueserver_manager.operations.worker.worker_call import worker_call
from queueserver_manager.operations.worker.worker_view import WorkerView
from queueserver_manager.worker_client.port import Worker, WorkerRefused

#: Without the answer: it may be a password.
_ANSWER = CommandLogEntry("question_answered", "answered the question of the running plan")


class QuestionOperations:
    """What clients may do with a question."""

    def __init__(self, ledger: Ledger, view: WorkerView, worker: Worker, on_stale: Callable[[], None]) -> None:
        self._commands = IdempotentCommands(ledger)
        self._view = view
        self._worker = worker
        self._on_stale = on_stale

    async def answer(self, question_id: str, text: str, reply: ReplySpec[None]) -> bytes:
        """Pass an answer on; an empty id means whichever is asked.

        Raises QuestionNotFound, EnvironmentClosed, RunEngineMissing, WorkerUnavailable.
        """
        return await self._commands.once(
            reply, lambda: self._answer(question_id, text), _ANSWER, reply_before_stored=True
        )

    async def _answer(self, question_id: str, text: str) -> None:
        self._view.require_worker()
        if not self._view.status.environment.exists:
            raise EnvironmentClosed("RE Worker environment does not exist: no question is open.")
        with worker_call(_refusal, self._on_stale):
            await self._worker.answer_question(question_id, text)


def _refusal(error: WorkerRefused) -> Refused:
    if error.reason == "QUESTION_NOT_FOUND":
        return QuestionNotFound(error.metadata.get("question_id", ""))
    if error.reason == "RUN_ENGINE_MISSING":
        return RunEngineMissing()
    return EnvironmentClosed(error.message)
