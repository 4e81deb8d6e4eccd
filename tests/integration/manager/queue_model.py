"""What a Manager promises, as a model that a person can read: lists of items, and what each event does to them.

It knows nothing of processes, identities, storage or time. An item is known by itself; the uid that the Manager gave
it is filled in by whoever compares the two.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from queueserver_client import ExitStatus, FailureCause, InterruptedPolicy

from tests.integration.manager.worker_script import Fate

_GOOD = {ExitStatus.COMPLETED, ExitStatus.STOPPED}
_INTERRUPTIONS = {FailureCause.ENVIRONMENT_LOST, FailureCause.WORKER_LOST}


@dataclass(eq=False)
class ModelItem:
    """An item. A new attempt, and a repetition in loop mode, is another one with the same number."""

    #: Number of the request that brought it; it goes along in its properties.
    number: int
    is_stop: bool = False
    attempt: int = 1
    retry_of_uid: ModelItem | None = None
    held: bool = False
    #: Empty until the Manager was seen to have it.
    uid: str = ""

    def repetition(self) -> ModelItem:
        """The item that does the same again."""
        return ModelItem(self.number, self.is_stop)

    def next_attempt(self, *, held: bool) -> ModelItem:
        """The item that tries again."""
        return ModelItem(self.number, self.is_stop, self.attempt + 1, self, held)


@dataclass(frozen=True)
class ModelEntry:
    """A line of the history."""

    item: ModelItem
    status: ExitStatus
    cause: FailureCause
    successor: ModelItem | None


@dataclass
class QueueModel:
    """The queue, the running item, the history, and what the Worker was made to begin."""

    queue: list[ModelItem] = field(default_factory=list)
    running: ModelItem | None = None
    immediate: bool = False
    history: list[ModelEntry] = field(default_factory=list)
    begun: list[ModelItem] = field(default_factory=list)
    environment_open: bool = False
    stop_pending: bool = False
    loop: bool = False
    ignore_failures: bool = False
    interrupted: InterruptedPolicy = InterruptedPolicy.REQUEUE
    #: What becomes of the next commands to the Worker.
    fates: deque[Fate] = field(default_factory=deque)

    # Edits

    def insert(self, items: Sequence[ModelItem], index: int) -> None:
        """Put items in front of the one at an index."""
        self.queue[index:index] = items

    def move(self, items: Sequence[ModelItem], index: int) -> None:
        """Take items out and put them in at an index of what is left. Whoever really moves is no longer held."""
        before = list(self.queue)
        self.queue = [item for item in self.queue if item not in items]
        self.insert(items, index)
        if self.queue != before:
            for item in items:
                item.held = False

    def update(self, item: ModelItem, number: int, *, new_uid: bool) -> None:
        """Replace an item by another one at the same place, which is the same attempt."""
        self.queue[self.queue.index(item)] = ModelItem(
            number, attempt=item.attempt, retry_of_uid=item.retry_of_uid, uid="" if new_uid else item.uid
        )

    def remove(self, items: Iterable[ModelItem]) -> None:
        """Take items out."""
        for item in items:
            self.queue.remove(item)

    # Execution

    def start(self) -> None:
        """Start the queue. It is not running, and its head is not held."""
        self._go_on()

    def execute(self, item: ModelItem) -> None:
        """Execute an item that is not in the queue."""
        self.immediate = True
        self._claim(item)

    def end(self, status: ExitStatus, cause: FailureCause = FailureCause.UNSPECIFIED) -> None:
        """The running item ends."""
        item, immediate = self.running, self.immediate
        assert item is not None
        self.running, self.immediate = None, False
        interrupted = status in {ExitStatus.ABORTED, ExitStatus.HALTED} or cause in _INTERRUPTIONS
        goes_on = status is ExitStatus.COMPLETED or (cause is FailureCause.PLAN_ERROR and self.ignore_failures)
        successor = None
        if immediate:
            goes_on = False
        elif goes_on or status in _GOOD:
            successor = item.repetition() if self.loop else None
            self.queue += [successor] if successor else []
        elif not interrupted or self.interrupted is not InterruptedPolicy.DROP:
            successor = item.next_attempt(held=interrupted and self.interrupted is InterruptedPolicy.HOLD)
            self.queue.insert(0, successor)
        self.history.append(ModelEntry(item, status, cause, successor))
        if goes_on and self.environment_open and not self.stop_pending and not (self.queue and self.queue[0].held):
            self._go_on()
        else:
            self.stop_pending = False

    def _go_on(self) -> None:
        head = self.queue.pop(0) if self.queue else None
        if head is None or head.is_stop:
            self.queue += [head.repetition()] if head and self.loop else []
            self.stop_pending = False
        else:
            self._claim(head)

    def _claim(self, item: ModelItem) -> None:
        self.running = item
        fate = Fate.COMMAND_LOST
        while fate is Fate.COMMAND_LOST:
            fate = self.fates.popleft() if self.fates else Fate.ACCEPTED
        if fate in {Fate.REFUSED, Fate.REFUSED_LATE}:
            self.end(ExitStatus.FAILED, FailureCause.NOT_STARTED)
        elif fate is Fate.ENVIRONMENT_DIES:
            self.environment_open = False
            self.end(ExitStatus.FAILED, FailureCause.NOT_STARTED)
        elif fate is Fate.WORKER_RESTARTS:
            self.environment_open = False
            self.end(ExitStatus.FAILED, FailureCause.WORKER_LOST)
        else:
            self.begun.append(item)
            if fate in {Fate.ENDS_FIRST, Fate.ENDS_AND_REPLY_LOST}:
                self.end(ExitStatus.COMPLETED)
