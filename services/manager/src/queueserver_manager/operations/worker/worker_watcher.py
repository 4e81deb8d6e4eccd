"""Watches the Worker: follows its event stream, reconnects, and passes on what it receives.

Each connection begins with a snapshot, which is authoritative; events the Worker had before it only fill the feed
(console and documents), so that a watcher can resume across a restart of the Manager. A snapshot that shows an end,
of a plan, a task or the environment, is acted on only when these events are there: an end follows all that led to it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from queueserver_long_work.time_slice import TimeSlice, next_turn_after

from queueserver_manager.domain.events import Kind
from queueserver_manager.domain.queue.queue_run import meet_worker
from queueserver_manager.domain.refusals.errors import NotReady, StorageUnavailable
from queueserver_manager.operations.commit.ledger import Ledger
from queueserver_manager.operations.watch.event_buffer import EventBuffer, FeedEntry, JournalPosition
from queueserver_manager.operations.watch.open_runs import OpenRuns
from queueserver_manager.operations.worker.execution_dispatcher import ExecutionDispatcher
from queueserver_manager.operations.worker.reconciler import reconcile
from queueserver_manager.operations.worker.task_dispatcher import TaskDispatcher
from queueserver_manager.operations.worker.worker_view import WorkerView
from queueserver_manager.worker_client import port

#: Each repeated comparison within this many seconds is followed by a longer rest.
_CALM_SECONDS = 2.0
_STEP_SECONDS = 0.05
_LONGEST_SECONDS = 1.0
_log = logging.getLogger(__name__)


class WorkerWatcher:
    """Follows one Worker for one term."""

    def __init__(
        self,
        worker: port.Worker,
        view: WorkerView,
        feed: EventBuffer,
        open_runs: OpenRuns,
        ledger: Ledger,
        runner: ExecutionDispatcher,
        task_runner: TaskDispatcher,
    ) -> None:
        self._worker = worker
        self._view = view
        self._feed = feed
        self._open_runs = open_runs
        self._ledger = ledger
        self._runner = runner
        self._task_runner = task_runner
        self._boot_id = ""
        self._sequence = 0
        self._snapshot_sequence = 0
        #: A snapshot that waits for the events before it.
        self._unsettled: port.WorkerSnapshot | None = None
        self._stream: asyncio.Task[None] | None = None
        self._again = False
        #: A Worker connected in this term, and that is stored.
        self._acquainted = False
        #: Set once the first snapshot was handled.
        self.met = asyncio.Event()

    async def run(self) -> None:
        """Follow until cancelled."""
        loop = asyncio.get_running_loop()
        retries = 0
        while True:
            self._again = False
            begun = loop.time()
            self._stream = loop.create_task(self._follow(min(retries * _STEP_SECONDS, _LONGEST_SECONDS)))
            try:
                # Not the stream itself: its end must not replace our own cancellation.
                await asyncio.wait([self._stream])
            finally:
                self._stream.cancel()
            is_down = False
            try:
                if not self._stream.cancelled():
                    self._stream.result()
            except port.WorkerDown as error:
                is_down = True
                self._lose(error)
            # A Worker that can't do what it is asked, or be reached, is not asked again as fast as the processor can.
            too_soon = loop.time() - begun < _CALM_SECONDS
            retries = retries + 1 if (self._again or is_down) and too_soon else 0

    def _lose(self, error: port.WorkerDown) -> None:
        """The connection broke, or was not established."""
        before = self._view.status
        if before.connected and isinstance(error, port.WorkerStopped):
            _log.info("The Worker was stopped: nothing can be executed until it is back")
        elif error.advice and error.advice != before.unreachable_because:
            _log.warning("%s What it executes continues", error.advice)
        elif before.connected:
            _log.warning("The Worker can't be reached (%s); what it executes continues", error)
        if before.connected or error.advice != before.unreachable_because:
            self._view.lose(error.advice)

    def resync(self) -> None:
        """Start again with a snapshot, because something may have been missed."""
        if self._stream is not None and not self._again:
            self._again = True
            self._stream.cancel()

    async def _follow(self, rest: float) -> None:
        if rest:
            await next_turn_after(rest)
        async for message in self._worker.watch(self._boot_id, self._sequence):
            if isinstance(message, port.WorkerSnapshot):
                await self._meet(message)
            else:
                await self._apply_events(message)

    async def _meet(self, snapshot: port.WorkerSnapshot) -> None:
        """Connected: agree with the Worker on who commands it, and, as soon as possible, on what is running."""
        await self._runner.fence()
        if snapshot.boot_id != self._boot_id:
            _log.info("Connected to Worker %s", snapshot.boot_id)
            self._boot_id, self._sequence = snapshot.boot_id, 0
            self._open_runs.clear()
        self._snapshot_sequence = snapshot.last_sequence
        self._feed.attach(JournalPosition(snapshot.boot_id, snapshot.first_kept_sequence, snapshot.last_sequence))
        self._unsettled = snapshot
        if not snapshot.tells_an_end or self._sequence >= snapshot.last_sequence:
            await self._agree(snapshot)

    async def _agree(self, snapshot: port.WorkerSnapshot) -> None:
        """Take over what a snapshot says is running and has ended."""
        self._unsettled = None
        # Plans and devices are stored before the environment is called open, so that items can be added at once.
        await self._task_runner.take_lists(snapshot.inventory)
        await self._note_worker(snapshot.boot_id)
        running = await self._ledger.read(lambda record: record.running)
        # From here on without a break: no client sees a Worker that is there with an environment as it was before.
        action = reconcile(running, snapshot)
        if running is not None and action.lost is not None:
            self._runner.fail(running, *action.lost)
        if running is not None and action.dispatch:
            self._runner.dispatch(running)
        self._view.meet(snapshot, executes_item=running is not None and snapshot.executes(running.execution_id))
        if action.account is not None:
            self._runner.account(action.account)
        if action.acknowledge:
            self._runner.forget(action.acknowledge)
        self._task_runner.reconcile(await self._ledger.read(lambda record: record.tasks.running), snapshot)
        self.met.set()

    async def _note_worker(self, boot_id: str) -> None:
        """Store which Worker connected; if Redis is away, at the next connection, which follows its return."""
        is_first = not self._acquainted
        try:
            committed = await self._ledger.submit(lambda record: meet_worker(record, boot_id, is_first=is_first))
        except (StorageUnavailable, NotReady):
            return
        self._acquainted = True
        if committed.result:
            _log.warning("Autostart is off now: everything was restarted, so check the instrument first")

    async def _apply_events(self, events: Sequence[port.WorkerEvent]) -> None:
        time_slice = TimeSlice()
        for numbered in events:
            await time_slice.yield_if_due()
            await self._agree_before(numbered.sequence)
            self._sequence = numbered.sequence
            event = numbered.event
            if isinstance(event, port.ConsoleWritten):
                self._feed.append(FeedEntry(Kind.CONSOLE, event.wire, 0, self._boot_id, numbered.sequence))
            elif isinstance(event, port.DocumentWritten):
                self._open_runs.note(event)
                self._feed.append(FeedEntry(Kind.DOCUMENT, event.wire, 0, self._boot_id, numbered.sequence))
            elif numbered.sequence > self._snapshot_sequence:
                await self._apply(event)
        self._feed.received_up_to(self._sequence)
        await self._agree_before(self._sequence + 1)

    async def _agree_before(self, sequence: int) -> None:
        """Act on a waiting snapshot if everything before it was received and this event would come next."""
        if self._unsettled is not None and sequence > self._unsettled.last_sequence:
            await self._agree(self._unsettled)

    async def _apply(self, event: port.Event) -> None:
        """An event that is news: the snapshot did not include it."""
        if isinstance(event, port.ExecutionFinished):
            self._view.set_runs(())
            self._runner.account(event.outcome)
        elif isinstance(event, port.TaskEnded):
            self._task_runner.account(event.outcome)
        elif isinstance(event, port.RunOpened):
            self._view.open_run(event.run)
        elif isinstance(event, port.RunClosed):
            self._view.close_run(event.run_uid, event.exit_status)
        elif isinstance(event, port.EnvironmentChanged):
            self._view.set_environment(event.environment)
        elif isinstance(event, port.StorageChanged):
            self._view.set_storage(event.storage)
        elif isinstance(event, port.InventoryReported):
            await self._task_runner.take_lists(event.inventory)
