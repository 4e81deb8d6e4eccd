"""One owner's term: everything that exists while this Manager owns the queue, and nothing longer."""

from __future__ import annotations

import asyncio
import os
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from queueserver_long_work.time_slice import TimeSlice, in_time_slices
from queueserver_process.ending import to_the_end

from queueserver_manager.domain.events import (
    Announcement,
    Event,
    InventoryReplaced,
    ItemFinished,
    ItemStarted,
    Kind,
    QueueStarted,
    TaskFinished,
    TaskStarted,
)
from queueserver_manager.domain.limits import Limits
from queueserver_manager.domain.lock.lock import SALT_BYTES
from queueserver_manager.domain.lock.locking import Identity
from queueserver_manager.domain.permissions.permissions import Permissions
from queueserver_manager.domain.queue.item import HistoryEntry, Item
from queueserver_manager.domain.queue.queue_run import stop_after_loss
from queueserver_manager.domain.queue.submission import Submission
from queueserver_manager.domain.record import Record
from queueserver_manager.domain.refusals.errors import NotReady, ServerStopping
from queueserver_manager.operations.activity_log import ActivityLog, listening
from queueserver_manager.operations.autostart import Autostart
from queueserver_manager.operations.commit.ledger import Ledger
from queueserver_manager.operations.commit.storage import StorageWatch
from queueserver_manager.operations.commit.until_stored import until_stored
from queueserver_manager.operations.environment import EnvironmentOperations
from queueserver_manager.operations.files import Files
from queueserver_manager.operations.history import HistoryOperations
from queueserver_manager.operations.importing import ImportOperations
from queueserver_manager.operations.inventory import DescriptionFilter, InventoryOperations
from queueserver_manager.operations.lock.lock_lease import LockLease
from queueserver_manager.operations.lock.lock_orders import LockOrderDesk
from queueserver_manager.operations.lock.locking import LockOperations
from queueserver_manager.operations.pages.listing import QueueListings
from queueserver_manager.operations.permissions import PermissionOperations
from queueserver_manager.operations.planning import PlanningOperations
from queueserver_manager.operations.questions import QuestionOperations
from queueserver_manager.operations.queue import QueueOperations
from queueserver_manager.operations.queue_run import QueueRunOperations
from queueserver_manager.operations.run_engine import RunEngineOperations
from queueserver_manager.operations.server import ServerOperations
from queueserver_manager.operations.status import StatusBoard, StatusFacts
from queueserver_manager.operations.tasks import TaskOperations
from queueserver_manager.operations.validation.allowed_inventory_cache import AllowedInventoryCache
from queueserver_manager.operations.validation.revalidation import QueueCheck
from queueserver_manager.operations.validation.submissions import Prepared, Submissions
from queueserver_manager.operations.watch.event_buffer import EventBuffer, FeedEntry
from queueserver_manager.operations.watch.item_watches import ItemWatches
from queueserver_manager.operations.watch.missed import Encoder
from queueserver_manager.operations.watch.open_runs import OpenRuns
from queueserver_manager.operations.watch.watch_streams import WatchStreams
from queueserver_manager.operations.worker.execution_dispatcher import ExecutionDispatcher
from queueserver_manager.operations.worker.task_dispatcher import TaskDispatcher
from queueserver_manager.operations.worker.worker_view import WorkerView
from queueserver_manager.operations.worker.worker_watcher import WorkerWatcher
from queueserver_manager.store.port import LockOrders, OwnershipLost, Store
from queueserver_manager.worker_client.port import Worker

#: Seconds to wait for the Worker's first message before serving without it.
_MEETING_SECONDS = 1.0
#: Seconds after the last change until no client is expected to be waiting.
_REST_SECONDS = 5.0


def new_id() -> str:
    """A new identity."""
    return str(uuid.uuid4())


def new_salt() -> bytes:
    """A new salt for the digest of a key."""
    return os.urandom(SALT_BYTES)


@dataclass(frozen=True, slots=True)
class TermSettings:
    """What a term needs beside its parts."""

    epoch: int
    address: str
    prepare_item: Callable[[Item, Submission], Prepared]
    #: Bytes of a history entry as it is stored.
    measure_entry: Callable[[HistoryEntry], int]
    limits: Limits = field(default_factory=Limits)
    permitted_metadata: tuple[str, ...] = ("/",)
    scripts_enabled: bool = True
    #: The group for callers that send none; see Permissions.acting_group.
    default_group: str = ""
    files: Files = field(default_factory=Files)
    #: Permissions to put into force at once.
    fresh_permissions: Permissions | None = None
    #: Called when nothing waits or runs and nothing has changed for a while.
    at_rest: Callable[[], None] = lambda: None
    #: The Manager is open to every client that can reach it.
    insecure_listen: bool = False
    #: Orders to clear the lock, where a person can leave some.
    lock_orders: LockOrders | None = None
    #: Starts ending the server.
    on_stop: Callable[[], None] = lambda: None
    #: The store lacks changes that were stored before: nothing starts by itself.
    changes_were_lost: bool = False


class OwnershipTerm:
    """Ledger, runner, worker link and the operations on them, wired together."""

    def __init__(
        self,
        settings: TermSettings,
        store: Store,
        record: Record,
        worker: Worker,
        board: StatusBoard,
        encoder: Encoder,
        description_filter: DescriptionFilter,
        storage: StorageWatch | None = None,
    ) -> None:
        self._settings = settings
        self._record = record
        self._board = board
        self._encoder = encoder
        self._storage = storage or StorageWatch("", time.time, board.changed)
        self._stale = asyncio.Event()
        self._resting: asyncio.TimerHandle | None = None
        self._activity = ActivityLog()
        self.feed = EventBuffer(record.revisions.last)
        self.view = WorkerView(self._view_changed, time.time, new_id, self._activity.environment_changed)
        limits = settings.limits
        self.ledger = Ledger(
            store, record, time.time, self._committed, self._storage_changed, self._storage, limits.answers
        )
        self.runner = ExecutionDispatcher(
            self.ledger,
            self.view,
            worker,
            time.time,
            limits.history,
            settings.measure_entry,
            on_trouble=self._compare_notes,
            on_stale=self._stale.set,
        )
        open_runs = OpenRuns()
        self.task_runner = TaskDispatcher(
            self.ledger,
            worker,
            time.time,
            limits.tasks,
            on_trouble=self._compare_notes,
            on_stale=self._stale.set,
        )
        self.link = WorkerWatcher(worker, self.view, self.feed, open_runs, self.ledger, self.runner, self.task_runner)
        group = settings.default_group
        self.tasks = TaskOperations(
            *(self.ledger, self.view, time.time, new_id),
            scripts_enabled=settings.scripts_enabled,
            default_group=group,
        )
        self.environment = EnvironmentOperations(self.ledger, self.view, worker, new_id, self._stale.set)
        self.allowed_inventories = AllowedInventoryCache(self.ledger, group)
        submissions = Submissions(self.allowed_inventories, time.time, new_id, settings.prepare_item)
        self.planning = PlanningOperations(self.ledger, self.view, worker, submissions, self.allowed_inventories)
        self.following = ItemWatches(self.ledger, self.view)
        self._queue_check = QueueCheck(self.ledger, self.allowed_inventories.for_group)
        self.queue = QueueOperations(self.ledger, submissions, self.following, self._queue_check.look, limits.queue)
        self.queue_run = QueueRunOperations(self.ledger, self.view, submissions)
        self.run_engine = RunEngineOperations(
            self.ledger, self.view, worker, settings.permitted_metadata, self._stale.set
        )
        self.questions = QuestionOperations(self.ledger, self.view, worker, self._stale.set)
        self._autostart = Autostart(self.ledger, self.view)
        self.listings = QueueListings(self.ledger)
        self.history = HistoryOperations(self.ledger)
        self.inventory = InventoryOperations(self.ledger, description_filter, group)
        self.permissions = PermissionOperations(self.ledger, settings.files)
        self.locking = LockOperations(self.ledger, time.time, new_id, new_salt)
        self._lock_lease = LockLease(self.ledger, time.time)
        self._lock_orders = LockOrderDesk(self.ledger, settings.lock_orders) if settings.lock_orders else None
        self.importing = ImportOperations(
            *(self.ledger, lambda: Identity(new_id(), new_salt()), settings.prepare_item, settings.measure_entry),
            *(limits, self._queue_check.look, time.time),
        )
        self.server = ServerOperations(self.ledger, self.view, worker, settings.on_stop)
        self.watching = WatchStreams(self.ledger, self.feed, open_runs, board, encoder)

    async def run(self, on_ready: Callable[[], None]) -> None:
        """Act as the owner until cancelled. Raises OwnershipLost."""
        with listening(self._tell_log_line):
            await self._run(on_ready)

    async def _run(self, on_ready: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        jobs = [loop.create_task(self.ledger.run()), loop.create_task(self._follow_worker())]
        jobs.append(loop.create_task(self._watch_for_successor()))
        if self._lock_orders is not None:
            jobs.append(loop.create_task(self._lock_orders.run()))
        meeting = loop.create_task(self._begin())
        try:
            await asyncio.wait([meeting, *jobs], timeout=_MEETING_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            # Earlier events are in the record: no watcher gets them as news.
            if self._record.running is not None:
                self.view.confirm()
            self._board.listen(self._tell_status)
            self._board.collect_from(self._facts)
            on_ready()
            done, _ = await asyncio.wait(jobs, return_when=asyncio.FIRST_COMPLETED)
            for job in done:
                job.result()
        finally:
            meeting.cancel()
            # Lost ownership is noticed in several places: the second one must not keep watchers in a term that is over.
            await to_the_end(self._end(jobs))

    async def _follow_worker(self) -> None:
        if self._settings.changes_were_lost:
            with suppress(NotReady):
                await until_stored(self.ledger, lambda: self.ledger.submit(stop_after_loss))
        await self.link.run()

    async def _begin(self) -> None:
        """What is to be done before the first client is served, if it can be done soon."""
        # The owner before may have ended during a check.
        self._queue_check.look()
        if self._lock_orders is not None:
            await self._lock_orders.begun.wait()
        await self._lock_lease.begin()
        await self.permissions.begin(self._settings.fresh_permissions)
        await self.link.met.wait()

    async def _end(self, jobs: list[asyncio.Task[None]]) -> None:
        self._board.unlisten(self._tell_status)
        for job in jobs:
            job.cancel()
        await self.runner.close()
        await self.task_runner.close()
        await self._queue_check.close()
        await self._lock_lease.close()
        await asyncio.gather(*jobs, return_exceptions=True)
        if self._resting is not None:
            self._resting.cancel()
        why = ServerStopping() if self.view.stopping else NotReady()
        self.feed.end_with(why)
        self.following.end_with(why)
        self.tasks.end_with(why)
        self.environment.end_with(why)

    async def _watch_for_successor(self) -> None:
        """The Worker follows a Manager with a higher epoch: our term is over."""
        await self._stale.wait()
        raise OwnershipLost

    def _compare_notes(self) -> None:
        self.link.resync()

    def _storage_changed(self) -> None:
        self._board.changed()
        self._lock_lease.storage_changed()
        if self.ledger.storage_up:
            self._compare_notes()
            # Findings made meanwhile were about items as they were before the outage.
            self._queue_check.look()
            self._autostart.look()

    async def _committed(self, announcements: list[Announcement]) -> None:
        """Something is stored: a claimed item goes to the Worker, and followers are told."""
        for announcement in announcements:
            self._act_on(announcement.event)
        entries, time_slice = [], TimeSlice()
        for announcement in announcements:
            kind = announcement.kind
            # A watcher that starts or resumes later gets it from the record or from the store's log.
            if self.feed.is_watched(kind):
                wire = await in_time_slices(self._encoder.announcement(announcement))
                entries.append(FeedEntry(kind, wire, announcement.revision, place=announcement.place))
            self.following.note(announcement.event)
            self._activity.note(announcement)
            await time_slice.yield_if_due()
        self._activity.end()
        if announcements:
            self.feed.change_comes(announcements[0].revision)
        self.feed.extend(entries)
        self.listings.queue_changed(self._record)
        self.watching.queue_changed(self._record)
        self._board.changed()
        self._lock_lease.look()
        self._autostart.look()
        self._put_off_rest()

    def _tell_log_line(self, line: str) -> None:
        """Console watchers see what people did beside what is printed."""
        self.feed.append(FeedEntry(Kind.CONSOLE, self._encoder.log_line(line)))

    def _put_off_rest(self) -> None:
        """Something happens. Each change checks again whether anything will, so the last one is followed by a rest."""
        if self._resting is not None:
            self._resting.cancel()
            self._resting = None
        if self._is_idle():
            self._resting = asyncio.get_running_loop().call_later(_REST_SECONDS, self._rest)

    def _rest(self) -> None:
        if self._is_idle() and not self.ledger.is_busy:
            # A listing holds all items that were in the queue then.
            self.listings.drop_all()
            self._settings.at_rest()

    def _is_idle(self) -> bool:
        summary = self.ledger.summary
        return not (summary.items_in_queue or summary.running or summary.foreground_task)

    def _act_on(self, event: Event) -> None:
        if isinstance(event, QueueStarted):
            self.view.await_confirmation()
        elif isinstance(event, ItemFinished):
            self.runner.note_stored(event.execution_id)
            self.view.drop_requests()
            again = self._record.queue.get(event.requeued_as_uid)
            if again is not None:
                self._queue_check.look_at(again)
        elif isinstance(event, TaskStarted):
            kept = self._record.tasks.get(event.task.uid)
            if kept is not None and kept.result is None:
                self.task_runner.dispatch(kept.task)
        elif isinstance(event, InventoryReplaced):
            self._queue_check.look()
        elif isinstance(event, TaskFinished):
            self.tasks.wake(event.task.uid)
        elif isinstance(event, ItemStarted) and self._is_running(event.running.execution_id):
            if event.running.immediate:
                self.view.await_confirmation()
            self.runner.dispatch(event.running)

    def _view_changed(self) -> None:
        """The Worker's side changed."""
        self.environment.changed()
        self._board.changed()
        running = self.ledger.summary.running
        if running is not None:
            self.following.wake((running.item.uid,))
        self._autostart.look()

    def _is_running(self, execution_id: str) -> bool:
        """A claim that was announced late may be over already."""
        running = self._record.running
        return running is not None and running.execution_id == execution_id

    def _tell_status(self, facts: StatusFacts) -> None:
        if self.feed.is_watched(Kind.STATUS):
            self.feed.append(FeedEntry(Kind.STATUS, self._encoder.status(facts)))

    def _facts(self) -> StatusFacts:
        """The status now."""
        summary, view = self.ledger.summary, self.view
        return StatusFacts(
            time=time.time(),
            state=view.state_during(summary),
            store_id=summary.store_id,
            revisions=summary.revisions,
            items_in_queue=summary.items_in_queue,
            items_in_history=summary.items_in_history,
            running_item_uid=summary.running.item.uid if summary.running else "",
            stop_pending=summary.stop_pending,
            mode=summary.mode,
            autostart=summary.autostart,
            head_held=summary.head_held,
            head_problems=summary.head_problems,
            head_uid=summary.head_uid,
            setback=summary.setback,
            invalid_items=summary.invalid_items,
            lock=summary.lock,
            emergency_key_is_set=summary.emergency_key_is_set,
            pause_pending=view.pause_pending or (summary.running is not None and summary.running.pause_pending),
            pause_at_once=summary.running is not None and view.status.pause_at_once_for == summary.running.execution_id,
            environment=view.status.environment,
            runs_revision=view.runs_revision,
            storage=self._storage.present,
            worker_up=view.status.connected,
            worker_unreachable_because=view.status.unreachable_because,
            worker_storage=view.status.storage,
            is_owner=True,
            owner_address=self._settings.address,
            epoch=self._settings.epoch,
            insecure_listen=self._settings.insecure_listen,
            worker_insecure_listen=view.status.insecure_listen,
        )
