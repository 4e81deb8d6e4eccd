"""A Worker in memory for tests of what a whole term does about tasks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from queueserver_inventory.access import Access
from queueserver_manager.domain.inventory import Inventory
from queueserver_manager.domain.record import Record
from queueserver_manager.domain.tasks.tasks import KeptTask, Task, TaskOutcome
from queueserver_manager.operations.ownership_term import OwnershipTerm, TermSettings
from queueserver_manager.operations.status import StatusBoard
from queueserver_manager.operations.validation.submissions import Prepared
from queueserver_manager.rpc.encoder import ProtoEncoder
from queueserver_manager.wire.descriptions import DescriptionCutter
from queueserver_manager.worker_client import port

from tests.unit.manager.samples import NOW, record_of, task
from tests.unit.manager.scripted_store import ScriptedStore
from tests.unit.manager.scripted_worker import OPEN, ScriptedWorker

#: It was accepted for the Worker and the environment of :class:`TaskWorker`.
UID = "of this environment"


def record_with_a_task() -> Record:
    """A record in which one task goes on."""
    record = record_of("")
    fields = {**{name: getattr(task(UID), name) for name in Task.__slots__}, "environment_id": OPEN.environment_id}
    record.tasks.put(KeptTask(Task(**fields)))
    return record


class TaskWorker(ScriptedWorker):
    """Has an open environment, reports what it is given, and can be told not to answer when it is to run a task."""

    def __init__(self, inventory: Inventory | None = None) -> None:
        super().__init__()
        self.inventory = inventory
        self.running: set[str] = set()
        self.outcomes: list[TaskOutcome] = []
        #: When it was watched, by the event loop's clock.
        self.watched_at: list[float] = []
        #: How often it was asked to run a task, and from which time on it answers that it does.
        self.asked = self.answers_from = 0
        self.answered = asyncio.Event()
        self.events: asyncio.Queue[port.Event] = asyncio.Queue()
        self.acknowledged: asyncio.Queue[str] = asyncio.Queue()

    async def run_task(self, task: Task, access: Access) -> None:
        """Begin a task, or don't answer."""
        del access
        self.asked += 1
        if self.asked < self.answers_from:
            raise port.WorkerDown("it does not answer")
        self.running.add(task.uid)
        self.answered.set()

    def forget(self) -> None:
        """It runs nothing any more, as if it had never been asked to."""
        self.running.clear()
        self.answered.clear()

    async def acknowledge(self, execution_ids: Sequence[str]) -> None:
        """Note what is stored."""
        for execution_id in execution_ids:
            self.acknowledged.put_nowait(execution_id)

    async def watch(
        self, boot_id: str, after_sequence: int
    ) -> AsyncIterator[port.WorkerSnapshot | Sequence[port.WorkerEvent]]:
        """The state, then whatever is put into ``events``."""
        del boot_id
        self.watched_at.append(asyncio.get_running_loop().time())
        yield port.WorkerSnapshot(
            "boot",
            after_sequence,
            1,
            OPEN,
            self.inventory,
            None,
            (),
            frozenset(self.running),
            tuple(self.outcomes),
        )
        while True:
            after_sequence += 1
            event = await self.events.get()
            yield [port.WorkerEvent(after_sequence, event)]
            self.events.task_done()


@asynccontextmanager
async def term_with(store: ScriptedStore, worker: TaskWorker) -> AsyncIterator[OwnershipTerm]:
    """A term at work, ended at the end."""
    settings = TermSettings(1, "here:1", lambda _item, _submission: Prepared(0, 0), lambda _entry: 0)
    board = StatusBoard(lambda: NOW)
    term = OwnershipTerm(settings, store, await store.load(), worker, board, ProtoEncoder(), DescriptionCutter())
    job = asyncio.create_task(term.run(lambda: None))
    try:
        yield term
    finally:
        job.cancel()
        await asyncio.gather(job, return_exceptions=True)
