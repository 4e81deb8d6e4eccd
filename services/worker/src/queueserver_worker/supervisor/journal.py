"""The numbered events of this Worker process, and all their watchers.

Guarantees: sequences count from 1 without holes within one `boot_id`; a watcher gets every event from its
start on, in order, as soon as it is published, or gets WatcherTooSlowError if it was overtaken.
Does not guarantee that old events are kept: the memory for them is bounded, the oldest are dropped first. What
must not be lost (outcomes) is kept elsewhere and is part of each snapshot.
"""

from __future__ import annotations

import asyncio
import uuid

from queueserver.common.v1.console_pb2 import ConsoleOutput
from queueserver.common.v1.environment_pb2 import EnvironmentStatus
from queueserver.common.v1.inventory_pb2 import Inventory
from queueserver.common.v1.storage_pb2 import StorageStatus
from queueserver.worker.v1.event_pb2 import (
    DocumentEmitted,
    ExecutionOutcome,
    ExecutionStarted,
    RunClosed,
    RunOpened,
    TaskOutcome,
    WorkerEvent,
)
from queueserver_rpc.message_sizes import PART_BYTES

from queueserver_worker.clock import now
from queueserver_worker.supervisor.errors import WatcherTooSlowError

DEFAULT_LIMIT_BYTES = 64 * 1024 * 1024
MAX_BATCH_EVENTS = 1000
# What an event costs in memory beyond its encoded size, roughly: without it, many tiny events would
# take several times the bound.
_OVERHEAD_BYTES = 200


class Journal:
    """The events that are kept, at most about `limit_bytes` of them, but always the last one."""

    def __init__(self, limit_bytes: int = DEFAULT_LIMIT_BYTES) -> None:
        self.boot_id = str(uuid.uuid4())
        self._limit = limit_bytes
        # A list with a moving start: indexing by sequence stays O(1), which a deque does not offer.
        self._events: list[WorkerEvent | None] = []
        self._sizes: list[int] = []
        self._start = 0
        self._bytes = 0
        self._last = 0
        self._waiting: set[asyncio.Future[None]] = set()
        self._closed = False
        self.watchers: set[Watcher] = set()

    @property
    def last_sequence(self) -> int:
        """Sequence of the last event; 0 if there was none."""
        return self._last

    @property
    def first_kept_sequence(self) -> int:
        """Sequence of the oldest event that is kept; last_sequence + 1 if none is."""
        return self._last - (len(self._events) - self._start) + 1

    @property
    def closed(self) -> bool:
        """Whether no more events will come."""
        return self._closed

    def environment_changed(self, environment: EnvironmentStatus) -> None:
        """Publish a copy of the whole environment."""
        self._publish(WorkerEvent(environment_changed=environment))

    def inventory_changed(self, inventory: Inventory) -> None:
        """Publish plans and devices."""
        self._publish(WorkerEvent(inventory_changed=inventory))

    def execution_started(self, started: ExecutionStarted) -> None:
        """Publish that the plan of an execution began."""
        self._publish(WorkerEvent(execution_started=started))

    def run_opened(self, opened: RunOpened) -> None:
        """Publish that the execution opened a run."""
        self._publish(WorkerEvent(run_opened=opened))

    def run_closed(self, closed: RunClosed) -> None:
        """Publish that the execution closed a run."""
        self._publish(WorkerEvent(run_closed=closed))

    def execution_finished(self, outcome: ExecutionOutcome) -> None:
        """Publish an outcome. It must have been stored before."""
        self._publish(WorkerEvent(execution_finished=outcome))

    def task_finished(self, outcome: TaskOutcome) -> None:
        """Publish an outcome of a task. It must have been stored before."""
        self._publish(WorkerEvent(task_finished=outcome))

    def storage_changed(self, storage: StorageStatus) -> None:
        """Publish the state of the directory in which outcomes wait."""
        self._publish(WorkerEvent(storage_changed=storage))

    def console(self, output: ConsoleOutput) -> None:
        """Publish console text."""
        self._publish(WorkerEvent(console=output))

    def document(self, document: DocumentEmitted) -> None:
        """Publish a run document."""
        self._publish(WorkerEvent(document=document))

    def close(self) -> None:
        """Announce that no more events will come: watchers end when they have read everything."""
        self._closed = True
        self._wake()

    def watch(self, after_sequence: int, boot_id: str) -> Watcher:
        """Follow the events after `after_sequence`, or from the oldest kept if that belongs to another boot."""
        known = after_sequence if boot_id == self.boot_id else 0
        start = min(max(known + 1, self.first_kept_sequence), self._last + 1)
        return Watcher(self, start)

    def read(self, sequence: int) -> tuple[list[WorkerEvent], int]:
        """Events from `sequence` on, as many as go into one message, and the sequence after them.

        Raises WatcherTooSlowError if the event with that sequence is not kept any more.
        """
        first = self.first_kept_sequence
        if sequence < first:
            raise WatcherTooSlowError(sequence, first)
        index = self._start + sequence - first
        batch: list[WorkerEvent] = []
        size = 0
        for position in range(index, min(index + MAX_BATCH_EVENTS, len(self._events))):
            event = self._events[position]
            size += self._sizes[position]
            if batch and size > PART_BYTES:
                break
            if event is not None:
                batch.append(event)
        return batch, sequence + len(batch)

    async def wait(self, seconds: float) -> None:
        """Return when an event is published or the journal is closed, at the latest after `seconds`."""
        loop = asyncio.get_running_loop()
        woken: asyncio.Future[None] = loop.create_future()
        self._waiting.add(woken)
        timer = loop.call_later(seconds, _finish, woken)
        try:
            await woken
        finally:
            timer.cancel()
            self._waiting.discard(woken)

    def _publish(self, event: WorkerEvent) -> None:
        self._last += 1
        event.sequence = self._last
        event.time.CopyFrom(now())
        size = event.ByteSize() + _OVERHEAD_BYTES
        self._events.append(event)
        self._sizes.append(size)
        self._bytes += size
        while self._bytes > self._limit and self._start < len(self._events) - 1:
            self._events[self._start] = None
            self._bytes -= self._sizes[self._start]
            self._start += 1
        if self._start > len(self._events) // 2:
            del self._events[: self._start]
            del self._sizes[: self._start]
            self._start = 0
        self._wake()

    def _wake(self) -> None:
        for woken in self._waiting:
            _finish(woken)
        self._waiting.clear()


class Watcher:
    """A reader of the journal with its own position. Close it after use."""

    def __init__(self, journal: Journal, sequence: int) -> None:
        self._journal = journal
        self._next = sequence
        journal.watchers.add(self)

    def close(self) -> None:
        """Stop watching."""
        self._journal.watchers.discard(self)

    async def batch(self, patience: float) -> list[WorkerEvent] | None:
        """The next events, at once if there are any; an empty list if none came within `patience` seconds.

        None when everything was read and no more events will come. Raises WatcherTooSlowError when events that
        were not read are not kept any more.
        """
        if self._next > self._journal.last_sequence and not self._journal.closed:
            await self._journal.wait(patience)
        events, self._next = self._journal.read(self._next)
        if not events and self._journal.closed:
            return None
        return events


def _finish(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
