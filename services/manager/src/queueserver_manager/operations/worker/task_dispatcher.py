"""Hands accepted tasks to the Worker and accounts for their results: what is special about tasks.

Plans and devices that a task made are stored before its result, so a client that sees a task done can use them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from queueserver_inventory.access import Access

from queueserver_manager.domain.changes import Decision
from queueserver_manager.domain.inventory import Inventory
from queueserver_manager.domain.record import Record
from queueserver_manager.domain.refusals.errors import NotReady, StorageUnavailable
from queueserver_manager.domain.tasks.task_lifecycle import finish_task
from queueserver_manager.domain.tasks.tasks import TITLES, Retention, Task, TaskFailureCause, TaskOutcome, TaskResult
from queueserver_manager.operations.commit.ledger import Ledger
from queueserver_manager.operations.permissions import replace_inventory
from queueserver_manager.operations.worker.dispatcher import Dispatcher
from queueserver_manager.operations.worker.reconciler import Unknown, fate_of_unknown
from queueserver_manager.worker_client.port import Worker, WorkerSnapshot

_log = logging.getLogger(__name__)


class TaskDispatcher(Dispatcher[Task, TaskOutcome]):
    """For tasks, of which several may run."""

    kind = "a task"

    def __init__(
        self,
        ledger: Ledger,
        worker: Worker,
        now: Callable[[], float],
        retention: Retention,
        on_trouble: Callable[[], None],
        on_stale: Callable[[], None],
    ) -> None:
        super().__init__(ledger, worker, on_trouble, on_stale)
        self._now = now
        self._retention = retention
        #: Plans and devices that the Worker reported and that are not stored yet.
        self._lists: Inventory | None = None

    async def take_lists(self, reported: Inventory | None) -> None:
        """Store plans and devices as reported, or with None those that could not be stored before.

        If Redis is away they are stored when it is back, ahead of the result of any task.
        """
        if reported is not None:
            self._lists = reported
        try:
            await self._store_lists()
        except (StorageUnavailable, NotReady):
            _log.warning("Plans and devices are not stored yet; they will be when Redis is back")

    def reconcile(self, running: list[Task], snapshot: WorkerSnapshot) -> None:
        """After any break: compare the stored tasks with what the Worker says.

        A task with an outcome is accounted for, a running one continues. One that the Worker does not know was not
        started or is lost with its environment: handed over (again) if its environment is still there, else failed.
        An outcome of no task of ours was accounted for, and is acknowledged.
        """
        known = {*snapshot.running_tasks, *(outcome.task_uid for outcome in snapshot.task_outcomes)}
        for outcome in snapshot.task_outcomes:
            self.account(outcome)
        for task in running:
            if task.uid in known:
                continue
            fate = fate_of_unknown(task, snapshot, can_start=snapshot.environment.is_open)
            if fate is Unknown.COMMAND_LOST:
                self.dispatch(task)
            elif fate is Unknown.WORKER_RESTARTED:
                why = "the Worker service was restarted, and the environment ended with it."
                self.account(self._failure(task, TaskFailureCause.WORKER_LOST, why))
            else:
                why = "the environment was gone before the task was started."
                self.account(self._failure(task, TaskFailureCause.NOT_STARTED, why))

    def _id_of(self, work: Task) -> str:
        return work.uid

    def _id_of_outcome(self, outcome: TaskOutcome) -> str:
        return outcome.task_uid

    def _name_of(self, work: Task) -> str:
        return f"task {work.uid}"

    def _group_of(self, work: Task) -> str:
        return work.user_group

    async def _send(self, work: Task, access: Access) -> None:
        await self._worker.run_task(work, access)

    def _not_started(self, work: Task, why: str) -> TaskOutcome:
        return self._failure(work, TaskFailureCause.NOT_STARTED, f"the task was not started: {why}")

    def _failure(self, task: Task, cause: TaskFailureCause, why: str) -> TaskOutcome:
        message = f"Error occurred while executing '{TITLES[task.kind]}': {why}"
        return TaskOutcome(task.uid, TaskResult(success=False, stop=self._now(), message=message, failure_cause=cause))

    async def _store(self, outcome: TaskOutcome) -> bool:
        def decide(record: Record) -> Decision[bool]:
            return finish_task(record, outcome, self._retention, self._now())

        await self._store_lists()
        await self._ledger.submit(decide)
        return False

    async def _store_lists(self) -> None:
        lists = self._lists
        if lists is None:
            return
        await self._ledger.submit(lambda record: replace_inventory(record, lists))
        # Others may have been reported meanwhile.
        if self._lists is lists:
            self._lists = None
