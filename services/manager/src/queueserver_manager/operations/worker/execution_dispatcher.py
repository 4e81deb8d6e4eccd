"""Hands claimed items to the Worker and accounts for their outcomes.

An item is claimed in the store before the Worker receives it, and its outcome is in the store before the Worker
is told to forget it. Each execution has its own id, the Worker starts an id once, and the ledger accounts for it
once; so whatever is repeated after a crash or a lost reply, a plan is never run twice unseen and never lost.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from queueserver_manager.domain.changes import Decision
from queueserver_manager.domain.limits import Bound
from queueserver_manager.domain.permissions.permission_errors import GroupNotFound
from queueserver_manager.domain.queue.item import (
    ExitStatus,
    FailureCause,
    HistoryEntry,
    ItemResult,
    Outcome,
    RunningItem,
)
from queueserver_manager.domain.queue.queue_run import Advance, finish_item
from queueserver_manager.domain.record import Record
from queueserver_manager.domain.refusals.errors import NotReady, StorageUnavailable
from queueserver_manager.operations.commit.ledger import Ledger
from queueserver_manager.operations.worker.worker_view import WorkerView
from queueserver_manager.worker_client.port import StaleEpoch, Worker, WorkerDown, WorkerRefused

_log = logging.getLogger(__name__)


class ExecutionDispatcher:
    """Dispatches, accounts, acknowledges. ``on_trouble`` makes the watcher compare the record with the Worker again."""

    def __init__(
        self,
        ledger: Ledger,
        view: WorkerView,
        worker: Worker,
        now: Callable[[], float],
        history: Bound,
        measure: Callable[[HistoryEntry], int],
        on_trouble: Callable[[], None],
        on_stale: Callable[[], None],
    ) -> None:
        self._ledger = ledger
        self._view = view
        self._worker = worker
        self._now = now
        #: Of the history, and how many bytes an entry has as it is stored.
        self._history_bound = history
        self._measure = measure
        self._on_trouble = on_trouble
        self._on_stale = on_stale
        self._tasks: set[asyncio.Task[None]] = set()
        #: Executions whose outcome is stored and which the Worker may forget.
        self._accounted: set[str] = set()
        self._accounting: set[str] = set()
        #: Executions that are on their way to the Worker.
        self._dispatching: dict[str, asyncio.Task[None]] = {}

    def dispatch(self, running: RunningItem) -> None:
        """Hand a claimed item to the Worker. Safe to repeat.

        Not while it is on its way already, nor once it has an outcome: the Worker might start what it has just refused.
        """
        execution_id = running.execution_id
        if execution_id not in self._dispatching and execution_id not in self._accounting:
            self._dispatching[execution_id] = self._spawn(self._dispatch(running))

    def account(self, outcome: Outcome) -> None:
        """Put an outcome into the history. Safe to repeat."""
        if outcome.execution_id not in self._accounting:
            self._accounting.add(outcome.execution_id)
            self._spawn(self._account(outcome))

    def forget(self, execution_ids: list[str]) -> None:
        """Tell the Worker that these outcomes are stored, or not ours to store."""
        self._accounted.update(execution_ids)
        self._spawn(self._acknowledge())

    async def fence(self) -> None:
        """Tell the Worker our epoch, so that from now on it refuses the owner before us."""
        try:
            await self._worker.acknowledge(())
        except StaleEpoch:
            self._on_stale()
        except (WorkerDown, WorkerRefused) as error:
            _log.warning("the Worker could not be told of the new owner (%s)", error)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _log.error("an item could not be followed", exc_info=task.exception())
            self._on_trouble()

    async def close(self) -> None:
        """Stop following; the next term, or the next start, continues from the store."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _dispatch(self, running: RunningItem) -> None:
        acknowledged = list(self._accounted)
        try:
            access = self._ledger.permissions.access_for(running.item.user_group)
            await self._worker.run_plan(running, access, acknowledged)
        except WorkerDown as error:
            _log.warning("item %s: the Worker did not answer (%s)", running.item.uid, error)
            self._on_trouble()
        except StaleEpoch:
            self._on_stale()
        except (WorkerRefused, GroupNotFound) as error:
            sentence = f"The plan was not started: {error.message}"
            self.account(self.failure(running, FailureCause.NOT_STARTED, sentence))
        else:
            self._accounted.difference_update(acknowledged)
            self._view.confirm()
        finally:
            self._dispatching.pop(running.execution_id, None)

    def failure(self, running: RunningItem, cause: FailureCause, message: str) -> Outcome:
        """Outcome of an execution that no other source can report any more."""
        runs = self._view.runs if cause is FailureCause.WORKER_LOST else ()
        result = ItemResult(ExitStatus.FAILED, self._now(), failure_cause=cause, message=message, runs=runs)
        return Outcome(running.execution_id, result, refused=cause is FailureCause.NOT_STARTED)

    async def _account(self, outcome: Outcome) -> None:
        def decide(record: Record) -> Decision[Advance]:
            claim_context = self._view.claim_context(outcome.execution_id)
            decision = finish_item(record, outcome, claim_context, self._history_bound, self._measure)
            return decision if decision is not None else Decision(Advance(None))

        try:
            while True:
                try:
                    step = (await self._ledger.submit(decide)).result
                    break
                except StorageUnavailable:
                    # The Worker keeps the outcome until it is acknowledged, and so do we until it is stored.
                    await self._ledger.storage_back.wait()
        except NotReady:
            return
        finally:
            self._accounting.discard(outcome.execution_id)
        self._accounted.add(outcome.execution_id)
        # The commit's announcement dispatched a next item, which took the acknowledgement along.
        if step.claimed is None:
            await self._acknowledge()

    async def _acknowledge(self) -> None:
        execution_ids = list(self._accounted)
        if not execution_ids:
            return
        try:
            await self._worker.acknowledge(execution_ids)
        except (WorkerDown, WorkerRefused) as error:
            # They stay noted: the next command, or the next snapshot, sends them again.
            _log.info("outcomes not acknowledged yet (%s)", error)
        except StaleEpoch:
            self._on_stale()
        else:
            self._accounted.difference_update(execution_ids)
