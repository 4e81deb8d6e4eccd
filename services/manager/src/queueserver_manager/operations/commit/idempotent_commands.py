"""Commands carried out outside of the record, at the Worker, once for each request id.

Guarantees: a repetition gets the first response, while the command runs, while its response is being stored, and after
that for as long as responses are kept. From its start on the id belongs to the command: any other request with it is
refused, an edit of the queue too. A command that has started continues when its caller leaves.
Does not guarantee that a repetition is recognised when the response could not be stored: the command took effect.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

from queueserver_manager.domain.changes import Decision
from queueserver_manager.domain.refusals.errors import RequestIdReused, Unavailable
from queueserver_manager.operations.activity_log import log_command
from queueserver_manager.operations.commit.ledger import Ledger
from queueserver_manager.operations.commit.reply import ReplySpec

T = TypeVar("T")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CommandLogEntry:
    """The command, for the log: its name in the JSON form, and the end of a sentence that begins with a user."""

    name: str
    did: str


class IdempotentCommands:
    """Carries out each command once, and keeps the response."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._answers: dict[str, asyncio.Future[bytes]] = {}
        self._under_way: set[asyncio.Task[bytes]] = set()

    async def once(
        self,
        reply: ReplySpec[T],
        do: Callable[[], Awaitable[T]],
        command: CommandLogEntry,
        *,
        reply_before_stored: bool,
    ) -> bytes:
        """Carry it out, unless this request id was carried out before; returns the reply made of its result.

        The command is logged with the user who asked for it. With ``reply_before_stored`` the caller gets the response
        once the command is done, and the response is stored afterwards; else it is stored first. So in an emergency no
        caller waits for another's commit.

        Raises RequestIdReused, Locked and what ``do`` raises.
        """
        known = self._ledger.recall_command(reply)
        if known is not None:
            return known
        answer = self._answers.get(reply.request_id)
        if answer is None:
            answer = self._begin(reply, do, command, reply_before_stored=reply_before_stored)
        return await asyncio.shield(answer)

    def _begin(
        self,
        reply: ReplySpec[T],
        do: Callable[[], Awaitable[T]],
        command: CommandLogEntry,
        *,
        reply_before_stored: bool,
    ) -> asyncio.Future[bytes]:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[bytes] = loop.create_future()
        if reply.request_id:
            self._ledger.reserve(reply)
            self._answers[reply.request_id] = answer
        task = loop.create_task(self._carry_out(reply, do, command, answer if reply_before_stored else None))
        self._under_way.add(task)
        task.add_done_callback(partial(self._ended, reply, answer))
        return answer

    async def _carry_out(
        self,
        reply: ReplySpec[T],
        do: Callable[[], Awaitable[T]],
        command: CommandLogEntry,
        reply_before_stored: asyncio.Future[bytes] | None,
    ) -> bytes:
        self._ledger.check_lock(reply)
        result = await do()
        log_command(reply.user, command.name, command.did)
        plain = await reply.answer(result, self._ledger.summary.revisions.last)
        if reply_before_stored is not None:
            reply_before_stored.set_result(plain)
        if not reply.request_id:
            return plain
        try:
            # A command that took effect is answered, whatever has been locked meanwhile.
            return (await self._ledger.submit(lambda _: Decision(result), replace(reply, guard=None))).answer
        except (Unavailable, RequestIdReused):
            # Reused: an edit with this id, whose fate was unknown when this began, turned out to have been stored.
            return plain

    def _ended(self, reply: ReplySpec[Any], answer: asyncio.Future[bytes], task: asyncio.Task[bytes]) -> None:
        self._under_way.discard(task)
        if reply.request_id:
            self._ledger.release(reply)
            del self._answers[reply.request_id]
        error = None if task.cancelled() else task.exception()
        if answer.done():
            if error is not None:
                _log.error("an answer could not be kept", exc_info=error)
        elif task.cancelled():
            answer.cancel()
        elif error is not None:
            answer.set_exception(error)
            answer.exception()  # the caller may have left
        else:
            answer.set_result(task.result())
