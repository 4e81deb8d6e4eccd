"""Hands accepted tasks to the Worker and accounts for their results.

As for items (``execution_dispatcher.py``): a task is stored before the Worker receives it, its result is stored
before the Worker is told to forget it, the Worker starts a task once, and the ledger accounts for it once. Plans and
devices that a task made are stored before its result, so a client that sees a task done can use them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from queueserver_manager.domain.inventory import Inventory
from queueserver_manager.domain.permissions.permission_errors import GroupNotFound
from queueserver_manager.domain.record import Record
from queueserver_manager.domain.refusals.errors import NotReady, StorageUnavailable
from queueserver_manager.domain.tasks.task_lifecycle import finish_task
from queueserver_manager.domain.tasks.tasks import TITLES, Retention, Task, TaskFailureCause, TaskOutcome, TaskResult
from queueserver_manager.operations.commit.ledger import Ledger
from queueserver_manager.operations.permissions import replace_inventory
from queueserver_manager.worker_client.port import StaleEpoch, Worker, WorkerDown, WorkerRefused, WorkerSnapshot

_log = logging.getLogger(__name__)


class TaskDispatcher:
    """Dispatches, accounts, acknowledges. ``on_trouble`` makes the watcher compare the record with the Worker again."""

    def __init__(
        self,
        ledger: Ledger,
        worker: Worker,
        now: Callable[[], float],
        retention: Retention,
        on_trouble: Callable[[], None],
        on_stale: Callable[[], None],
    ) -> None:
        self._ledger = ledger
        self._worker = worker
        self._now = now
        self._retention = retention
        self._on_trouble = on_trouble
        self._on_stale = on_stale
        self._jobs: set[asyncio.Task[None]] = set()
        self._accounting: set[str] = set()
        #: Tasks that are on their way to the Worker.
        self._dispatching: set[str] = set()
        #: Plans and devices that the Worker reported and that are not stored yet.
        self._lists: Inventory | None = None

    def dispatch(self, task: Task) -> None:
        """Hand an accepted task to the Worker. Safe to repeat.

        Not while it is on its way already, nor once it has a result: the Worker might start what it has just refused.
        """
        if task.uid not in self._dispatching and task.uid not in self._accounting:
            self._dispatching.add(task.uid)
            self._spawn(self._dispatch(task))

    def account(self, outcome: TaskOutcome) -> None:
        """Store a result. Safe to repeat."""
        if outcome.task_uid not in self._accounting:
            self._accounting.add(outcome.task_uid)
            self._spawn(self._account(outcome))

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
        reported = {outcome.task_uid for outcome in snapshot.task_outcomes}
        for outcome in snapshot.task_outcomes:
            self.account(outcome)
        for task in running:
            if task.uid in reported or task.uid in snapshot.running_tasks:
                continue
            if snapshot.boot_id != task.boot_id:
                why = "the Worker service was restarted, and the environment ended with it."
                self.fail(task, why, TaskFailureCause.WORKER_LOST)
            elif snapshot.environment.environment_id == task.environment_id and snapshot.environment.is_open:
                self.dispatch(task)
            else:
                self.fail(task, "the environment was gone before the task was started.")

    def fail(self, task: Task, why: str, cause: TaskFailureCause = TaskFailureCause.NOT_STARTED) -> None:
        """Account for a task that no other source can report any more."""
        message = f"Error occurred while executing '{TITLES[task.kind]}': {why}"
        result = TaskResult(success=False, stop=self._now(), message=message, failure_cause=cause)
        self.account(TaskOutcome(task.uid, result))

    async def close(self) -> None:
        """Stop following; the next term, or the next start, continues from the store."""
        for job in tuple(self._jobs):
            job.cancel()
        await asyncio.gather(*self._jobs, return_exceptions=True)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        job = asyncio.get_running_loop().create_task(work)
        self._jobs.add(job)
        job.add_done_callback(self._done)

    def _done(self, job: asyncio.Task[None]) -> None:
        self._jobs.discard(job)
        if not job.cancelled() and job.exception() is not None:
            _log.error("a task could not be followed", exc_info=job.exception())
            self._on_trouble()

    async def _dispatch(self, task: Task) -> None:
        try:
            access = self._ledger.permissions.access_for(task.user_group)
            await self._worker.run_task(task, access)
        except WorkerDown as error:
            _log.warning("task %s: the Worker did not answer (%s)", task.uid, error)
            self._on_trouble()
        except StaleEpoch:
            self._on_stale()
        except (WorkerRefused, GroupNotFound) as error:
            self.fail(task, f"the task was not started: {error.message}")
        finally:
            self._dispatching.discard(task.uid)

    async def _store_lists(self) -> None:
        lists = self._lists
        if lists is None:
            return
        await self._ledger.submit(lambda record: replace_inventory(record, lists))
        # Others may have been reported meanwhile.
        if self._lists is lists:
            self._lists = None

    async def _account(self, outcome: TaskOutcome) -> None:
        def decide(record: Record) -> Any:
            return finish_task(record, outcome, self._retention, self._now())

        try:
            while True:
                try:
                    await self._store_lists()
                    await self._ledger.submit(decide)
                    break
                except StorageUnavailable:
                    await self._ledger.storage_back.wait()
        except NotReady:
            return
        finally:
            self._accounting.discard(outcome.task_uid)
        try:
            await self._worker.acknowledge([outcome.task_uid])
        except (WorkerDown, WorkerRefused) as error:
            # The next snapshot sends it again.
            _log.info("task %s: its result is not acknowledged yet (%s)", outcome.task_uid, error)
        except StaleEpoch:
            self._on_stale()
