"""Stop the server, and ask the Worker for its facts.

An accepted stop is carried out when its response is stored and on its way: a repetition under the same request id,
after the server was started again, gets that response and stops nothing. From then on nothing starts that would have
to be ended at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import Enum

from queueserver_manager.domain.lifecycle import ALLOWED, Operation
from queueserver_manager.domain.record import Record
from queueserver_manager.domain.refusals.errors import InvalidState, WorkerUnavailable
from queueserver_manager.domain.refusals.state_refusals import check
from queueserver_manager.operations.commit.idempotent_commands import CommandLogEntry, IdempotentCommands
from queueserver_manager.operations.commit.ledger import Ledger
from queueserver_manager.operations.commit.reply import ReplySpec
from queueserver_manager.operations.worker.worker_call import worker_call
from queueserver_manager.operations.worker.worker_view import WorkerView
from queueserver_manager.worker_client.port import Worker


class StopMode(Enum):
    """When a server may be stopped."""

    WHEN_IDLE = "when_idle"
    AT_ONCE = "at_once"


_LOG_ENTRIES = {
    StopMode.WHEN_IDLE: CommandLogEntry("server_stop_requested", "stops the server, which is idle"),
    StopMode.AT_ONCE: CommandLogEntry("server_stop_requested", "stops the server at once"),
}


class ServerOperations:
    """What clients may do with the server."""

    def __init__(self, ledger: Ledger, view: WorkerView, worker: Worker, on_stop: Callable[[], None]) -> None:
        """``on_stop`` starts ending the processes, and may be called again."""
        self._ledger = ledger
        self._commands = IdempotentCommands(ledger)
        self._view = view
        self._worker = worker
        self._on_stop = on_stop
        self._under_way: set[asyncio.Task[bytes]] = set()

    async def stop(self, mode: StopMode, reply: ReplySpec[None]) -> bytes:
        """Stop the server. Raises InvalidState."""
        # It continues when its caller leaves: what was accepted is carried out.
        work = asyncio.get_running_loop().create_task(self._carry_out(mode, reply))
        self._under_way.add(work)
        work.add_done_callback(self._under_way.discard)
        return await asyncio.shield(work)

    async def _carry_out(self, mode: StopMode, reply: ReplySpec[None]) -> bytes:
        try:
            return await self._commands.once(
                reply, lambda: self._accept(mode), _LOG_ENTRIES[mode], reply_before_stored=False
            )
        finally:
            # Not if it repeated a stop that was carried out in an earlier life of this server. But also if
            # this term ends while the response is being stored: nothing starts any more, so it has to end.
            if self._view.stopping:
                self._on_stop()

    async def _accept(self, mode: StopMode) -> None:
        if mode is StopMode.AT_ONCE:
            self._view.stop_starting()
        else:
            # What is being committed may be a start. What is decided after this check is refused: the next commit may
            # begin before a task that waits for it continues.
            await self._ledger.read(self._stop_if_idle)

    def _stop_if_idle(self, record: Record) -> None:
        """Raises InvalidState."""
        self._require_idle(record)
        self._view.stop_starting()

    def _require_idle(self, record: Record) -> None:
        state = self._view.state_during(self._ledger.summary)
        check(Operation.STOP_SERVER, state)
        # One that was accepted a moment ago may not have reached the Worker.
        tasks = max(self._view.status.environment.background_tasks, record.tasks.background_count)
        if tasks:
            there = "a task runs" if tasks == 1 else f"{tasks} tasks run"
            raise InvalidState(
                f"Can't stop the server while {there} in the background: wait for the end, or stop the server at once.",
                state,
                ALLOWED[Operation.STOP_SERVER],
            )

    async def worker_info(self) -> bytes:
        """Facts about the Worker, as a serialized WorkerInfo. Raises WorkerUnavailable."""
        self._view.require_worker()
        with worker_call(lambda error: WorkerUnavailable(error.message)):
            return await self._worker.info()
