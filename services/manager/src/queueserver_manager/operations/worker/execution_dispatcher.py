"""Hands claimed items to the Worker and accounts for their outcomes: what is special about plans."""

from __future__ import annotations

import logging
from collections.abc import Callable

from queueserver_inventory.access import Access

from queueserver_manager.domain.changes import Decision
from queueserver_manager.domain.limits import Bound
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
from queueserver_manager.operations.commit.ledger import Ledger
from queueserver_manager.operations.worker.dispatcher import Dispatcher
from queueserver_manager.operations.worker.worker_call import own_call
from queueserver_manager.operations.worker.worker_view import WorkerView
from queueserver_manager.worker_client.port import Worker

_log = logging.getLogger(__name__)


class ExecutionDispatcher(Dispatcher[RunningItem, Outcome]):
    """For executions. An outcome is stored with what follows it: the history entry, a new attempt, the next item."""

    kind = "an item"

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
        super().__init__(ledger, worker, on_trouble, on_stale)
        self._view = view
        self._now = now
        #: Of the history, and how many bytes an entry has as it is stored.
        self._history_bound = history
        self._measure = measure

    async def fence(self) -> None:
        """Tell the Worker our epoch, so that from now on it refuses the owner before us."""
        await own_call(
            self._worker.acknowledge(()),
            lambda error: _log.warning("the Worker could not be told of the new owner (%s)", error),
            self._on_stale,
        )

    def fail(self, running: RunningItem, cause: FailureCause, message: str) -> None:
        """Account for an execution that no other source can report any more."""
        self.account(self._failure(running, cause, message))

    def _id_of(self, work: RunningItem) -> str:
        return work.execution_id

    def _id_of_outcome(self, outcome: Outcome) -> str:
        return outcome.execution_id

    def _name_of(self, work: RunningItem) -> str:
        return f"item {work.item.uid}"

    def _group_of(self, work: RunningItem) -> str:
        return work.item.user_group

    async def _send(self, work: RunningItem, access: Access) -> None:
        acknowledged = list(self._accounted)
        await self._worker.run_plan(work, access, acknowledged)
        self._accounted.difference_update(acknowledged)
        self._view.confirm()

    def _not_started(self, work: RunningItem, why: str) -> Outcome:
        return self._failure(work, FailureCause.NOT_STARTED, f"The plan was not started: {why}")

    def _failure(self, running: RunningItem, cause: FailureCause, message: str) -> Outcome:
        runs = self._view.runs if cause is FailureCause.WORKER_LOST else ()
        result = ItemResult(ExitStatus.FAILED, self._now(), failure_cause=cause, message=message, runs=runs)
        return Outcome(running.execution_id, result, refused=cause is FailureCause.NOT_STARTED)

    async def _store(self, outcome: Outcome) -> bool:
        def decide(record: Record) -> Decision[Advance]:
            claim_context = self._view.claim_context(outcome.execution_id)
            decision = finish_item(record, outcome, claim_context, self._history_bound, self._measure)
            return decision if decision is not None else Decision(Advance(None))

        # The commit's announcement dispatches a next item, which takes the acknowledgement along.
        return (await self._ledger.submit(decide)).result.claimed is not None
