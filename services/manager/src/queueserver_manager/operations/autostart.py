"""Autostart: the queue starts by itself whenever it can.

Checks after every commit and every change of the Worker's side, and never at other times.
"""

from __future__ import annotations

import asyncio
import logging

from queueserver_manager.domain.changes import Decision
from queueserver_manager.domain.lifecycle import ManagerState, RunEngineState
from queueserver_manager.domain.queue.queue_run import Advance, start_queue
from queueserver_manager.domain.record import Record
from queueserver_manager.domain.refusals.errors import Refused
from queueserver_manager.operations.commit.ledger import Ledger
from queueserver_manager.operations.worker.worker_view import WorkerView

#: The user shown for a queue that started by itself.
AUTOSTART_USER = "autostart"
_log = logging.getLogger(__name__)


class Autostart:
    """Starts the queue when the conditions are met."""

    def __init__(self, ledger: Ledger, view: WorkerView) -> None:
        self._ledger = ledger
        self._view = view
        self._starting: asyncio.Task[None] | None = None
        #: Something changed after the present attempt was decided on, perhaps too late for it.
        self._look_again = False

    def look(self) -> None:
        """Something changed: start the queue if it can start."""
        summary = self._ledger.summary
        if self._starting is not None:
            self._look_again = True
            return
        if not summary.autostart or not summary.items_in_queue or summary.head_held:
            return
        if summary.running is None and not summary.foreground_task and self._can_execute() and self._ledger.storage_up:
            self._starting = asyncio.get_running_loop().create_task(self._start())
            self._starting.add_done_callback(self._done)

    def _can_execute(self) -> bool:
        view = self._view
        idle = view.state(has_running_item=False, has_foreground_task=False) is ManagerState.IDLE
        usable = view.status.environment.run_engine is RunEngineState.IDLE
        return view.status.connected and idle and usable and view.claim_context().can_execute

    def _done(self, task: asyncio.Task[None]) -> None:
        self._starting = None
        if not task.cancelled() and task.exception() is not None:
            _log.error("autostart failed", exc_info=task.exception())
        if self._look_again and not task.cancelled():
            self._look_again = False
            self.look()

    async def _start(self) -> None:
        def decide(record: Record) -> Decision[Advance]:
            busy = record.running is not None or record.tasks.foreground is not None
            if busy or not record.autostart or not self._can_execute():
                return Decision(Advance(None))
            return start_queue(record, AUTOSTART_USER, self._view.claim_context())

        try:
            await self._ledger.submit(decide)
        except Refused as error:
            _log.info("autostart has to wait: %s", error)
